"""Sequence sets."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailaccess.imap.grammar import sets
from mailaccess.values import SequenceSet
from tests.imap.reading import read_all, refused


@pytest.mark.parametrize(
    ("text", "ranges"),
    [
        (b"1", ((1, 1),)),
        (b"*", ((None, None),)),
        (b"1:*", ((1, None),)),
        (b"*:4,5:7", ((None, 4), (5, 7))),
        (b"2,4:7,9,12:*", ((2, 2), (4, 7), (9, 9), (12, None))),
        (b"4294967295", ((4294967295, 4294967295),)),
    ],
)
def test_sets(text: bytes, ranges: tuple[tuple[int | None, int | None], ...]) -> None:
    assert read_all(sets.sequence_set, text) == SequenceSet(ranges)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"0",
        b"4294967296",
        b"1:4294967296",
        b"99999999999999999999",
        b"1,2,x",
        b"01",
        b"1,",
        b",1",
        b"1,,2",
        b"1:",
        b":1",
        b"1:2:3",
        b"1:0",
        b"$",
        b"1*",
        b"**",
        b"-1",
        b"1 ,2",
        b"a",
    ],
)
def test_what_is_no_set(text: bytes) -> None:
    assert refused(sets.sequence_set, text)


SEQUENCE_NUMBERS = st.none() | st.integers(1, 2**32 - 1)


@given(st.lists(st.tuples(SEQUENCE_NUMBERS, SEQUENCE_NUMBERS), min_size=1))
def test_any_set_comes_back(ranges: list[tuple[int | None, int | None]]) -> None:
    text = ",".join(":".join("*" if end is None else str(end) for end in pair) for pair in ranges)
    assert read_all(sets.sequence_set, text.encode()).ranges == tuple(ranges)
