"""Modified UTF-7 (RFC 3501 §5.1.3)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailaccess.message.mutf7 import decode, encode


@pytest.mark.parametrize(
    ("text", "encoded"),
    [
        ("Résumé", b"R&AOk-sum&AOk-"),
        ("Entwürfe", b"Entw&APw-rfe"),
        ("日本語", b"&ZeVnLIqe-"),
        ("😀", b"&2D3eAA-"),
        ("a&b", b"a&-b"),
        ("&é&", b"&-&AOk-&-"),
        ("~peter/mail/台北/日本語", b"~peter/mail/&U,BTFw-/&ZeVnLIqe-"),
    ],
)
def test_names_from_the_rfc_and_from_disks(text: str, encoded: bytes) -> None:
    assert encode(text) == encoded
    assert decode(encoded) == text


@pytest.mark.parametrize(
    "data", [b"&AGE-", b"&", b"&AOk", b"&AOk-&AOk-", b"&AO-", b"\xc3\xa9", b"&//8-", b"a&2D3-", b"&A=-", b"a\x00"]
)
def test_what_is_not_the_one_way_to_write_a_name(data: bytes) -> None:
    with pytest.raises(ValueError, match="modified UTF-7"):
        decode(data)


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_every_name_comes_back(text: str) -> None:
    assert decode(encode(text)) == text


@given(st.binary(max_size=40) | st.text("&-,AOkUZ2D3e", max_size=20).map(str.encode))
def test_what_decodes_is_written_that_way(data: bytes) -> None:
    try:
        text = decode(data)
    except ValueError:
        return
    assert encode(text) == data
