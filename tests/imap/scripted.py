"""Clients that talk to a session in process: no socket, no reactor, a memory store."""

import re
import traceback
from collections.abc import Awaitable, Callable
from dataclasses import replace
from io import BytesIO
from typing import Any, TypeVar

from twisted.internet.defer import Deferred
from zope.interface import implementer

from mailaccess.errors import ClientError, Code, Disconnected
from mailaccess.imap.context import Server
from mailaccess.imap.session import Session
from mailaccess.imap.waiting import Resume
from mailaccess.interfaces import IEvents
from mailaccess.mailbox.account import Account
from mailaccess.ops.limits import Limits
from mailaccess.store.memory import MemoryStore
from mailaccess.values import Identity, Peer

T = TypeVar("T")

PASSWORD = "secret"
LIMITS = Limits()


@implementer(IEvents)
class Events:
    """Keeps what is logged; an incident that a test does not expect fails it."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, dict[str, object]]] = []
        self.incidents: list[BaseException] = []

    def event(self, name: str, /, **fields: object) -> None:
        self.lines.append((name, fields))

    def incident(self, what: str, error: BaseException) -> str:
        traceback.print_exception(error)
        self.incidents.append(error)
        return "0123"


class Link:
    """The transport's side: keeps what is sent. A test may make the client slow, or hang a login."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self.sent = bytearray()
        self.slow = False
        self.gone = False
        self.closed = False
        self.wants_more = True
        self.tls_began: list[bool] = []
        self.login_waits_for: Deferred[None] | None = None
        self.logouts = 0
        self._room: Deferred[None] | None = None

    @property
    def full(self) -> bool:
        return self.slow or self.gone

    def send(self, data: bytes) -> None:
        self.sent += data

    async def room(self) -> None:
        if self.gone:
            raise Disconnected
        if self.slow:
            self._room = Deferred()
            await self._room

    def take(self) -> None:
        """The slow client reads everything that was sent, and is slow again."""
        if self._room is not None:
            room, self._room = self._room, None
            room.callback(None)

    def lose(self) -> None:
        """The client goes away."""
        self.gone = True
        if self._room is not None:
            room, self._room = self._room, None
            room.errback(Disconnected())

    def reading(self, wanted: bool) -> None:
        self.wants_more = wanted

    def start_tls(self, go_ahead: bytes, *, clear_octets_follow: bool) -> None:
        self.tls_began.append(not clear_octets_follow)
        if not clear_octets_follow:
            self.send(go_ahead)

    def hang_up(self) -> None:
        self.closed = True

    async def login(self, user: str, password: str) -> tuple[Account, Callable[[], Any]]:
        if self.login_waits_for is not None:
            await self.login_waits_for
        if password != PASSWORD:
            raise ClientError(Code.AUTHENTICATIONFAILED, "Authentication failed")
        return self.account, self._logout

    def _logout(self) -> None:
        self.logouts += 1

    def when(self, awaited: object, resume: Resume) -> None:
        assert isinstance(awaited, Deferred)
        awaited.addCallbacks(lambda _: resume(None), lambda failure: resume(failure.value))


class Client:
    """One client and its session."""

    def __init__(self, account: Account, events: Events, *, tls: bool = True, **limits: int) -> None:
        self.events = events
        self.link = Link(account)
        server = Server(limits=replace(LIMITS, **limits), events=events)
        self.session = Session(
            server, self.link, Peer("192.0.2.1", 4711, 993), tls=tls, can_start_tls=True, open_sink=lambda _: BytesIO()
        )
        self.session.greet()
        self.greeting = self.read()
        self._tags = 0

    def read(self) -> bytes:
        """What was sent since the last time."""
        sent = bytes(self.link.sent)
        self.link.sent.clear()
        return sent

    def send(self, octets: bytes) -> bytes:
        """Send octets as they are; returns what came back at once."""
        self.session.receive(octets)
        return self.read()

    def ask(self, command: str | bytes) -> list[bytes]:
        """Send one command; returns the lines of the answer, the tagged one without its tag as the last."""
        self._tags += 1
        tag = b"t%d" % self._tags
        octets = command if isinstance(command, bytes) else command.encode()
        answer = self.send(tag + b" " + octets + b"\r\n")
        return [line.removeprefix(tag + b" ") for line in answer.removesuffix(b"\r\n").split(b"\r\n")]

    def reply(self, command: str | bytes) -> bytes:
        """Send one command; returns its tagged reply without the tag."""
        return self.ask(command)[-1]

    def login(self, mailbox: str | None = None) -> "Client":
        """Log in, and select a mailbox perhaps."""
        assert self.reply(f"LOGIN joe {PASSWORD}").startswith(b"OK")
        if mailbox is not None:
            assert self.reply(f"SELECT {mailbox}").startswith(b"OK")
        return self

    def append(self, message: bytes, mailbox: str = "INBOX", flags: str = "()") -> bytes:
        """Store a message; returns the tagged reply."""
        return self.reply(b"APPEND %b %b {%d+}\r\n%b" % (mailbox.encode(), flags.encode(), len(message), message))

    def disconnect(self) -> None:
        """Go away without a word."""
        self.link.lose()
        self.session.lost()


def new_account() -> Account:
    """An account with an empty memory store."""
    return Account(Identity("joe"), MemoryStore(), ".")


def run(work: Awaitable[T]) -> T:
    """The result of something that needs not wait."""
    steps = work.__await__()
    try:
        next(steps)
    except StopIteration as end:
        result: T = end.value
        return result
    raise AssertionError("it waits")


def message(subject: str, body: str = "Hello\r\n") -> bytes:
    """A small message."""
    return f"From: Ann <ann@example.org>\r\nTo: joe@example.org\r\nSubject: {subject}\r\n\r\n{body}".encode()


TAGGED = re.compile(rb"^(?:[^*+ ][^ ]*) (?:OK|NO|BAD)(?: |$)", re.MULTILINE)
"""A tagged reply in what a server sent."""
