"""A maildrop in memory, a login, and a transport, with which POP3 is tested alone."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import ISSLTransport, ITLSTransport
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from zope.interface import alsoProvides, implementer

from mailaccess.changes import Change, Expunged
from mailaccess.errors import ClientError, Code, MailboxInUse
from mailaccess.interfaces import IAccount, IContent, IEvents, Listener
from mailaccess.ops.limits import Limits
from mailaccess.pop3.protocol import POP3Factory, POP3Server
from mailaccess.values import UID, Identity, MailboxName, MessageRow, ModSeq, NumberSet, Peer, UIDValidity

T = TypeVar("T")

FULL = 64 * 1024
"""Octets in a transport beyond which it pauses its producer, as Twisted's sockets do."""


@implementer(IContent)
class Content:
    """A message in memory."""

    def __init__(self, wire: bytes) -> None:
        self.wire = wire

    def size(self) -> int:
        return len(self.wire)

    def header(self) -> bytes:
        header, blank, _ = self.wire.partition(b"\r\n\r\n")
        return header + blank

    def fields(self, names: tuple[bytes, ...]) -> bytes:
        raise AssertionError("POP3 wants no single fields")

    def whole(self) -> bytes:
        return self.wire

    def octets(self, offset: int, length: int) -> bytes:
        return self.wire[offset : offset + length]

    def envelope(self) -> bytes:
        raise AssertionError("POP3 wants no envelope")

    def body(self, extended: bool) -> bytes:
        raise AssertionError("POP3 wants no structure")


class Drop:
    """One user's INBOX and its store: what POP3 uses of both, and what a test does to them.

    ``error`` is raised by whatever is asked next; ``gate``, where set, is awaited before anything is read.
    """

    uid_validity = UIDValidity(7)

    def __init__(self, messages: Sequence[bytes] = ()) -> None:
        self.messages = {UID(10 * at): wire for at, wire in enumerate(messages, 1)}
        self.unmeasured: set[UID] = set()
        self.listeners: list[Listener] = []
        self.locked = False
        self.error: Exception | None = None
        self.gate: Deferred[None] | None = None
        self.expunged: list[list[UID]] = []
        self.reads = 0

    def change(self, change: Change) -> None:
        """Something happened to the mailbox."""
        for listener in self.listeners:
            listener(change)

    def remove(self, number: int) -> None:
        """Another session expunges what was message ``number`` at first."""
        del self.messages[UID(10 * number)]
        self.change(Expunged(NumberSet.of([10 * number]), ModSeq(2)))

    async def _settled(self) -> None:
        if self.gate is not None:
            await self.gate
        if self.error is not None:
            error, self.error = self.error, None
            raise error

    # -- IMailStore

    async def lock_maildrop(self) -> Callable[[], None]:
        await self._settled()
        if self.locked:
            raise MailboxInUse
        self.locked = True
        return self._unlock

    def _unlock(self) -> None:
        assert self.locked
        self.locked = False

    async def open(self, name: MailboxName) -> "Drop":
        assert name.is_inbox
        await self._settled()
        return self

    # -- IMailbox

    def listen(self, listener: Listener) -> Sequence[MessageRow]:
        self.listeners.append(listener)
        return [
            MessageRow(uid, frozenset(), ModSeq(1), -1 if uid in self.unmeasured else len(wire))
            for uid, wire in self.messages.items()
        ]

    def ignore(self, listener: Listener) -> None:
        self.listeners.remove(listener)

    async def measure(self, uids: Sequence[UID]) -> Sequence[tuple[UID, int, int]]:
        await self._settled()
        return [(uid, len(self.messages[uid]), 0) for uid in uids if uid in self.messages]

    async def uidls(self, uids: Sequence[UID]) -> Sequence[bytes]:
        await self._settled()
        return [b"%08x%08x" % (uid, self.uid_validity) for uid in uids]

    async def read(self, uids: Sequence[UID], function: Callable[[IContent], T]) -> Sequence[tuple[UID, T | None]]:
        await self._settled()
        self.reads += 1
        return [(uid, function(Content(self.messages[uid])) if uid in self.messages else None) for uid in uids]

    async def expunge(self, uids: Sequence[UID], deleted_only: bool = False) -> NumberSet:
        await self._settled()
        self.expunged.append(list(uids))
        return NumberSet.of([uid for uid in uids if self.messages.pop(uid, None) is not None])


