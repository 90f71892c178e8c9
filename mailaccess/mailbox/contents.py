"""Search keys that need a message's octets: a pure function, for ``IMailbox.read`` to call in a worker thread."""

from collections.abc import Callable, Mapping
from functools import cached_property

from mailaccess.interfaces import IContent
from mailaccess.mailbox.criteria import (
    All,
    And,
    Body,
    Criterion,
    Header,
    Leaf,
    Not,
    Or,
    SentBefore,
    SentOn,
    SentSince,
    Text,
    every,
)
from mailaccess.message import dates, headers, text

MAX_SEARCHED_BYTES = 32 * 1024 * 1024
"""Octets of one message that BODY and TEXT look through: what decoding may hold in memory, a few times over."""

NONE = Not(All())
"""No message."""


class Opened:
    """A message in the worker's hands; each of its parts is read and decoded when a key first asks for it."""

    def __init__(self, content: IContent) -> None:
        self._content = content
        self._fields: dict[bytes, list[str]] = {}

    def field(self, name: bytes) -> list[str]:
        """The folded texts of the header fields of a name in lower case."""
        if name not in self._fields:
            values = headers.every(self._content.fields((name,)), name)
            self._fields[name] = [text.fold(headers.decode(value)) for value in values]
        return self._fields[name]

    @cached_property
    def header_text(self) -> str:
        """The folded text of the header."""
        return text.fold(text.header_text(self._content.header()))

    @cached_property
    def body(self) -> list[str]:
        """The folded texts of the body's parts."""
        whole = self._content.size() <= MAX_SEARCHED_BYTES
        octets = self._content.whole() if whole else self._content.octets(0, MAX_SEARCHED_BYTES)
        return [text.fold(part) for part in text.searchable(octets)]

    @cached_property
    def sent(self) -> int | None:
        """The day of the Date: field as it is written there, as an ordinal; None where there is no such day."""
        value = headers.first(self._content.fields((b"date",)), b"date")
        moment = None if value is None else dates.parse(value)
        return None if moment is None else moment.date().toordinal()


Test = Callable[[Opened], bool]


def predicate(key: Criterion) -> Callable[[IContent], bool]:
    """The function that tells whether a message meets a key; cheap keys are tried first, and dear ones only if needed.

    Keys that columns answer must have been taken out (:func:`residual`).
    """
    test = _test(key)
    return lambda content: test(Opened(content))


def residual(key: Criterion, known: Mapping[Leaf, bool]) -> Criterion:
    """What remains of a key for a message of which some keys' answers are known."""
    match key:
        case And(keys):
            all_of = [inner for inner in (residual(inner, known) for inner in keys) if inner != All()]
            if not all_of or NONE in all_of:
                return NONE if all_of else All()
            return And(tuple(all_of)) if len(all_of) > 1 else all_of[0]
        case Or(left, right):
            either = [inner for inner in (residual(left, known), residual(right, known)) if inner != NONE]
            if not either or All() in either:
                return All() if either else NONE
            return Or(*either) if len(either) == 2 else either[0]
        case Not(inner):
            remains = residual(inner, known)
            return All() if remains == NONE else Not(remains)
        case All():
            return key
    return key if key not in known else All() if known[key] else NONE


def _test(key: Criterion) -> Test:
    match key:
        case All():
            return lambda opened: True
        case And(keys):
            tests = [_test(inner) for inner in sorted(keys, key=_cost)]
            return lambda opened: all(test(opened) for test in tests)
        case Or(left, right):
            first, second = (_test(inner) for inner in sorted((left, right), key=_cost))
            return lambda opened: first(opened) or second(opened)
        case Not(inner):
            refused = _test(inner)
            return lambda opened: not refused(opened)
        case Header(name, wanted):
            return _header_test(name.lower().encode(), text.fold(wanted))
        case Body(wanted):
            needle = text.fold(wanted)
            return lambda opened: _contain(opened.body, needle)
        case Text(wanted):
            needle = text.fold(wanted)
            return lambda opened: needle in opened.header_text or _contain(opened.body, needle)
        case SentBefore(day):
            return _sent_test(day.toordinal().__gt__)
        case SentOn(day):
            return _sent_test(day.toordinal().__eq__)
        case SentSince(day):
            return _sent_test(day.toordinal().__le__)
    raise TypeError(f"{key} needs no message's contents")


def _contain(texts: list[str], needle: str) -> bool:
    """Whether any text contains the needle; the empty needle is in every body, even one without text."""
    return not needle or any(needle in one for one in texts)


def _header_test(name: bytes, needle: str) -> Test:
    return lambda opened: any(needle in value for value in opened.field(name))


def _sent_test(holds: Callable[[int], bool]) -> Test:
    """A message without a date was sent on no day: none of the three keys finds it."""
    return lambda opened: opened.sent is not None and holds(opened.sent)


def _cost(key: Criterion) -> int:
    """How dear a key is: those that need only the header come first, those that need the body last."""
    return sum(100 if isinstance(inner, Body | Text) else 1 for inner in every(key))
