"""Lines in, what to do next out."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailaccess.sasl.exchange import Cancelled, Continue, Exchange, Malformed, Next, decode
from mailaccess.sasl.mechanism import Credentials, Failed
from mailaccess.sasl.table import MECHANISMS

TIM = Credentials("test", "test")

# mechanism, initial response, the client's lines, and what comes of it all
EXCHANGES: list[tuple[str, bytes | None, list[bytes], list[Next]]] = [
    ("PLAIN", b"dGVzdAB0ZXN0AHRlc3Q=", [], [TIM]),  # RFC 4959 §4
    ("PLAIN", None, [b"dGVzdAB0ZXN0AHRlc3Q="], [Continue(b""), TIM]),
    ("PLAIN", None, [b"*"], [Continue(b""), Cancelled()]),
    ("PLAIN", None, [b"=AAA"], [Continue(b""), Malformed()]),
    ("PLAIN", None, [b"="], [Continue(b""), Malformed()]),
    ("PLAIN", b"AAA=BBB", [], [Malformed()]),
    ("PLAIN", b"", [], [Malformed()]),
    ("PLAIN", b"*", [], [Malformed()]),
    ("LOGIN", None, [b"dGVzdA==", b"dGVzdA=="], [Continue(b"VXNlcm5hbWU6"), Continue(b"UGFzc3dvcmQ6"), TIM]),
    ("LOGIN", b"dGVzdA==", [b"dGVzdA=="], [Continue(b"UGFzc3dvcmQ6"), TIM]),
    ("LOGIN", None, [b"*"], [Continue(b"VXNlcm5hbWU6"), Cancelled()]),
    ("LOGIN", b"dGVzdA==", [b"*"], [Continue(b"UGFzc3dvcmQ6"), Cancelled()]),
]


@pytest.mark.parametrize(("name", "initial", "lines", "expected"), EXCHANGES)
def test_exchange(name: str, initial: bytes | None, lines: list[bytes], expected: list[Next]) -> None:
    exchange = Exchange(MECHANISMS[name](), initial)
    assert [exchange.begin(), *map(exchange.send, lines)] == expected


@pytest.mark.parametrize("name", sorted(MECHANISMS))
def test_an_empty_initial_response_is_a_response(name: str) -> None:
    assert isinstance(Exchange(MECHANISMS[name](), b"=").begin(), Failed)


@pytest.mark.parametrize("last", [b"*", b"!", b"AGpvZQBwdw==", b""])
def test_nothing_follows_the_end(last: bytes) -> None:
    exchange = Exchange(MECHANISMS["PLAIN"]())
    exchange.begin()
    exchange.send(last)
    with pytest.raises(RuntimeError):
        exchange.send(b"AGpvZQBwdw==")


@pytest.mark.parametrize(
    "line",
    [
        b"a",
        b"ab",
        b"abc",
        b"a===",
        b"====",
        b"ab=c",
        b"=abc",
        b"abcd=",
        b"ab c",
        b"abcd\n",
        b"abcd\r",
        b"ab\0d",
        b"-_-_",
        b"\xff\xff\xff\xff",
    ],
)
def test_what_is_no_base64(line: bytes) -> None:
    assert decode(line) is None


@given(st.binary())
def test_what_was_encoded_is_decoded(octets: bytes) -> None:
    assert decode(base64.b64encode(octets)) == octets


@given(st.text("ABab01+/=*- \n", max_size=12).map(str.encode))
def test_only_base64_is_decoded(line: bytes) -> None:
    octets = decode(line)
    if octets is not None:
        assert len(base64.b64encode(octets)) == len(line)
