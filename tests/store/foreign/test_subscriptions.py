"""``subscriptions``, versions 1 and 2."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailaccess.store.foreign import subscriptions

PARTS = st.lists(st.binary(min_size=1, max_size=12), min_size=1, max_size=4).map(tuple)


@given(st.lists(PARTS, max_size=6))
def test_version_2_holds_any_name(names: list[tuple[bytes, ...]]) -> None:
    assert subscriptions.parse(subscriptions.serialise(2, names)) == (2, names)


@given(st.lists(st.lists(st.from_regex(rb"\A[A-Za-z &-]{1,9}\Z"), min_size=1, max_size=3).map(tuple), max_size=6))
def test_version_1_holds_names_without_dots(names: list[tuple[bytes, ...]]) -> None:
    assert subscriptions.parse(subscriptions.serialise(1, names)) == (1, names)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (None, (2, [])),
        (b"", (1, [])),
        (b"V\t2\n\n", (2, [])),
        (b"INBOX\nSent\nWork.2026\n", (1, [(b"INBOX",), (b"Sent",), (b"Work", b"2026")])),
        (b"V\t2\n\nINBOX\nWork\t2026\na\x01tb\x011\n", (2, [(b"INBOX",), (b"Work", b"2026"), (b"a\tb\x01",)])),
    ],
)
def test_what_dovecot_writes(data: bytes | None, expected: tuple[int, list[tuple[bytes, ...]]]) -> None:
    assert subscriptions.parse(data) == expected
