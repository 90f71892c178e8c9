r"""Date fields (RFC 5322 §3.3, §4.3), for SENTBEFORE, SENTON, SENTSINCE and sorting.

    date-time   = [ day-name "," ] day month year time
    day month year = 1*2DIGIT month-name (4*DIGIT / obs-year)      ; also with "-" between them
    time        = 2DIGIT ":" 2DIGIT [ ":" 2DIGIT ] ( ( "+" / "-" ) 4DIGIT / obs-zone )

Also read: the order of asctime (``Thu Jan  1 00:00:00 1970``, from old Unix mailers) and a missing time or zone.
"""

import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Final

from mailaccess.message import headers
from mailaccess.message.lexical import without_comments

FIRST_YEAR: Final = 1900
"""RFC 5322 §3.3: no earlier year can be written."""

LAST_YEAR: Final = 9998
"""So that no zone carries a date past what ``datetime`` can hold. (Courier's year overflow.)"""

_DATE_OCTETS: Final = 200
"""No date is longer, its comments included."""

_DAY_MONTH_YEAR: Final = rb"(?P<day>\d{1,2})[-\s]+(?P<month>[a-z]{3})[a-z]*[-\s]+(?P<year>\d{2,4})(?!\d)"
_TIME: Final = rb"(?P<hour>\d{1,2})[:.](?P<minute>\d\d)(?:[:.](?P<second>\d\d)(?:\.\d+)?)?"
_ZONE: Final = rb"(?P<zone>[-+]\d{4}|[a-z]{1,5})"
_flags = re.IGNORECASE
_internet_date = re.compile(
    rb"\s*(?:[a-z]{2,9}\.?\s*,?\s*)?%b(?:[\s,]+%b(?:\s*%b)?)?" % (_DAY_MONTH_YEAR, _TIME, _ZONE), _flags
).match
_asctime = re.compile(
    rb"\s*[a-z]{3},?\s+(?P<month>[a-z]{3})\s+(?P<day>\d{1,2}),?\s+%b\s+(?:%b\s+)?(?P<year>\d{4})(?!\d)"
    % (_TIME, _ZONE),
    _flags,
).match

_MONTHS: Final = {name: 1 + index for index, name in enumerate(
    (b"jan", b"feb", b"mar", b"apr", b"may", b"jun", b"jul", b"aug", b"sep", b"oct", b"nov", b"dec")
)}  # fmt: skip

_ZONE_HOURS: Final = {b"edt": -4, b"est": -5, b"cdt": -5, b"cst": -6, b"mdt": -6, b"mst": -7, b"pdt": -7, b"pst": -8}
"""RFC 5322 §4.3. All other names, the military letters too, mean nothing and are taken as UTC."""


def parse(value: bytes) -> datetime | None:
    """The moment that a Date field's raw value names, with its zone; None if it names none. Never raises."""
    text = without_comments(headers.unfold(value[:_DATE_OCTETS]))
    found = _internet_date(text) or _asctime(text)
    if found is None or (month := _MONTHS.get(found["month"].lower())) is None:
        return None
    year = _year(found["year"])
    if not FIRST_YEAR <= year <= LAST_YEAR:
        return None
    second = min(int(found["second"] or 0), 59)  # :60 is a leap second
    zone = _zone(found["zone"] or b"")
    try:
        return datetime(
            year, month, int(found["day"]), int(found["hour"] or 0), int(found["minute"] or 0), second, 0, zone
        )
    except ValueError:  # 30 Feb, 25:00
        return None


def _year(digits: bytes) -> int:
    """Years of two and three digits as RFC 5322 §4.3 reads them."""
    year = int(digits)
    if len(digits) == 2:
        return year + (2000 if year < 50 else 1900)
    return year + 1900 if len(digits) == 3 else year


def _zone(text: bytes) -> timezone:
    if text[:1] not in (b"+", b"-"):
        hours = _ZONE_HOURS.get(text.lower(), 0)
        return timezone(timedelta(hours=hours)) if hours else UTC
    minutes = int(text[1:3]) * 60 + int(text[3:])
    if minutes >= 24 * 60:  # not a zone on this planet
        return UTC
    return timezone(timedelta(minutes=-minutes if text[:1] == b"-" else minutes))
