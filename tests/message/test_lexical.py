"""Comments and quoted pairs."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailaccess.message.lexical import comment_end, unescape, without_comments


@pytest.mark.parametrize(
    ("value", "left"),
    [
        (b"text/plain (a (nested) one); x=y", b"text/plain ; x=y"),
        (b"(first) 7bit", b" 7bit"),
        (b'name="(kept)"', b'name="(kept)"'),
        (b"name=report(1).pdf", b"name=report(1).pdf"),
        (rb"a (\)) b", b"a  b"),
        (b"a (open", b"a (open"),
        (rb"a \(b", rb"a \(b"),
    ],
)
def test_comments_are_taken_out(value: bytes, left: bytes) -> None:
    assert without_comments(value) == left


def test_nesting_has_no_bound() -> None:
    assert comment_end(b"(" * 100_000 + b")" * 100_000, 0) == 200_000
    assert comment_end(b"(" * 100_000, 0) == -1
    assert without_comments(b" (" * 100_000 + b")" * 99_999) == b" (" * 100_000 + b")" * 99_999


@given(st.text('()\\" ;a', max_size=20).map(str.encode))
def test_what_is_left_was_there(value: bytes) -> None:
    left = iter(without_comments(value))
    remaining = iter(value)
    assert all(octet in remaining for octet in left)


def test_quoted_pairs() -> None:
    assert unescape(rb"a\"b\\c\d") == rb'a"b\cd'
