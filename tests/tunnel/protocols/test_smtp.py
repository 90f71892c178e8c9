"""SMTP before TLS, in both roles."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scripted import Scripted, fault_of, octet_by_octet, run

from mailaccess.tunnel.conversation import LINE_BYTES, Conversation
from mailaccess.tunnel.faults import Mismatch, Refused, TunnelFault
from mailaccess.tunnel.protocols.lines import REPLY_LINES
from mailaccess.tunnel.protocols.smtp import SMTP
from mailaccess.tunnel.spoken import BAD_COMMANDS

GREETING = b"220-mail.example.org ESMTP\r\n220 no spam\r\n"
GO_AHEAD = b"220 2.0.0 Ready to start TLS\r\n"
LISTED = b"250-mail.example.org\r\n250-ENHANCEDSTATUSCODES\r\n250 STARTTLS\r\n"
LATER = b"530 5.7.0 Must issue a STARTTLS command first\r\n"
NO_PARAMETERS = b"501 5.5.4 This command has no parameters\r\n"
NO_NAME = b"501 5.5.4 EHLO needs a name\r\n"
FINE = b"250 2.0.0 OK\r\n"
BYE = b"221 2.0.0 Bye\r\n"
GOOD_BYE = b"421 4.7.0 Too many commands without TLS\r\n"

DIALOGS = [
    (b"EHLO client\r\nSTARTTLS\r\n", LISTED + GO_AHEAD, True),
    (b"starttls\n", GO_AHEAD, True),
    (b"EHLO\r\nehlo [127.0.0.1]\r\nQUIT\r\n", NO_NAME + LISTED + BYE, False),
    (b"HELO client\r\nRSET\r\nVRFY fred\r\n\r\n", LATER * 4, False),
    (b"NOOP\r\nNOOP hello\r\n", FINE * 2, False),
    (b"AUTH PLAIN AGZyZWQAc2VjcmV0\r\nAUTH LOGIN\r\nc2VjcmV0\r\nSTARTTLS\r\n", LATER * 3 + GO_AHEAD, True),
    (b"MAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.org>\r\nDATA\r\n", LATER * 3, False),
    (b"STARTTLS now\r\nQUIT now\r\nSTARTTLS\r\n", NO_PARAMETERS * 2 + GO_AHEAD, True),
    (b"", b"", False),
]


@pytest.mark.parametrize(("said", "told", "begins"), DIALOGS)
def test_a_client_is_talked_to_until_it_begins_tls(said: bytes, told: bytes, begins: bool) -> None:
    for pieces in ([said], octet_by_octet(said)):
        near = Scripted(*pieces)
        assert run(SMTP.offer_tls(Conversation(near), GREETING)) is begins
        assert near.written == GREETING + told


@pytest.mark.parametrize(
    ("greeting", "domain"),
    [
        (b"220 mx1.example.org\r\n", b"mx1.example.org"),
        (b"220 [192.0.2.1] ready\r\n", b"[192.0.2.1]"),
        (b"220 \r\n", b"localhost"),
        (b"220\r\n", b"localhost"),
        (b"220 mail_1 hello\r\n", b"localhost"),
        (b"220 ***\xff*** hello\r\n", b"localhost"),
    ],
)
def test_our_list_has_the_name_that_the_server_greets_with(greeting: bytes, domain: bytes) -> None:
    near = Scripted(b"EHLO client\r\n")
    assert not run(SMTP.offer_tls(Conversation(near), greeting))
    assert near.written == greeting + LISTED.replace(b"mail.example.org", domain)


def test_what_follows_starttls_in_clear_is_neither_answered_nor_kept_for_tls() -> None:
    near = Scripted(b"STARTTLS\r\nMAIL FROM:<mallory@example.org>\r\n")
    with pytest.raises(Refused, match="in clear"):
        run(SMTP.offer_tls(Conversation(near), GREETING))
    assert near.written == GREETING


def test_what_comes_after_the_go_ahead_is_left_for_the_handshake() -> None:
    conversation = Conversation(Scripted(b"STARTTLS\r\n", b"\x16\x03\x01"))
    assert run(SMTP.offer_tls(conversation, GREETING))
    assert run(conversation.hand_back().read()) == b"\x16\x03\x01"


def test_a_client_that_goes_on_in_clear_is_shown_the_door() -> None:
    near = Scripted(b"AUTH PLAIN AGZyZWQAc2VjcmV0\r\n" * (BAD_COMMANDS + 1))
    with pytest.raises(Refused, match="did not begin TLS"):
        run(SMTP.offer_tls(Conversation(near), GREETING))
    assert near.written == GREETING + LATER * BAD_COMMANDS + GOOD_BYE


@pytest.mark.parametrize("said", [b"AUTH PLAIN " + b"s" * LINE_BYTES + b"\r\n", b"AUTH PLAIN secret"])
def test_a_line_without_an_end_is_refused_and_never_logged(said: bytes) -> None:
    with pytest.raises(Refused) as refused:
        run(SMTP.offer_tls(Conversation(Scripted(said)), GREETING))
    assert "PLAIN" not in str(refused.value)


WORDS = [b"STARTTLS", b" ", b"\r\n", b"AUTH PLAIN secret", b"QUIT", b"EHLO x", b"NOOP"]


@given(said=st.lists(st.sampled_from(WORDS) | st.binary(max_size=9)))
def test_no_client_makes_us_say_anything_but_our_own_words(said: list[bytes]) -> None:
    near = Scripted(*said)
    assert "secret" not in fault_of(SMTP.offer_tls(Conversation(near), GREETING))
    lines = near.written.removeprefix(GREETING).splitlines(keepends=True)
    own = {GO_AHEAD, LATER, NO_PARAMETERS, NO_NAME, FINE, BYE, GOOD_BYE}
    assert set(lines) <= own | set(LISTED.splitlines(keepends=True))
    assert GO_AHEAD not in lines[:-1]


EHLO = b"EHLO [127.0.0.1]\r\n"
STARTTLS = b"STARTTLS\r\n"
OUR_GREETING = b"220 mail.example.org ESMTP Ready\r\n"
OFFER = b"250-mail.example.org\r\n250-SIZE 1000\r\n250 STARTTLS\r\n"


@pytest.mark.parametrize("answers", [[OFFER, b"220 go\r\n"], [b"250-x\n250-starttls\n250 HELP\n", b"220-go\n220\n"]])
def test_a_server_is_asked_for_tls(answers: list[bytes]) -> None:
    far = Scripted(answers=answers)
    assert run(SMTP.ask_for_tls(Conversation(far), GREETING)) == OUR_GREETING
    assert far.written == EHLO + STARTTLS


@pytest.mark.parametrize(
    ("greeting", "name"),
    [
        (b"220 ***\r\n", b"localhost"),
        (b"220 a\r421 evil\r\n", b"a"),
        (b"220-\n220-evil.example\n220 your password\r\n", b"localhost"),
    ],
)
def test_nothing_but_a_name_that_came_before_tls_reaches_the_client(greeting: bytes, name: bytes) -> None:
    far = Scripted(answers=[OFFER, b"220 go\r\n"])
    assert run(SMTP.ask_for_tls(Conversation(far), greeting)) == b"220 " + name + b" ESMTP Ready\r\n"


def test_a_greeting_of_several_lines_is_read_to_its_end_before_anything_is_said() -> None:
    far = Scripted(b"220 no spam\r\n", answers=[OFFER, b"220 go\r\n"])
    assert run(SMTP.ask_for_tls(Conversation(far), b"220-mail.example.org ESMTP\r\n")) == OUR_GREETING
    assert far.written == EHLO + STARTTLS


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ([b"250 mail.example.org\r\n"], EHLO),
        ([b"250-STARTTLS.example.org\r\n250 XSTARTTLS\r\n"], EHLO),
        ([b"502 what?\r\n"], EHLO),
        ([b"2500 STARTTLS\r\n"], EHLO),
        ([b"250-x\r\n" * (REPLY_LINES + 1) + b"250 STARTTLS\r\n"], EHLO),
        ([OFFER, b"454 4.3.0 not now\r\n"], EHLO + STARTTLS),
        ([OFFER, b"250 fine\r\n"], EHLO + STARTTLS),
        ([OFFER, b"2200 go\r\n"], EHLO + STARTTLS),
        ([OFFER, b"220 go"], EHLO + STARTTLS),
        ([OFFER, b"220 go\r\n250 fake\r\n"], EHLO + STARTTLS),
    ],
)
def test_a_server_that_does_not_begin_tls_gets_nothing_more(answers: list[bytes], said: bytes) -> None:
    far = Scripted(answers=answers)
    with pytest.raises(Refused):
        run(SMTP.ask_for_tls(Conversation(far), GREETING))
    assert far.written == said


@pytest.mark.parametrize(("greeting", "fault"), [(b"+OK ready\r\n", Mismatch), (b"554 no\r\n", Refused)])
def test_a_server_that_is_another_or_does_not_serve_is_not_talked_to(greeting: bytes, fault: type[TunnelFault]) -> None:
    far = Scripted()
    with pytest.raises(fault):
        run(SMTP.ask_for_tls(Conversation(far), greeting))
    assert far.written == b""


@given(said=st.lists(st.sampled_from([OFFER, b"220 ", b"250-", b"250 ", b"\r\n"]) | st.binary(max_size=9)))
def test_no_server_gets_more_than_the_questions(said: list[bytes]) -> None:
    far = Scripted(*said)
    assert "\n" not in fault_of(SMTP.ask_for_tls(Conversation(far), GREETING))
    assert far.written in {EHLO, EHLO + STARTTLS}


def test_a_server_that_serves_is_well() -> None:
    far = Scripted(GREETING, answers=[b"250 OK\r\n", b"221 Bye\r\n"])
    run(SMTP.check_health(Conversation(far)))
    assert far.written == b"NOOP\r\nQUIT\r\n"


@pytest.mark.parametrize(
    ("greeting", "answers", "fault"),
    [
        (b"421 4.3.2 closing\r\n", [], Refused),
        (b"200 news\r\n", [], Mismatch),
        (b"", [], Refused),
        (GREETING, [b""], Refused),
        (GREETING, [b"421 4.3.0 ill\r\n"], Refused),
    ],
)
def test_a_server_that_does_not_serve_is_ill(greeting: bytes, answers: list[bytes], fault: type[TunnelFault]) -> None:
    with pytest.raises(fault):
        run(SMTP.check_health(Conversation(Scripted(greeting, answers=answers))))
