r"""Octets as an IMAP string (RFC 9051 §9).

string  = quoted / literal
nstring = string / nil
quoted  = DQUOTE *QUOTED-CHAR DQUOTE
literal = "{" number64 ["+"] "}" CRLF *CHAR8        ; CHAR8 = %x01-ff
"""

import re
from typing import Final

QUOTED_OCTETS: Final = 1000
"""Longer strings go out as literals: some clients read responses by lines of bounded length (RFC 2683 §3.2.1.5)."""

NUL_SUBSTITUTE: Final = b"\x80"
"""Stands for NUL, which no string may hold (RFC 9051 §4.3.1): one octet, so that sizes stay true. Dovecot's choice."""

_odd = re.compile(rb"[^ !#-\[\]-~]").search
_unquotable = re.compile(rb"[\x00\r\n\x80-\xff]").search
_special = re.compile(rb'([\\"])')


def without_nul(data: bytes) -> bytes:
    """The octets as a literal may hold them: each NUL became ``NUL_SUBSTITUTE``, the length is the same."""
    return data.replace(b"\0", NUL_SUBSTITUTE)


def quoted(value: bytes) -> bytes:
    """A quoted string. Raises ValueError for NUL, CR, LF and 8-bit octets, which cannot be quoted."""
    if _odd(value) is None:
        return b'"%b"' % value
    if _unquotable(value):
        raise ValueError("not to be quoted: NUL, CR, LF or an 8-bit octet")
    return b'"%b"' % _special.sub(rb"\\\1", value)


def literal(value: bytes) -> bytes:
    """A literal; NUL is replaced."""
    return b"{%d}\r\n%b" % (len(value), without_nul(value))


def string(value: bytes) -> bytes:
    """A quoted string where the value is short and can be quoted, a literal otherwise."""
    if len(value) <= QUOTED_OCTETS:
        if _odd(value) is None:
            return b'"%b"' % value
        if _unquotable(value) is None:
            return quoted(value)
    return literal(value)


def nstring(value: bytes | None) -> bytes:
    """A string, or NIL for None."""
    return b"NIL" if value is None else string(value)
