"""FETCH (RFC 9051 §7.5.2): parts of a response, and whole responses."""

from collections.abc import Sequence
from functools import lru_cache
from time import gmtime

from mailaccess.message.quoting import without_nul
from mailaccess.values import ModSeq

_MONTHS = (b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec")
_DAY_SECONDS = 86400
_FIRST_SECOND = -62135596800  # 1 January 1
_LAST_SECOND = 253402300799  # 31 December 9999: date-year = 4DIGIT


@lru_cache(maxsize=4096)
def _day(number: int) -> bytes:
    then = gmtime(number * _DAY_SECONDS)
    return b"%2d-%b-%04d" % (then.tm_mday, _MONTHS[then.tm_mon - 1], then.tm_year)


def internal_date(epoch: int) -> bytes:
    """``" 1-Feb-2026 10:00:00 +0000"`` with its quotes, from seconds since the epoch; of years 1 to 9999."""
    # date-time = DQUOTE date-day-fixed "-" date-month "-" date-year SP time SP zone DQUOTE
    day, second = divmod(min(max(epoch, _FIRST_SECOND), _LAST_SECOND), _DAY_SECONDS)
    return b'"%b %02d:%02d:%02d +0000"' % (_day(day), second // 3600, second // 60 % 60, second % 60)


def modseq(value: ModSeq) -> bytes:
    """``MODSEQ (n)`` (RFC 7162 §7)."""
    return b"MODSEQ (%d)" % value


def section(label: bytes, data: bytes | None) -> bytes:
    """``BODY[1] {n}CRLF…``, or ``BODY[1] NIL``; NUL in it is replaced."""
    return label + b" NIL" if data is None else literal_header(label, len(data)) + without_nul(data)


def literal_header(label: bytes, size: int) -> bytes:
    """``BODY[] {n}CRLF``: exactly ``size`` octets must follow."""
    return b"%b {%d}\r\n" % (label, size)


def fetch(number: int, parts: Sequence[bytes]) -> bytes:
    """``* n FETCH (part part …)``."""
    return b"* %d FETCH (%b)\r\n" % (number, b" ".join(parts))
