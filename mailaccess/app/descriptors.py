"""The connection that a super-server gives to a process as its descriptor 0.

inetd gives it as standard output and error too, so whatever is printed would be read by the client: a traceback, or
clear text in the midst of TLS. It is taken out of all three before anything can be printed.
"""

import os
import socket
from dataclasses import dataclass

FAMILIES = (socket.AF_INET, socket.AF_INET6, socket.AF_UNIX)


class NoConnection(Exception):
    """What is at descriptor 0 is not a connection; the words say what it is."""


class ClientGone(Exception):
    """It was a connection, and its client has gone before anybody looked."""


@dataclass(frozen=True, slots=True)
class Standard:
    """What was at the standard descriptors: ``given`` is a socket of descriptor 0, None where it has none."""

    given: socket.socket | None
    stderr_was_given: bool
    """Whether standard error was the same socket, so that it is nobody's now."""

    def connection(self) -> socket.socket:
        """The connected stream socket. ``NoConnection``, ``ClientGone``."""
        given = self.given
        if given is None:
            raise NoConnection("descriptor 0 is not a socket: inetd or systemd (Accept=yes) starts this program")
        if given.type != socket.SOCK_STREAM or given.family not in FAMILIES:
            raise NoConnection("descriptor 0 is not a TCP or UNIX stream socket")
        if given.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
            raise NoConnection("descriptor 0 listens: inetd's word nowait, or systemd's Accept=yes, is missing")
        try:
            given.getpeername()
            if given.family != socket.AF_UNIX:
                given.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # replies are written whole
        except OSError as error:
            raise ClientGone(error.strerror) from error
        return given


def take_standard() -> Standard:
    """Take the socket at descriptor 0 out of the standard descriptors: /dev/null is there instead, as where none was.

    Without a socket at descriptor 0 they stay as they are.
    """
    while (lowest := os.open(os.devnull, os.O_RDWR)) <= 2:  # one that is closed would be the next file's number
        os.set_inheritable(lowest, True)
    try:
        given = socket.socket(fileno=os.dup(0))
    except OSError:  # ENOTSOCK
        given = None
    taken = [number for number in (0, 1, 2) if given is not None and _same(number, given)]
    for number in taken:
        os.dup2(lowest, number)
    os.close(lowest)
    return Standard(given, 2 in taken)


def _same(number: int, given: socket.socket) -> bool:
    return os.path.sameopenfile(number, given.fileno())
