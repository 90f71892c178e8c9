"""Encoded words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailaccess.message.headers import decode


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (b"plain", "plain"),
        (b"=?iso-8859-1?Q?Gr=FC=DFe_aus?= Berlin", "Grüße aus Berlin"),
        (b"=?utf-8?B?w6k=?=", "é"),
        (b"=?utf-8*de?b?w6k?=", "é"),
        (b"=?utf-8?q?a?=\r\n =?utf-8?q?b?=", "ab"),
        (b"=?utf-8?q?a?= x =?utf-8?q?b?=", "a x b"),
        (b"=?utf-8?q?=E2=9C?= =?UTF-8?b?kw==?=", "✓"),
        (b"=?utf-8?q?=E2=9C?= =?iso-8859-1?q?=E9?=", "\ufffdé"),
        (b"=?utf-8?q?spaces in it?=", "spaces in it"),
        (b"x=?utf-8?q?glued?=y", "xgluedy"),
        (b"=?x-nonsense?q?abc?=", "abc"),
        (b"=?rot13?q?abc?=", "abc"),
        (b"=?utf-8?z?abc?=", "=?utf-8?z?abc?="),
        (b"=?utf-8?b?====?=", ""),
        (b"=?utf-8?b?w6k", "=?utf-8?b?w6k"),
        (b"raw \xc3\xa9", "raw é"),
        (b"raw \xe9", "raw é"),
        (b"=?utf-7?q?+2AA-?=", "\ufffd"),
    ],
)
def test_words_are_decoded(value: bytes, text: str) -> None:
    assert decode(value) == text


@given(st.lists(st.sampled_from([b"=?", b"?=", b"utf-8", b"?q?", b"?B?", b" ", b"=E9", b"w6k=", b"\xff", b"\r\n"])))
def test_nothing_raises_and_all_text_can_be_stored(pieces: list[bytes]) -> None:
    decode(b"".join(pieces)).encode("utf-8")
