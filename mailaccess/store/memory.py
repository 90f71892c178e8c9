"""Mail kept in memory, by the same contract as mail on disk: for tests, and for programs that try the front ends.

Every method's result is there at once: an ``async def`` that never waits. Nothing here is durable.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from zope.interface import implementer

from mailaccess.changes import Arrived, Change, Expunged, FlagsChanged, Renamed, Reset
from mailaccess.errors import ClientError, Code, MailboxInUse, NoSuchMailbox
from mailaccess.interfaces import IContent, IMailbox, IMailStore, Listener, Upload
from mailaccess.message import bodystructure, headers, lines, structure
from mailaccess.message.envelope import envelope
from mailaccess.values import (
    DELETED,
    INBOX,
    SEEN,
    UID,
    Appended,
    Copied,
    Flag,
    FlagChange,
    Flags,
    MailboxInfo,
    MailboxName,
    MailboxStatus,
    MessageRow,
    ModSeq,
    NumberSet,
    SpecialUse,
    Stored,
    UIDValidity,
    flags,
)

T = TypeVar("T")


@implementer(IContent)
class MemoryContent:
    """A message's octets, with CRLF line ends."""

    def __init__(self, octets: bytes) -> None:
        self._octets = octets

    def size(self) -> int:
        """RFC822.SIZE."""
        return len(self._octets)

    def header(self) -> bytes:
        """The header with its blank line."""
        return self._octets[: headers.split(self._octets)]

    def fields(self, names: tuple[bytes, ...]) -> bytes:
        """Some fields of the header, and its blank line."""
        return headers.select(self.header(), names)

    def whole(self) -> bytes:
        """The message."""
        return self._octets

    def octets(self, offset: int, length: int) -> bytes:
        """A slice of the message."""
        return self._octets[offset : offset + length]

    def envelope(self) -> bytes:
        """ENVELOPE as on the wire."""
        return envelope(self.header())

    def body(self, extended: bool) -> bytes:
        """BODYSTRUCTURE or BODY as on the wire."""
        return bodystructure.body(self._octets, structure.parse(self._octets), extended)


@dataclass(slots=True)
class _Message:
    row: MessageRow
    octets: bytes


