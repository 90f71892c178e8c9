"""The values that everybody speaks of: frozen, and without the behaviour of others.

* UIDs name messages for ever (RFC 9051 §2.3.1.1); sequence numbers exist only in a session's view.
* Flags are values, never Maildir letters (those exist only in ``store.filenames``).
* A mailbox name is a path of parts; separators and encodings are the business of wire and disk.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum, StrEnum
from functools import lru_cache
from typing import NewType

UID = NewType("UID", int)
"""Unique identifier of a message: 1 to 2**32 - 1, strictly ascending (RFC 9051 §2.3.1.1)."""

SeqNum = NewType("SeqNum", int)
"""Message sequence number as one session knows it: from 1 (RFC 9051 §2.3.1.2)."""

ModSeq = NewType("ModSeq", int)
"""Modification sequence: 1 to 2**63 - 1 (RFC 7162 §3.1)."""

UIDValidity = NewType("UIDValidity", int)
"""UIDVALIDITY of a mailbox: 1 to 2**32 - 1 (RFC 9051 §2.3.1.1)."""

MAX_UID = 2**32 - 1


class Flag(str):
    """A system flag or keyword (RFC 9051 §2.3.2): case is kept, and does not count when compared.

    >>> Flag("\\\\SEEN") == Flag("\\\\Seen"), str(Flag("$Label1"))
    (True, '$Label1')
    """

    __slots__ = ("folded",)
    folded: str

    def __new__(cls, text: str) -> "Flag":
        return _flag(_SYSTEM.get(text.lower(), text))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Flag) and self.folded == other.folded

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return hash(self.folded)

    def __repr__(self) -> str:
        return f"Flag({str(self)!r})"

    @property
    def is_system(self) -> bool:
        """Whether this is one of the flags that begin with a backslash."""
        return self.startswith("\\")


@lru_cache(maxsize=4096)
def _flag(text: str) -> Flag:
    flag = str.__new__(Flag, text)
    flag.folded = text.lower()
    return flag


_SYSTEM = {text.lower(): text for text in ("\\Seen", "\\Answered", "\\Flagged", "\\Deleted", "\\Draft")}
SEEN, ANSWERED, FLAGGED, DELETED, DRAFT = (Flag(text) for text in _SYSTEM.values())
SYSTEM_FLAGS = (ANSWERED, FLAGGED, DELETED, SEEN, DRAFT)
"""The system flags in the order in which servers list them (RFC 9051 §2.3.2)."""

FORWARDED = Flag("$Forwarded")
"""What Maildir's letter P (passed) is on the wire (RFC 5788 registry, RFC 9051 §2.3.2)."""

Flags = frozenset[Flag]
"""The flags of one message. Equal sets are shared: see :func:`flags`."""


@lru_cache(maxsize=65536)
def _shared(flags: Flags) -> Flags:
    return flags


def flags(items: Iterable[Flag]) -> Flags:
    """The one shared frozenset that has these flags, so that 100,000 messages hold a few dozen sets."""
    return _shared(frozenset(items))


class FlagChange(Enum):
    """How STORE changes flags (RFC 9051 §6.4.6)."""

    REPLACE = "FLAGS"
    ADD = "+FLAGS"
    REMOVE = "-FLAGS"

    def apply(self, old: Flags, named: Flags) -> Flags:
        """The flags after this change."""
        if self is FlagChange.ADD:
            return flags(old | named)
        if self is FlagChange.REMOVE:
            return flags(old - named)
        return flags(named)


class SpecialUse(StrEnum):
    r"""The use of a mailbox, as an attribute in LIST (RFC 6154 §2)."""

    ALL = "\\All"
    ARCHIVE = "\\Archive"
    DRAFTS = "\\Drafts"
    FLAGGED = "\\Flagged"
    JUNK = "\\Junk"
    SENT = "\\Sent"
    TRASH = "\\Trash"


@dataclass(frozen=True, slots=True, order=True)
class MailboxName:
    """The path of a mailbox, in parts: ``MailboxName(("Work", "2026"))``. INBOX is ``INBOX`` below.

    Parts are Unicode; none is empty. The first part is the upper-case ``INBOX`` for the inbox however it was
    written (RFC 9051 §5.1).
    """

    parts: tuple[str, ...]

    def __post_init__(self) -> None:
        if not self.parts or not all(self.parts):
            raise ValueError("a mailbox name has at least one part, and none is empty")
        if self.parts[0] != "INBOX" and self.parts[0].upper() == "INBOX":
            object.__setattr__(self, "parts", ("INBOX", *self.parts[1:]))

    @property
    def is_inbox(self) -> bool:
        """Whether this is INBOX itself, not a child of it."""
        return self.parts == ("INBOX",)

    @property
    def parent(self) -> "MailboxName | None":
        """The name one level up, or None at the top."""
        return MailboxName(self.parts[:-1]) if len(self.parts) > 1 else None

    def is_below(self, ancestor: "MailboxName") -> bool:
        """Whether this name lies beneath ``ancestor`` at any depth."""
        size = len(ancestor.parts)
        return len(self.parts) > size and self.parts[:size] == ancestor.parts

    def moved(self, old: "MailboxName", new: "MailboxName") -> "MailboxName":
        """This name after ``old``, an ancestor or itself, became ``new``."""
        return MailboxName(new.parts + self.parts[len(old.parts) :])

    def __str__(self) -> str:
        return "/".join(self.parts)


