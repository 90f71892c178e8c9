"""An open mailbox as all sessions of a process share it: packed columns, kept up to date with what the store announces.

1. ``uids`` is strictly ascending, and all columns are of its length.
2. ``uids`` only ever grows in place, at its end. Where messages go, it is replaced by another array, so that a view may
   go on reading the one that it holds (``mailbox.view`` says why).
3. Views are told of a change after the columns have it, and in the reactor thread: nothing here is ever half done.
4. After ``gone`` is set, nothing changes any more.

Everything is linear in the messages that a change names, or in the mailbox where messages go.
"""

from array import array
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol, TypeVar

from mailaccess.changes import Arrived, Change, Expunged, FlagsChanged, Renamed, Reset
from mailaccess.interfaces import IMailbox
from mailaccess.values import DELETED, SEEN, UID, Flags, MailboxName, MessageRow, ModSeq, NumberSet

MEASURED_AT_ONCE = 2000
"""Messages in one call of ``IMailbox.measure``: others' work on the account runs between two calls."""

UNKNOWN = -1
"""What stands for a size or a date that was not yet looked up."""

Column = TypeVar("Column", "array[int]", list[Flags])


class View(Protocol):
    """What a shared mailbox tells its views."""

    def flags_changed(self, before: Sequence[tuple[int, Flags]]) -> None:
        """The flags of these UIDs changed; they were what stands beside them."""

    def expunged(self, uids: Sequence[int]) -> None:
        """These messages were here, and are gone; ascending."""

    def changed(self) -> None:
        """Something happened, and all views know of it."""


class SharedMailbox:
    """One open mailbox: wraps an ``IMailbox`` and is its one listener; ``put_away`` is called when nobody uses it.

    ``unseen`` and ``deleted`` count messages without \\Seen, and with \\Deleted. ``gone`` is the reason why the mailbox
    must be let go of, or None.
    """

    def __init__(self, mailbox: IMailbox, put_away: Callable[["SharedMailbox"], None] = lambda shared: None) -> None:
        self.mailbox = mailbox
        self.name: MailboxName = mailbox.name
        self.gone: str | None = None
        self.uids = array("I")
        self.flags: list[Flags] = []
        self.modseqs = array("Q")
        self.sizes = array("q")
        self.dates = array("q")
        self.unseen = 0
        self.deleted = 0
        self._unmeasured = 0
        self._put_away = put_away
        self._views: list[View] = []
        self._listener = self.apply
        self._append(mailbox.listen(self._listener))

    def __len__(self) -> int:
        return len(self.uids)

    def attach(self, view: View) -> None:
        """From now on ``view`` is told of changes."""
        self._views.append(view)

    def detach(self, view: View) -> None:
        """End what ``attach`` began; the last one ends listening. Harmless when it was never attached, or twice."""
        if view not in self._views:
            return
        self._views.remove(view)
        if not self._views:
            self.mailbox.ignore(self._listener)
            self._put_away(self)

    def apply(self, change: Change) -> None:
        """Take over what happened, and tell the views."""
        if self.gone is not None:
            return
        match change:
            case Arrived(rows):
                self._append(rows)
            case FlagsChanged(rows):
                self._set_flags(rows)
            case Expunged(uids):
                self._remove(uids)
            case Renamed(name):
                self.name = name
            case Reset(reason):
                self.gone = reason
        for view in tuple(self._views):
            view.changed()

    def index(self, uid: int) -> int | None:
        """Where a UID stands in the columns, or None."""
        at = bisect_left(self.uids, uid)
        return at if at < len(self.uids) and self.uids[at] == uid else None

    def row(self, at: int) -> MessageRow:
        """All that is known of the message at an index."""
        return MessageRow(UID(self.uids[at]), self.flags[at], ModSeq(self.modseqs[at]), self.sizes[at], self.dates[at])

    def first_unseen(self) -> int | None:
        r"""The index of the first message without \Seen, or None."""
        if not self.unseen:
            return None
        unseen = {flags for flags in set(self.flags) if SEEN not in flags}
        return next(at for at, flags in enumerate(self.flags) if flags in unseen)

    async def measured(self, uids: Iterable[int]) -> None:
        """Make sure that the columns have the sizes and dates of these messages, as far as they are still there."""
        if not self._unmeasured:
            return
        missing = [UID(uid) for uid in uids if self._lacks(uid)]
        for start in range(0, len(missing), MEASURED_AT_ONCE):
            for uid, size, date in await self.mailbox.measure(missing[start : start + MEASURED_AT_ONCE]):
                at = self.index(uid)
                if at is not None:
                    self._unmeasured -= self._lacks(uid)
                    self.sizes[at] = size
                    self.dates[at] = date

    def _lacks(self, uid: int) -> bool:
        at = self.index(uid)
        return at is not None and (self.sizes[at] == UNKNOWN or self.dates[at] == UNKNOWN)

    def _append(self, rows: Sequence[MessageRow]) -> None:
        before = len(self.uids)
        self.uids.extend([row.uid for row in rows])
        self.flags.extend([row.flags for row in rows])
        self.modseqs.extend([row.modseq for row in rows])
        self.sizes.extend([row.size for row in rows])
        self.dates.extend([row.internal_date for row in rows])
        self._count(self.flags[before:], 1)
        self._unmeasured += _unmeasured(self.sizes[before:], self.dates[before:])

    def _set_flags(self, rows: Sequence[MessageRow]) -> None:
        before: list[tuple[int, Flags]] = []
        after: list[Flags] = []
        for row in rows:
            at = self.index(row.uid)
            if at is not None:
                before.append((row.uid, self.flags[at]))
                after.append(row.flags)
                self.flags[at] = row.flags
                self.modseqs[at] = row.modseq
        self._count((flags for _, flags in before), -1)
        self._count(after, 1)
        for view in self._views:
            view.flags_changed(before)

    def _remove(self, uids: NumberSet) -> None:
        cuts = list(uids.slices(self.uids))
        if not cuts:
            return
        gone = _only(self.uids, array("I"), cuts)
        self._count(_only(self.flags, [], cuts), -1)
        self._unmeasured -= _unmeasured(_only(self.sizes, array("q"), cuts), _only(self.dates, array("q"), cuts))
        kept = _between(cuts, len(self.uids))
        self.uids = _only(self.uids, array("I"), kept)
        self.flags = _only(self.flags, [], kept)
        self.modseqs = _only(self.modseqs, array("Q"), kept)
        self.sizes = _only(self.sizes, array("q"), kept)
        self.dates = _only(self.dates, array("q"), kept)
        for view in self._views:
            view.expunged(gone)

    def _count(self, flags: Iterable[Flags], by: int) -> None:
        for kind, number in Counter(flags).items():
            self.unseen += by * number * (SEEN not in kind)
            self.deleted += by * number * (DELETED in kind)


def _unmeasured(sizes: Sequence[int], dates: Sequence[int]) -> int:
    """How many messages lack their size or date; the usual cases are found without looking at each."""
    if UNKNOWN not in sizes and UNKNOWN not in dates:
        return 0
    return sum(UNKNOWN in pair for pair in zip(sizes, dates, strict=True))


def _between(cuts: Iterable[slice], length: int) -> list[slice]:
    """The slices of ``range(length)`` that lie between ascending slices."""
    kept: list[slice] = []
    start = 0
    for cut in cuts:
        kept.append(slice(start, cut.start))
        start = cut.stop
    kept.append(slice(start, length))
    return kept


def _only(column: Column, empty: Column, parts: Iterable[slice]) -> Column:
    """The parts of a column, in a new one."""
    for part in parts:
        empty.extend(column[part])
    return empty
