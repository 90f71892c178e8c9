"""``dovecot-keywords``: a letter keeps its meaning."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailaccess.errors import ClientError
from mailaccess.store.foreign import keywords
from mailaccess.store.foreign.keywords import KeywordLetters
from mailaccess.values import Flag

LETTERS = "abcdefghijklmnopqrstuvwxyz"
MAPPINGS = st.dictionaries(
    st.sampled_from(LETTERS), st.from_regex(r"\A[A-Za-z$][A-Za-z0-9_-]{0,8}\Z").map(Flag), max_size=26
)


@given(MAPPINGS)
def test_what_is_written_is_read_again(mapping: dict[str, Flag]) -> None:
    assert keywords.parse(keywords.serialise(mapping)) == mapping


def test_lines_that_are_none_are_passed_over() -> None:
    assert keywords.parse(b"0 A\nx B\n26 C\n3 D\n3 E\n\n25 Z\n7\n") == {"a": Flag("A"), "d": Flag("D"), "z": Flag("Z")}


def test_new_keywords_take_free_letters_and_the_old_ones_stay(tmp_path: Path) -> None:
    path = tmp_path / keywords.FILE
    path.write_text("1 Work\n")
    letters = KeywordLetters(path)
    assert letters.make_room([Flag("$Label1"), Flag("work"), Flag("Play")])
    assert path.read_text() == "0 $Label1\n1 Work\n2 Play\n"
    assert letters.letters == {Flag("$Label1"): "a", Flag("Work"): "b", Flag("Play"): "c"}
    assert not letters.make_room([Flag("PLAY")])


def test_each_writing_moves_the_mtime_by_a_second_at_least(tmp_path: Path) -> None:
    path = tmp_path / keywords.FILE
    letters = KeywordLetters(path)
    times = []
    for name in "ABC":
        letters.make_room([Flag(name)])
        times.append(int(path.stat().st_mtime))
    assert times[0] < times[1] < times[2]


def test_what_another_program_added_is_kept(tmp_path: Path) -> None:
    path = tmp_path / keywords.FILE
    ours, theirs = KeywordLetters(path), KeywordLetters(path)
    ours.make_room([Flag("A")])
    theirs.make_room([Flag("B")])
    ours.make_room([Flag("C")])
    assert keywords.parse(path.read_bytes()) == {"a": Flag("A"), "b": Flag("B"), "c": Flag("C")}


def test_no_more_than_26(tmp_path: Path) -> None:
    letters = KeywordLetters(tmp_path / keywords.FILE)
    letters.make_room([Flag(f"k{number}") for number in range(26)])
    assert letters.full
    before = os.stat(tmp_path / keywords.FILE)
    with pytest.raises(ClientError):
        letters.make_room([Flag("one-more")])
    assert os.stat(tmp_path / keywords.FILE) == before


def test_what_another_program_added_is_told_by_the_next_look_though_a_writing_read_it(tmp_path: Path) -> None:
    path = tmp_path / keywords.FILE
    letters = KeywordLetters(path)
    letters.refresh()
    path.write_text("3 Work\n")
    letters.make_room([Flag("work")])
    assert letters.flags_of("d") == {Flag("Work")}
    assert letters.refresh()
    assert not letters.refresh()
