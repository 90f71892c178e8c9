"""Where the rooms, and embedders, meet.

An embedder who has mail of his own provides :class:`IMailStore` and :class:`IMailbox`; both protocols serve them.
``twisted.cred`` realms return :class:`IAccount`, which ``mailaccess.mailbox.account.Account`` makes of a store.

Rules that hold for every method here:

1. Methods that are documented to return an awaitable may be coroutines or return a Deferred; they are awaited in the
   reactor thread, and never block it.
2. They raise ``mailaccess.errors.ClientError`` for what a client may read. Anything else is logged, and the client
   is told an incident id.
3. A store speaks of UIDs only: sequence numbers belong to a session's view.
4. What is announced to listeners has happened: changes come in the reactor thread, in order, and those that a method
   causes come before its result.
"""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any, BinaryIO, TypeVar

from zope.interface import Attribute, Interface

from mailaccess.changes import Change
from mailaccess.errors import Code
from mailaccess.values import (
    UID,
    Appended,
    Copied,
    Flag,
    FlagChange,
    Flags,
    Identity,
    MailboxInfo,
    MailboxName,
    MailboxStatus,
    MessageRow,
    ModSeq,
    NumberSet,
    Peer,
    SpecialUse,
    Stored,
    UIDValidity,
)

T = TypeVar("T")

Listener = Callable[[Change], None]
"""Is told of each change to a mailbox, in the reactor thread."""


class IContent(Interface):
    """One message's octets and what can be computed from them. Used in a worker thread, inside ``IMailbox.read``.

    All sizes and offsets are of the message as on the wire (CRLF line ends).
    """

    def size() -> int:
        """RFC822.SIZE in octets."""

    def header() -> bytes:
        """The header with its blank line."""

    def fields(names: tuple[bytes, ...]) -> bytes:
        """The header's fields of these names, in any case, and its blank line; often without opening the message."""

    def whole() -> bytes:
        """The whole message."""

    def octets(offset: int, length: int) -> bytes:
        """At most ``length`` octets from ``offset`` on; fewer, or none, at the end. Bounded memory for any size."""

    def envelope() -> bytes:
        """ENVELOPE as on the wire (RFC 9051 §7.5.2)."""

    def body(extended: bool) -> bytes:
        """BODYSTRUCTURE, or BODY where ``extended`` is False, as on the wire (RFC 9051 §7.5.2)."""


class Upload:
    """A message on its way in: flags, date and octets (RFC 9051 §6.3.12). ``file`` is read from its start.

    ``internal_date`` is seconds since the epoch, None for now. ``size`` is in octets as received.
    """

    __slots__ = ("file", "flags", "internal_date", "size")

    def __init__(self, file: BinaryIO, size: int, flags: Flags = frozenset(), internal_date: int | None = None) -> None:
        self.file = file
        self.size = size
        self.flags = flags
        self.internal_date = internal_date


class IMailbox(Interface):
    """One mailbox, open, as a store keeps it. All sessions of a process that use it share one."""

    name: MailboxName = Attribute("Its name, in the account")
    uid_validity: UIDValidity = Attribute("UIDVALIDITY")
    mailbox_id: str = Attribute("An id that RENAME does not change (RFC 8474 §4.1): 1*255 of A-Z a-z 0-9 _ -")
    uid_next: UID = Attribute("UIDNEXT: above every UID told so far")
    highest_modseq: ModSeq = Attribute("HIGHESTMODSEQ of what was announced")
    keywords: Sequence[Flag] = Attribute("The keywords in use here, for FLAGS")
    new_keywords: bool = Attribute("Whether clients may make keywords (``\\*`` in PERMANENTFLAGS)")
    writable: bool = Attribute("Whether changes can be kept")

    def listen(listener: Listener) -> Sequence[MessageRow]:
        """The rows as they are now, in ascending order of UID; ``listener`` hears of every change after that."""

    def ignore(listener: Listener) -> None:
        """End what ``listen`` began; after the last listener the mailbox may be put away."""

    def recent_from(claim: bool) -> UID:
        """Messages from this UID on are \\Recent: no session was told of them (RFC 3501 §2.3.2).

        With ``claim`` the calling session is the one, and later callers get a UID above them.
        """

    def refresh() -> Awaitable[None]:
        """Look for what other programs did, and announce it."""

    def measure(uids: Sequence[UID]) -> Awaitable[Sequence[tuple[UID, int, int]]]:
        """``(uid, size, internal date)`` of each message that is still there: RFC822.SIZE and INTERNALDATE."""

    def read(uids: Sequence[UID], function: Callable[[IContent], T]) -> Awaitable[Sequence[tuple[UID, T | None]]]:
        """Apply a pure function to each message in a worker thread, in order; None where the message is gone.

        Callers bound a call by the octets of its results, and may go on with the next call when the client has read.
        """

    def read_envelopes(uids: Sequence[UID], structure: bool) -> Awaitable[Sequence[tuple[UID, bytes, bytes] | None]]:
        """``(uid, ENVELOPE, BODYSTRUCTURE)`` as on the wire, from the cache where possible; None where it is gone.

        BODYSTRUCTURE may be empty where ``structure`` is False.
        """

    def store(
        uids: Sequence[UID], change: FlagChange, named: Flags, unchanged_since: ModSeq | None = None
    ) -> Awaitable[Stored]:
        """Change flags (RFC 9051 §6.4.6, RFC 7162 §3.1.3). UIDs that are gone are left out."""

    def expunge(uids: Sequence[UID], deleted_only: bool = False) -> Awaitable[NumberSet]:
        """Remove these messages for ever: all of them or none. Returns those that were removed.

        With ``deleted_only`` those that do not have \\Deleted now are left alone (RFC 9051 §6.4.3), and what was
        removed before a failure stays removed, and is announced.
        """

    def copy(uids: Sequence[UID], target: MailboxName) -> Awaitable[Copied]:
        """Copy all or nothing, durable before it returns (RFC 9051 §6.4.7). ``NoSuchMailbox(code=TRYCREATE)``."""

    def move(uids: Sequence[UID], target: MailboxName) -> Awaitable[Copied]:
        """Move: no message is ever in neither mailbox (RFC 6851)."""

    def uidls(uids: Sequence[UID]) -> Awaitable[Sequence[bytes]]:
        """POP3's unique-id of each: 1 to 70 octets of 0x21 to 0x7E (RFC 1939 §7)."""