@implementer(IMailbox)
class MemoryMailbox:
    """One mailbox in memory."""

    writable = True
    new_keywords = True

    def __init__(self, store: "MemoryStore", name: MailboxName, uid_validity: UIDValidity) -> None:
        self.name = name
        self.uid_validity = uid_validity
        self.mailbox_id = f"M{uid_validity}"
        self.uid_next = UID(1)
        self.highest_modseq = ModSeq(1)
        self.special_use: SpecialUse | None = None
        self._store = store
        self._messages: dict[UID, _Message] = {}
        self._listeners: list[Listener] = []
        self._recent = UID(1)

    @property
    def keywords(self) -> Sequence[Flag]:
        """The keywords in use."""
        return sorted({flag for m in self._messages.values() for flag in m.row.flags if not flag.is_system})

    @property
    def rows(self) -> list[MessageRow]:
        """What is known of each message."""
        return [message.row for message in self._messages.values()]

    def listen(self, listener: Listener) -> Sequence[MessageRow]:
        """The rows now; ``listener`` hears of what comes after."""
        self._listeners.append(listener)
        return self.rows

    def ignore(self, listener: Listener) -> None:
        """End what ``listen`` began."""
        self._listeners.remove(listener)

    def announce(self, change: Change) -> None:
        """Tell everybody who listens."""
        for listener in tuple(self._listeners):
            listener(change)

    def recent_from(self, claim: bool) -> UID:
        r"""The first UID that is \Recent."""
        recent = self._recent
        if claim:
            self._recent = self.uid_next
        return recent

    async def refresh(self) -> None:
        """Nobody else changes memory."""

    async def measure(self, uids: Sequence[UID]) -> Sequence[tuple[UID, int, int]]:
        """Sizes and dates."""
        rows = [self._messages[uid].row for uid in uids if uid in self._messages]
        return [(row.uid, row.size, row.internal_date) for row in rows]

    async def read(self, uids: Sequence[UID], function: Callable[[IContent], T]) -> Sequence[tuple[UID, T | None]]:
        """Apply a function to each message."""
        return [(uid, function(self._content(uid)) if uid in self._messages else None) for uid in uids]

    async def read_envelopes(self, uids: Sequence[UID], structure: bool) -> Sequence[tuple[UID, bytes, bytes] | None]:
        """ENVELOPE and BODYSTRUCTURE of each message."""
        return [
            (uid, self._content(uid).envelope(), self._content(uid).body(True) if structure else b"")
            if uid in self._messages
            else None
            for uid in uids
        ]

    async def store(
        self, uids: Sequence[UID], change: FlagChange, named: Flags, unchanged_since: ModSeq | None = None
    ) -> Stored:
        """Change flags."""
        present = [self._messages[uid] for uid in uids if uid in self._messages]
        modified = [m.row.uid for m in present if unchanged_since is not None and m.row.modseq > unchanged_since]
        refused = set(modified)
        touched = [message for message in present if message.row.uid not in refused]
        altered = [message for message in touched if change.apply(message.row.flags, named) != message.row.flags]
        if altered:
            self._next_modseq()
        for message in altered:
            after = change.apply(message.row.flags, named)
            message.row = replace(message.row, flags=after, modseq=self.highest_modseq)
        if altered:
            self.announce(FlagsChanged(tuple(message.row for message in altered)))
        return Stored(tuple(message.row for message in touched), NumberSet.of(modified))

    async def expunge(self, uids: Sequence[UID], deleted_only: bool = False) -> NumberSet:
        """Remove messages."""
        present = [self._messages[uid].row for uid in uids if uid in self._messages]
        gone = NumberSet.of(row.uid for row in present if not deleted_only or DELETED in row.flags)
        for uid in gone:
            del self._messages[UID(uid)]
        if gone:
            self.announce(Expunged(gone, self._next_modseq()))
        return gone

    async def copy(self, uids: Sequence[UID], target: MailboxName) -> Copied:
        """Copy messages, with their flags and dates."""
        mailbox = self._store.mailbox(target, Code.TRYCREATE)
        source = tuple(uid for uid in uids if uid in self._messages)
        messages = [self._messages[uid] for uid in source]
        copies = mailbox.add([(m.octets, m.row.flags, m.row.internal_date) for m in messages])
        return Copied(mailbox.uid_validity, source, copies)

    async def move(self, uids: Sequence[UID], target: MailboxName) -> Copied:
        """Copy, then remove."""
        copied = await self.copy(uids, target)
        await self.expunge(copied.source)
        return copied

    async def uidls(self, uids: Sequence[UID]) -> Sequence[bytes]:
        """POP3's unique-ids in Dovecot's default format."""
        return [b"%08x%08x" % (uid, self.uid_validity) for uid in uids]

    def add(self, contents: Iterable[tuple[bytes, Flags, int]]) -> tuple[UID, ...]:
        """Put messages (octets with CRLF, flags, date) at the end; returns their UIDs."""
        modseq = self._next_modseq()
        rows = []
        for octets, kept, date in contents:
            row = MessageRow(self.uid_next, flags(kept), modseq, len(octets), date)
            self._messages[row.uid] = _Message(row, octets)
            self.uid_next = UID(row.uid + 1)
            rows.append(row)
        if rows:
            self.announce(Arrived(tuple(rows)))
        return tuple(row.uid for row in rows)

    def status(self, size: bool) -> MailboxStatus:
        """The numbers of STATUS."""
        rows = self.rows
        return MailboxStatus(
            messages=len(rows),
            unseen=sum(SEEN not in row.flags for row in rows),
            deleted=sum(DELETED in row.flags for row in rows),
            recent=sum(row.uid >= self._recent for row in rows),
            uid_next=self.uid_next,
            uid_validity=self.uid_validity,
            highest_modseq=self.highest_modseq,
            size=sum(row.size for row in rows) if size else -1,
        )

    def _content(self, uid: UID) -> MemoryContent:
        return MemoryContent(self._messages[uid].octets)

    def _next_modseq(self) -> ModSeq:
        self.highest_modseq = ModSeq(self.highest_modseq + 1)
        return self.highest_modseq


