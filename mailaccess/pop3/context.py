"""What a command may use: the session's state, its maildrop, and the ways to the client.

Nothing here knows a socket or a reactor. Whatever waits for the client ends in ``errors.Disconnected`` when the client
is gone, so that a long reply stops there.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any, Protocol

from mailaccess.errors import Disconnected
from mailaccess.interfaces import IAccount, IEvents
from mailaccess.ops.limits import Limits
from mailaccess.pop3.maildrop import Maildrop
from mailaccess.pop3.wire import Line, LineReader, Refused
from mailaccess.sasl.table import MECHANISMS
from mailaccess.values import Peer

BATCH_BYTES = 64 * 1024
"""Octets that are collected before they are handed on: one write costs a system call and, under TLS, four records."""


class State(Enum):
    """The states of a session (RFC 1939 §3)."""

    AUTHORIZATION = "before login"
    TRANSACTION = "after login"
    UPDATE = "after QUIT"


class BadCommand(Exception):
    """What came is no command, or not one for now; ``text`` says why. A session that sends many of them is closed."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


Logout = Callable[[], Any]
"""Lets go of an account: what ``twisted.cred`` calls logout."""


class Link(Protocol):
    """The transport's side of a session."""

    def octets(self) -> Awaitable[bytes]:
        """What the client sent next, once it has taken most of what it was sent; raises ``Disconnected``."""

    def send(self, data: bytes) -> None:
        """Send octets."""

    @property
    def lost(self) -> bool:
        """Whether the client is gone, or not to be listened to any more: nothing that it sent is carried out now."""

    @property
    def full(self) -> bool:
        """Whether more output must wait for :meth:`room`."""

    def room(self) -> Awaitable[None]:
        """Wait until the client has taken what was sent, and for the others' turn; raises ``Disconnected``."""

    def start_tls(self, go_ahead: bytes, *, clear_octets_follow: bool) -> None:
        """Send ``go_ahead`` and begin the TLS handshake; where octets follow in clear, close without an answer."""

    def login(self, user: str, password: str) -> Awaitable[tuple[IAccount, Logout]]:
        """The account of one who proves himself with a password; ``ClientError`` for one who does not."""

    def apop(self, user: str, timestamp: str, digest: str) -> Awaitable[tuple[IAccount, Logout]]:
        """The account of one who proves himself with a digest (RFC 1939 §7); ``ClientError`` for one who does not."""

    def admit(self, user: str) -> None:
        """``ClientError`` where this user has too many sessions; else the session counts as one of his."""


@dataclass(frozen=True, slots=True)
class Server:
    """What the sessions of one server have in common.

    ``mechanisms`` are SASL's, in the order of CAPA. ``implementation`` is told after login.
    """

    limits: Limits
    events: IEvents
    mechanisms: tuple[str, ...] = tuple(MECHANISMS)
    implementation: str = "mailaccess"


@dataclass(slots=True)
class Counts:
    """What a session did, for its line in the log."""

    retrieved: int = 0
    deleted: int = 0
    bytes_out: int = 0


class Context:
    """One session, as its commands see and change it.

    ``tls`` and ``can_start_tls`` say how the connection is; ``passwords_allowed`` whether a password may be said on it
    in clear; ``timestamp`` is the greeting's, empty where there is no APOP.
    """

    def __init__(
        self,
        server: Server,
        link: Link,
        peer: Peer,
        *,
        tls: bool,
        can_start_tls: bool,
        cleartext_allowed: bool,
        timestamp: str = "",
    ) -> None:
        self.server = server
        self.link = link
        self.peer = peer
        self.tls = tls
        self.can_start_tls = can_start_tls
        self.timestamp = timestamp
        self.state = State.AUTHORIZATION
        self.named: str | None = None
        """Whom USER named (RFC 1939 §7)."""
        self.counts = Counts()
        self.replying = False
        """Whether a part of the reply is out, so that it can no longer become ``-ERR``."""
        self._cleartext_allowed = cleartext_allowed
        self._maildrop: Maildrop | None = None
        self._logout: Logout | None = None
        self._reader = LineReader()
        self._output: list[bytes] = []
        self._output_bytes = 0

    # -- what there is

    @property
    def passwords_allowed(self) -> bool:
        """Whether a password may be said now."""
        return self.tls or self._cleartext_allowed

    @property
    def maildrop(self) -> Maildrop:
        """The maildrop, in a command that is allowed only after login."""
        assert self._maildrop is not None
        return self._maildrop

    def enter(self, maildrop: Maildrop, logout: Logout) -> None:
        """The client has its maildrop: the TRANSACTION state begins (RFC 1939 §4)."""
        self._maildrop, self._logout = maildrop, logout
        self.state = State.TRANSACTION

    def leave(self) -> None:
        """Let go of the maildrop, its lock and the account. Harmless when repeated."""
        try:
            if self._maildrop is not None:
                self._maildrop.close()
        finally:
            if self._logout is not None:
                logout, self._logout = self._logout, None
                logout()

    # -- from the client

    async def command(self) -> Line | Refused:
        """The client's next command; ``Disconnected`` when it is gone, also where commands of it wait still.

        Who pipelines ``RETR 1``, ``DELE 1``, ``QUIT`` and vanishes in the middle has not got the message.
        """
        return await self._next(self._reader.command)

    async def response(self) -> bytes:
        """The client's next line, which is no command. ``BadCommand`` where it is none at all."""
        line = await self._next(self._reader.response)
        if isinstance(line, Refused):
            raise BadCommand(line.text)
        return line.text

    async def _next(self, read: Callable[[], Line | Refused | None]) -> Line | Refused:
        while not self.link.lost:
            line = read()
            if line is not None:
                return line
            self.flush()
            self._reader.feed(await self.link.octets())
        raise Disconnected

    # -- to the client

    def write(self, data: bytes) -> None:
        """Add to what the client is told next."""
        self._output.append(data)
        self._output_bytes += len(data)

    def begin(self, status: bytes) -> None:
        """Write the first line of a reply of many: from here on it cannot fail without being cut off."""
        self.write(status)
        self.replying = True

    def flush(self) -> None:
        """Send what was written, in one piece."""
        if self._output:
            octets = b"".join(self._output)
            self._output.clear()
            self.counts.bytes_out += self._output_bytes
            self._output_bytes = 0
            self.link.send(octets)

    async def breathe(self) -> None:
        """Send what was written once it is much, and go on when the client has taken it."""
        if self._output_bytes >= BATCH_BYTES:
            self.flush()
            if self.link.full:
                await self.link.room()

    def start_tls(self, go_ahead: bytes) -> None:
        """Begin TLS behind this reply, and forget all that was said before (RFC 2595 §4)."""
        self.flush()
        self.link.start_tls(go_ahead, clear_octets_follow=self._reader.clear() > 0)
        self.tls = True
        self.named = None
