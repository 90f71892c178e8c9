"""Charsets by their names."""

import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailaccess.message import charsets
from mailaccess.message.charsets import decode


def test_every_codec_exists_and_is_one_of_text() -> None:
    for name in charsets._CODECS.values():
        codecs.lookup(name)
        assert isinstance(b"a\xff".decode(name, "replace"), str)


@pytest.mark.parametrize(
    ("data", "charset", "text"),
    [
        (b"\xe9", b"ISO-8859-1", "é"),
        (b"\x93", b"iso_8859-1", "“"),
        (b"\xa4", b"iso-8859-15", "€"),
        (b"\xcf", b" KOI8-R ", "о"),
        (b"\x83\x65", b"Shift_JIS", "テ"),
        (b"\x1b$B%F\x1b(B", b"iso-2022-jp", "テ"),
        (b"\xb0\xa1", b"ks_c_5601-1987", "가"),
        (b"\xc3\xa9", b"us-ascii", "é"),
        (b"\xe9", b"us-ascii", "é"),
        (b"\xe9", b"utf8", "\ufffd"),
        (b"abc", b"unicode_escape", "abc"),
        (b"xn--4ca", b"idna", "xn--4ca"),
        (b"abc", b"\xff\x00", "abc"),
    ],
)
def test_text_is_decoded(data: bytes, charset: bytes, text: str) -> None:
    assert decode(data, charset) == text


@given(st.binary(), st.sampled_from(sorted(charsets._CODECS)))
def test_nothing_raises_and_all_text_can_be_stored(data: bytes, charset: str) -> None:
    decode(data, charset.encode()).encode("utf-8")
