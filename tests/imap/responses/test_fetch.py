"""FETCH responses."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailaccess.imap.grammar.dates import date_time
from mailaccess.imap.responses import fetch
from mailaccess.imap.wire import Arguments
from mailaccess.values import ModSeq


@pytest.mark.parametrize(
    ("moment", "octets"),
    [
        (datetime(2026, 2, 1, 10, 5, 9, tzinfo=UTC), b'" 1-Feb-2026 10:05:09 +0000"'),
        (datetime(1996, 7, 17, 23, 59, 59, tzinfo=UTC), b'"17-Jul-1996 23:59:59 +0000"'),
        (datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC), b'"31-Dec-1969 23:59:59 +0000"'),
    ],
)
def test_internal_date(moment: datetime, octets: bytes) -> None:
    assert fetch.internal_date(int(moment.timestamp())) == octets


def test_dates_beyond_four_digits() -> None:
    assert fetch.internal_date(2**70) == b'"31-Dec-9999 23:59:59 +0000"'
    assert fetch.internal_date(-(2**70)) == b'" 1-Jan-0001 00:00:00 +0000"'


@given(st.integers(-62135596800, 253402300799))
def test_any_date_comes_back(epoch: int) -> None:
    assert date_time(Arguments([fetch.internal_date(epoch)])) == epoch


def test_parts() -> None:
    assert fetch.modseq(ModSeq(5)) == b"MODSEQ (5)"
    assert fetch.section(b"BODY[1]", None) == b"BODY[1] NIL"
    assert fetch.section(b"BODY[]<0>", b"a\r\n") == b"BODY[]<0> {3}\r\na\r\n"
    assert fetch.section(b"BODY[]", b"") == b"BODY[] {0}\r\n"
    assert fetch.literal_header(b"RFC822", 7) == b"RFC822 {7}\r\n"
    assert fetch.fetch(3, [b"UID 9", b"FLAGS ()"]) == b"* 3 FETCH (UID 9 FLAGS ())\r\n"


def test_nul_is_never_sent() -> None:
    octets = fetch.section(b"BODY[]", b"a\0b")
    assert octets.startswith(b"BODY[] {3}\r\na")
    assert b"\0" not in octets
    assert len(octets) == len(b"BODY[] {3}\r\n") + 3
