"""Fields, their names, folds and subsets."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailaccess.message import headers
from mailaccess.message.headers import Field, fields, first, select, split, unfold

HEADER = b"From: a@b\r\nSubject: one\r\n\ttwo\r\nfrom : c@d\r\nX-Empty:\r\n\r\n"

lines = st.sampled_from(
    [
        b"A: 1\r\n",
        b"a :2\r\n",
        b"B: 3\r\n",
        b" fold\r\n",
        b"\t\r\n",
        b"junk\r\n",
        b"C:\r\n",
        b"\xff: x\r\n",
        b"A-B: 4\r\n",
    ]
)
header = st.tuples(st.lists(lines, max_size=8).map(b"".join), st.sampled_from([b"", b"\r\n", b"A: cut", b"A"])).map(
    b"".join
)
names = st.lists(st.sampled_from([b"a", b"A", b"b", b"c", b"a-b", b"zz", b"", b"a:", b"A "]), max_size=4)


@pytest.mark.parametrize(
    ("message", "body"),
    [
        (b"", 0),
        (b"\r\n", 2),
        (b"\r\ntext", 2),
        (b"A: b\r\n\r\ntext", 8),
        (b"A: b\r\n", 6),
        (b"A: b", 4),
        (b"A: b\r\n \r\n\r\ntext", 11),
        (b"no field\r\nA: b\r\n\r\ntext", 18),
    ],
)
def test_the_body_begins_behind_the_first_empty_line(message: bytes, body: int) -> None:
    assert split(message) == body


def test_fields_have_names_values_and_places() -> None:
    assert fields(HEADER) == [
        Field(b"From", b"from", b" a@b", 0, 11),
        Field(b"Subject", b"subject", b" one\r\n\ttwo", 11, 31),
        Field(b"from", b"from", b" c@d", 31, 43),
        Field(b"X-Empty", b"x-empty", b"", 43, 53),
    ]


def test_a_line_that_is_no_field_belongs_to_the_field_before_it() -> None:
    assert (
        first(b"Subject: your reminder\r\nabout the game\r\nDate: x\r\n\r\n", b"subject")
        == b"your reminder about the game"
    )
    assert [field.name for field in fields(b"From joe Mon Jan  1 10:00:00\r\nTo: x\r\n\r\n")] == [b"To"]


def test_the_first_of_several_fields_counts() -> None:
    assert first(HEADER, b"FROM") == b"a@b"
    assert first(HEADER, b"X-Empty") == b""
    assert first(HEADER, b"To") is None
    assert first(b"a: b: c\r\n\r\n", b"a: b") is None
    assert first(b": c\r\n\r\n", b"a b") is None


def test_a_subset_has_the_fields_as_they_stand_and_the_empty_line() -> None:
    assert select(HEADER, [b"FROM"]) == b"From: a@b\r\nfrom : c@d\r\n\r\n"
    assert select(HEADER, [b"FROM"], invert=True) == b"Subject: one\r\n\ttwo\r\nX-Empty:\r\n\r\n"
    assert select(HEADER, []) == b"\r\n"
    assert select(HEADER, [b"Sub"]) == b"\r\n"
    assert select(b"From: a@b\r\n", [b"subject"]) == b""


@given(header, names)
def test_a_subset_and_the_rest_are_the_whole(header: bytes, names: list[bytes]) -> None:
    chosen, rest = select(header, names), select(header, names, invert=True)
    blank = 2 if header.endswith(b"\r\n\r\n") or header == b"\r\n" else 0
    assert len(chosen) + len(rest) == len(header) + blank
    keys = {name.lower() for name in names}
    assert chosen[: len(chosen) - blank] == b"".join(header[f.start : f.end] for f in fields(header) if f.key in keys)


@given(header, names)
def test_many_names_select_like_few(header: bytes, names: list[bytes]) -> None:
    many = [*names, *(b"x%d" % number for number in range(40))]
    assert select(header, many) == select(header, names)
    assert select(header, many, invert=True) == select(header, names, invert=True)


@given(header)
def test_fields_are_in_order_and_disjoint(header: bytes) -> None:
    found = fields(header)
    places = [offset for field in found for offset in (field.start, field.end)]
    assert places == sorted(places)
    for field in found:
        assert header[field.start : field.end].startswith(field.name)
        assert field.value in header[field.start : field.end]


@given(st.lists(st.sampled_from([b" ", b"\t", b"\r\n ", b"a", b"b c", b"\r\n"])).map(b"".join))
def test_unfolding_leaves_one_line(value: bytes) -> None:
    line = unfold(value)
    assert b"\r\n" not in line
    assert unfold(line) == line
    assert b"".join(line.split()) == b"".join(value.split())


def test_the_list_of_fields_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(headers, "MAX_FIELDS", 3)
    assert len(fields(b"A:\r\n" * 10)) == 3
