"""What an operator writes to say where to listen, as values.

endpoint = "off" / port / host ":" port / "[" IPv6-address "]:" port / "systemd:" socket / Twisted endpoint description
port     = 1*DIGIT / service name, as in /etc/services
socket   = name, as in FileDescriptorName= / 1*DIGIT, the first is 0

A description wins over a host of the same name: ``tcp:imaps`` is no host called tcp.
"""

import re
from dataclasses import dataclass

from twisted.internet.interfaces import IStreamServerEndpointStringParser
from twisted.plugin import getPlugins

from mailaccess.errors import ConfigError
from mailaccess.ops.services import HIGHEST_PORT, KnownService, known_service, read_port

ALLOWED = (
    "off, a port or service (993, imaps), HOST:PORT, [IPV6]:PORT or a Twisted endpoint "
    "(tcp: ssl: unix: systemd: haproxy:) is needed"
)
UNPRIVILEGED_OFFSET = 1000
"""From a default port to the one that is taken where that needs privileges: 143 and 1143."""

_BUILT_IN = frozenset({"tcp", "ssl", "unix"})  # Twisted has these without a plugin
_WRAPPING = frozenset({"haproxy"})
_ENCRYPTING = frozenset({"ssl", "tls"})
_WITH_A_PORT = frozenset({"tcp", "tcp6", "ssl"})  # as their first argument

_WORD = r"[A-Za-z0-9-]+"  # a port, perhaps
_ALONE = re.compile(rf"{_WORD}\Z")
_BRACKETED = re.compile(rf"\[([0-9A-Fa-f:.%\w]+)\]:({_WORD})\Z", re.ASCII)
_HANDED_OVER = re.compile(r"systemd:([^\s:=]+)\Z")
_HOST_PORT = re.compile(rf"([^\s:\[\]/\\=]+):({_WORD})\Z")


@dataclass(frozen=True, slots=True)
class TCPEndpoint:
    """A TCP port: ``host`` None is every address, IPv4 and IPv6; port 0 is one that is free.

    ``fallback`` is the port to take where ``port`` may not be bound for want of privileges.
    """

    key: str
    text: str
    host: str | None
    port: int
    fallback: int | None = None

    encrypted: bool = False
    """Whether the endpoint speaks TLS of itself."""

    @property
    def service(self) -> KnownService | None:
        """What is known of the service that was named, or that usually has this port."""
        named = known_service(self.text.rpartition(":")[2])
        return named or known_service(str(self.port))


@dataclass(frozen=True, slots=True)
class DescribedEndpoint:
    """A Twisted endpoint description (``twisted.internet.endpoints``)."""

    key: str
    text: str

    @property
    def encrypted(self) -> bool:
        """Whether the endpoint speaks TLS of itself: ``ssl:…``, ``haproxy:ssl:…``."""
        return self._unwrapped()[0] in _ENCRYPTING

    @property
    def wraps(self) -> bool:
        """Whether the endpoint's connections are more than sockets: ``ssl:…``, ``haproxy:…``."""
        first, _, _ = self.text.partition(":")
        return first in _WRAPPING or first in _ENCRYPTING

    @property
    def service(self) -> KnownService | None:
        """What is known of the service that usually has the port of ``tcp:PORT…``; None for other descriptions."""
        first, rest = self._unwrapped()
        return known_service(rest.partition(":")[0].removeprefix("port=")) if first in _WITH_A_PORT else None

    def _unwrapped(self) -> tuple[str, str]:
        """The word that the description begins with, behind those that wrap another; and what follows it."""
        first, _, rest = self.text.partition(":")
        while first in _WRAPPING:
            first, _, rest = rest.partition(":")
        return first, rest


@dataclass(frozen=True, slots=True)
class SystemdEndpoint:
    """Sockets that systemd hands over: all that have a name, or the one with a number."""

    key: str
    text: str
    name: str

    encrypted: bool = False
    """Whether the endpoint speaks TLS of itself."""

    @property
    def service(self) -> KnownService | None:
        """What is known of the service that the sockets are named after."""
        return known_service(self.name)


Endpoint = TCPEndpoint | DescribedEndpoint | SystemdEndpoint


def parse_endpoint(text: str, key: str, default_port: int) -> Endpoint | None:
    """The endpoint that ``text`` names, or ``default_port`` where it is empty; None for ``off``.

    ``ConfigError`` names ``key`` where it is none of them.
    """
    text = text.strip()
    if not text:
        return TCPEndpoint(key, str(default_port), None, default_port, default_port + UNPRIVILEGED_OFFSET)
    if text == "off":
        return None
    if _ALONE.match(text):
        return TCPEndpoint(key, text, None, _port(key, text, text))
    bracketed = _BRACKETED.match(text)
    if bracketed:
        return TCPEndpoint(key, text, bracketed[1], _port(key, text, bracketed[2]))
    handed_over = _HANDED_OVER.match(text)
    if handed_over:
        return SystemdEndpoint(key, text, handed_over[1])
    if _is_description(text):
        return DescribedEndpoint(key, text)
    host_port = _HOST_PORT.match(text)
    if host_port:
        return TCPEndpoint(key, text, host_port[1], _port(key, text, host_port[2]))
    raise ConfigError(key, text, ALLOWED)


def _port(key: str, text: str, word: str) -> int:
    port = read_port(word)
    if port is None:
        raise ConfigError(key, text, f"a port is 0 to {HIGHEST_PORT}" if word.isdigit() else ALLOWED)
    return port


def _is_description(text: str) -> bool:
    """Whether ``text`` begins with a word that Twisted, or a plugin of it, has an endpoint for."""
    first, colon, _ = text.partition(":")
    if not colon or "." in first:  # an address: without a look at every plugin there is
        return False
    return first in _BUILT_IN or any(parser.prefix == first for parser in getPlugins(IStreamServerEndpointStringParser))
