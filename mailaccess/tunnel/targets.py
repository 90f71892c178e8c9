"""Where a tunnel leads, as an operator writes it.

target = [host ":"] port / "[" IPv6-address "]:" port / "unix:" path
port   = 1*DIGIT / service name, as in /etc/services
host   = as DNS has it, or an IPv4 address; this machine where there is none, as in stunnel's ``connect = 110``

The order in which targets stand is their priority; they have no weights.
"""

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass

from mailaccess.errors import ConfigError
from mailaccess.ops.services import KnownService, known_service, read_port

ALLOWED = "HOST:PORT, HOST:SERVICE, [IPV6]:PORT, PORT or SERVICE of this machine, or unix:PATH is needed"
THIS_MACHINE = "localhost"
PATH_BYTES = 107
"""The longest path of a UNIX socket: Linux has 108 octets for it and the zero behind it (unix(7))."""

_UNIX = "unix:"
_TARGET = re.compile(r"(?:(?:(?P<host>[\w.-]+)|\[(?P<ipv6>[0-9A-Fa-f:.]+(?:%[\w.-]+)?)\]):)?(?P<port>[A-Za-z0-9-]+)\Z")


@dataclass(frozen=True, slots=True)
class Target:
    """A server: ``host`` and ``port`` (1 to 65535), or the ``path`` of a UNIX socket, whose host is this machine.

    ``text`` is the target as it was written, for the log; ``service`` what is known of the service that was named, or
    that usually has this port.
    """

    text: str
    host: str
    port: int = 0
    path: str = ""
    service: KnownService | None = None

    def __str__(self) -> str:
        return self.text


def parse_target(text: str, key: str) -> Target:
    """The target that ``text`` names. ``ConfigError`` names ``key`` where it is none."""
    text = text.strip()
    if text.startswith(_UNIX):
        return Target(text, THIS_MACHINE, path=_path(text, key))
    found = _TARGET.match(text)
    port = read_port(found["port"]) if found else None
    if found is None or not port:
        raise ConfigError(key, text, ALLOWED)
    host = found["host"] or found["ipv6"] or THIS_MACHINE
    return Target(text, host, port, service=known_service(found["port"]) or known_service(str(port)))


def _path(text: str, key: str) -> str:
    path = text.removeprefix(_UNIX)
    if not path or "\0" in path:
        raise ConfigError(key, text, ALLOWED)
    if len(os.fsencode(path)) > PATH_BYTES:
        raise ConfigError(key, text, f"the path of a UNIX socket has at most {PATH_BYTES} octets")
    return path


def parse_targets(texts: Iterable[str], key: str) -> tuple[Target, ...]:
    """The targets that ``texts`` name, in their order. ``ConfigError`` also where one stands there twice."""
    targets: dict[tuple[str, int, str], Target] = {}
    for text in texts:
        target = parse_target(text, key)
        place = target.host.lower(), target.port, target.path
        if place in targets:
            raise ConfigError(key, target.text, f"it is the same target as {targets[place]}, which stands before it")
        targets[place] = target
    return tuple(targets.values())
