"""Sequence sets (RFC 9051 §9)."""

import re

from mailaccess.imap.grammar.tokens import BadSyntax, read
from mailaccess.imap.wire import Arguments
from mailaccess.values import MAX_UID, SequenceSet

# seq-number   = nz-number / "*"
# seq-range    = seq-number ":" seq-number
# sequence-set = (seq-number / seq-range) *("," sequence-set)
_NUMBER = rb"(?:[1-9][0-9]{0,9}|\*)"
_MEMBER = rb"%b(?::%b)?" % (_NUMBER, _NUMBER)
_SET = re.compile(rb"%b(?:,%b)*+" % (_MEMBER, _MEMBER))


def sequence_set(arguments: Arguments) -> SequenceSet:
    """Read a sequence set, in time linear in its octets; it is not expanded.

    ``$`` (RFC 5182) is not offered.
    """
    text = read(arguments, _SET, "a sequence set").decode("ascii")
    return SequenceSet(tuple(_member(member) for member in text.split(",")))


def _member(text: str) -> tuple[int | None, int | None]:
    low, _, high = text.partition(":")
    first = _number(low)
    return first, _number(high) if high else first


def _number(digits: str) -> int | None:
    if digits == "*":
        return None
    value = int(digits)
    if value > MAX_UID:
        raise BadSyntax("Number out of range in a sequence set")
    return value
