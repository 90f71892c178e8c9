"""Spaces, atoms, strings and numbers (RFC 9051 §4, §9)."""

import re

from mailaccess.imap.wire import Arguments, Literal


class BadSyntax(Exception):
    """The arguments are not what the command takes; ``text`` is one clear line for the tagged BAD."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


# ATOM-CHAR = <any CHAR except atom-specials>; ASTRING-CHAR = ATOM-CHAR / resp-specials
# atom-specials = "(" / ")" / "{" / SP / CTL / list-wildcards / quoted-specials / resp-specials
_ATOM = re.compile(rb"[!#$&'+-\[^-z|}~]+")
_ASTRING = re.compile(rb"[!#$&'+-\[\]-z|}~]+")
_SP = re.compile(rb" ")
_NIL = re.compile(rb"[Nn][Ii][Ll](?![!#$&'+-\[\]-z|}~])")

# quoted = DQUOTE *QUOTED-CHAR DQUOTE
# QUOTED-CHAR = <any TEXT-CHAR except quoted-specials> / "\" quoted-specials / UTF8-2 / UTF8-3 / UTF8-4
# Octets above 0x7f are taken whatever they are: whoever needs UTF-8, or ASCII, checks it when he decodes.
_QUOTED = re.compile(rb'"([^"\\\r\n\0]*(?:\\["\\][^"\\\r\n\0]*)*)"')
_ESCAPED = re.compile(rb'\\(["\\])')

_DIGITS = re.compile(rb"[0-9]+")
_MAX_DIGITS = 19  # of 2**63 - 1


def refuse_keyword(word: bytes, what: str) -> BadSyntax:
    """The error for a word that is not among those which ``what`` has: ``Unknown FETCH item BODI``."""
    return BadSyntax(f"Unknown {what} {word[:40].decode('ascii', 'replace')}")


def read(arguments: Arguments, pattern: re.Pattern[bytes], what: str) -> bytes:
    """Read what ``pattern`` matches, or say that ``what`` was expected."""
    found = arguments.match(pattern)
    if found is None:
        raise BadSyntax(f"Expected {what}")
    return found[0]


def sp(arguments: Arguments) -> None:
    """Read one space: exactly one (RFC 9051 §9, note 2)."""
    read(arguments, _SP, "a space")


def next_is(arguments: Arguments, character: bytes) -> bool:
    """Whether this character comes next; nothing is read."""
    return arguments.peek() == character[0]


def skip(arguments: Arguments, character: bytes) -> bool:
    """Read this character if it comes next; returns whether it did."""
    return arguments.match(_CHARACTERS[character]) is not None


def expect(arguments: Arguments, character: bytes) -> None:
    """Read this character."""
    if not skip(arguments, character):
        raise BadSyntax(f"Expected {character.decode()}")


_CHARACTERS = {bytes([octet]): re.compile(re.escape(bytes([octet]))) for octet in b'()[]<>.:,-+" '}


def end(arguments: Arguments) -> None:
    """Nothing may follow."""
    if not arguments.at_end:
        raise BadSyntax("Unexpected text behind the arguments")


def atom(arguments: Arguments) -> bytes:
    """Read an atom."""
    return read(arguments, _ATOM, "an atom")


def keyword(arguments: Arguments) -> bytes:
    """Read an atom whose case does not count; returns it in upper case."""
    return read(arguments, _ATOM, "a word").upper()


def string(arguments: Arguments) -> bytes:
    """Read a quoted string or a literal, at most as long as the reader's limits let it be."""
    text = _string(arguments)
    if text is None:
        raise BadSyntax("Expected a string")
    return text


def nstring(arguments: Arguments) -> bytes | None:
    """Read a string, or NIL: None."""
    return None if arguments.match(_NIL) else string(arguments)


def astring(arguments: Arguments) -> bytes:
    """Read an atom (which may have ``]``) or a string."""
    found = arguments.match(_ASTRING)
    if found is not None:
        return found[0]
    text = _string(arguments)
    if text is None:
        raise BadSyntax("Expected an atom or a string")
    return text


def _string(arguments: Arguments) -> bytes | None:
    found = arguments.match(_QUOTED)
    if found is not None:
        return _ESCAPED.sub(rb"\1", found[1]) if b"\\" in found[1] else found[1]
    literal = arguments.literal()
    if literal is None:
        return None
    if literal.binary or literal.file is not None:
        raise BadSyntax("Such a literal is not allowed here")
    if b"\0" in literal.data:  # literal = "{" number "}" CRLF *CHAR8, and CHAR8 = %x01-ff
        raise BadSyntax("NUL is not allowed here")
    return literal.data


def message_literal(arguments: Arguments) -> Literal:
    """Read the literal that holds a message; it may contain NUL, which mail of the wild does."""
    literal = arguments.literal()
    if literal is None:
        raise BadSyntax("Expected a literal")
    if literal.binary:
        raise BadSyntax("literal8 is not offered")
    return literal


def number(arguments: Arguments) -> int:
    """Read a number: 0 to 2**32 - 1."""
    return _number(arguments, 0, 2**32 - 1)


def number64(arguments: Arguments, least: int = 0) -> int:
    """Read a number: ``least`` to 2**63 - 1. MODSEQ too is such a number (RFC 7162 §7)."""
    return _number(arguments, least, 2**63 - 1)


def _number(arguments: Arguments, least: int, most: int) -> int:
    # number = 1*DIGIT; nz-number = digit-nz *DIGIT
    digits = read(arguments, _DIGITS, "a number")
    if least and digits[0] == ord("0"):
        raise BadSyntax("Expected a number that does not begin with 0")
    value = int(digits) if len(digits) <= _MAX_DIGITS else most + 1
    if value > most:
        raise BadSyntax("Number out of range")
    return value
