"""Transfer encodings."""

import base64
import quopri

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailaccess.message.transfer import UnknownEncoding, decode, decode_leniently


@pytest.mark.parametrize(
    ("data", "encoding", "octets"),
    [
        (b"as it is=20", b"", b"as it is=20"),
        (b"as it is", b"8BIT", b"as it is"),
        (b"aGVs\r\nbG8=\r\n", b"Base64", b"hello"),
        (b"aG.Vs*bG8=", b"base64", b"hello"),
        (b"caf=C3=A9 =\r\non", b"Quoted-Printable", b"caf\xc3\xa9 on"),
        (b"", b"base64", b""),
    ],
)
def test_data_are_decoded(data: bytes, encoding: bytes, octets: bytes) -> None:
    assert decode(data, encoding) == decode_leniently(data, encoding) == octets


@pytest.mark.parametrize(
    ("data", "encoding", "rest"),
    [(b"aGVsb", b"base64", b"hel"), (b"aGVsbG8", b"base64", b"hello"), (b"begin 644 x", b"x-uuencode", b"begin 644 x")],
)
def test_what_cannot_be_decoded_is_said_so(data: bytes, encoding: bytes, rest: bytes) -> None:
    with pytest.raises(UnknownEncoding):
        decode(data, encoding)
    assert decode_leniently(data, encoding) == rest


@given(st.binary(max_size=300))
def test_what_was_encoded_is_decoded(data: bytes) -> None:
    assert decode(base64.encodebytes(data), b"base64") == data
    assert decode(quopri.encodestring(data), b"quoted-printable") == data


@given(st.binary(max_size=60), st.sampled_from([b"base64", b"quoted-printable", b"7bit", b"x"]))
def test_lenient_decoding_never_raises(data: bytes, encoding: bytes) -> None:
    decode_leniently(data, encoding)
