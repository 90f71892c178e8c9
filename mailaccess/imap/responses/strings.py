"""Strings, sets and names (RFC 9051 §4.3, §5.1, §9)."""

import re
from collections.abc import Iterable

from mailaccess.message import mutf7
from mailaccess.message.quoting import literal, string

# ASTRING-CHAR, see grammar.tokens; NIL alone would be understood as nil by some
_ATOM = re.compile(rb"(?!(?i:nil)\Z)[!#$&'+-\[\]-z|}~]+")
_UNQUOTABLE = re.compile(rb"[\0\r\n]")
_SPECIAL = re.compile(rb'[\\"]')


def mailbox_name(name: str, utf8: bool = False) -> bytes:
    """A mailbox name, in modified UTF-7 unless ``utf8``: an atom where it can be one, else a string."""
    encoded = name.encode("utf-8") if utf8 else mutf7.encode(name)
    if _ATOM.fullmatch(encoded):
        return encoded
    return string(encoded) if encoded.isascii() else _utf8_quoted(encoded)


def _utf8_quoted(name: bytes) -> bytes:
    """QUOTED-CHAR may be UTF-8 (RFC 9051 §9): clients do not expect a literal in LIST."""
    return literal(name) if _UNQUOTABLE.search(name) else b'"%b"' % _SPECIAL.sub(rb"\\\g<0>", name)


def number_set(numbers: Iterable[int]) -> bytes:
    """The numbers in this order, runs as ranges: ``3:5,9`` (RFC 4315 §3: COPYUID's sets correspond in order)."""
    ranges: list[bytes] = []
    first = last = 0  # numbers are positive
    for number in numbers:
        if last and number == last + 1:
            last = number
            continue
        if first:
            ranges.append(_range(first, last))
        first = last = number
    if first:
        ranges.append(_range(first, last))
    return b",".join(ranges)


def _range(first: int, last: int) -> bytes:
    return b"%d" % first if first == last else b"%d:%d" % (first, last)
