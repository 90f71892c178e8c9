"""What SEARCH may ask for (RFC 9051 §6.4.4), as frozen values: a class for each key that is not a mere spelling.

``UNSEEN`` is ``FlagIs(SEEN, False)``, ``KEYWORD x`` is ``FlagIs(x)``, ``SUBJECT x`` is ``Header("Subject", x)``.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import TypeAlias

from mailaccess.errors import ClientError, Code
from mailaccess.values import SEEN, Flag, ModSeq, SequenceSet

MAX_KEYS = 500
"""Search keys in one program: each costs a pass over the mailbox. Clients that OR message ids send up to about 100."""

MAX_DEPTH = 100
"""Keys within keys: ``OR a OR b OR c …`` goes one deeper with each, and each level costs a stack frame or two."""


@dataclass(frozen=True, slots=True)
class All:
    """Every message."""


@dataclass(frozen=True, slots=True)
class And:
    """Messages that meet all of ``keys``; of no keys, every message."""

    keys: tuple["Criterion", ...]


@dataclass(frozen=True, slots=True)
class Or:
    """Messages that meet one of two keys, or both."""

    left: "Criterion"
    right: "Criterion"


@dataclass(frozen=True, slots=True)
class Not:
    """Messages that do not meet ``key``."""

    key: "Criterion"


@dataclass(frozen=True, slots=True)
class FlagIs:
    r"""Messages that have a flag or keyword; where ``present`` is False, that have it not. Not for ``\Recent``."""

    flag: Flag
    present: bool = True


@dataclass(frozen=True, slots=True)
class Recent:
    r"""Messages that are \Recent to the session that asks (RFC 3501 §2.3.2)."""


@dataclass(frozen=True, slots=True)
class UIDs:
    """Messages whose UID is in the set; others in it are ignored."""

    numbers: SequenceSet


@dataclass(frozen=True, slots=True)
class Sequence:
    """Messages whose sequence number, as the session knows it, is in the set."""

    numbers: SequenceSet


@dataclass(frozen=True, slots=True)
class ModSeqFrom:
    """Messages whose mod-sequence is at least ``modseq``, which may be 0 (RFC 7162 §3.1.5)."""

    modseq: ModSeq


@dataclass(frozen=True, slots=True)
class Larger:
    """Messages of more than ``octets``."""

    octets: int


@dataclass(frozen=True, slots=True)
class Smaller:
    """Messages of fewer than ``octets``."""

    octets: int


@dataclass(frozen=True, slots=True)
class Before:
    """Messages whose internal date, as a day in UTC, is earlier."""

    day: date


@dataclass(frozen=True, slots=True)
class On:
    """Messages whose internal date, as a day in UTC, is this one."""

    day: date


@dataclass(frozen=True, slots=True)
class Since:
    """Messages whose internal date, as a day in UTC, is this one or later."""

    day: date


@dataclass(frozen=True, slots=True)
class SentBefore:
    """Messages whose Date: field, as the day that is written there, is earlier."""

    day: date


@dataclass(frozen=True, slots=True)
class SentOn:
    """Messages whose Date: field, as the day that is written there, is this one."""

    day: date


@dataclass(frozen=True, slots=True)
class SentSince:
    """Messages whose Date: field, as the day that is written there, is this one or later."""

    day: date


@dataclass(frozen=True, slots=True)
class Header:
    """Messages with a header field ``name`` that contains ``text``; of an empty text, that have the field."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Body:
    """Messages whose body, decoded, contains ``text``."""

    text: str


@dataclass(frozen=True, slots=True)
class Text:
    """Messages whose header or body, decoded, contains ``text``."""

    text: str


Count: TypeAlias = FlagIs | Recent | UIDs | Sequence | ModSeqFrom
"""Keys that are answered from columns that are always there."""

Measured: TypeAlias = Larger | Smaller | Before | On | Since
"""Keys that need RFC822.SIZE or INTERNALDATE, which the store may have yet to look up."""

Content: TypeAlias = SentBefore | SentOn | SentSince | Header | Body | Text
"""Keys that need a message's octets."""

Leaf: TypeAlias = Count | Measured | Content
"""Keys that have no keys within."""

Criterion: TypeAlias = All | And | Or | Not | Leaf
"""Any search key, and so a whole program."""

NEW = And((Recent(), FlagIs(SEEN, False)))
"""``NEW`` (RFC 3501 §6.4.4)."""

OLD = Not(Recent())
"""``OLD`` (RFC 3501 §6.4.4)."""


def within(key: Criterion) -> tuple[Criterion, ...]:
    """The keys directly inside ``key``."""
    match key:
        case And(keys):
            return keys
        case Or(left, right):
            return left, right
        case Not(inner):
            return (inner,)
    return ()


def every(program: Criterion) -> Iterator[Criterion]:
    """All keys of a program, each with those inside it; takes no stack, however deep it is."""
    waiting = [program]
    while waiting:
        key = waiting.pop()
        yield key
        waiting.extend(within(key))


def check_limits(program: Criterion) -> None:
    """Raise ``ClientError(LIMIT)`` for a program with more than ``MAX_KEYS`` keys, or deeper than ``MAX_DEPTH``."""
    level: tuple[Criterion, ...] = (program,)
    keys = depth = 0
    while level:
        keys += len(level)
        depth += 1
        if keys > MAX_KEYS:
            raise ClientError(Code.LIMIT, f"A search may have {MAX_KEYS} keys")
        if depth > MAX_DEPTH:
            raise ClientError(Code.LIMIT, f"Search keys may be nested {MAX_DEPTH} deep")
        level = tuple(inner for key in level for inner in within(key))