@implementer(IMailStore)
class MemoryStore:
    """One account's mail in memory. ``clock`` says the time in seconds since the epoch."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._mailboxes: dict[MailboxName, MemoryMailbox] = {}
        self._subscribed: set[MailboxName] = set()
        self._validity = 0
        self._maildrop_locked = False
        self._make(INBOX)

    def mailbox(self, name: MailboxName, code: Code = Code.NONEXISTENT) -> MemoryMailbox:
        """The mailbox; ``NoSuchMailbox`` with ``code``."""
        if name not in self._mailboxes:
            raise NoSuchMailbox(code=code)
        return self._mailboxes[name]

    def deliver(self, name: MailboxName, message: bytes, kept: Iterable[Flag] = (), date: int | None = None) -> UID:
        """What a deliverer does: put a message (with LF or CRLF) into a mailbox, and return its UID."""
        when = int(self._clock()) if date is None else date
        return self.mailbox(name).add([(lines.to_crlf(message), frozenset(kept), when)])[0]

    async def mailboxes(self) -> Sequence[MailboxInfo]:
        """Every mailbox, and the names that are only parents."""
        found = {name: MailboxInfo(name, True, mailbox.special_use) for name, mailbox in self._mailboxes.items()}
        for name in self._mailboxes:
            parent = name.parent
            while parent is not None:
                found.setdefault(parent, MailboxInfo(parent, selectable=False))
                parent = parent.parent
        return list(found.values())

    async def subscriptions(self) -> frozenset[MailboxName]:
        """The subscribed names."""
        return frozenset(self._subscribed)

    async def subscribe(self, name: MailboxName, subscribed: bool) -> None:
        """Add or take out a name."""
        (self._subscribed.add if subscribed else self._subscribed.discard)(name)

    async def create(self, name: MailboxName, special_use: SpecialUse | None = None) -> str:
        """Make a mailbox."""
        if name in self._mailboxes:
            raise ClientError(Code.ALREADYEXISTS, "The mailbox already exists")
        mailbox = self._make(name)
        mailbox.special_use = special_use
        return mailbox.mailbox_id

    async def delete(self, name: MailboxName) -> None:
        """Remove a mailbox; sessions that have it open are told."""
        self.mailbox(name).announce(Reset("The mailbox was deleted"))
        del self._mailboxes[name]

    async def rename(self, old: MailboxName, new: MailboxName) -> None:
        """Rename a mailbox and its children, or move the messages of INBOX."""
        if old.is_inbox:
            await self.create(new)
            inbox = self.mailbox(INBOX)
            await inbox.move([row.uid for row in inbox.rows], new)
            return
        for name in [name for name in self._mailboxes if name == old or name.is_below(old)]:
            mailbox = self._mailboxes.pop(name)
            mailbox.name = name.moved(old, new)
            self._mailboxes[mailbox.name] = mailbox
            mailbox.announce(Renamed(mailbox.name))

    async def open(self, name: MailboxName) -> MemoryMailbox:
        """The mailbox."""
        return self.mailbox(name)

    async def status(self, name: MailboxName, size: bool) -> MailboxStatus:
        """The mailbox's numbers."""
        return self.mailbox(name).status(size)

    async def append(self, name: MailboxName, uploads: Iterable[Upload]) -> Appended:
        """Store messages."""
        mailbox = self.mailbox(name, Code.TRYCREATE)
        now = int(self._clock())
        contents = [
            (
                lines.to_crlf(upload.file.read()),
                upload.flags,
                now if upload.internal_date is None else upload.internal_date,
            )
            for upload in uploads
        ]
        return Appended(mailbox.uid_validity, mailbox.add(contents))

    async def lock_maildrop(self) -> Callable[[], None]:
        """POP3's exclusive lock."""
        if self._maildrop_locked:
            raise MailboxInUse
        self._maildrop_locked = True

        def release() -> None:
            self._maildrop_locked = False

        return release

    async def close(self) -> None:
        """Memory needs no closing."""

    def _make(self, name: MailboxName) -> MemoryMailbox:
        self._validity = max(self._validity + 1, int(self._clock()))
        self._mailboxes[name] = MemoryMailbox(self, name, UIDValidity(self._validity))
        return self._mailboxes[name]
