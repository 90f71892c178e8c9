"""Dates, as they should be and as they are."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailaccess.message.dates import parse


@pytest.mark.parametrize(
    ("value", "moment"),
    [
        (b"Wed, 17 Jul 1996 02:23:25 -0700 (PDT)", "1996-07-17 02:23:25-07:00"),
        (b" 1 Jan 2024 10:00 +0530", "2024-01-01 10:00:00+05:30"),
        (b"Mon,\r\n 1 Jan 2024\r\n\t10:00:00 GMT", "2024-01-01 10:00:00+00:00"),
        (b"1 January 2024 10:00:00 EST", "2024-01-01 10:00:00-05:00"),
        (b"1 Jan 24 10:00 Z", "2024-01-01 10:00:00+00:00"),
        (b"1 Jan 97 10:00 A", "1997-01-01 10:00:00+00:00"),
        (b"1 Jan 102 10:00", "2002-01-01 10:00:00+00:00"),
        (b"Monday, 03-Mar-97 10:00:00 GMT", "1997-03-03 10:00:00+00:00"),
        (b"1 (x (y)) Jan 2024 10 (z):00", "2024-01-01 00:00:00+00:00"),
        (b"Thu Jan  1 00:00:00 EST 1970", "1970-01-01 00:00:00-05:00"),
        (b"Thu Jan  1 00:00:00 1970", "1970-01-01 00:00:00+00:00"),
        (b"30 Jun 2015 23:59:60 +0000", "2015-06-30 23:59:59+00:00"),
        (b"1 Jan 2024 10:00:00 +9999", "2024-01-01 10:00:00+00:00"),
        (b"1 Jan 2024", "2024-01-01 00:00:00+00:00"),
    ],
)
def test_dates_are_read(value: bytes, moment: str) -> None:
    found = parse(value)
    assert found is not None
    assert found.isoformat(" ") == moment


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"today",
        b"30 Feb 2024 10:00",
        b"1 Jan 2024 25:00",
        b"1 Foo 2024",
        b"1 Jan 0000",
        b"1 Jan 20240",
        b"1 Jan 9999",
    ],
)
def test_what_is_no_date_is_none(value: bytes) -> None:
    assert parse(value) is None


@given(st.binary() | st.text("0123456789: +-JanFeb,()T\r\n").map(str.encode))
def test_nothing_raises_and_all_dates_can_be_compared_in_utc(value: bytes) -> None:
    found = parse(value)
    if found is not None:
        assert found.astimezone(UTC) == found
        found.timestamp()


@given(st.datetimes(datetime(1900, 1, 1), datetime(9998, 12, 31)), st.integers(-23 * 60, 23 * 60))
def test_a_written_date_is_read_back(moment: datetime, minutes: int) -> None:
    moment = moment.replace(microsecond=0, tzinfo=timezone(timedelta(minutes=minutes)))
    month = "JanFebMarAprMayJunJulAugSepOctNovDec"[3 * moment.month - 3 : 3 * moment.month]
    written = f"{moment:%d} {month} {moment.year} {moment:%H:%M:%S %z}"
    assert parse(written.encode()) == moment
