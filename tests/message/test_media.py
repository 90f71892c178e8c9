"""Content-* fields."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailaccess.message.media import MediaType, disposition, encoding, languages, media_type, parameters


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (b" Text/HTML; Charset=UTF-8", (b"Text", b"HTML", ((b"Charset", b"UTF-8"),))),
        (b'text/plain;\r\n\tcharset="us-ascii"', (b"text", b"plain", ((b"charset", b"us-ascii"),))),
        (b"text / plain (comment; x=y) ; a=b (c)", (b"text", b"plain", ((b"a", b"b"),))),
        (b"text/plain; format=flowed; format=fixed", (b"text", b"plain", ((b"format", b"flowed"),))),
        # broken or without subtype: text/plain
        (b"text", (b"text", b"plain", ())),
        (b"text; charset=utf-8", (b"text", b"plain", ((b"charset", b"utf-8"),))),
        (b"", (b"text", b"plain", ())),
        (b"/html", (b"text", b"plain", ())),
        (b'"text/html"', (b"text", b"plain", ())),
    ],
)
def test_media_types(value: bytes, kind: tuple[bytes, bytes, tuple[tuple[bytes, bytes], ...]]) -> None:
    assert media_type(value) == MediaType(*kind)


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (b"x; filename=This is a test.txt; size=3", ((b"filename", b"This is a test.txt"), (b"size", b"3"))),
        (b"x; name=report(1).pdf", ((b"name", b"report(1).pdf"),)),
        (rb'x; name="a\"b;c\\d"; y=z', ((b"name", rb'a"b;c\d'), (b"y", b"z"))),
        (b'x; name="never closed; y=z', ((b"name", b"never closed"), (b"y", b"z"))),
        (b'x; name="fol\r\n ded"', ((b"name", b"fol ded"),)),
        (b"x; novalue; a = b", ((b"a", b"b"),)),
        (b"x; a=", ((b"a", b""),)),
        (b'x; a=""', ((b"a", b""),)),
        (b"x; boundary==_x", ((b"boundary", b"=_x"),)),
        (b"x; filename*=utf-8'en'a%20b", ((b"filename*", b"utf-8'en'a%20b"),)),
        (b"x; n*0=ab; n*1=cd", ((b"n", b"abcd"),)),
        (b"x; n*1=cd; n*0=ab; n*3=gh", ((b"n", b"abcdgh"),)),
        (b"x; n*0*=utf-8''a%20; n*1=b%; n*2*=%c3%a9", ((b"n*", b"utf-8''a%20b%25%c3%a9"),)),
        (b"x; n*0=a b; n*1*=%20c", ((b"n*", b"''a%20b%20c"),)),
    ],
)
def test_parameters(value: bytes, found: tuple[tuple[bytes, bytes], ...]) -> None:
    assert parameters(value) == found


def test_dispositions() -> None:
    assert disposition(b" inline") == (b"inline", ())
    assert disposition(b'ATTACHMENT; filename="x"') == (b"ATTACHMENT", ((b"filename", b"x"),))
    assert disposition(b"; filename=x") == (b"attachment", ((b"filename", b"x"),))
    assert disposition(b" ") is None


def test_encodings_and_languages() -> None:
    assert encoding(b" Base64 (really)") == b"Base64"
    assert encoding(b" 8bit;") == b"8bit"
    assert encoding(b" ") == b"7bit"
    assert languages(b" de, en (x) ,") == (b"de", b"en")
    assert languages(b"") == ()


pieces = [b";", b"=", b'"', b"\\", b"a", b"*0", b"*1*", b"*", b"(", b")", b" ", b"\r\n ", b"%41", b"'", b"\xff", b"/"]


@given(st.lists(st.sampled_from(pieces)).map(b"".join))
def test_nothing_raises_and_names_are_unique(value: bytes) -> None:
    for found in (media_type(value).parameters, (disposition(value) or (b"", ()))[1]):
        names = [name.lower() for name, _ in found]
        assert len(set(names)) == len(names)
        assert all(names)
    encoding(value)
    languages(value)
