"""What one session knows of a mailbox. Sequence numbers exist only here.

The trouble
-----------
A client names messages by their position in a list that it keeps for itself (RFC 9051 §2.3.1.2). The mailbox changes
under it at any time, by other sessions, other programs and deliveries; but the client's list changes only by what it
is told, and it may be told of an expunge only at certain moments: not while no command is in progress, nor during
FETCH, STORE and SEARCH by sequence number (RFC 9051 §7.5.1), since those numbers would then mean other messages than
the client meant. So each session has its own truth, which lags behind the mailbox's, and catches up in a way that the
client can follow step by step. RFC 2180 §4 lists what a server may do with messages that are gone and not yet told:
here they keep their number, are left out of answers, and the command says so (RFC 5530 §3, EXPUNGEISSUED).

The rules
---------
1. The list of a view is ``_uids[:_count]``: the client's list, always. Only :meth:`MailboxView.poll` changes it, and it
   returns exactly what the client must be told to change its own list alike.
2. ``_told`` is the highest UID that was ever in the list: what is above is new. UIDs ascend strictly, so that a message
   that came and went between two polls leaves no trace.
3. ``_gone`` are the UIDs in the list that are no longer in the mailbox; so the mailbox's UIDs up to ``_told`` are
   always the list without ``_gone``.
4. While ``_gone`` is empty, ``_uids`` *is* the shared column: a view costs a few hundred octets, however large the
   mailbox. When messages go, the shared mailbox makes another array and the view keeps the old one, as do all other
   views that have the same list: an expunge costs one array, not one for each session. Only a view that is told of
   new messages while it may not yet be told of expunges makes a list of its own.
5. ``_changed`` has, for each message in the list whose flags the client must be told of, the flags that the client
   believes in. So a STORE.SILENT can be judged by what it leaves the client to believe (:meth:`MailboxView.silence`).
6. Expunges are told from the highest number to the lowest, so that none changes the number of the next; then EXISTS,
   then flags, by the numbers that hold after that.
7. A view holds nothing of a message but its UID and, where they changed, the flags last believed in: everything else
   is in the shared columns, and what is told is always what is true now.

Considered and not done
-----------------------
* A queue of changes for each view: it grows without bound for a client that never polls, and tells three times what
  changed three times. What is kept here is bounded by the messages in the list.
* A tree that counts positions: expunges one by one would cost a logarithm instead of a copy of 4 octets a message. A
  copy of 100,000 messages takes 20 microseconds, and slices of a plain array make answers to ``1:*`` fast.
* A high-water mark of mod-sequences instead of ``_changed``: it cannot tell one's own silent change from another's.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias, cast

from mailaccess.mailbox.shared import SharedMailbox
from mailaccess.values import UID, FlagChange, Flags, MessageRow, ModSeq, NumberSet, SeqNum, SequenceSet

Pair: TypeAlias = tuple[SeqNum, UID]
"""A message as the session numbers it, and its UID."""

Row: TypeAlias = tuple[SeqNum, UID, Flags, ModSeq, int, int]
"""Sequence number, UID, flags, mod-sequence, size in octets, internal date: -1 for a size or date not yet measured."""


@dataclass(frozen=True, slots=True)
class Columns:
    """What is known of many messages: all columns are of one length, ``numbers`` and ``uids`` strictly ascending."""

    numbers: Sequence[int]
    uids: Sequence[int]
    flags: Sequence[Flags]
    modseqs: Sequence[int]
    sizes: Sequence[int]
    dates: Sequence[int]


class BadSequence(ValueError):
    """A sequence number that no message of the view has: the command is BAD (RFC 9051 §9, seq-number)."""


@dataclass(frozen=True, slots=True)
class Updates:
    """What a client must be told, in this order (RFC 9051 §7.4, §7.5).

    ``expunged`` are sequence numbers in the order in which to tell them; ``vanished`` the same messages as UIDs
    (RFC 7162 §3.2.10). ``exists`` and ``recent`` are numbers of messages, None where the client knows them. ``gone`` is
    why the session must let go of the mailbox, or None.
    """

    expunged: tuple[SeqNum, ...] = ()
    vanished: tuple[UID, ...] = ()
    exists: int | None = None
    recent: int | None = None
    flags: tuple[tuple[SeqNum, MessageRow], ...] = ()
    gone: str | None = None

    def __bool__(self) -> bool:
        return self != NOTHING


NOTHING = Updates()
"""Nothing to tell."""


class MailboxView:
    r"""One session's view of a mailbox: made by ``Account.open``, ended by ``Account.close``.

    ``wake`` is called when something happened; a session in IDLE then polls. With ``read_only`` messages stay \Recent
    for others (RFC 3501 §6.3.2).
    """

    def __init__(self, shared: SharedMailbox, read_only: bool = False) -> None:
        self.shared = shared
        self.read_only = read_only
        self.wake: Callable[[], None] = lambda: None
        self._uids = shared.uids
        self._count = len(shared.uids)
        self._told = shared.uids[-1] if shared.uids else 0
        self._gone: set[int] = set()
        self._changed: dict[int, Flags] = {}
        self._recent = NumberSet()
        self._claim(0)
        self._recent_told = self.recent
        shared.attach(self)

    @property
    def exists(self) -> int:
        """How many messages the client knows of."""
        return self._count

    @property
    def recent(self) -> int:
        r"""How many of them are \Recent to this session (RFC 3501 §2.3.2)."""
        return sum(at.stop - at.start for at in self._slices(self._recent))

    @property
    def first_unseen(self) -> SeqNum | None:
        r"""The number of the first message without \Seen, for SELECT (RFC 3501 §6.3.1); None where all have it."""
        at = self.shared.first_unseen()
        if at is None or self.shared.uids[at] > self._told:
            return None
        return self._number(self.shared.uids[at])

    @property
    def recent_uids(self) -> NumberSet:
        r"""The UIDs that are \Recent to this session, and perhaps others."""
        return self._recent

    def close(self) -> None:
        """End the view: it is told of nothing any more."""
        self.shared.detach(self)

    # What the client names

    def uids_of(self, numbers: SequenceSet, by_uid: bool) -> list[Pair]:
        """The messages that a client named, ascending, those too that are gone and not yet told.

        By UID missing ones are ignored (RFC 9051 §6.4.9); by sequence number they raise ``BadSequence``.
        """
        named = self.named(numbers, by_uid)
        places = self._slices(named) if by_uid else [slice(low - 1, high) for low, high in named.ranges]
        pairs: list[tuple[int, int]] = []
        for at in places:
            pairs.extend(zip(range(at.start + 1, at.stop + 1), self._uids[at], strict=True))
        return cast(list[Pair], pairs)

    def named(self, numbers: SequenceSet, by_uid: bool) -> NumberSet:
        """The UIDs or sequence numbers that a client named; ``*`` is the last message's, also in ``559:*``.

        ``BadSequence`` for a sequence number that no message has, ``*`` in an empty mailbox too (RFC 9051 §9,
        seq-number).
        """
        if by_uid:
            return numbers.resolve(self._uids[self._count - 1] if self._count else 0)
        named = numbers.resolve(self._count)
        if named and not (named.ranges[0][0] >= 1 and named.ranges[-1][1] <= self._count):
            raise BadSequence(f"The mailbox has {self._count} messages")
        return named

    def rows(self, pairs: Sequence[Pair]) -> list[Row]:
        """What is known of messages that :meth:`uids_of` named, or of a slice of them.

        Those that are gone are left out: where fewer come back, the command says so (RFC 2180 §4.1.2, EXPUNGEISSUED).
        """
        if not pairs:
            return []
        shared = self.shared
        first, last = pairs[0][0], pairs[-1][0]
        if not self._gone and last - first + 1 == len(pairs):
            at = slice(first - 1, last)
            numbers = range(first, last + 1)
            columns = (shared.uids[at], shared.flags[at], shared.modseqs[at], shared.sizes[at], shared.dates[at])
            return cast(list[Row], list(zip(numbers, *columns, strict=True)))
        flags, modseqs, sizes, dates = shared.flags, shared.modseqs, shared.sizes, shared.dates
        found = ((number, uid, shared.index(uid)) for number, uid in pairs)
        return [
            (number, uid, flags[at], ModSeq(modseqs[at]), sizes[at], dates[at])
            for number, uid, at in found
            if at is not None
        ]

    def columns(self) -> Columns:
        """What is known of all messages that the client knows of and that are still there, as it is now."""
        numbers: Sequence[int] = range(1, self._count + 1)
        if self._gone:
            numbers = [number for number in numbers if self._uids[number - 1] not in self._gone]
        shared, at = self.shared, slice(len(numbers))
        return Columns(
            numbers, shared.uids[at], shared.flags[at], shared.modseqs[at], shared.sizes[at], shared.dates[at]
        )

    # What the client is told

    def poll(self, expunges: bool) -> Updates:
        """Bring the list up to date, and return what to tell the client; of expunges where ``expunges`` allows it."""
        expunged, vanished = self._tell_expunged() if expunges and self._gone else ((), ())
        exists = self._tell_arrived()
        recent = self.recent
        recent_told, self._recent_told = self._recent_told, recent
        return Updates(
            expunged,
            vanished,
            exists,
            recent if recent != recent_told else None,
            self._tell_flags() if self._changed else (),
            self.shared.gone,
        )

    def shown(self, told: Iterable[tuple[UID, Flags]]) -> None:
        """The client was told these flags, by FETCH or STORE: no need to tell them again, where they still hold."""
        for uid, flags in told:
            if uid in self._changed:
                self._believe(uid, flags)

    def silence(self, uids: Iterable[int], change: FlagChange, named: Flags) -> None:
        """The client changed these messages by STORE.SILENT, and believes that they have the flags that follow from it.

        It is told of a message only where that is not so, since another session changed it too, before or after
        (RFC 9051 §6.4.6). ``uids`` are those that were stored, after their change was announced.
        """
        for uid in uids:
            if uid in self._changed:
                self._believe(uid, change.apply(self._changed[uid], named))

    # What the shared mailbox tells

    def flags_changed(self, before: Sequence[tuple[int, Flags]]) -> None:
        """Remember the messages in the list whose flags changed, and what the client believes (rule 5)."""
        for uid, flags in before:
            if uid <= self._told:
                self._changed.setdefault(uid, flags)

    def expunged(self, uids: Sequence[int]) -> None:
        """Remember the messages in the list that went; where there is none, take the mailbox's new array (rule 4)."""
        self._gone.update(uids[: bisect_right(uids, self._told)])
        if not self._gone:
            self._uids = self.shared.uids

    def changed(self) -> None:
        """Wake the session."""
        self.wake()

    # The list

    def _number(self, uid: int) -> SeqNum:
        """The sequence number of a message in the list."""
        return SeqNum(bisect_left(self._uids, uid, 0, self._count) + 1)

    def _believe(self, uid: int, flags: Flags) -> None:
        """The client believes in these flags now; there is nothing to tell where they are the true ones (rule 5)."""
        at = self.shared.index(uid)
        if at is None or self.shared.flags[at] == flags:
            del self._changed[uid]
        else:
            self._changed[uid] = flags

    def _tell_expunged(self) -> tuple[tuple[SeqNum, ...], tuple[UID, ...]]:
        gone = sorted(self._gone, reverse=True)
        numbers = tuple(self._number(uid) for uid in gone)
        self._gone = set()
        self._uids = self.shared.uids
        self._count -= len(gone)
        return numbers, tuple(map(UID, gone))

    def _tell_arrived(self) -> int | None:
        uids = self.shared.uids
        if not uids or uids[-1] <= self._told:
            return None
        first = bisect_right(uids, self._told)
        if self._gone:
            self._uids = self._uids[: self._count] + uids[first:]
        self._count += len(uids) - first
        before, self._told = self._told, uids[-1]
        self._claim(before)
        return self._count

    def _tell_flags(self) -> tuple[tuple[SeqNum, MessageRow], ...]:
        told: list[tuple[SeqNum, MessageRow]] = []
        for uid in sorted(self._changed):
            at = self.shared.index(uid)
            if at is not None:
                told.append((self._number(uid), self.shared.row(at)))
        self._changed = {}
        return tuple(told)

    def _claim(self, above: int) -> None:
        r"""Messages above a UID are now in the list: those that no session was told of are \Recent to this one."""
        first = max(self.shared.mailbox.recent_from(not self.read_only), above + 1)
        if first <= self._told:
            self._recent = NumberSet.of_ranges((*self._recent.ranges, (first, self._told)))

    def _slices(self, uids: NumberSet) -> list[slice]:
        """The slices of the list whose UIDs are in a set."""
        clipped = (slice(at.start, min(at.stop, self._count)) for at in uids.slices(self._uids))
        return [at for at in clipped if at.start < at.stop]
