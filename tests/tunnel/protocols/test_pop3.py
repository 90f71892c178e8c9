"""POP3 before TLS, in both roles."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scripted import Scripted, fault_of, octet_by_octet, run

from mailaccess.tunnel.conversation import LINE_BYTES, Conversation
from mailaccess.tunnel.faults import Mismatch, Refused, TunnelFault
from mailaccess.tunnel.protocols.pop3 import POP3
from mailaccess.tunnel.spoken import BAD_COMMANDS

GREETING = b"+OK <1896.697170952@example.org>\r\n"
GO_AHEAD = b"+OK Begin TLS negotiation now\r\n"
LATER = b"-ERR Say STLS first\r\n"
PASSWORD = b"-ERR [SYS/PERM] A password is accepted under TLS only: say STLS first\r\n"
CAPABILITIES = b"+OK Capabilities follow\r\nRESP-CODES\r\nAUTH-RESP-CODE\r\nSTLS\r\n.\r\n"
GOOD_BYE = b"-ERR Too many commands without TLS\r\n"

DIALOGS = [
    (b"STLS\r\n", GO_AHEAD, True),
    (b"stls\n", GO_AHEAD, True),
    (b"CAPA\r\nSTLS\r\n", CAPABILITIES + GO_AHEAD, True),
    (b"CAPA\r\nQUIT\r\n", CAPABILITIES + b"+OK Bye\r\n", False),
    (b"USER fred\r\nPASS secret\r\nSTLS\r\n", PASSWORD + PASSWORD + GO_AHEAD, True),
    (b"APOP fred c4c9334bac560ecc979e58001b3e22fb\r\n", PASSWORD, False),
    (b"AUTH PLAIN AGZyZWQAc2VjcmV0\r\nAUTH\r\n", PASSWORD + PASSWORD, False),
    (b"STLS now\r\nSTLS\r\n", b"-ERR Wrong number of arguments\r\n" + GO_AHEAD, True),
    (b"NOOP\r\nSTAT\r\n\r\nAGZyZWQAc2VjcmV0\r\n", LATER * 4, False),
    (b"STLSX\r\n", LATER, False),
    (b"\x16\x03\x01\n", LATER, False),
    (b"", b"", False),
]


@pytest.mark.parametrize(("said", "told", "begins"), DIALOGS)
def test_a_client_is_talked_to_until_it_begins_tls(said: bytes, told: bytes, begins: bool) -> None:
    for pieces in ([said], octet_by_octet(said)):
        near = Scripted(*pieces)
        assert run(POP3.offer_tls(Conversation(near), GREETING)) is begins
        assert near.written == GREETING + told


def test_what_follows_stls_in_clear_is_neither_answered_nor_kept_for_tls() -> None:
    near = Scripted(b"STLS\r\nUSER mallory\r\n")
    with pytest.raises(Refused, match="in clear"):
        run(POP3.offer_tls(Conversation(near), GREETING))
    assert near.written == GREETING


def test_what_comes_after_the_go_ahead_is_left_for_the_handshake() -> None:
    near = Scripted(b"STLS\r\n", b"\x16\x03\x01")
    conversation = Conversation(near)
    assert run(POP3.offer_tls(conversation, GREETING))
    assert run(conversation.hand_back().read()) == b"\x16\x03\x01"


def test_a_client_that_goes_on_in_clear_is_shown_the_door() -> None:
    near = Scripted(b"USER fred\r\n" * (BAD_COMMANDS + 1))
    with pytest.raises(Refused, match="did not begin TLS"):
        run(POP3.offer_tls(Conversation(near), GREETING))
    assert near.written == GREETING + PASSWORD * BAD_COMMANDS + GOOD_BYE


@pytest.mark.parametrize("said", [b"PASS " + b"s" * LINE_BYTES + b"\r\n", b"PASS secret"])
def test_a_line_without_an_end_is_refused_and_never_logged(said: bytes) -> None:
    with pytest.raises(Refused) as refused:
        run(POP3.offer_tls(Conversation(Scripted(said)), GREETING))
    assert "PASS" not in str(refused.value)


@given(
    said=st.lists(st.sampled_from([b"STLS", b" ", b"\r\n", b"PASS secret", b"QUIT", b"CAPA"]) | st.binary(max_size=9))
)
def test_no_client_makes_us_say_anything_but_our_own_words(said: list[bytes]) -> None:
    near = Scripted(*said)
    assert "secret" not in fault_of(POP3.offer_tls(Conversation(near), GREETING))
    lines = near.written.removeprefix(GREETING).splitlines(keepends=True)
    own = {GO_AHEAD, LATER, PASSWORD, GOOD_BYE, b"+OK Bye\r\n", b"-ERR Wrong number of arguments\r\n"}
    assert set(lines) <= own | set(CAPABILITIES.splitlines(keepends=True))
    assert GO_AHEAD not in lines[:-1]


@pytest.mark.parametrize("reply", [b"+OK\r\n", b"+OK Begin TLS\r\n", b"+OK go\n"])
def test_a_server_is_asked_for_tls(reply: bytes) -> None:
    far = Scripted(answers=[reply])
    assert run(POP3.ask_for_tls(Conversation(far), GREETING)) == b"+OK Ready <1896.697170952@example.org>\r\n"
    assert far.written == b"STLS\r\n"


@pytest.mark.parametrize(
    ("greeting", "seen"),
    [
        (b"+OK Ready <1@a.example> <2@b.example>\r\n", b"+OK Ready <1@a.example>\r\n"),
        (b"+OK [SYS/PERM] your password is needed\r\n", b"+OK Ready\r\n"),
        (b"+OK \r-ERR evil\r\n", b"+OK Ready\r\n"),
        (b"+OK <a\x80@b> <a b@c> <@> <a@\r> <a<b@c\r\n", b"+OK Ready\r\n"),
        (b"+OK <" + b"a" * 201 + b"@b>\r\n", b"+OK Ready\r\n"),
    ],
)
def test_nothing_but_a_timestamp_that_came_before_tls_reaches_the_client(greeting: bytes, seen: bytes) -> None:
    assert run(POP3.ask_for_tls(Conversation(Scripted(answers=[b"+OK\r\n"])), greeting)) == seen


@pytest.mark.parametrize("reply", [b"-ERR no TLS here\r\n", b"-ERR\r\n", b"+OKAY\r\n", b"\r\n", b"* OK\r\n", b"+OK"])
def test_a_server_that_does_not_begin_tls_gets_nothing_more(reply: bytes) -> None:
    far = Scripted(answers=[reply])
    with pytest.raises(Refused):
        run(POP3.ask_for_tls(Conversation(far), GREETING))
    assert far.written == b"STLS\r\n"


def test_what_a_server_says_in_clear_behind_its_go_ahead_is_refused() -> None:
    with pytest.raises(Refused, match="in clear"):
        run(POP3.ask_for_tls(Conversation(Scripted(answers=[b"+OK\r\n+OK fake\r\n"])), GREETING))


def test_a_server_of_another_protocol_is_not_talked_to() -> None:
    far = Scripted()
    with pytest.raises(Mismatch):
        run(POP3.ask_for_tls(Conversation(far), b"* OK ready\r\n"))
    assert far.written == b""


@given(said=st.lists(st.sampled_from([b"+OK", b"-ERR", b" ", b"\r\n"]) | st.binary(max_size=9)))
def test_no_server_gets_more_than_the_question(said: list[bytes]) -> None:
    far = Scripted(*said)
    assert "\n" not in fault_of(POP3.ask_for_tls(Conversation(far), GREETING))
    assert far.written == b"STLS\r\n"


def test_a_server_that_serves_is_well() -> None:
    far = Scripted(GREETING, answers=[b"+OK Bye\r\n"])
    run(POP3.check_health(Conversation(far)))
    assert far.written == b"QUIT\r\n"


@pytest.mark.parametrize(
    ("greeting", "answer", "fault"),
    [
        (b"-ERR [SYS/TEMP] later\r\n", b"", Refused),
        (b"* OK ready\r\n", b"", Mismatch),
        (b"", b"", Refused),
        (GREETING, b"", Refused),
        (GREETING, b"-ERR\r\n", Refused),
    ],
)
def test_a_server_that_does_not_serve_is_ill(greeting: bytes, answer: bytes, fault: type[TunnelFault]) -> None:
    with pytest.raises(fault):
        run(POP3.check_health(Conversation(Scripted(greeting, answers=[answer]))))