class IMailStore(Interface):
    """All the mail of one account. One for each account and process."""

    def mailboxes() -> Awaitable[Sequence[MailboxInfo]]:
        """Every mailbox, and every name that is only a parent, in no order. INBOX always exists."""

    def subscriptions() -> Awaitable[frozenset[MailboxName]]:
        """The subscribed names; they need not exist (RFC 9051 §6.3.7)."""

    def subscribe(name: MailboxName, subscribed: bool) -> Awaitable[None]:
        """Add a name to the subscriptions, or take it out."""

    def create(name: MailboxName, special_use: SpecialUse | None = None) -> Awaitable[str]:
        """Make a mailbox, and its missing parents where the store needs them; returns its ``mailbox_id``.

        ``ClientError(ALREADYEXISTS | CANNOT | USEATTR)``.
        """

    def delete(name: MailboxName) -> Awaitable[None]:
        """Remove a mailbox with its messages; its children stay (RFC 9051 §6.3.5). Never INBOX."""

    def rename(old: MailboxName, new: MailboxName) -> Awaitable[None]:
        """Rename a mailbox and its children; INBOX's messages move to a new mailbox instead (RFC 9051 §6.3.6)."""

    def open(name: MailboxName) -> Awaitable[IMailbox]:
        """The mailbox, up to date. ``NoSuchMailbox``. The same object for the same mailbox while anybody listens."""

    def status(name: MailboxName, size: bool) -> Awaitable[MailboxStatus]:
        """The mailbox's numbers, up to date; SIZE where ``size`` is True."""

    def append(name: MailboxName, uploads: Iterable[Upload]) -> Awaitable[Appended]:
        """Store messages, all or nothing, durable before it returns. ``NoSuchMailbox(TRYCREATE)``, ``OverQuota``."""

    def lock_maildrop() -> Awaitable[Callable[[], None]]:
        """POP3's exclusive lock on INBOX (RFC 1939 §4): returns what releases it. ``MailboxInUse``."""

    def close() -> Awaitable[None]:
        """Finish what was begun and let go of files; the last thing that is called."""


class IAccount(Interface):
    """What a realm gives to a front end: one user's account. ``mailaccess.mailbox.account.Account`` provides it."""

    identity: Identity = Attribute("Whose account it is")
    store: Any = Attribute("Its IMailStore")


class ISession(Interface):
    """A connection, as the gate sees it. Both protocols provide it."""

    peer: Peer = Attribute("Where it comes from")

    def say_goodbye(code: Code | None, text: str) -> None:
        """Tell the client why (BYE, -ERR) and close; what a command has begun is finished first where it is short."""

    def abort() -> None:
        """Close at once."""


class IGate(Interface):
    """Who may connect, and how often. ``mailaccess.net.gate`` provides it; the limits are ``ops.limits.Limits``'s."""

    def opened(session: ISession) -> None:
        """A connection was made. ``ClientError(LIMIT)`` when it must be refused: the session says so and closes."""

    def authenticated(session: ISession, user: str) -> None:
        """The session logged in. ``ClientError(LIMIT)`` when this user has too many from this address."""

    def closed(session: ISession) -> None:
        """The connection is gone. Harmless when it was never opened, or twice."""


class IEvents(Interface):
    """The structured log: one line for each event. ``mailaccess.ops.logs`` provides it."""

    def event(name: str, /, **fields: object) -> None:
        """Log one line: ``login user=joe address=192.0.2.1``. Values are escaped; secrets are never given."""

    def incident(what: str, error: BaseException) -> str:
        """Log what went wrong with its traceback, and return the incident id that a client may be told."""
