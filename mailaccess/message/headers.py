r"""Header fields as octets and offsets (RFC 5322 §2.2, §3.6.8, §4.5; RFC 6532 §3.2).

    field      = field-name *WSP ":" unstructured CRLF      ; *WSP before the colon is obsolete, and still seen
    field-name = 1*ftext                                    ; %d33-57 / %d59-126
    fold       = CRLF WSP

The header ends at the first empty line. A line in it that is neither a field nor a fold belongs to the field before it
(RFC 7103 §7.2: "as an intended header folding"); before the first field (mbox's ``From ``) it belongs to none.
"""

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from mailaccess.message import words

MAX_FIELDS: Final = 100_000
"""``fields`` lists no more than this: one object each, and a message of 50 MB can hold 12 million fields."""

MAX_FIELD_OCTETS: Final = 256 * 1024
"""Structured fields are read this far: 5,000 recipients. (Dovecot CVE-2024-23184: address fields without a bound.)"""

_MAX_ALTERNATIVES: Final = 32
"""More names than this are looked up in a set: a regular expression tries its alternatives one by one."""

# Patterns are for a header with CRLF put before it: every field then begins with a literal, which is quickly found.
_NAME: Final = rb"[!-9;-~]++"
_VALUE: Final = rb"(?:[^\r]++|\r(?!\n(?:\r\n|\Z|[!-9;-~]++[ \t]*+:)))*+"
_is_name = re.compile(_NAME).fullmatch
_FIELD: Final = re.compile(rb"\r\n(%b)[ \t]*+:(%b)" % (_NAME, _VALUE))


@dataclass(frozen=True, slots=True)
class Field:
    """One field: ``header[start:end]``, its line end included."""

    name: bytes
    """As written."""
    key: bytes
    """The name in lower case."""
    value: bytes
    """All behind the colon, folds included, without the last line end."""
    start: int
    end: int


def split(message: bytes) -> int:
    """Where the body begins: behind the first empty line, or at the end if there is none (RFC 5322 §2.1)."""
    if message.startswith(b"\r\n"):
        return 2
    blank = message.find(b"\r\n\r\n")
    return len(message) if blank < 0 else blank + 4


def fields(header: bytes) -> list[Field]:
    """The fields in order, at most ``MAX_FIELDS``."""
    return [field for field, _ in zip(_fields(header), range(MAX_FIELDS), strict=False)]


def _fields(header: bytes) -> Iterator[Field]:
    padded = b"\r\n" + header
    for match in _FIELD.finditer(padded):
        name, value = match.groups()
        end = match.end() + (2 if padded.startswith(b"\r\n", match.end()) else 0)
        yield Field(name, name.lower(), value, match.start(), end - 2)


def named(*names: bytes) -> re.Pattern[bytes]:
    """A pattern for :func:`values`: the fields of these names, in any case."""
    return re.compile(rb"\r\n(%b)[ \t]*+:(%b)" % (_any_of(names), _VALUE))


def _any_of(names: Iterable[bytes]) -> bytes:
    """The names that a field can have, in any case; what matches nothing if there are none."""
    return rb"(?i:%b)" % b"|".join([re.escape(name) for name in names if _is_name(name)] or [b"(?!)"])


def values(header: bytes, pattern: re.Pattern[bytes]) -> dict[bytes, bytes]:
    """The raw value of the first field of each name that the pattern knows; keys are in lower case.

    Of several fields of one name the first counts (RFC 7103 §7.5 leaves the choice; Dovecot does the same).
    """
    found: dict[bytes, bytes] = {}
    for match in pattern.finditer(b"\r\n" + header):
        found.setdefault(match[1].lower(), match[2])
    return found


@lru_cache(maxsize=256)
def _named(name: bytes) -> re.Pattern[bytes]:
    return named(name)


def first(header: bytes, name: bytes) -> bytes | None:
    """The unfolded value of the first field of this name, in any case; None if there is none."""
    found = _named(name.lower()).search(b"\r\n" + header)
    return None if found is None else unfold(found[2])


def every(header: bytes, name: bytes) -> list[bytes]:
    """The raw values of all fields of this name, in any case, in order."""
    return [found[2] for found in _named(name.lower()).finditer(b"\r\n" + header)]


def select(header: bytes, names: Collection[bytes], invert: bool = False) -> bytes:
    """HEADER.FIELDS, or HEADER.FIELDS.NOT where ``invert``: the fields as they stand, and the empty line.

    Names count without regard to case, and otherwise exactly (RFC 9051 §6.4.5.1). The empty line is missing only where
    the header has none. What belongs to no field is part of HEADER.FIELDS.NOT.
    """
    spans = _spans(header, frozenset(name.lower() for name in names))
    if not invert:
        return b"".join(header[start:end] for start, end in spans) + _blank(header)
    kept, at = [], 0
    for start, end in spans:
        kept.append(header[at:start])
        at = end
    return b"".join(kept) + header[at:]


def _spans(header: bytes, names: frozenset[bytes]) -> Iterator[tuple[int, int]]:
    """Where the fields of these names stand, line ends included."""
    if not names:
        return iter(())
    if len(names) > _MAX_ALTERNATIVES:
        return ((field.start, field.end) for field in _fields(header) if field.key in names)
    padded = _selection(names).finditer(b"\r\n" + header)
    return ((match.start(1) - 2, match.end(1) - 2) for match in padded)


@lru_cache(maxsize=256)
def _selection(names: frozenset[bytes]) -> re.Pattern[bytes]:
    # The field is looked at and not consumed: its line end begins the next one.
    return re.compile(rb"\r\n(?=(%b[ \t]*+:%b(?:\r\n)?+))" % (_any_of(sorted(names)), _VALUE))


def _blank(header: bytes) -> bytes:
    return b"\r\n" if header.endswith(b"\r\n\r\n") or header == b"\r\n" else b""


def unfold(value: bytes) -> bytes:
    """The value on one line: a fold, with the white space around it, is one space (as in Dovecot's ENVELOPE)."""
    if b"\r\n" not in value:
        return value.strip(b" \t")
    lines = (line.strip(b" \t") for line in value.split(b"\r\n"))
    return b" ".join(line for line in lines if line)


def decode(value: bytes) -> str:
    """The value as text: unfolded, encoded words (RFC 2047) and raw UTF-8 (RFC 6532) decoded. Never raises."""
    return words.decode(unfold(value))
