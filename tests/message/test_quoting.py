"""Strings on the wire."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailaccess.message.quoting import QUOTED_OCTETS, literal, nstring, quoted, string, without_nul


@pytest.mark.parametrize(
    ("value", "wire"),
    [
        (None, b"NIL"),
        (b"", b'""'),
        (b"NIL", b'"NIL"'),
        (b"plain text", b'"plain text"'),
        (b'say "hi" \\o/', rb'"say \"hi\" \\o/"'),
        (b"tab\there", b'"tab\there"'),
        (b"caf\xc3\xa9", b"{5}\r\ncaf\xc3\xa9"),
        (b"two\r\nlines", b"{10}\r\ntwo\r\nlines"),
        (b"cr\r", b"{3}\r\ncr\r"),
        (b"nul\0", b"{4}\r\nnul\x80"),
    ],
)
def test_quoted_where_it_can_be_and_a_literal_otherwise(value: bytes | None, wire: bytes) -> None:
    assert nstring(value) == wire


def test_long_strings_are_literals() -> None:
    assert string(b"x" * QUOTED_OCTETS).startswith(b'"')
    assert string(b"x" * (QUOTED_OCTETS + 1)) == literal(b"x" * (QUOTED_OCTETS + 1))


def test_quoted_strings() -> None:
    assert quoted(b"INBOX") == b'"INBOX"'
    assert quoted(b'a"b\t') == b'"a\\"b\t"'


@pytest.mark.parametrize("value", [b"\r", b"a\n", b"\0", b"\xe9"])
def test_what_cannot_be_quoted_is_an_error_of_the_caller(value: bytes) -> None:
    with pytest.raises(ValueError, match="not to be quoted"):
        quoted(value)


def read(wire: bytes) -> bytes:
    """What a client reads."""
    if wire.startswith(b"{"):
        size, _, rest = wire[1:].partition(b"}\r\n")
        assert len(rest) == int(size)
        return rest
    assert wire[:1] == wire[-1:] == b'"'
    content = iter(wire[1:-1])
    return bytes(next(content) if octet == 0x5C else octet for octet in content)


@given(st.binary(max_size=50))
def test_a_client_reads_what_was_written(value: bytes) -> None:
    assert read(string(value)) == without_nul(value)