INBOX = MailboxName(("INBOX",))


@dataclass(frozen=True, slots=True)
class Identity:
    """Who logged in: the user's name and what the account's entry says of him.

    ``home`` is where his mail may lie (``%h``); ``extra`` the remaining fields of the entry, by name.
    """

    user: str
    uid: int | None = None
    gid: int | None = None
    home: str = ""
    extra: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Peer:
    """The other end of a connection: its address, its port (0 where there is none), and the port it came in by."""

    host: str
    port: int = 0
    local_port: int = 0

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class NumberSet:
    """A set of numbers as disjoint, ascending, inclusive ranges: UIDs, or sequence numbers (RFC 9051 §9, sequence-set).

    Building one from n ranges costs n log n, whatever the numbers are; it is never expanded.
    """

    ranges: tuple[tuple[int, int], ...] = ()

    @classmethod
    def of_ranges(cls, ranges: Iterable[tuple[int, int]]) -> "NumberSet":
        """The set of all numbers in the inclusive ranges, which may overlap and stand in any order or direction."""
        merged: list[tuple[int, int]] = []
        for low, high in sorted((min(pair), max(pair)) for pair in ranges):
            if merged and low <= merged[-1][1] + 1:
                merged[-1] = (merged[-1][0], max(merged[-1][1], high))
            else:
                merged.append((low, high))
        return cls(tuple(merged))

    @classmethod
    def of(cls, numbers: Iterable[int]) -> "NumberSet":
        """The set of these numbers."""
        return cls.of_ranges((number, number) for number in numbers)

    def __bool__(self) -> bool:
        return bool(self.ranges)

    def __contains__(self, number: int) -> bool:
        at = bisect_right(self.ranges, (number, MAX_UID * 2)) - 1
        return at >= 0 and self.ranges[at][0] <= number <= self.ranges[at][1]

    def __len__(self) -> int:
        return sum(high - low + 1 for low, high in self.ranges)

    def __iter__(self) -> Iterator[int]:
        for low, high in self.ranges:
            yield from range(low, high + 1)

    def __str__(self) -> str:
        return ",".join(str(low) if low == high else f"{low}:{high}" for low, high in self.ranges)

    def slices(self, ascending: Sequence[int]) -> Iterator[slice]:
        """The slices of ``ascending`` (strictly ascending numbers) whose members are in this set."""
        for low, high in self.ranges:
            start = bisect_left(ascending, low)
            stop = bisect_right(ascending, high, lo=start)
            if stop > start:
                yield slice(start, stop)


@dataclass(frozen=True, slots=True)
class SequenceSet:
    """A sequence set as a client wrote it (RFC 9051 §9): ``*`` is None, and stands for the highest number in use."""

    ranges: tuple[tuple[int | None, int | None], ...]

    def resolve(self, highest: int) -> NumberSet:
        """The numbers meant when ``highest`` (0 in an empty mailbox) is the highest in use."""
        return NumberSet.of_ranges(
            (highest if low is None else low, highest if high is None else high) for low, high in self.ranges
        )


@dataclass(frozen=True, slots=True)
class MessageRow:
    """What is known of a message without opening it.

    ``size`` is RFC822.SIZE in octets as on the wire, -1 while not yet measured; ``internal_date`` is seconds since
    the epoch, -1 while not yet looked up.
    """

    uid: UID
    flags: Flags
    modseq: ModSeq
    size: int = -1
    internal_date: int = -1


@dataclass(frozen=True, slots=True)
class MailboxStatus:
    """The numbers that STATUS and SELECT tell of a mailbox (RFC 9051 §6.3.11)."""

    messages: int
    unseen: int
    deleted: int
    recent: int
    uid_next: UID
    uid_validity: UIDValidity
    highest_modseq: ModSeq
    size: int = -1
    """Octets of all messages on the wire (STATUS=SIZE, RFC 8438), -1 where it was not asked for."""


@dataclass(frozen=True, slots=True)
class MailboxInfo:
    """One mailbox of an account's listing.

    ``selectable`` is False for a name that exists only as the parent of others (``\\NonExistent``, RFC 5258 §3).
    """

    name: MailboxName
    selectable: bool = True
    special_use: SpecialUse | None = None


@dataclass(frozen=True, slots=True)
class Appended:
    """Where APPEND put messages (RFC 4315 §3, APPENDUID)."""

    uid_validity: UIDValidity
    uids: tuple[UID, ...]


@dataclass(frozen=True, slots=True)
class Copied:
    """Where COPY or MOVE put messages (RFC 4315 §3, COPYUID): ``source[i]`` became ``target[i]``."""

    uid_validity: UIDValidity
    source: tuple[UID, ...] = ()
    target: tuple[UID, ...] = ()


@dataclass(frozen=True, slots=True)
class Stored:
    """What STORE did (RFC 7162 §3.1.3): the rows as they are now, and the UIDs that UNCHANGEDSINCE refused."""

    changed: tuple[MessageRow, ...] = ()
    modified: NumberSet = field(default_factory=NumberSet)
