"""What the protocols with lines share: whose greeting it is, and replies of several lines."""

import pytest
from scripted import Scripted, octet_by_octet, run

from mailaccess.tunnel.conversation import Conversation
from mailaccess.tunnel.faults import Mismatch, Refused
from mailaccess.tunnel.protocols.imap import IMAP
from mailaccess.tunnel.protocols.lines import REPLY_LINES, check_greeting, command, protocol_of, whole_reply
from mailaccess.tunnel.protocols.nntp import NNTP
from mailaccess.tunnel.protocols.pop3 import POP3
from mailaccess.tunnel.protocols.smtp import SMTP
from mailaccess.tunnel.spoken import Spoken

ALL: list[Spoken] = [IMAP, POP3, SMTP, NNTP]

GREETINGS = [
    (b"* OK [CAPABILITY IMAP4rev1] ready\r\n", "imap", True),
    (b"* ok ready\n", "imap", True),
    (b"* PREAUTH ready\r\n", "imap", True),
    (b"* BYE no\r\n", "imap", False),
    (b"+OK <1.2@example.org>\r\n", "pop3", True),
    (b"+OK\r\n", "pop3", True),
    (b"-ERR [SYS/TEMP] later\r\n", "pop3", False),
    (b"220 example.org ESMTP\r\n", "smtp", True),
    (b"220-example.org ESMTP\r\n", "smtp", True),
    (b"421 4.3.2 closing\r\n", "smtp", False),
    (b"554-example.org\r\n", "smtp", False),
    (b"200 posting allowed\r\n", "nntp", True),
    (b"201 no posting\r\n", "nntp", True),
    (b"400 later\r\n", "nntp", False),
    (b"502 never\r\n", "nntp", False),
    (b"SSH-2.0-OpenSSH_9.2\r\n", "", False),
    (b"HTTP/1.1 400 Bad Request\r\n", "", False),
    (b"2200 example.org\r\n", "", False),
    (b"+OKAY\r\n", "", False),
    (b"* OKAY\r\n", "", False),
    (b"", "", False),
    (b"\r\n", "", False),
]


@pytest.mark.parametrize(("greeting", "name", "good"), GREETINGS)
def test_a_greeting_is_one_protocols_at_most_and_good_or_not(greeting: bytes, name: str, good: bool) -> None:
    assert protocol_of(greeting) == name
    assert [spoken.name for spoken in ALL if spoken.recognises(greeting)] == ([name] if name else [])
    assert [spoken.name for spoken in ALL if spoken.welcomes(greeting)] == ([name] if good else [])


def test_another_protocols_greeting_is_a_mismatch_that_names_both() -> None:
    with pytest.raises(Mismatch, match=r"imap greeting where pop3 is expected: '\* OK ready'"):
        check_greeting(POP3, b"* OK ready\r\n")
    with pytest.raises(Mismatch, match=r"unknown greeting where smtp is expected: 'SSH-2.0-x'"):
        check_greeting(SMTP, b"SSH-2.0-x\r\n")


def test_a_bad_greeting_is_refused() -> None:
    with pytest.raises(Refused, match=r"greets with '\* BYE full'"):
        check_greeting(IMAP, b"* BYE full\r\n")
    check_greeting(IMAP, b"* OK ready\r\n")


@pytest.mark.parametrize(
    ("first", "rest", "whole"),
    [
        (b"220 one\r\n", b"EXTRA\r\n", b"220 one\r\n"),
        (b"* OK one\r\n", b"EXTRA\r\n", b"* OK one\r\n"),
        (b"220-one\r\n", b"220-two\r\n220 three\r\nEXTRA\r\n", b"220-one\r\n220-two\r\n220 three\r\n"),
        (b"220-one\r\n220-two\r\n220 three\r\n", b"EXTRA\r\n", b"220-one\r\n220-two\r\n220 three\r\n"),
        (b"220-a\rb\r\n", b"220 two\r\nEXTRA\r\n", b"220-a\rb\r\n220 two\r\n"),
        (b"220-one\n", b"220\nEXTRA\r\n", b"220-one\n220\n"),
    ],
)
def test_a_reply_is_read_to_its_last_line_and_no_further(first: bytes, rest: bytes, whole: bytes) -> None:
    for pieces in ([rest], octet_by_octet(rest)):
        far = Conversation(Scripted(*pieces))
        assert run(whole_reply(far, first)) == whole
        assert run(far.line()) == b"EXTRA\r\n"


def test_a_reply_without_an_end_is_refused() -> None:
    with pytest.raises(Refused, match="lines"):
        run(whole_reply(Conversation(Scripted(b"220-x\r\n" * REPLY_LINES)), b"220-x\r\n"))


@pytest.mark.parametrize(
    ("spoken", "words"),
    [
        (IMAP, b"* BYE [UNAVAILABLE] Nobody is in\r\n"),
        (POP3, b"-ERR [SYS/TEMP] Nobody is in\r\n"),
        (SMTP, b"421 4.3.2 Nobody is in\r\n"),
        (NNTP, b"400 Nobody is in\r\n"),
    ],
)
def test_a_client_is_told_that_there_is_no_server_in_its_own_protocol(spoken: Spoken, words: bytes) -> None:
    assert spoken.speaks_first
    assert spoken.unavailable("Nobody is in") == words
    assert spoken.recognises(words)
    assert not spoken.welcomes(words)


@pytest.mark.parametrize("spoken", ALL)
def test_nobody_asks_for_tls_that_was_not_offered(spoken: Spoken) -> None:
    near = Scripted(b"anything")
    run(spoken.decline_tls(Conversation(near)))
    assert near.written == b""
    assert run(near.read()) == b"anything"


@pytest.mark.parametrize("reply", [b"250 OK\r\n", b"250\n", b"250-a\r\n250 b\r\n", b"250-a\r\n250\r\n"])
def test_a_command_has_its_reply(reply: bytes) -> None:
    far = Scripted(answers=[reply])
    assert run(command(Conversation(far), b"NOOP", b"250")) == reply
    assert far.written == b"NOOP\r\n"


@pytest.mark.parametrize("reply", [b"500 what?\r\n", b"2500\r\n", b"25\r\n", b"\r\n", b"250-a\r\n421 b\r\n"])
def test_a_command_with_another_reply_is_refused(reply: bytes) -> None:
    with pytest.raises(Refused, match="the server answers NOOP with"):
        run(command(Conversation(Scripted(answers=[reply])), b"NOOP", b"250"))
