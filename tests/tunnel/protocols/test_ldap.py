"""LDAP before TLS, in both roles.

Messages stand here as they are on the wire; those of clients and servers are OpenLDAP's.
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scripted import Scripted, fault_of, octet_by_octet, run

from mailaccess.tunnel.conversation import Conversation
from mailaccess.tunnel.faults import Mismatch, Refused
from mailaccess.tunnel.protocols.ldap import LDAP, MESSAGE_BYTES
from mailaccess.tunnel.spoken import BAD_COMMANDS

NAME = b"1.3.6.1.4.1.1466.20037"
START_TLS = b"\x30\x1d\x02\x01\x01\x77\x18\x80\x16" + NAME
BEGUN = b"\x30\x24\x02\x01\x01\x78\x1f\x0a\x01\x00\x04\x00\x04\x00\x8a\x16" + NAME
NEEDED = b"Begin TLS first (StartTLS)"
UNBIND = b"\x30\x05\x02\x01\x03\x42\x00"
ABANDON = b"\x30\x06\x02\x01\x04\x50\x01\x02"
BIND = b"\x30\x1c\x02\x01\x02\x60\x17\x02\x01\x03\x04\x0acn=manager\x80\x06secret"
SEARCH = (
    b"\x30\x2a\x02\x01\x01\x63\x25\x04\x00\x0a\x01\x00\x0a\x01\x00\x02\x01\x00\x02\x01\x00\x01\x01\x00"
    b"\x87\x0bobjectClass\x30\x05\x04\x031.1"
)
SEARCH_DONE = b"\x30\x0c\x02\x01\x01\x65\x07\x0a\x01\x00\x04\x00\x04\x00"
ROOT = b"\x30\x09\x02\x01\x01\x64\x04\x04\x00\x30\x00"
GOOD_BYE = b"\x30\x05\x02\x01\x02\x42\x00"


def message(number: int, tag: int, contents: bytes) -> bytes:
    """An LDAPMessage of at most 127 octets."""
    operation = bytes((tag, len(contents))) + contents
    return bytes((0x30, len(operation) + 3, 2, 1, number)) + operation


def result(code: int, text: bytes = b"") -> bytes:
    return bytes((0x0A, 1, code, 4, 0, 4, len(text))) + text


def refusal(number: int, tag: int) -> bytes:
    return message(number, tag, result(13, NEEDED))


def notice(code: int, text: bytes) -> bytes:
    return message(0, 0x78, result(code, text) + b"\x8a\x161.3.6.1.4.1.1466.20036")


@pytest.mark.parametrize(
    ("said", "told", "begins"),
    [
        (START_TLS, BEGUN, True),
        (START_TLS.replace(b"\x30\x1d", b"\x30\x84\0\0\0\x1d"), BEGUN, True),
        (message(9, 0x77, START_TLS[7:] + b"\x99\0") + b"", message(9, 0x78, BEGUN[7:]), True),
        (b"\x30\x1f" + START_TLS[2:] + b"\xa0\x00", BEGUN, True),  # controls
        (BIND + START_TLS, refusal(2, 0x61) + BEGUN, True),
        (UNBIND + START_TLS, b"", False),
        (BIND + UNBIND, refusal(2, 0x61), False),
        (ABANDON + START_TLS, BEGUN, True),
        (SEARCH, refusal(1, 0x65), False),
        (message(5, 0x66, b"\x04\0\x30\0"), refusal(5, 0x67), False),
        (message(5, 0x68, b"\x04\0\x30\0"), refusal(5, 0x69), False),
        (message(5, 0x4A, b"cn=x"), refusal(5, 0x6B), False),
        (message(5, 0x6C, b"\x04\0"), refusal(5, 0x6D), False),
        (message(5, 0x6E, b"\x04\0"), refusal(5, 0x6F), False),
        (message(5, 0x77, b"\x80\x03a.b"), refusal(5, 0x78), False),
        (message(5, 0x77, START_TLS[7:] + b"\x81\0"), message(5, 0x78, result(2, b"StartTLS has no value")), False),
        (b"", b"", False),
    ],
)
def test_no_request_but_starttls_is_served(said: bytes, told: bytes, begins: bool) -> None:
    for pieces in ([said], octet_by_octet(said)):
        near = Scripted(*pieces)
        assert run(LDAP.offer_tls(Conversation(near), b"")) is begins
        assert near.written == told


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (b"\x16\x03\x01\x02\x00", b"a message is not LDAP's"),
        (b"\x30\x00", b"a message is not LDAP's"),
        (b"\x30\x03\x02\x01\x01", b"a message is not LDAP's"),
        (b"\x30\x06\x04\x01\x01\x77\x01x", b"a message is not LDAP's"),
        (b"\x31" + START_TLS[1:], b"a message is not LDAP's"),
        (b"\x30\x80", b"a length is indefinite or has more than four octets"),
        (b"\x30\x83\x01\x00\x01", b"a message has more than 65536 octets"),
        (message(0, 0x77, START_TLS[7:]), b"a request has no number"),
        (message(0x80, 0x77, START_TLS[7:]), b"a number is not from 0 to 2**31 - 1"),
        (message(1, 0x79, b""), b"a request is none of LDAP's"),
        (message(1, 0x77, b""), b"an extended request has no name"),
        (message(1, 0x77, b"\x04\x01x"), b"an extended request has no name"),
        (message(1, 0x77, b"\x80\x05x"), b"an element is cut off"),
    ],
)
def test_nonsense_ends_the_connection_with_a_notice(said: bytes, words: bytes) -> None:
    near = Scripted(said)
    with pytest.raises(Refused) as caught:
        run(LDAP.offer_tls(Conversation(near), b""))
    assert str(caught.value) == words.decode()
    assert near.written == notice(2, words)


def test_what_follows_starttls_in_clear_is_neither_answered_nor_kept_for_tls() -> None:
    near = Scripted(START_TLS + BIND)
    with pytest.raises(Refused, match="in clear"):
        run(LDAP.offer_tls(Conversation(near), b""))
    assert near.written == b""


def test_what_comes_after_the_go_ahead_is_left_for_the_handshake() -> None:
    conversation = Conversation(Scripted(START_TLS, b"\x16\x03\x01"))
    assert run(LDAP.offer_tls(conversation, b""))
    assert run(conversation.hand_back().read()) == b"\x16\x03\x01"


@pytest.mark.parametrize(("request_", "told"), [(BIND, refusal(2, 0x61)), (ABANDON, b"")])
def test_a_client_that_goes_on_in_clear_is_shown_the_door(request_: bytes, told: bytes) -> None:
    near = Scripted(request_ * (BAD_COMMANDS + 1))
    with pytest.raises(Refused, match="did not begin TLS") as caught:
        run(LDAP.offer_tls(Conversation(near), b""))
    assert near.written == told * BAD_COMMANDS + notice(13, b"Too many requests without TLS")
    assert "secret" not in str(caught.value)


def test_a_request_that_is_cut_off_is_refused() -> None:
    for place in range(1, len(START_TLS)):
        near = Scripted(START_TLS[:place])
        with pytest.raises(Refused, match="closed"):
            run(LDAP.offer_tls(Conversation(near), b""))
        assert near.written == b""


# -- Client's role


@pytest.mark.parametrize(
    "answer",
    [
        BEGUN,
        message(1, 0x78, result(0)),  # responseName is missing from some servers' answers, as RFC 2251 had it
        b"\x30\x84\0\0\0\x28" + b"\x02\x01\x01\x78\x84\0\0\0\x1f" + BEGUN[7:],  # as Active Directory writes
    ],
)
def test_success_begins_tls(answer: bytes) -> None:
    for pieces in ([answer], octet_by_octet(answer)):
        far = Scripted(*pieces)
        assert run(LDAP.ask_for_tls(Conversation(far), b"")) == b""
        assert far.written == START_TLS


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (message(1, 0x78, result(2, b"unsupported")), r"protocolError \(2\) 'unsupported'"),
        (message(1, 0x78, result(52, b"\x1b[31m\r\n")), r"unavailable \(52\) '\?\[31m'"),
        (message(1, 0x78, result(99)), r"code \(99\) ''"),
        (notice(52, b"shutting down"), r"closes the connection: unavailable \(52\) 'shutting down'"),
        (message(2, 0x78, result(0)), "answers something else"),
        (message(1, 0x61, result(0)), "answers something else"),
        (message(1, 0x78, b"\x0a\x01\0\x04\0"), "not in its form"),
        (message(1, 0x78, b"\x0a\0\x04\0\x04\0"), "not from 0"),
        (message(1, 0x78, b""), "not in its form"),
        (BEGUN + ROOT, "in clear"),
        (BEGUN[:-1], "closed"),
        (b"", "closed"),
    ],
)
def test_whatever_else_does_not_begin_tls(answer: bytes, words: str) -> None:
    with pytest.raises(Refused, match=words):
        run(LDAP.ask_for_tls(Conversation(Scripted(answer)), b""))


def test_another_protocol_is_named_as_such() -> None:
    for ask in (
        LDAP.ask_for_tls(Conversation(Scripted(b"* OK")), b""),
        LDAP.check_health(Conversation(Scripted(b"+"))),
    ):
        with pytest.raises(Mismatch, match="does not speak LDAP"):
            run(ask)


@pytest.mark.parametrize(
    "answer",
    [
        SEARCH_DONE,
        ROOT + SEARCH_DONE,
        message(1, 0x73, b"\x04\x08ldap://x") + SEARCH_DONE,
        message(1, 0x65, result(13, b"TLS required")),
        message(1, 0x65, result(50)),
    ],
)
def test_a_server_that_answers_the_search_is_well(answer: bytes) -> None:
    for pieces in ([answer], octet_by_octet(answer)):
        far = Scripted(*pieces)
        run(LDAP.check_health(Conversation(far)))
        assert far.written == SEARCH + GOOD_BYE


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (message(1, 0x65, result(51, b"later")), r"busy \(51\) 'later'"),
        (ROOT + message(1, 0x65, result(52)), r"unavailable \(52\)"),
        (notice(52, b""), "closes the connection"),
        (ROOT * 50, "something else"),
        (ROOT, "closed"),
        (b"\x30\x84\x7f\xff\xff\xff", f"more than {MESSAGE_BYTES} octets"),
    ],
)
def test_a_server_that_does_not_is_ill(answer: bytes, words: str) -> None:
    with pytest.raises(Refused, match=words):
        run(LDAP.check_health(Conversation(Scripted(answer))))


def test_who_comes_when_no_server_is_there_is_told() -> None:
    assert LDAP.unavailable("No server") == notice(52, b"No server")
    assert LDAP.unavailable("")


def test_nothing_is_told_by_a_greeting() -> None:
    near = Scripted(BIND)
    run(LDAP.decline_tls(Conversation(near)))
    assert near.written == b""
    assert (LDAP.name, LDAP.speaks_first) == ("ldap", False)
    assert not LDAP.recognises(b"* OK\r\n")


PIECES = st.sampled_from([START_TLS, BIND, SEARCH, ABANDON, BEGUN, SEARCH_DONE, ROOT]) | st.binary(max_size=12)


@given(said=st.lists(PIECES))
def test_nothing_but_a_fault_comes_of_any_octets(said: list[bytes]) -> None:
    near = Scripted(*said)
    assert "secret" not in fault_of(LDAP.offer_tls(Conversation(near), b""))
    assert b"secret" not in near.written
    fault_of(LDAP.ask_for_tls(Conversation(Scripted(*said)), b""))
    fault_of(LDAP.check_health(Conversation(Scripted(*said))))
