"""NNTP before TLS, in both roles."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scripted import Scripted, fault_of, octet_by_octet, run

from mailaccess.tunnel.conversation import LINE_BYTES, Conversation
from mailaccess.tunnel.faults import Mismatch, Refused, TunnelFault
from mailaccess.tunnel.protocols.nntp import NNTP
from mailaccess.tunnel.spoken import BAD_COMMANDS

GREETING = b"201 news.example.org InterNetNews server ready (no posting)\r\n"
GO_AHEAD = b"382 Continue with TLS negotiation\r\n"
LATER = b"483 Begin TLS first: say STARTTLS\r\n"
NO_ARGUMENTS = b"501 This command has no arguments\r\n"
CAPABILITIES = b"101 Capability list follows\r\nVERSION 2\r\nSTARTTLS\r\n.\r\n"
BYE = b"205 Bye\r\n"
GOOD_BYE = b"400 Too many commands without TLS\r\n"

DIALOGS = [
    (b"STARTTLS\r\n", GO_AHEAD, True),
    (b"starttls\n", GO_AHEAD, True),
    (b"CAPABILITIES\r\ncapabilities READER\r\nQUIT\r\n", CAPABILITIES * 2 + BYE, False),
    (b"MODE READER\r\nSTARTTLS\r\n", LATER + GO_AHEAD, True),
    (b"AUTHINFO USER fred\r\nAUTHINFO PASS secret\r\nAUTHINFO SASL PLAIN AGZyZWQAc2VjcmV0\r\n", LATER * 3, False),
    (b"GROUP misc.test\r\nDATE\r\nPOST\r\nIHAVE <1@x>\r\n\r\n", LATER * 5, False),
    (b"STARTTLS now\r\nQUIT now\r\nSTARTTLS\r\n", NO_ARGUMENTS * 2 + GO_AHEAD, True),
    (b"", b"", False),
]


@pytest.mark.parametrize(("said", "told", "begins"), DIALOGS)
def test_a_client_is_talked_to_until_it_begins_tls(said: bytes, told: bytes, begins: bool) -> None:
    for pieces in ([said], octet_by_octet(said)):
        near = Scripted(*pieces)
        assert run(NNTP.offer_tls(Conversation(near), GREETING)) is begins
        assert near.written == GREETING + told


def test_what_follows_starttls_in_clear_is_neither_answered_nor_kept_for_tls() -> None:
    near = Scripted(b"STARTTLS\r\nAUTHINFO USER mallory\r\n")
    with pytest.raises(Refused, match="in clear"):
        run(NNTP.offer_tls(Conversation(near), GREETING))
    assert near.written == GREETING


def test_what_comes_after_the_go_ahead_is_left_for_the_handshake() -> None:
    near = Scripted(b"STARTTLS\r\n", b"\x16\x03\x01")
    conversation = Conversation(near)
    assert run(NNTP.offer_tls(conversation, GREETING))
    assert run(conversation.hand_back().read()) == b"\x16\x03\x01"


def test_a_client_that_goes_on_in_clear_is_shown_the_door() -> None:
    near = Scripted(b"AUTHINFO PASS secret\r\n" * (BAD_COMMANDS + 1))
    with pytest.raises(Refused, match="did not begin TLS"):
        run(NNTP.offer_tls(Conversation(near), GREETING))
    assert near.written == GREETING + LATER * BAD_COMMANDS + GOOD_BYE


@pytest.mark.parametrize("said", [b"AUTHINFO PASS " + b"s" * LINE_BYTES + b"\r\n", b"AUTHINFO PASS secret"])
def test_a_line_without_an_end_is_refused_and_never_logged(said: bytes) -> None:
    with pytest.raises(Refused) as refused:
        run(NNTP.offer_tls(Conversation(Scripted(said)), GREETING))
    assert "PASS" not in str(refused.value)


WORDS = [b"STARTTLS", b" ", b"\r\n", b"AUTHINFO PASS secret", b"QUIT", b"CAPABILITIES"]


@given(said=st.lists(st.sampled_from(WORDS) | st.binary(max_size=9)))
def test_no_client_makes_us_say_anything_but_our_own_words(said: list[bytes]) -> None:
    near = Scripted(*said)
    assert "secret" not in fault_of(NNTP.offer_tls(Conversation(near), GREETING))
    lines = near.written.removeprefix(GREETING).splitlines(keepends=True)
    own = {GO_AHEAD, LATER, NO_ARGUMENTS, BYE, GOOD_BYE}
    assert set(lines) <= own | set(CAPABILITIES.splitlines(keepends=True))
    assert GO_AHEAD not in lines[:-1]


@pytest.mark.parametrize("reply", [b"382\r\n", b"382 Continue\r\n", b"382 go\n"])
def test_a_server_is_asked_for_tls(reply: bytes) -> None:
    far = Scripted(answers=[reply])
    assert run(NNTP.ask_for_tls(Conversation(far), GREETING)) == b"201 Ready\r\n"
    assert far.written == b"STARTTLS\r\n"


@pytest.mark.parametrize("greeting", [b"200 \r400 evil\r\n", b"200\n", b"200 send your password\r\n"])
def test_nothing_but_a_code_that_came_before_tls_reaches_the_client(greeting: bytes) -> None:
    far = Scripted(answers=[b"382 go\r\n"])
    assert run(NNTP.ask_for_tls(Conversation(far), greeting)) == b"200 Ready\r\n"


@pytest.mark.parametrize("reply", [b"580 no TLS here\r\n", b"500\r\n", b"3820\r\n", b"\r\n", b"382"])
def test_a_server_that_does_not_begin_tls_gets_nothing_more(reply: bytes) -> None:
    far = Scripted(answers=[reply])
    with pytest.raises(Refused):
        run(NNTP.ask_for_tls(Conversation(far), GREETING))
    assert far.written == b"STARTTLS\r\n"


def test_what_a_server_says_in_clear_behind_its_go_ahead_is_refused() -> None:
    with pytest.raises(Refused, match="in clear"):
        run(NNTP.ask_for_tls(Conversation(Scripted(answers=[b"382 go\r\n200 fake\r\n"])), GREETING))


def test_a_server_of_another_protocol_is_not_talked_to() -> None:
    far = Scripted()
    with pytest.raises(Mismatch):
        run(NNTP.ask_for_tls(Conversation(far), b"* OK ready\r\n"))
    assert far.written == b""


@given(said=st.lists(st.sampled_from([b"382", b"580", b" ", b"\r\n"]) | st.binary(max_size=9)))
def test_no_server_gets_more_than_the_question(said: list[bytes]) -> None:
    far = Scripted(*said)
    assert "\n" not in fault_of(NNTP.ask_for_tls(Conversation(far), GREETING))
    assert far.written == b"STARTTLS\r\n"


def test_a_server_that_serves_is_well() -> None:
    far = Scripted(GREETING, answers=[b"205 Bye\r\n"])
    run(NNTP.check_health(Conversation(far)))
    assert far.written == b"QUIT\r\n"


@pytest.mark.parametrize(
    ("greeting", "answer", "fault"),
    [
        (b"400 later\r\n", b"", Refused),
        (b"502 never\r\n", b"", Refused),
        (b"220 mail.example.org\r\n", b"", Mismatch),
        (b"", b"", Refused),
        (GREETING, b"", Refused),
        (GREETING, b"500 what?\r\n", Refused),
    ],
)
def test_a_server_that_does_not_serve_is_ill(greeting: bytes, answer: bytes, fault: type[TunnelFault]) -> None:
    with pytest.raises(fault):
        run(NNTP.check_health(Conversation(Scripted(greeting, answers=[answer]))))
