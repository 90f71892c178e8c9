"""A mailbox whose every change a test announces, and whose methods answer at once."""

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from zope.interface import implementer

from mailaccess.changes import Arrived, Change, Expunged, FlagsChanged, Reset
from mailaccess.interfaces import IContent, IMailbox, Listener
from mailaccess.message import headers
from mailaccess.values import (
    INBOX,
    UID,
    Copied,
    Flag,
    FlagChange,
    Flags,
    MailboxName,
    MessageRow,
    ModSeq,
    NumberSet,
    Stored,
    UIDValidity,
    flags,
)

T = TypeVar("T")


@implementer(IContent)
class Message:
    """A message's octets."""

    def __init__(self, octets: bytes) -> None:
        self._octets = octets

    def size(self) -> int:
        return len(self._octets)

    def header(self) -> bytes:
        return self._octets[: self._octets.find(b"\r\n\r\n") + 4]

    def fields(self, names: tuple[bytes, ...]) -> bytes:
        return headers.select(self.header(), names)

    def whole(self) -> bytes:
        return self._octets

    def octets(self, offset: int, length: int) -> bytes:
        return self._octets[offset : offset + length]

    def envelope(self) -> bytes:
        raise NotImplementedError

    def body(self, extended: bool) -> bytes:
        raise NotImplementedError


@implementer(IMailbox)
class ScriptedMailbox:
    """Tests make things happen by ``arrive``, ``flag``, ``remove``; ``measured`` and ``opened`` have what was asked."""

    def __init__(self, name: MailboxName = INBOX) -> None:
        self.name = name
        self.uid_validity = UIDValidity(1)
        self.mailbox_id = "M" + "-".join(name.parts)
        self.uid_next = UID(1)
        self.highest_modseq = ModSeq(1)
        self.keywords: Sequence[Flag] = ()
        self.new_keywords = True
        self.writable = True
        self.rows: dict[UID, MessageRow] = {}
        self.octets: dict[UID, bytes] = {}
        self.dates: dict[UID, int] = {}
        self.listeners: list[Listener] = []
        self.measured: list[UID] = []
        self.opened: list[UID] = []
        self.before_measure: Callable[[], None] = lambda: None
        self.before_read: Callable[[], None] = lambda: None
        self._recent_from = UID(1)

    # What happens

    def announce(self, change: Change) -> None:
        for listener in tuple(self.listeners):
            listener(change)

    def arrive(
        self, *new: Iterable[Flag], octets: bytes = b"\r\n\r\n", date: int = 0, known: bool = False
    ) -> list[UID]:
        """One message for each set of flags; its size and date are known at once, or only when they are measured."""
        rows = []
        for kept in new:
            size, when = (len(octets), date) if known else (-1, -1)
            uid = self.uid_next
            rows.append(MessageRow(uid, flags(kept), self._next_modseq(), size, when))
            self.octets[uid], self.dates[uid] = octets, date
            self.uid_next = UID(uid + 1)
        self.rows.update((row.uid, row) for row in rows)
        self.announce(Arrived(tuple(rows)))
        return [row.uid for row in rows]

    def flag(self, uids: Iterable[UID], kept: Iterable[Flag]) -> tuple[MessageRow, ...]:
        modseq = self._next_modseq()
        rows = tuple(MessageRow(uid, flags(kept), modseq) for uid in uids if uid in self.rows)
        self.rows.update((row.uid, row) for row in rows)
        self.announce(FlagsChanged(rows))
        return rows

    def remove(self, uids: Iterable[UID]) -> None:
        gone = [uid for uid in uids if self.rows.pop(uid, None) is not None]
        if gone:
            self.announce(Expunged(NumberSet.of(gone), self._next_modseq()))

    def reset(self, reason: str) -> None:
        self.announce(Reset(reason))

    # IMailbox

    def listen(self, listener: Listener) -> Sequence[MessageRow]:
        self.listeners.append(listener)
        return list(self.rows.values())

    def ignore(self, listener: Listener) -> None:
        self.listeners.remove(listener)

    def recent_from(self, claim: bool) -> UID:
        first = self._recent_from
        if claim:
            self._recent_from = self.uid_next
        return first

    async def refresh(self) -> None:
        pass

    async def measure(self, uids: Sequence[UID]) -> Sequence[tuple[UID, int, int]]:
        self.before_measure()
        self.measured.extend(uids)
        return [(uid, len(self.octets[uid]), self.dates[uid]) for uid in uids if uid in self.rows]

    async def read(self, uids: Sequence[UID], function: Callable[[IContent], T]) -> Sequence[tuple[UID, T | None]]:
        self.before_read()
        self.opened.extend(uids)
        return [(uid, function(Message(self.octets[uid])) if uid in self.rows else None) for uid in uids]

    async def read_envelopes(self, uids: Sequence[UID], structure: bool) -> Sequence[tuple[UID, bytes, bytes] | None]:
        raise NotImplementedError

    async def store(
        self, uids: Sequence[UID], change: FlagChange, named: Flags, unchanged_since: ModSeq | None = None
    ) -> Stored:
        raise NotImplementedError

    async def expunge(self, uids: Sequence[UID], deleted_only: bool = False) -> NumberSet:
        raise NotImplementedError

    async def copy(self, uids: Sequence[UID], target: MailboxName) -> Copied:
        raise NotImplementedError

    async def move(self, uids: Sequence[UID], target: MailboxName) -> Copied:
        raise NotImplementedError

    async def uidls(self, uids: Sequence[UID]) -> Sequence[bytes]:
        raise NotImplementedError

    def _next_modseq(self) -> ModSeq:
        self.highest_modseq = ModSeq(self.highest_modseq + 1)
        return self.highest_modseq
