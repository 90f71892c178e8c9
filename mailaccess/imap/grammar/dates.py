"""Dates (RFC 9051 §9)."""

import datetime as dt
import re
from datetime import UTC, datetime, timedelta

from mailaccess.imap.grammar.tokens import BadSyntax
from mailaccess.imap.wire import Arguments

_MONTHS = {
    name: number
    for number, name in enumerate(
        (b"JAN", b"FEB", b"MAR", b"APR", b"MAY", b"JUN", b"JUL", b"AUG", b"SEP", b"OCT", b"NOV", b"DEC"), 1
    )
}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND = timedelta(seconds=1)

# date = date-text / DQUOTE date-text DQUOTE; date-text = date-day "-" date-month "-" date-year
# date-day = 1*2DIGIT; date-year = 4DIGIT
_DATE = re.compile(rb'("?)([0-9]{1,2})-([A-Za-z]{3})-([0-9]{4})\1(?![^ )])')

# date-time = DQUOTE date-day-fixed "-" date-month "-" date-year SP time SP zone DQUOTE
# date-day-fixed = (SP DIGIT) / 2DIGIT; time = 2DIGIT ":" 2DIGIT ":" 2DIGIT; zone = ("+" / "-") 4DIGIT
_DATE_TIME = re.compile(
    rb'"([ 0-9][0-9])-([A-Za-z]{3})-([0-9]{4}) ([0-9]{2}):([0-9]{2}):([0-9]{2}) ([+-])([0-9]{2})([0-9]{2})"'
)


def date(arguments: Arguments) -> dt.date:
    """Read a date: ``1-Feb-2026``, quoted or not."""
    found = arguments.match(_DATE)
    if found is None:
        raise BadSyntax("Expected a date such as 1-Feb-2026")
    try:
        return dt.date(int(found[4]), _month(found[3]), int(found[2]))
    except ValueError:
        raise BadSyntax("There is no such date") from None


def date_time(arguments: Arguments) -> int:
    """Read a date-time; returns seconds since the epoch, negative before 1970. A leap second is the one before it."""
    found = arguments.match(_DATE_TIME)
    if found is None:
        raise BadSyntax('Expected a date and time such as " 1-Feb-2026 10:00:00 +0000"')
    day, month, year, hour, minute, second, sign, zone_hours, zone_minutes = found.groups()
    if int(zone_hours) > 23 or int(zone_minutes) > 59 or int(second) > 60:
        raise BadSyntax("There is no such date and time")
    try:
        local = datetime(int(year), _month(month), int(day), int(hour), int(minute), min(int(second), 59), tzinfo=UTC)
    except ValueError:
        raise BadSyntax("There is no such date and time") from None
    east = timedelta(hours=int(zone_hours), minutes=int(zone_minutes)) // _SECOND
    return (local - _EPOCH) // _SECOND - (east if sign == b"+" else -east)


def _month(name: bytes) -> int:
    number = _MONTHS.get(name.upper())
    if number is None:
        raise BadSyntax("Expected a month such as Feb")
    return number
