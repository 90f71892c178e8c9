"""CONNECT."""

from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scripted import Scripted, octet_by_octet, run

from mailaccess.tunnel.conversation import Conversation
from mailaccess.tunnel.faults import Refused, TunnelFault
from mailaccess.tunnel.proxies.http import HEADER_LINES, connect

GREETING = b"* OK ready\r\n"


def ask(*answer: bytes, host: str = "imap.example.org") -> bytes:
    """What the proxy was sent."""
    stream = Scripted(*answer)
    far = Conversation(stream)
    run(connect(far, host, 993))
    return stream.written


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 Connection established\r\n\r\n",
        b"HTTP/1.0 200 OK\r\nVia: 1.1 proxy\r\nContent-Length: 12\r\n\r\n",
        b"HTTP/1.1 204 \r\n\r\n",
        b"HTTP/1.1 200\r\n\r\n",
        b"HTTP/1.1 200 OK\nServer: old\n\n",
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * (HEADER_LINES - 2) + b"\r\n",
    ],
)
def test_2xx_lets_us_through_and_what_follows_stays(answer: bytes) -> None:
    for pieces in ([answer + GREETING], octet_by_octet(answer + GREETING)):
        far = Conversation(Scripted(*pieces))
        run(connect(far, "imap.example.org", 993))
        assert run(far.line()) == GREETING


@pytest.mark.parametrize(
    ("host", "authority"),
    [
        ("imap.example.org", b"imap.example.org:993"),
        ("192.0.2.7", b"192.0.2.7:993"),
        ("2001:db8::7", b"[2001:db8::7]:993"),
    ],
)
def test_the_request_names_the_authority_twice(host: str, authority: bytes) -> None:
    expected = b"CONNECT " + authority + b" HTTP/1.1\r\nHost: " + authority + b"\r\n\r\n"
    assert ask(b"HTTP/1.1 200 OK\r\n\r\n", host=host) == expected


def test_user_and_password_are_sent_as_basic_credentials() -> None:
    stream = Scripted(b"HTTP/1.1 200 OK\r\n\r\n")
    run(connect(Conversation(stream), "h", 1, "test", "123£"))  # the example of RFC 7617 §2.1
    assert b"\r\nProxy-Authorization: Basic dGVzdDoxMjPCow==\r\n\r\n" in stream.written
    long = "x" * 200  # no line breaks in base64
    stream = Scripted(b"HTTP/1.1 200 OK\r\n\r\n")
    run(connect(Conversation(stream), "h", 1, long, long))
    assert b64encode(f"{long}:{long}".encode()) in stream.written


@pytest.mark.parametrize("host", ["a\r\nX: y", "a b", "", "bücher.example", "a\0"])
def test_a_host_that_cannot_be_written_is_never_sent(host: str) -> None:
    stream = Scripted(b"HTTP/1.1 200 OK\r\n\r\n")
    with pytest.raises(Refused):
        run(connect(Conversation(stream), host, 993))
    assert stream.written == b""


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"HTTP/1.1 403 Forbidden\r\nX: y\r\n\r\n", "the proxy says '403 Forbidden'"),
        (b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", "'407 Proxy Authentication Required'"),
        (b"HTTP/1.1 302 Found\r\nLocation: http://evil\r\n\r\n", "302 Found"),
        (b"HTTP/1.1 503 \x1b[31mred\xff\r\n\r\n", r"'503 \?\[31mred\?'"),
        (b"HTTP/2 200\r\n\r\n", "does not speak HTTP/1.1"),
        (b"HTTP/1.1 20 OK\r\n\r\n", "does not speak HTTP/1.1"),
        (b"* OK IMAP4rev1 ready\r\n", "does not speak HTTP/1.1"),
        (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 1000, "more than 100 lines"),
        (b"HTTP/1.1 100 Continue\r\n\r\n" * 1000, "more than 100 lines"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000, "more than 8192 octets"),
        (b"HTTP/1.1 200 OK\r\nX: y\r\n", "closed"),
    ],
)
def test_whatever_else_is_refused(answer: bytes, words: str) -> None:
    with pytest.raises(Refused, match=words):
        ask(answer)


def test_a_long_reason_is_cut() -> None:
    with pytest.raises(Refused) as caught:
        ask(b"HTTP/1.1 500 " + b"x" * 5000 + b"\r\n\r\n")
    assert len(str(caught.value)) < 300


@given(st.binary() | st.binary().map(lambda rest: b"HTTP/1.1 200 OK\r\n" + rest))
def test_nothing_but_a_fault_comes_of_any_answer(answer: bytes) -> None:
    try:
        ask(answer)
    except TunnelFault:
        return
    assert answer.startswith(b"HTTP/1.")
