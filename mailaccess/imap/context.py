"""What a command may use: the session's state, the account, the open mailbox, and the ways to the client.

Nothing here knows a socket or a reactor. A command that must wait for the client awaits :meth:`Context.drain` or
:meth:`Context.line`; what it awaits from the rooms below is awaited as it comes. Both end in :class:`Disconnected` when
the client is gone, so that a long answer stops there, and what the command holds is let go by its ``finally``.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any, Protocol

from mailaccess.errors import ClientError, Code
from mailaccess.imap.capabilities import Situation, capabilities
from mailaccess.imap.responses import codes, lines
from mailaccess.imap.waiting import Resume, Signal
from mailaccess.interfaces import IEvents
from mailaccess.mailbox import names
from mailaccess.mailbox.account import Account
from mailaccess.mailbox.view import MailboxView
from mailaccess.ops.limits import Limits
from mailaccess.sasl.table import MECHANISMS
from mailaccess.values import Flag, MailboxName, Peer

PRIVACY_REQUIRED = "Passwords are taken under TLS only"

BATCH_BYTES = 64 * 1024
"""Octets that a command collects before it hands them on: one write costs a system call, and four records of TLS."""


class State(Enum):
    """The states of a connection (RFC 9051 §3)."""

    NOT_AUTHENTICATED = "before login"
    AUTHENTICATED = "after login"
    SELECTED = "with a mailbox selected"
    LOGOUT = "after LOGOUT"


@dataclass(frozen=True, slots=True)
class Reply:
    """How a command ended: its tagged reply (RFC 9051 §7.1). ``status`` is OK, NO or BAD."""

    status: str
    text: str
    code: bytes | None = None


def ok(text: str, code: bytes | None = None) -> Reply:
    """The command was carried out."""
    return Reply("OK", text, code)


def no(text: str, code: Code | None = None) -> Reply:
    """The command was understood, and could not be carried out."""
    return Reply("NO", text, codes.code(code))


Logout = Callable[[], Any]
"""Lets go of an account: what ``twisted.cred`` calls logout."""


class Link(Protocol):
    """The transport's side of a session."""

    @property
    def full(self) -> bool:
        """Whether more must wait for :meth:`room`: the client has not taken what was sent, or others wait."""

    def send(self, data: bytes) -> None:
        """Send octets."""

    def room(self) -> Awaitable[None]:
        """Wait until the client has taken what was sent, and give others a turn; raises ``Disconnected``."""

    def reading(self, wanted: bool) -> None:
        """Whether octets from the client are wanted now."""

    def start_tls(self, go_ahead: bytes, *, clear_octets_follow: bool) -> None:
        """Send ``go_ahead`` and begin the TLS handshake; where octets follow in clear, close without an answer."""

    def hang_up(self) -> None:
        """Close when everything is sent."""

    def login(self, user: str, password: str) -> Awaitable[tuple[Account, Logout]]:
        """The account of one who proves himself with a password; ``ClientError`` for one who does not."""

    def when(self, awaited: object, resume: Resume) -> None:
        """Call ``resume`` once when what a command awaits has its result."""


@dataclass(frozen=True, slots=True)
class Server:
    """What the sessions of one server have in common.

    ``cleartext_allowed``: passwords are taken without TLS (behind a proxy that has it). ``mechanisms``: SASL's.
    """

    limits: Limits
    events: IEvents
    cleartext_allowed: bool = False
    mechanisms: tuple[str, ...] = tuple(MECHANISMS)


@dataclass(slots=True)
class Counts:
    """What a session did, for its line in the log."""

    commands: int = 0
    bytes_in: int = 0
    bytes_out: int = 0
    fetched: int = 0
    appended: int = 0
    expunged: int = 0


