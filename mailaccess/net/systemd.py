"""Listening sockets that systemd hands over (sd_listen_fds(3)): bound before we start, and kept while we start again.

Twisted reads ``LISTEN_PID`` and ``LISTEN_FDS`` when its endpoints are imported, and takes them out of the environment;
its own ``systemd:domain=INET:name=imaps`` takes one socket of a name and must be told its family. So Twisted is asked
which descriptors there are, and the rest is done here: the names, several sockets of one name (IPv4 and IPv6), and the
family as the socket has it.
"""

import os
import re
import socket
from collections.abc import Iterator, MutableMapping, Sequence
from functools import cache
from itertools import count
from typing import Any

from twisted.internet.endpoints import serverFromString

from mailaccess.errors import ConfigError
from mailaccess.net.endpoints import SystemdEndpoint

_FAMILIES = (socket.AF_INET, socket.AF_INET6, socket.AF_UNIX)


class HandedOver:
    """The descriptors that a process was given, each with its name, in systemd's order."""

    def __init__(self, descriptors: Sequence[int], names: Sequence[str]) -> None:
        self._named = list(zip(names, descriptors, strict=True))
        self._taken: dict[int, str] = {}

    def sockets(self, endpoint: SystemdEndpoint) -> list[socket.socket]:
        """New descriptors for the sockets of a name; of a number, where no name is so.

        ``ConfigError`` where there are none, where one does not listen, and where another key took it.
        """
        found = [number for name, number in self._named if name == endpoint.name]
        if not found and re.fullmatch("[0-9]{1,4}", endpoint.name) and int(endpoint.name) < len(self._named):
            found = [self._named[int(endpoint.name)][1]]
        if not found:
            raise ConfigError(endpoint.key, endpoint.text, self._what_there_is())
        for number in found:
            key = self._taken.setdefault(number, endpoint.key)
            if key != endpoint.key:
                raise ConfigError(endpoint.key, endpoint.text, f"{key} has that socket")
        return [_listening(number, endpoint) for number in found]

    def _what_there_is(self) -> str:
        names = " ".join(dict.fromkeys(name for name, _ in self._named))
        return f"systemd handed over {names}" if names else "systemd handed over no sockets with names to this process"


@cache
def handed_over() -> HandedOver:
    """What this process was given."""
    return read_environment(os.environ)


def read_environment(environment: MutableMapping[str, str]) -> HandedOver:
    """What Twisted found, with the names in ``environment``; nothing of it is left there for programs that we start."""
    descriptors = list(_descriptors())
    names = environment.get("LISTEN_FDNAMES", "").split(":")
    for variable in ("LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"):
        environment.pop(variable, None)
    for number in descriptors:
        os.set_inheritable(number, False)
    return HandedOver(descriptors, names if descriptors else ())


def _descriptors() -> Iterator[int]:
    """The descriptors of this process, as Twisted has them: none without as many names."""
    for index in count():
        try:
            endpoint: Any = serverFromString(None, f"systemd:domain=UNIX:index={index}")  # type: ignore[no-untyped-call]
        except IndexError:
            return
        yield endpoint.fileno


def _listening(number: int, endpoint: SystemdEndpoint) -> socket.socket:
    """A descriptor of our own for a socket that systemd gave: with that one it can be listened on again."""
    try:
        given = socket.socket(fileno=os.dup(number))
    except OSError as error:
        raise ConfigError(endpoint.key, endpoint.text, f"descriptor {number} is not a socket") from error
    if (
        given.type != socket.SOCK_STREAM
        or given.family not in _FAMILIES
        or not given.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
    ):
        given.close()
        raise ConfigError(endpoint.key, endpoint.text, "it does not listen: ListenStream= and Accept=no are needed")
    if given.family != socket.AF_UNIX:
        given.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    given.setblocking(False)
    return given