@implementer(IAccount)
class Account:
    """joe's account."""

    def __init__(self, store: Drop) -> None:
        self.identity = Identity("joe")
        self.store: Any = store


class Login:
    """Knows joe, whose password is ``secret``; ``waiting`` holds logins back until a test lets them go on."""

    def __init__(self, drop: Drop) -> None:
        self.drop = drop
        self.asked: list[tuple[str, str]] = []
        self.sessions = 0
        self.waiting: Deferred[None] | None = None

    async def password(self, user: str, password: str, peer: Peer) -> tuple[Account, Callable[[], None]]:
        self.asked.append((user, password))
        if self.waiting is not None:
            await self.waiting
        if (user, password) != ("joe", "secret"):
            raise ClientError(Code.AUTHENTICATIONFAILED, "Authentication failed")
        self.sessions += 1
        return Account(self.drop), self._logout

    def _logout(self) -> None:
        self.sessions -= 1


@implementer(IEvents)
class Events:
    """Remembers what was logged."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, dict[str, object]]] = []
        self.incidents: list[BaseException] = []

    def event(self, name: str, /, **fields: object) -> None:
        self.lines.append((name, fields))

    def incident(self, what: str, error: BaseException) -> str:
        self.incidents.append(error)
        return f"id{len(self.incidents)}"


class Transport(StringTransport):
    """A transport that can begin TLS, pauses its producer as a socket does, and remembers how it was closed."""

    def __init__(self, tls: bool = False) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        alsoProvides(self, ITLSTransport)
        self.aborted = False
        self.most_held = 0
        if tls:
            self.startTLS(None)

    def startTLS(self, creator: object) -> None:
        alsoProvides(self, ISSLTransport)

    def write(self, data: bytes) -> None:
        super().write(data)  # type: ignore[no-untyped-call]
        held = self.io.tell()
        self.most_held = max(self.most_held, held)
        if self.producer is not None and held > FULL:
            self.producer.pauseProducing()

    def take(self) -> bytes:
        """What was written since the last time: the client reads."""
        taken: bytes = self.value()  # type: ignore[no-untyped-call]
        self.clear()  # type: ignore[no-untyped-call]
        return taken

    def abortConnection(self) -> None:
        self.aborted = True
        self.loseConnection()  # type: ignore[no-untyped-call]


class Connection:
    """A POP3 server with one client on a string transport."""

    def __init__(
        self,
        drop: Drop | None = None,
        *,
        tls: bool = True,
        limits: Limits | None = None,
        login: Any = None,
        **settings: Any,
    ) -> None:
        self.clock = Clock()
        self.drop = drop if drop is not None else Drop()
        self.events = Events()
        self.login = login or Login(self.drop)
        self.factory = POP3Factory(
            limits=limits or Limits(),
            events=self.events,
            reactor=self.clock,
            login=self.login,
            **{"tls": object(), **settings},
        )
        self.connect(tls)

    def connect(self, tls: bool = True) -> None:
        """Connect, as another client."""
        self.transport = Transport(tls)
        self.server: POP3Server = self.factory.buildProtocol(None)
        self.server.makeConnection(self.transport)

    def say(self, octets: bytes) -> bytes:
        """Send octets, and return what the server answered since the last time."""
        self.server.dataReceived(octets)
        return self.heard()

    def heard(self) -> bytes:
        """What the server said since the last time."""
        return self.transport.take()

    def read_slowly(self) -> bytes:
        """Read as a client that waits until the server waits, to the end of what it has to say."""
        said = b""
        while taken := self.transport.take():
            said += taken
            if self.transport.producer is not None:
                self.transport.producer.resumeProducing()
            self.clock.advance(0)
        return said

    def log_in(self) -> None:
        """Log in as joe."""
        self.heard()
        assert self.say(b"USER joe\r\nPASS secret\r\n").count(b"+OK") == 2

    def drop_line(self) -> None:
        """The connection is lost."""
        self.server.connectionLost()

    @property
    def closed(self) -> bool:
        """Whether the server closed."""
        return self.transport.disconnecting
