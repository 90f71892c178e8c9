"""What an operator writes to say where to listen, as values.

endpoint = "off" / port / host ":" port / "[" IPv6-address "]:" port / Twisted endpoint description
"""

import re
from dataclasses import dataclass

from twisted.internet.interfaces import IStreamServerEndpointStringParser
from twisted.plugin import getPlugins

from mailaccess.errors import ConfigError

ALLOWED = "off, a port, HOST:PORT, [IPV6]:PORT or a Twisted endpoint (tcp: ssl: unix: systemd: haproxy:) is needed"
UNPRIVILEGED_OFFSET = 1000
"""From a default port to the one that is taken where that needs privileges: 143 and 1143."""

_HIGHEST_PORT = 65535
_BUILT_IN = frozenset({"tcp", "ssl", "unix"})  # Twisted has these without a plugin
_WRAPPING = frozenset({"haproxy"})
_ENCRYPTING = frozenset({"ssl", "tls"})

_PORT = re.compile(r"[0-9]+\Z")
_BRACKETED = re.compile(r"\[([0-9A-Fa-f:.%\w]+)\]:([0-9]+)\Z", re.ASCII)
_HOST_PORT = re.compile(r"([^\s:\[\]/\\=]+):([0-9]+)\Z")


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


@dataclass(frozen=True, slots=True)
class DescribedEndpoint:
    """A Twisted endpoint description (``twisted.internet.endpoints``)."""

    key: str
    text: str

    @property
    def encrypted(self) -> bool:
        """Whether the endpoint speaks TLS of itself: ``ssl:…``, ``haproxy:ssl:…``."""
        first, _, rest = self.text.partition(":")
        while first in _WRAPPING:
            first, _, rest = rest.partition(":")
        return first in _ENCRYPTING


Endpoint = TCPEndpoint | DescribedEndpoint


def parse_endpoint(text: str, key: str, default_port: int) -> Endpoint | None:
    """The endpoint that ``text`` names, or ``default_port`` where it is empty; None for ``off``.

    ``ConfigError`` names ``key`` where it is none of them.
    """
    text = text.strip()
    if not text:
        return TCPEndpoint(key, str(default_port), None, default_port, default_port + UNPRIVILEGED_OFFSET)
    if text == "off":
        return None
    if _PORT.match(text):
        return TCPEndpoint(key, text, None, _port(key, text, text))
    bracketed = _BRACKETED.match(text)
    if bracketed:
        return TCPEndpoint(key, text, bracketed[1], _port(key, text, bracketed[2]))
    if _is_description(text):
        return DescribedEndpoint(key, text)
    host_port = _HOST_PORT.match(text)
    if host_port:
        return TCPEndpoint(key, text, host_port[1], _port(key, text, host_port[2]))
    raise ConfigError(key, text, ALLOWED)


def _port(key: str, text: str, digits: str) -> int:
    if len(digits) > len(str(_HIGHEST_PORT)) or int(digits) > _HIGHEST_PORT:
        raise ConfigError(key, text, f"a port is 0 to {_HIGHEST_PORT}")
    return int(digits)


def _is_description(text: str) -> bool:
    """Whether ``text`` begins with a word that Twisted, or a plugin of it, has an endpoint for."""
    first, colon, _ = text.partition(":")
    if not colon or "." in first:  # an address: without a look at every plugin there is
        return False
    return first in _BUILT_IN or any(parser.prefix == first for parser in getPlugins(IStreamServerEndpointStringParser))
