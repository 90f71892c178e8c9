"""Search keys that need no message to be opened, answered for all messages at once.

A truth about n messages is one integer of n octets, called lanes: octet ``i`` is 1 where it holds for message ``i``. So
AND, OR and NOT cost one operation on a large integer, some microseconds for 100,000 messages.

What is not known yet is a third value (Kleene's logic): ``OR UNSEEN BODY x`` is true of unseen messages, whatever is
written in them, and ``UNSEEN BODY x`` false of the others: neither kind has to be opened.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import compress
from typing import TypeVar

from mailaccess.mailbox.criteria import (
    All,
    And,
    Before,
    Criterion,
    FlagIs,
    Larger,
    Leaf,
    ModSeqFrom,
    Not,
    On,
    Or,
    Recent,
    Since,
    Smaller,
    UIDs,
)
from mailaccess.mailbox.criteria import Sequence as SequenceKey
from mailaccess.mailbox.shared import UNKNOWN
from mailaccess.mailbox.view import MailboxView

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Truth:
    """Of which messages something is surely true, and of which it may be; the latter include the former."""

    surely: int
    maybe: int

    @property
    def undecided(self) -> int:
        """Lanes of the messages of which it is not known."""
        return self.maybe ^ self.surely

    def both(self, other: "Truth") -> "Truth":
        """AND."""
        return Truth(self.surely & other.surely, self.maybe & other.maybe)

    def either(self, other: "Truth") -> "Truth":
        """OR."""
        return Truth(self.surely | other.surely, self.maybe | other.maybe)


class Facts:
    """What a view knows of its messages, as it was when this was made."""

    def __init__(self, view: MailboxView) -> None:
        self._view = view
        self._columns = view.columns()
        self.uids = self._columns.uids
        self._sizes = self._columns.sizes
        self._dates = self._columns.dates
        self._kinds = set(self._columns.flags)
        self._all = int.from_bytes(b"\1" * len(self.uids), "little")
        self._known: dict[Leaf, Truth] = {}

    def truth(self, key: Criterion) -> Truth:
        """Of which messages a key holds; undecided where it depends on contents, or on what was not yet measured.

        ``BadSequence`` for a sequence number that no message has.
        """
        match key:
            case All():
                return Truth(self._all, self._all)
            case And(keys):
                truth = Truth(self._all, self._all)
                for inner in keys:
                    truth = truth.both(self.truth(inner))
                return truth
            case Or(left, right):
                return self.truth(left).either(self.truth(right))
            case Not(inner):
                return self._not(self.truth(inner))
        if key not in self._known:
            self._known[key] = self._leaf(key)
        return self._known[key]

    def chosen(self, column: Iterable[T], lanes: int) -> Iterator[T]:
        """The members of a column at the lanes that are set."""
        return compress(column, self.octets(lanes))

    def octets(self, lanes: int) -> bytes:
        """The lanes, an octet for each message."""
        return lanes.to_bytes(len(self.uids), "little")

    def pairs(self, lanes: int) -> Iterator[tuple[int, int]]:
        """Sequence number and UID of the messages whose lanes are set."""
        return self.chosen(zip(self._columns.numbers, self.uids, strict=True), lanes)

    def highest_modseq(self, lanes: int) -> int:
        """The highest mod-sequence of the messages whose lanes are set; 0 of none."""
        return max(self.chosen(self._columns.modseqs, lanes), default=0)

    def lanes(self, uids: set[int]) -> int:
        """The lanes of these messages."""
        return _lanes(map(uids.__contains__, self.uids))

    async def measure(self, lanes: int) -> None:
        """Look up sizes and dates of the messages whose lanes are set; they stay unknown of messages that are gone."""
        shared = self._view.shared
        await shared.measured(self.chosen(self.uids, lanes))
        sizes, dates = list(self._sizes), list(self._dates)
        for place, uid in self.chosen(enumerate(self.uids), lanes):
            at = shared.index(uid)
            if at is not None:
                sizes[place], dates[place] = shared.sizes[at], shared.dates[at]
        self._sizes, self._dates = sizes, dates
        self._known.clear()

    def _leaf(self, key: Leaf) -> Truth:
        match key:
            case FlagIs(flag, present):
                met = {kind for kind in self._kinds if (flag in kind) == present}
                return _certain(_lanes(map(met.__contains__, self._columns.flags)))
            case Recent():
                return _certain(self._within(self._view.recent_uids.slices(self.uids)))
            case UIDs(numbers):
                return _certain(self._within(self._view.named(numbers, True).slices(self.uids)))
            case SequenceKey(numbers):
                return _certain(self._within(self._view.named(numbers, False).slices(self._columns.numbers)))
            case ModSeqFrom(modseq):
                return _from(self._columns.modseqs, modseq)
            case Larger(octets):
                return _from(self._sizes, octets + 1)
            case Smaller(octets):
                return self._not(_from(self._sizes, octets))
            case Since(day):
                return _from(self._dates, _midnight(day))
            case Before(day):
                return self._not(_from(self._dates, _midnight(day)))
            case On(day):
                return self.truth(Since(day)).both(self._not(_from(self._dates, _midnight(day) + _DAY)))
        return Truth(0, self._all)

    def _not(self, truth: Truth) -> Truth:
        return Truth(self._all ^ truth.maybe, self._all ^ truth.surely)

    def _within(self, slices: Iterable[slice]) -> int:
        """The lanes in these slices."""
        lanes = bytearray(len(self.uids))
        for at in slices:
            lanes[at] = b"\1" * (at.stop - at.start)
        return int.from_bytes(lanes, "little")


_DAY = int(timedelta(days=1).total_seconds())


def _midnight(day: date) -> int:
    """When a day begins in UTC, in seconds since the epoch."""
    return int(datetime.combine(day, time(), UTC).timestamp())


def _lanes(truths: Iterable[bool]) -> int:
    return int.from_bytes(bytes(truths), "little")


def _certain(lanes: int) -> Truth:
    return Truth(lanes, lanes)


def _from(column: Sequence[int], bound: int) -> Truth:
    """Of which messages a number is at least ``bound``; undecided where it is unknown."""
    lanes = _lanes(map(bound.__le__, column))
    if UNKNOWN not in column:
        return _certain(lanes)
    unknown = _lanes(map(UNKNOWN.__eq__, column))
    return Truth((lanes | unknown) ^ unknown, lanes | unknown)
