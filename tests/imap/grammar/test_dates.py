"""Dates."""

from datetime import UTC, date, datetime

import pytest

from mailaccess.imap.grammar import dates
from tests.imap.reading import read_all, refused


@pytest.mark.parametrize("text", [b"1-Feb-2026", b"01-feb-2026", b'"1-FEB-2026"', b'"01-Feb-2026"'])
def test_dates(text: bytes) -> None:
    assert read_all(dates.date, text) == date(2026, 2, 1)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"30-Feb-2026",
        b"0-Feb-2026",
        b"1-Fub-2026",
        b"1-Feb-26",
        b"1-Feb-0000",
        b'"1-Feb-2026',
        b"1-Feb-2026x",
        b"001-Feb-2026",
    ],
)
def test_what_is_no_date(text: bytes) -> None:
    assert refused(dates.date, text)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        (b'"17-Jul-1996 02:44:25 -0700"', datetime(1996, 7, 17, 9, 44, 25, tzinfo=UTC)),
        (b'" 1-feb-2026 10:00:00 +0530"', datetime(2026, 2, 1, 4, 30, tzinfo=UTC)),
        (b'"01-Jan-1970 00:00:00 +0000"', datetime(1970, 1, 1, tzinfo=UTC)),
        (b'"31-Dec-1969 23:59:59 +0000"', datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC)),
        (b'"31-Dec-2016 23:59:60 +0000"', datetime(2016, 12, 31, 23, 59, 59, tzinfo=UTC)),
    ],
)
def test_date_times(text: bytes, moment: datetime) -> None:
    assert read_all(dates.date_time, text) == int(moment.timestamp())


@pytest.mark.parametrize("text", [b'" 1-Jan-0001 00:00:00 +2359"', b'"31-Dec-9999 23:59:59 -2359"'])
def test_the_ends_of_time(text: bytes) -> None:
    assert isinstance(read_all(dates.date_time, text), int)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"17-Jul-1996 02:44:25 -0700",
        b'"1-Jul-1996 02:44:25 -0700"',
        b'"31-Jun-1996 02:44:25 -0700"',
        b'"17-Jul-1996 24:00:00 -0700"',
        b'"17-Jul-1996 02:60:00 -0700"',
        b'"17-Jul-1996 02:44:61 -0700"',
        b'"17-Jul-1996 02:44:25 -2400"',
        b'"17-Jul-1996 02:44:25 -0760"',
        b'"17-Jul-1996 02:44:25 0700"',
        b'"17-Jul-1996 02:44:25 GMT"',
        b'"17-Jul-0000 02:44:25 +0000"',
        b'"17-Jul-1996 02:44:25 -0700',
    ],
)
def test_what_is_no_date_time(text: bytes) -> None:
    assert refused(dates.date_time, text)
