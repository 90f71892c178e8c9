"""IMAP before TLS, in both roles."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scripted import Scripted, fault_of, octet_by_octet, run

from mailaccess.tunnel.conversation import LINE_BYTES, Conversation
from mailaccess.tunnel.faults import Mismatch, Refused, TunnelFault
from mailaccess.tunnel.protocols.imap import IMAP, SKIPPED_OCTETS
from mailaccess.tunnel.protocols.lines import REPLY_LINES
from mailaccess.tunnel.spoken import BAD_COMMANDS

GREETING = b"* OK ready\r\n"
OUR_GREETING = b"* OK [CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED] ready\r\n"
GO_AHEAD = b" OK Begin TLS negotiation now\r\n"
PASSWORD = b" NO [PRIVACYREQUIRED] Passwords are taken under TLS only\r\n"
LATER = b" NO [PRIVACYREQUIRED] Begin TLS first\r\n"
NONE = b" BAD This command has no arguments\r\n"
NO_COMMAND = b"* BAD Not a command\r\n"
CAPABILITIES = b"* CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED\r\n"
GOOD_BYE = b"* BYE Too many commands without TLS\r\n"
TOO_BIG = b"* BYE [TOOBIG] This literal is too large\r\n"

DIALOGS = [
    (b"a STARTTLS\r\n", b"a" + GO_AHEAD, True),
    (b"A1 starttls\n", b"A1" + GO_AHEAD, True),
    (b"1 CAPABILITY\r\n2 NOOP\r\n", CAPABILITIES + b"1 OK CAPABILITY completed\r\n2 OK NOOP completed\r\n", False),
    (b"1 LOGOUT\r\n2 STARTTLS\r\n", b"* BYE Logging out\r\n1 OK LOGOUT completed\r\n", False),
    (b"1 STARTTLS now\r\n2 STARTTLS \r\n3 NOOP x\r\n", b"1" + NONE + b"2" + NONE + b"3" + NONE, False),
    (b"1 LOGIN fred secret\r\n2 STARTTLS\r\n", b"1" + PASSWORD + b"2" + GO_AHEAD, True),
    (b'1 LOGIN fred "2 STARTTLS"\r\n', b"1" + PASSWORD, False),
    (b"1 LOGIN {4}\r\n2 STARTTLS\r\n", b"1" + PASSWORD + b"2" + GO_AHEAD, True),
    (
        b"1 LOGIN {12+}\r\n2 STARTTLS\r\n {3+}\r\n\r\n4\r\n5 NOOP\r\n",
        b"1" + PASSWORD + b"5 OK NOOP completed\r\n",
        False,
    ),
    (b"1 LOGIN {4+}\r\nfred {6}\r\n2 NOOP\r\n", b"1" + PASSWORD + b"2 OK NOOP completed\r\n", False),
    (b"1 X {" + b"0" * 20 + b"12+}\r\n2 STARTTLS\r\n\r\n2 NOOP\r\n", b"1" + LATER + b"2 OK NOOP completed\r\n", False),
    (b"1 X ~{3+}\r\n\r\n2\r\n2 NOOP\r\n", b"1" + LATER + b"2 OK NOOP completed\r\n", False),
    (b"junk {12+}\r\n2 STARTTLS\r\n\r\n3 NOOP\r\n", NO_COMMAND + b"3 OK NOOP completed\r\n", False),
    (b"1 AUTHENTICATE PLAIN\r\n2 NOOP\r\n", b"1" + PASSWORD + b"2 OK NOOP completed\r\n", False),
    (b"1 AUTHENTICATE PLAIN AGZyZWQAc2VjcmV0\r\n", b"1" + PASSWORD, False),
    (b"AGZyZWQAc2VjcmV0\r\n", NO_COMMAND, False),
    (b"1 SELECT INBOX\r\n2 ID NIL\r\n3 UID FETCH 1 ALL\r\n", b"1" + LATER + b"2" + LATER + b"3" + LATER, False),
    (b"\r\n+ STARTTLS\r\n* OK\r\nSTARTTLS\r\n1  STARTTLS\r\n", NO_COMMAND * 5, False),
    (b"t" * 129 + b" STARTTLS\r\n\xff STARTTLS\r\n", NO_COMMAND * 2, False),
    (b"", b"", False),
]


@pytest.mark.parametrize(("said", "told", "begins"), DIALOGS)
def test_a_client_is_talked_to_until_it_begins_tls(said: bytes, told: bytes, begins: bool) -> None:
    for pieces in ([said], octet_by_octet(said)):
        near = Scripted(*pieces)
        assert run(IMAP.offer_tls(Conversation(near), GREETING)) is begins
        assert near.written == OUR_GREETING + told


@pytest.mark.parametrize(
    ("greeting", "sent"),
    [
        (b"* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] ready\r\n", OUR_GREETING),
        (b"* ok [capability IMAP4rev1] ready\n", OUR_GREETING),
        (b"* OK\r\n", OUR_GREETING.replace(b"ready", b"Ready")),
        (b"* OK [CAPABILITY IMAP4rev1]\r\n", OUR_GREETING.replace(b"ready", b"Ready")),
        (b"* OK [ALERT] disk full\r\n", b"* OK [ALERT] disk full\r\n"),
    ],
)
def test_the_greeting_offers_what_there_is_before_tls(greeting: bytes, sent: bytes) -> None:
    near = Scripted()
    assert not run(IMAP.offer_tls(Conversation(near), greeting))
    assert near.written == sent


def test_a_server_that_knows_its_client_beforehand_cannot_have_tls_begin() -> None:
    for side in (IMAP.offer_tls, IMAP.ask_for_tls):
        end = Scripted(b"1 STARTTLS\r\n")
        with pytest.raises(Refused, match="PREAUTH"):
            run(side(Conversation(end), b"* PREAUTH [CAPABILITY IMAP4rev1 STARTTLS] hello\r\n"))
        assert end.written == b""


def test_what_follows_starttls_in_clear_is_neither_answered_nor_kept_for_tls() -> None:
    near = Scripted(b"1 STARTTLS\r\n2 LOGIN mallory x\r\n")
    with pytest.raises(Refused, match="in clear"):
        run(IMAP.offer_tls(Conversation(near), GREETING))
    assert near.written == OUR_GREETING


def test_what_comes_after_the_go_ahead_is_left_for_the_handshake() -> None:
    near = Scripted(b"1 STARTTLS\r\n", b"\x16\x03\x01")
    conversation = Conversation(near)
    assert run(IMAP.offer_tls(conversation, GREETING))
    assert run(conversation.hand_back().read()) == b"\x16\x03\x01"


def test_a_client_that_goes_on_in_clear_is_shown_the_door() -> None:
    near = Scripted(b"1 LOGIN fred secret\r\n" * (BAD_COMMANDS + 1))
    with pytest.raises(Refused, match="did not begin TLS"):
        run(IMAP.offer_tls(Conversation(near), GREETING))
    assert near.written == OUR_GREETING + (b"1" + PASSWORD) * BAD_COMMANDS + GOOD_BYE


@pytest.mark.parametrize("size", [b"65537", b"99999999999", b"9" * 5000, b"4294967296"])
def test_a_literal_that_nobody_needs_is_not_waited_for(size: bytes) -> None:
    near = Scripted(b"1 LOGIN {" + size + b"+}\r\nsecret")
    with pytest.raises(Refused, match="literals") as refused:
        run(IMAP.offer_tls(Conversation(near), GREETING))
    assert near.written == OUR_GREETING + TOO_BIG
    assert "secret" not in str(refused.value)


def test_the_zeros_of_a_size_cost_no_more_than_they_are_many() -> None:
    """With two expressions that both match zeros, a line of them costs a sixth of a second; ten are allowed."""
    zeros = b"1 LOGIN {" + b"0" * (LINE_BYTES - 100)
    near = Scripted((zeros + b"\r\n") * (BAD_COMMANDS - 1) + zeros + b"6+}\r\nsecret\r\n")
    began = time.process_time()
    with pytest.raises(Refused, match="did not begin TLS"):
        run(IMAP.offer_tls(Conversation(near), GREETING))
    assert time.process_time() - began < 0.5
    assert b"BAD" not in near.written


def test_many_small_literals_are_bounded_as_a_large_one_is() -> None:
    near = Scripted(b"1 LOGIN" + b" {0+}\r\n" * SKIPPED_OCTETS)
    with pytest.raises(Refused, match="literals"):
        run(IMAP.offer_tls(Conversation(near), GREETING))
    assert near.written == OUR_GREETING + TOO_BIG


@pytest.mark.parametrize(
    "said", [b"1 LOGIN fred " + b"s" * LINE_BYTES + b"\r\n", b"1 LOGIN fred secret", b"1 LOGIN {20+}\r\nsecret"]
)
def test_a_command_without_an_end_is_refused_and_never_logged(said: bytes) -> None:
    with pytest.raises(Refused) as refused:
        run(IMAP.offer_tls(Conversation(Scripted(said)), GREETING))
    assert "LOGIN" not in str(refused.value)
    assert "secret" not in str(refused.value)


WORDS = [b"1 ", b"STARTTLS", b" ", b"\r\n", b"LOGIN fred secret", b"LOGOUT", b"CAPABILITY", b"{3+}\r\n", b"{3}\r\n"]


@given(said=st.lists(st.sampled_from(WORDS) | st.binary(max_size=9)))
def test_no_client_makes_us_say_anything_but_our_own_words(said: list[bytes]) -> None:
    near = Scripted(*said)
    assert "secret" not in fault_of(IMAP.offer_tls(Conversation(near), GREETING))
    lines = near.written.removeprefix(OUR_GREETING).splitlines(keepends=True)
    whole = {NO_COMMAND, CAPABILITIES, GOOD_BYE, TOO_BIG, b"* BYE Logging out\r\n"}
    tagged = (GO_AHEAD, PASSWORD, LATER, NONE, b" completed\r\n")
    assert all(line in whole or line.endswith(tagged) for line in lines)
    assert b"+" not in near.written
    assert not any(line.endswith(GO_AHEAD) for line in lines[:-1])


ASK = b"t1 CAPABILITY\r\n"
STARTTLS = b"t2 STARTTLS\r\n"
LISTED = b"* CAPABILITY IMAP4rev1 STARTTLS\r\nt1 OK\r\n"
GREETS_WITH_LIST = b"* OK [CAPABILITY IMAP4rev1 starttls LOGINDISABLED] example.org ready\r\n"


@pytest.mark.parametrize(
    ("greeting", "answers", "said"),
    [
        (GREETS_WITH_LIST, [b"t2 OK go\r\n"], STARTTLS),
        (GREETS_WITH_LIST, [b"* OK [ALERT] x\r\nt2 ok\n"], STARTTLS),
        (b"* OK [CAPABILITY STARTTLS]\r\n", [b"t2 OK\r\n"], STARTTLS),
        (b"* OK [ALERT] full\r\n", [LISTED, b"t2 OK\r\n"], ASK + STARTTLS),
        (b"* OK [UNSEEN 1] [ALERT] a password is needed\r\n", [LISTED, b"t2 OK\r\n"], ASK + STARTTLS),
        (b"* OK \r* BYE\r\n", [LISTED, b"t2 OK\r\n"], ASK + STARTTLS),
        (GREETING, [b"* 0 EXISTS\r\n" + LISTED, b"t2 OK\r\n"], ASK + STARTTLS),
    ],
)
def test_a_server_is_asked_for_tls_and_nothing_that_it_said_before_reaches_the_client(
    greeting: bytes, answers: list[bytes], said: bytes
) -> None:
    far = Scripted(answers=answers)
    assert run(IMAP.ask_for_tls(Conversation(far), greeting)) == b"* OK Ready\r\n"
    assert far.written == said


@pytest.mark.parametrize(
    ("greeting", "answers", "said"),
    [
        (b"* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] ready\r\n", [], b""),
        (b"* OK [CAPABILITY IMAP4rev1 XSTARTTLS] ready\r\n", [], b""),
        (GREETING, [b"* CAPABILITY IMAP4rev1\r\nt1 OK\r\n"], ASK),
        (GREETING, [b"t1 OK\r\n"], ASK),
        (GREETING, [b"t1 BAD what?\r\n"], ASK),
        (GREETING, [b"* OK\r\n" * REPLY_LINES + LISTED], ASK),
        (GREETS_WITH_LIST, [b"t2 NO not now\r\n"], STARTTLS),
        (GREETS_WITH_LIST, [b"t2 BAD what?\r\n"], STARTTLS),
        (GREETS_WITH_LIST, [b"t2\r\n"], STARTTLS),
        (GREETS_WITH_LIST, [b"t2 OKAY\r\n"], STARTTLS),
        (GREETS_WITH_LIST, [b"* BYE\r\n"], STARTTLS),
        (GREETS_WITH_LIST, [b"t2 OK go\r\n* CAPABILITY IMAP4rev1\r\n"], STARTTLS),
    ],
)
def test_a_server_that_does_not_begin_tls_gets_nothing_more(greeting: bytes, answers: list[bytes], said: bytes) -> None:
    far = Scripted(answers=answers)
    with pytest.raises(Refused):
        run(IMAP.ask_for_tls(Conversation(far), greeting))
    assert far.written == said


@pytest.mark.parametrize(("greeting", "fault"), [(b"+OK ready\r\n", Mismatch), (b"* BYE full\r\n", Refused)])
def test_a_server_that_is_another_or_does_not_serve_is_not_talked_to(greeting: bytes, fault: type[TunnelFault]) -> None:
    far = Scripted()
    with pytest.raises(fault):
        run(IMAP.ask_for_tls(Conversation(far), greeting))
    assert far.written == b""


@given(
    greeting=st.sampled_from([GREETING, GREETS_WITH_LIST]) | st.binary(max_size=20),
    said=st.lists(st.sampled_from([b"t1 OK", b"t2 OK", LISTED, b"* OK", b" ", b"\r\n"]) | st.binary(max_size=9)),
)
def test_no_server_gets_more_than_the_questions(greeting: bytes, said: list[bytes]) -> None:
    far = Scripted(*said)
    assert "\n" not in fault_of(IMAP.ask_for_tls(Conversation(far), greeting))
    assert far.written in {b"", ASK, STARTTLS, ASK + STARTTLS}


def test_a_server_that_serves_is_well() -> None:
    far = Scripted(GREETING, answers=[b"* 1 EXISTS\r\nt1 OK\r\n", b"* BYE\r\nt2 OK\r\n"])
    run(IMAP.check_health(Conversation(far)))
    assert far.written == b"t1 NOOP\r\nt2 LOGOUT\r\n"


@pytest.mark.parametrize(
    ("greeting", "answers", "fault"),
    [
        (b"* BYE full\r\n", [], Refused),
        (b"+OK ready\r\n", [], Mismatch),
        (b"", [], Refused),
        (GREETING, [b""], Refused),
        (GREETING, [b"t1 NO [SERVERBUG] ill\r\n"], Refused),
    ],
)
def test_a_server_that_does_not_serve_is_ill(greeting: bytes, answers: list[bytes], fault: type[TunnelFault]) -> None:
    with pytest.raises(fault):
        run(IMAP.check_health(Conversation(Scripted(greeting, answers=answers))))
