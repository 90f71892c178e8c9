"""What a mailbox may be called, and patterns."""

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailaccess.errors import ClientError, Code
from mailaccess.mailbox import names
from mailaccess.mailbox.names import Pattern
from mailaccess.values import INBOX, MailboxName

PARTS = st.lists(st.text("abIiNnBbOoXx é日/&~", min_size=1, max_size=6), min_size=1, max_size=5)


@given(PARTS)
def test_a_name_survives_the_wire(parts: list[str]) -> None:
    name = MailboxName(tuple(parts))
    assert names.parse(names.format(name, "."), ".") == name


@given(st.text(max_size=12), st.sampled_from("./"))
def test_any_text_is_a_name_or_one_clear_line(wire: str, separator: str) -> None:
    error: ClientError | None = None
    try:
        name = names.parse(wire, separator)
    except ClientError as caught:
        error = caught
    if error is None:
        assert names.format(name, separator).upper() == wire.upper()
    else:
        assert error.code is Code.CANNOT
        assert error.text.isascii()
        assert error.text.isprintable()


@pytest.mark.parametrize(
    ("wire", "word"),
    [
        ("", "empty"),
        (".", "begin"),
        (".a", "begin"),
        ("a.", "end"),
        ("a..b", "two"),
        ("a\0b", "control"),
        ("a\r\nb", "control"),
        ("a\x7fb", "control"),
        ("a\x85b", "control"),
        ("a\u2028b", "control"),
        ("a\ud800b", "control"),
        ("é" * 128, "255 octets"),
        (".".join("a" * 65), "64 levels"),
        (".".join(["a" * 200] * 6), "1024 octets"),
    ],
)
def test_a_bad_name_is_told_what_is_wrong_with_it(wire: str, word: str) -> None:
    with pytest.raises(ClientError, match=word) as caught:
        names.parse(wire, ".")
    assert caught.value.code is Code.CANNOT


@pytest.mark.parametrize("wire", ["é" * 127 + "e", ".".join("a" * 64), ".".join(["a" * 204] * 5)])
def test_the_longest_names(wire: str) -> None:
    assert names.format(names.parse(wire, "."), ".") == wire


def test_only_a_new_name_may_end_with_the_separator() -> None:
    assert names.parse_new("a/b/", "/") == names.parse("a/b", "/")
    for wire in ("/", "a//"):
        with pytest.raises(ClientError, match="separator"):
            names.parse_new(wire, "/")


def test_inbox_in_any_case() -> None:
    assert names.parse("iNbOx", ".") == INBOX
    assert names.parse("inbox.Sub", ".") == MailboxName(("INBOX", "Sub"))
    assert names.parse("a.inbox", ".") == MailboxName(("a", "inbox"))


def test_normal_form_is_composed() -> None:
    assert names.normal(MailboxName(("Entwu\u0308rfe",))) == MailboxName(("Entwürfe",))


@pytest.mark.parametrize(
    ("reference", "pattern", "name", "matches"),
    [
        ("", "*", "a.b", True),
        ("", "%", "a.b", False),
        ("", "%", "a", True),
        ("", "a.%", "a.b", True),
        ("", "a.%", "a.b.c", False),
        ("", "%.c", "a.b.c", False),
        ("", "%.%.c", "a.b.c", True),
        ("", "a*", "a", True),
        ("", "*b*", "a.b.c", True),
        ("", "%*", "a.b.c", True),
        ("", "a%%b", "a.b", False),
        ("a.", "%", "a.b", True),
        ("a.", "", "a.", False),
        ("a", "", "a", False),
        ("", "", "a", False),
        ("", "a", "A", False),
        ("", "inbox", "INBOX", True),
        ("", "InB%", "INBOX", True),
        ("in", "box.a", "INBOX.a", True),
        ("", "inbox.a", "INBOX.A", False),
        ("", "%inbox", "a.inbox", False),
        ("", "*x", "INBOX", True),
    ],
)
def test_patterns(reference: str, pattern: str, name: str, matches: bool) -> None:
    assert Pattern(reference, pattern, ".").matches(MailboxName(tuple(filter(None, name.split("."))))) is matches


@given(
    st.text("ab.*%", min_size=1, max_size=12), st.lists(st.text("ab", min_size=1, max_size=4), min_size=1, max_size=4)
)
def test_a_pattern_is_what_it_says(pattern: str, parts: list[str]) -> None:
    translated = "".join({"*": ".*", "%": "[^.]*"}.get(letter, re.escape(letter)) for letter in pattern)
    expected = re.fullmatch(translated, ".".join(parts)) is not None
    assert Pattern("", pattern, ".").matches(MailboxName(tuple(parts))) is expected


def test_a_hostile_pattern_costs_little() -> None:
    pattern = Pattern("", "*a%" * 600, ".")
    name = MailboxName(tuple(["a" * 200] * 5))
    started = time.process_time()
    assert pattern.matches(name)
    assert time.process_time() - started < 1
    assert not Pattern("", "a" * 5000, ".").matches(name)
