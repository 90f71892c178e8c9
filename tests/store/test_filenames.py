"""Names of message files: what is not understood is kept, letters are sorted, and no name is made twice."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailaccess.store import filenames
from mailaccess.store.filenames import FileName, UniqueNames
from mailaccess.values import ANSWERED, DELETED, DRAFT, FLAGGED, FORWARDED, SEEN, Flag, flags

WORK, PLAY = Flag("Work"), Flag("Play")
BY_LETTER = {"a": WORK, "c": PLAY}
LETTER_OF = {WORK: "a", PLAY: "c"}
BASES = st.text(st.characters(exclude_characters="/:\0", codec="utf-8"), min_size=1, max_size=20)
LETTERS = st.sets(st.sampled_from("ADFPRSTXabcdz")).map(lambda letters: "".join(sorted(letters)))
FOREIGN = st.sampled_from(["", ",", ",U=7", ",x,y"])
FLAGS = st.frozensets(st.sampled_from([SEEN, ANSWERED, FLAGGED, DELETED, DRAFT, FORWARDED, WORK, PLAY]))


@given(BASES, LETTERS, FOREIGN)
def test_a_name_is_its_parts(base: str, letters: str, foreign: str) -> None:
    name = FileName(base, letters, foreign)
    assert filenames.parse(str(name)) == name
    assert filenames.base_of(str(name)) == base


@given(BASES, LETTERS, FOREIGN, FLAGS)
def test_flags_are_set_and_what_is_not_understood_stays(
    base: str, letters: str, foreign: str, after: frozenset[Flag]
) -> None:
    name = filenames.with_flags(FileName(base, letters, foreign), after, LETTER_OF)
    assert filenames.flags_of(name.letters, BY_LETTER) == after
    assert (name.base, name.foreign) == (base, foreign)
    assert list(name.letters) == sorted(set(name.letters))
    assert set("AXbdz") & set(name.letters) == set("AXbdz") & set(letters)


@pytest.mark.parametrize(
    ("name", "base", "letters", "foreign"),
    [
        ("1.a.host", "1.a.host", "", ""),
        ("1.a.host:2,", "1.a.host", "", ""),
        ("1.a.host:2,FSab", "1.a.host", "FSab", ""),
        ("1.a.host,S=5,W=6:2,S,U=7", "1.a.host,S=5,W=6", "S", ",U=7"),
        ("1.a.host:8080:2,S", "1.a.host:8080", "S", ""),
        ("1.a.host:1,x", "1.a.host", "", ",x"),
        ("1.a.host:8080", "1.a.host:8080", "", ""),
        ("1.a.host:", "1.a.host:", "", ""),
        ("2,S", "2,S", "", ""),
        ("1.a.host:2,S:2,F", "1.a.host", "F", ""),
    ],
)
def test_names_from_elsewhere(name: str, base: str, letters: str, foreign: str) -> None:
    assert filenames.parse(name) == FileName(base, letters, foreign)
    assert filenames.base_of(name) == base


@given(st.text(st.sampled_from("a:2,1S"), min_size=1).filter(lambda name: name[0] != ":"))
def test_a_base_is_its_own_base_whatever_the_flags(name: str) -> None:
    base = filenames.base_of(name)
    assert filenames.base_of(base) == base == filenames.parse(name).base
    assert filenames.base_of(str(filenames.parse(name)._replace(letters="FS"))) == base


def test_letters() -> None:
    all_letters = filenames.flags_of("DFPRSTacz", BY_LETTER)
    assert all_letters == flags([DRAFT, FLAGGED, FORWARDED, ANSWERED, SEEN, DELETED, WORK, PLAY])


@pytest.mark.parametrize(
    ("base", "expected"),
    [
        ("1.a.h,S=5,W=6", (5, 6)),
        ("1.a.h,W=6,S=5", (5, 6)),
        ("1.a.h,S=5", (5, -1)),
        ("1.a.h", (-1, -1)),
        ("1.a.h,S=5x,W=6", (-1, 6)),
        ("1.a.h,S=,W=-6", (-1, -1)),
        ("1.a.h,S=" + "9" * 100, (-1, -1)),
    ],
)
def test_sizes(base: str, expected: tuple[int, int]) -> None:
    assert filenames.sizes(base) == expected


@given(BASES.filter(lambda base: "," not in base), st.integers(-1, 10**12), st.integers(-1, 10**12))
def test_sizes_that_were_written_are_read(base: str, size: int, wire_size: int) -> None:
    assert filenames.sizes(filenames.with_sizes(base, size, wire_size)) == (size, wire_size)


def test_uids_are_given_in_dovecots_order() -> None:
    names = ["2.M1.h", "10.M1.h", "2.M30P5.h", "2.M4P5.h", "2.a.h", "no number"]
    assert sorted(names, key=filenames.order) == ["no number", "2.a.h", "2.M1.h", "2.M4P5.h", "2.M30P5.h", "10.M1.h"]


def test_names_are_unique_though_the_clock_stands_or_goes_back() -> None:
    times = iter([5.25, 5.25, 3.0, 5.25])
    name = UniqueNames(lambda: next(times), "host")
    made = [name() for _ in range(4)]
    assert len(set(made)) == 4
    assert made[0].startswith("5.M250000P")


def test_two_makers_of_names_in_one_process_make_different_ones() -> None:
    first, second = UniqueNames(lambda: 5.0, "host"), UniqueNames(lambda: 5.0, "host")
    assert first() != second()


def test_a_host_name_cannot_break_a_name() -> None:
    base = UniqueNames(lambda: 5.0, "a/b:c" + "x" * 300)()
    assert "a\\057b\\072c" in base
    assert "/" not in base
    assert filenames.base_of(base + ":2,S") == base
    assert len(filenames.with_sizes(base, 10**15, 10**15) + ":2," + "x" * 32) <= filenames.NAME_BYTES
