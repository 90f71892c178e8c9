"""Flags."""

import pytest

from mailaccess.imap.grammar import flags
from mailaccess.values import SEEN, Flag
from tests.imap.reading import read_all, refused


def test_flags() -> None:
    assert read_all(flags.flag_list, b"()") == frozenset()
    assert read_all(flags.flag_list, rb"(\seen $Label1)") == {SEEN, Flag("$label1")}
    assert str(read_all(flags.flag, rb"\ANSWERED")) == "\\Answered"
    assert read_all(flags.flag_keyword, b"$Forwarded") == Flag("$forwarded")


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"(",
        rb"(\Seen",
        rb"(\Seen )",
        rb"( \Seen)",
        rb"(\Seen  a)",
        rb"(\Recent)",
        rb"(\*)",
        rb"(\X-Other)",
        b"(a(b))",
        b'("a")',
        rb"(\\Seen)",
    ],
)
def test_what_is_no_flag_list(text: bytes) -> None:
    assert refused(flags.flag_list, text)


def test_a_keyword_has_a_longest_name() -> None:
    assert read_all(flags.flag, b"k" * 255) == Flag("k" * 255)
    assert refused(flags.flag, b"k" * 256)
    assert refused(flags.flag_keyword, b"k" * 256)
