"""SOCKS 5, 4 and 4a."""

from collections.abc import Coroutine
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scripted import Scripted, octet_by_octet, run

from mailaccess.tunnel.conversation import Conversation
from mailaccess.tunnel.faults import Refused, TunnelFault
from mailaccess.tunnel.proxies.socks import REPLIES_4, REPLIES_5, connect4, connect4a, connect5

GREETING = b"* OK ready\r\n"
GRANTED_4 = bytes((0, 90, 1, 2, 3, 4, 5, 6))
GRANTED_5 = b"\x05\0\0\1\0\0\0\0\0\0"


def said5(host: str, *answers: bytes, user: str = "", password: str = "") -> bytes:
    stream = Scripted(answers=list(answers))
    run(connect5(Conversation(stream), host, 993, user, password))
    return stream.written


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("imap.example.org", b"\3\x10imap.example.org"),
        ("192.0.2.7", b"\1\xc0\0\2\7"),
        ("2001:db8::7", b"\4\x20\1\x0d\xb8" + bytes(11) + b"\7"),
    ],
)
def test_version_5_sends_a_name_as_a_name(host: str, address: bytes) -> None:
    assert said5(host, b"\5\0", GRANTED_5) == b"\5\1\0" + b"\5\1\0" + address + b"\x03\xe1"


def test_version_5_logs_in_where_the_proxy_wants_it() -> None:
    said = said5("192.0.2.7", b"\5\2", b"\1\0", GRANTED_5, user="joe", password="se:cret")
    assert said == b"\5\2\0\2" + b"\1\3joe\7se:cret" + b"\5\1\0\1\xc0\0\2\7\x03\xe1"


def test_version_5_keeps_its_password_where_the_proxy_wants_none() -> None:
    assert b"secret" not in said5("192.0.2.7", b"\5\0", GRANTED_5, user="joe", password="secret")


@pytest.mark.parametrize("bound", [b"\1\1\2\3\4", b"\3\x05a.org", b"\3\0", b"\4" + bytes(16)])
def test_version_5_reads_the_bound_address_and_no_more(bound: bytes) -> None:
    answer = b"\5\0" + b"\5\0\0" + bound + b"\x12\x34" + GREETING
    for pieces in ([answer], octet_by_octet(answer)):
        far = Conversation(Scripted(*pieces))
        run(connect5(far, "h", 1))
        assert run(far.line()) == GREETING


@pytest.mark.parametrize(("code", "words"), REPLIES_5.items())
def test_version_5_has_words_for_each_reply(code: int, words: str) -> None:
    with pytest.raises(Refused, match=words):
        said5("h", b"\5\0", bytes((5, code, 0, 1)) + bytes(6))


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        ([b"\5\xff"], "it wants a user"),
        ([b"\5\2"], "it wants a user"),
        ([b"\5\1"], "none of our ways"),
        ([b"\4\0"], "does not speak SOCKS 5"),
        ([b"HT"], "does not speak SOCKS 5"),
        ([b"\5\0", b"\4\0\0\1" + bytes(6)], "does not speak SOCKS 5"),
        ([b"\5\0", b"\5\x63\0\1" + bytes(6)], "code 99"),
        ([b"\5\0", b"\5\0\0\2" + bytes(6)], "unknown type 2"),
        ([b"\5\0", b"\5\0\0\1" + bytes(5)], "closed"),
        ([b"\5"], "closed"),
    ],
)
def test_version_5_refuses(answers: list[bytes], words: str) -> None:
    with pytest.raises(Refused, match=words):
        said5("h", *answers)


@pytest.mark.parametrize("status", [b"\1\1", b"\5\xff"])
def test_a_wrong_password_is_told_without_it(status: bytes) -> None:
    with pytest.raises(Refused, match="does not take our user and password") as caught:
        said5("h", b"\5\2", status, user="joe", password="secret")
    assert "secret" not in str(caught.value)


def test_texts_that_are_too_long_are_never_sent() -> None:
    for arguments in (("h" * 256, 1), ("h", 1, "u" * 256, "p"), ("h", 1, "u", "p" * 256)):
        stream = Scripted(b"\5\0" + GRANTED_5)
        with pytest.raises(Refused, match="more than 255 octets"):
            run(connect5(Conversation(stream), *arguments))
        assert stream.written == b""


def said4(coroutine: Any, host: str, *answer: bytes, user: str = "") -> bytes:
    stream = Scripted(*answer)
    started: Coroutine[Any, Any, None] = coroutine(Conversation(stream), host, 993, user)
    run(started)
    return stream.written


def test_version_4_sends_an_address() -> None:
    assert said4(connect4, "192.0.2.7", GRANTED_4, user="joe") == b"\4\1\x03\xe1\xc0\0\2\7joe\0"
    assert said4(connect4a, "192.0.2.7", GRANTED_4) == b"\4\1\x03\xe1\xc0\0\2\7\0"


def test_version_4a_sends_a_name() -> None:
    said = said4(connect4a, "imap.example.org", GRANTED_4, user="joe")
    assert said == b"\4\1\x03\xe1\0\0\0\1joe\0imap.example.org\0"


@pytest.mark.parametrize("connect", [connect4, connect4a])
def test_version_4_reads_its_answer_and_no_more(connect: Any) -> None:
    far = Conversation(Scripted(*octet_by_octet(GRANTED_4 + GREETING)))
    run(connect(far, "192.0.2.7", 1))
    assert run(far.line()) == GREETING


@pytest.mark.parametrize(
    ("connect", "host", "user", "words"),
    [
        (connect4, "imap.example.org", "", "socks4a:// takes names"),
        (connect4, "2001:db8::7", "", "socks5:// IPv6 too"),
        (connect4a, "2001:db8::7", "", "socks5:// does"),
        (connect4a, "a\0b", "", "NUL"),
        (connect4, "192.0.2.7", "joe\0evil", "NUL"),
    ],
)
def test_version_4_never_sends_what_it_has_no_words_for(connect: Any, host: str, user: str, words: str) -> None:
    stream = Scripted(GRANTED_4)
    with pytest.raises(Refused, match=words):
        run(connect(Conversation(stream), host, 993, user))
    assert stream.written == b""


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        *((bytes((0, code)) + bytes(6), words) for code, words in REPLIES_4.items()),
        (bytes((0, 94)) + bytes(6), "code 94"),
        (bytes((4, 90)) + bytes(6), "does not speak SOCKS 4"),
        (b"\5\xff", "closed"),
    ],
)
def test_version_4_refuses(answer: bytes, words: str) -> None:
    with pytest.raises(Refused, match=words):
        said4(connect4, "192.0.2.7", answer)


@given(st.binary(), st.sampled_from([connect4, connect4a, connect5]))
def test_nothing_but_a_fault_comes_of_any_answer(answer: bytes, connect: Any) -> None:
    try:
        run(connect(Conversation(Scripted(answer)), "192.0.2.7", 1, "joe"))
    except TunnelFault:
        return
    assert len(answer) >= 8
