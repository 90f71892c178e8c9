"""Atoms, strings and numbers."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailaccess.imap.grammar import tokens as t
from mailaccess.imap.wire import Arguments
from tests.imap.reading import arguments, read_all, refused


@pytest.mark.parametrize(
    ("reader", "text", "value"),
    [
        (t.atom, b"INBOX", b"INBOX"),
        (t.atom, b"!#$&'+,-./09:;<=>?@AZ[^_`az|}~", b"!#$&'+,-./09:;<=>?@AZ[^_`az|}~"),
        (t.keyword, b"Flags", b"FLAGS"),
        (t.astring, b"a]b", b"a]b"),
        (t.astring, b"NIL", b"NIL"),
        (t.astring, b'""', b""),
        (t.astring, rb'"a \"b\" \\c"', rb'a "b" \c'),
        (t.astring, b'"p\xe4ss"', b"p\xe4ss"),
        (t.astring, b'"{3}"', b"{3}"),
        (t.astring, b"{4+}\r\na\r\nb", b"a\r\nb"),
        (t.string, b"{0+}\r\n", b""),
        (t.nstring, b"nil", None),
        (t.nstring, b'"NIL"', b"NIL"),
        (t.number, b"0", 0),
        (t.number, b"4294967295", 4294967295),
        (t.number, b"007", 7),
        (t.number64, b"9223372036854775807", 2**63 - 1),
    ],
)
def test_tokens(reader: Callable[[Arguments], Any], text: bytes, value: object) -> None:
    assert read_all(reader, text) == value


@pytest.mark.parametrize(
    ("reader", "text"),
    [
        (t.atom, b""),
        (t.atom, b"a b"),
        (t.atom, b"a]"),
        (t.atom, b"a%"),
        (t.atom, b"a*"),
        (t.atom, b"a("),
        (t.atom, b'a"'),
        (t.atom, b"a\\"),
        (t.atom, b"a{"),
        (t.atom, b"a\x7f"),
        (t.atom, b"a\xe9"),
        (t.atom, b"a\tb"),
        (t.astring, b"{}"),
        (t.astring, b"{3}x"),
        (t.astring, b'"a'),
        (t.astring, b'a"'),
        (t.astring, b'"a"b'),
        (t.astring, rb'"a\b"'),
        (t.astring, rb'"a\"'),
        (t.astring, b'"a\rb"'),
        (t.astring, b"{3+}\r\na\0b"),
        (t.astring, b"~{1+}\r\na"),
        (t.astring, b"{1001+}\r\n" + b"a" * 1001),
        (t.string, b"a"),
        (t.nstring, b"nilly"),
        (t.nstring, b"a"),
        (t.number, b""),
        (t.number, b"-1"),
        (t.number, b"+1"),
        (t.number, b"1_0"),
        (t.number, b"4294967296"),
        (t.number, b"99999999999999999999"),
        (t.number, b"9" * 5000),
        (t.number, "٣".encode()),
        (t.number64, b"9223372036854775808"),
    ],
)
def test_what_is_no_token(reader: Callable[[Arguments], Any], text: bytes) -> None:
    assert refused(reader, text)


def test_exactly_one_space() -> None:
    cursor = arguments(b"  ")
    t.sp(cursor)
    t.sp(cursor)
    with pytest.raises(t.BadSyntax, match="a space"):
        t.sp(cursor)


@given(st.binary(max_size=60).filter(lambda data: b"\0" not in data))
def test_any_string_comes_back(data: bytes) -> None:
    assert read_all(t.astring, b"{%d+}\r\n%b" % (len(data), data)) == data
    if b"\r" not in data and b"\n" not in data:
        escaped = data.replace(b"\\", rb"\\").replace(b'"', rb"\"")
        assert read_all(t.astring, b'"%b"' % escaped) == data