class Context:
    """One session, as its commands see and change it."""

    def __init__(
        self,
        server: Server,
        link: Link,
        peer: Peer,
        *,
        tls: bool,
        can_start_tls: bool,
        expect_line: Callable[[], Signal[bytes]],
    ) -> None:
        self.server = server
        self.link = link
        self.peer = peer
        self.tls = tls
        self.can_start_tls = can_start_tls
        self.expect_line = expect_line
        self.state = State.NOT_AUTHENTICATED
        self.tag = b""
        """Of the command that runs now."""
        self.condstore = False
        """Whether FETCH responses tell MODSEQ unasked (RFC 7162 §3.1)."""
        self.utf8 = False
        """Whether mailbox names are UTF-8 (RFC 6855); room for ENABLE UTF8=ACCEPT."""
        self.starting_tls = False
        self.parting: str | None = None
        """Why the session ends behind the command that runs now: its mailbox was deleted, say."""
        self.logged_in: Account | None = None
        self.logout: Logout | None = None
        self.selected: MailboxView | None = None
        self.keywords_told: frozenset[Flag] | None = None
        """The keywords of the selected mailbox that FLAGS told of; None before it was told."""
        self.keywords_modseq = 0
        """The mailbox's HIGHESTMODSEQ when they were looked at: without a change there is no new one."""
        self.counts = Counts()
        self._output: list[bytes] = []
        self._output_bytes = 0

    # -- what there is

    @property
    def limits(self) -> Limits:
        """The server's limits."""
        return self.server.limits

    @property
    def account(self) -> Account:
        """The account, in a command that is allowed only after login."""
        assert self.logged_in is not None
        return self.logged_in

    @property
    def view(self) -> MailboxView:
        """The open mailbox as this client knows it, in a command that is allowed only in the selected state."""
        assert self.selected is not None
        return self.selected

    @property
    def writable_view(self) -> MailboxView:
        """The open mailbox for a command that changes it; ``ClientError`` after EXAMINE (RFC 9051 §6.3.3)."""
        view = self.view
        if view.read_only:
            raise ClientError(Code.NOPERM, "The mailbox is open for reading only")
        return view

    def name(self, wire: str) -> MailboxName:
        """The mailbox name that a client wrote; ``ClientError(CANNOT)``."""
        return names.parse(wire, self.account.separator)

    @property
    def passwords_allowed(self) -> bool:
        """Whether a password may be said now."""
        return self.tls or self.server.cleartext_allowed

    def require_privacy(self) -> None:
        """Refuse a password that came in clear, and log that it did: ``ClientError(PRIVACYREQUIRED)``."""
        if not self.passwords_allowed:
            self.server.events.event("login_refused", protocol="imap", address=self.peer.host, reason="not under TLS")
            raise ClientError(Code.PRIVACYREQUIRED, PRIVACY_REQUIRED)

    @property
    def capabilities(self) -> tuple[str, ...]:
        """What may be used now (RFC 9051 §6.1.1)."""
        return capabilities(
            Situation(
                authenticated=self.logged_in is not None,
                can_starttls=self.can_start_tls and not self.tls,
                passwords_allowed=self.passwords_allowed,
                mechanisms=self.server.mechanisms,
                append_bytes=self.limits.append_bytes,
            )
        )

    # -- what becomes of the session

    def enter(self, account: Account, logout: Logout) -> None:
        """The client is logged in (RFC 9051 §3.2)."""
        self.logged_in, self.logout = account, logout
        self.state = State.AUTHENTICATED

    def select(self, view: MailboxView) -> None:
        """A mailbox is open (RFC 9051 §3.3)."""
        self.selected = view
        self.state = State.SELECTED

    def unselect(self) -> None:
        """No mailbox is open any more. Harmless when none was."""
        if self.selected is not None:
            self.account.close(self.selected)
            self.selected = None
            if self.state is State.SELECTED:
                self.state = State.AUTHENTICATED

    def enable_condstore(self) -> None:
        """The client showed that it knows of MODSEQ: it is told where the open mailbox is (RFC 7162 §3.1)."""
        if not self.condstore and self.selected is not None:
            self.tell_highest_modseq(self.selected)
        self.condstore = True

    def tell_highest_modseq(self, view: MailboxView) -> None:
        """``* OK [HIGHESTMODSEQ n]`` (RFC 7162 §3.1.2.1)."""
        highest = codes.highest_modseq(view.shared.mailbox.highest_modseq)
        self.write(lines.untagged("OK", highest, "Highest"))

    # -- the ways to the client

    def write(self, data: bytes) -> None:
        """Add to what the client is told next."""
        self._output.append(data)
        self._output_bytes += len(data)

    @property
    def batch_is_full(self) -> bool:
        """Whether enough is written to :meth:`drain`."""
        return self._output_bytes >= BATCH_BYTES

    def flush(self) -> None:
        """Send what was written, in one piece."""
        if self._output:
            octets = b"".join(self._output)
            self._output.clear()
            self._output_bytes = 0
            self.counts.bytes_out += len(octets)
            self.link.send(octets)

    async def drain(self) -> None:
        """Send what was written, and go on when the client has taken it; others have their turn meanwhile."""
        self.flush()
        if self.link.full:
            await self.link.room()

    async def line(self) -> bytes:
        """The client's next line, which is no command, without its end."""
        self.flush()
        return await self.expect_line()
