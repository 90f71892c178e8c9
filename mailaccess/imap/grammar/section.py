"""Sections of a message, as FETCH names them (RFC 9051 §6.4.5.1, §9)."""

import re

from mailaccess.imap.grammar.tokens import BadSyntax, astring, expect, read, skip, sp
from mailaccess.imap.wire import Arguments
from mailaccess.message.quoting import quoted
from mailaccess.message.sections import Kind, Section

WHOLE = Section()
HEADER = Section(kind=Kind.HEADER)
TEXT = Section(kind=Kind.TEXT)

# section-part = nz-number *("." nz-number); no structure is deeper than 100
_PART = re.compile(rb"[1-9][0-9]{0,8}(?:\.[1-9][0-9]{0,8}){0,199}(?![0-9])")

# section-msgtext = "HEADER" / "HEADER.FIELDS" [".NOT"] SP header-list / "TEXT"; section-text = section-msgtext / "MIME"
_TEXT = re.compile(rb"HEADER\.FIELDS(?:\.NOT)?(?= )|(?:HEADER|TEXT|MIME)(?=\])", re.IGNORECASE)

# header-fld-name = astring; a field's name has printable characters without a colon (RFC 5322 §3.6.8)
_FIELD_NAME = re.compile(rb"[!-9;-~]{1,998}")
_PLAIN_NAME = re.compile(rb"[!#$&'+-9;-\[^-z|}~]+")


def section(arguments: Arguments) -> tuple[Section, bytes]:
    """Read ``"[" [section-spec] "]"``; returns also how an answer spells it.

    That is in upper case, but for the names of fields, which are as they came.
    """
    # section-spec = section-msgtext / (section-part ["." section-text])
    expect(arguments, b"[")
    if skip(arguments, b"]"):
        return WHOLE, b"[]"
    path, label = _part(arguments)
    if path:
        if skip(arguments, b"]"):
            return Section(path), b"[%b]" % label
        expect(arguments, b".")
        label += b"."
    text = read(arguments, _TEXT, "a section such as HEADER, TEXT or 1.MIME").upper()
    kind = Kind(text.decode("ascii"))
    if kind is Kind.MIME and not path:
        raise BadSyntax("MIME needs the number of a part")
    label += text
    fields: tuple[bytes, ...] = ()
    if kind in (Kind.FIELDS, Kind.FIELDS_NOT):
        sp(arguments)
        fields = _header_list(arguments)
        label += b" (%b)" % b" ".join(name if _PLAIN_NAME.fullmatch(name) else quoted(name) for name in fields)
    expect(arguments, b"]")
    return Section(path, kind, fields), b"[%b]" % label


def _part(arguments: Arguments) -> tuple[tuple[int, ...], bytes]:
    found = arguments.match(_PART)
    return (tuple(map(int, found[0].split(b"."))), found[0]) if found else ((), b"")


def _header_list(arguments: Arguments) -> tuple[bytes, ...]:
    # header-list = "(" header-fld-name *(SP header-fld-name) ")"
    expect(arguments, b"(")
    names = [_field_name(arguments)]
    while not skip(arguments, b")"):
        sp(arguments)
        names.append(_field_name(arguments))
    return tuple(names)


def _field_name(arguments: Arguments) -> bytes:
    name = astring(arguments)
    if not _FIELD_NAME.fullmatch(name):
        raise BadSyntax("Expected the name of a header field")
    return name
