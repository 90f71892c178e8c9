"""Sections of a message, as FETCH names them (RFC 9051 §6.4.5.1, §9)."""

import re

from mailaccess.imap.grammar.tokens import BadSyntax, astring, expect, read, skip, sp
from mailaccess.imap.wire import Arguments
from mailaccess.message.quoting import quoted
from mailaccess.message.sections import Section

WHOLE = Section()
HEADER = Section(text="HEADER")
TEXT = Section(text="TEXT")

# section-part = nz-number *("." nz-number); a structure has at most 10,000 parts, 100 deep
_PART = re.compile(rb"[1-9][0-9]{0,8}(?:\.[1-9][0-9]{0,8}){0,199}(?![0-9])")

# section-msgtext = "HEADER" / "HEADER.FIELDS" [".NOT"] SP header-list / "TEXT"; section-text = section-msgtext / "MIME"
_TEXT = re.compile(rb"HEADER\.FIELDS(?:\.NOT)?(?= )|(?:HEADER|TEXT|MIME)(?=\])", re.IGNORECASE)

# header-fld-name = astring; a field's name has printable characters without a colon (RFC 5322 §3.6.8)
_FIELD_NAME = re.compile(rb"[!-9;-~]{1,998}")
_PLAIN_NAME = re.compile(rb"[!#$&'+-9;-\[^-z|}~]+")


def section(arguments: Arguments) -> tuple[Section, bytes]:
    """Read ``"[" [section-spec] "]"``; returns also how an answer spells it: in upper case, field names as they came."""
    # section-spec = section-msgtext / (section-part ["." section-text])
    expect(arguments, b"[")
    if skip(arguments, b"]"):
        return WHOLE, b"[]"
    found = arguments.match(_PART)
    label = found[0] if found else b""
    part = tuple(map(int, label.split(b"."))) if found else ()
    if found:
        if skip(arguments, b"]"):
            return Section(part), b"[%b]" % label
        expect(arguments, b".")
        label += b"."
    text = read(arguments, _TEXT, "a section such as HEADER, TEXT or 1.MIME").upper()
    if text == b"MIME" and not part:
        raise BadSyntax("MIME needs the number of a part")
    label += text
    fields: tuple[bytes, ...] = ()
    if text.startswith(b"HEADER.FIELDS"):
        sp(arguments)
        fields = _header_list(arguments)
        label += b" (%b)" % b" ".join(name if _PLAIN_NAME.fullmatch(name) else quoted(name) for name in fields)
    expect(arguments, b"]")
    return Section(part, text.decode("ascii"), fields), b"[%b]" % label


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
