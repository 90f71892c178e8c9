"""One command at a time, one tagged reply each, and nothing without bounds."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.defer import Deferred

from mailaccess.errors import Code
from mailaccess.imap.dispatch import VERBS
from mailaccess.mailbox.account import Account
from tests.imap.conftest import Connect
from tests.imap.scripted import TAGGED, Client, Events, message, new_account


def test_greeting_tells_the_capabilities(connect: Connect) -> None:
    assert connect().greeting.startswith(b"* OK [CAPABILITY IMAP4rev1 ")


def test_a_command_waits_for_the_one_before(connect: Connect) -> None:
    client = connect()
    client.link.login_waits_for = waiting = Deferred[None]()
    assert client.send(b"a LOGIN joe secret\r\nb SELECT INBOX\r\nc LOGOUT\r\n") == b""
    waiting.callback(None)
    replies = TAGGED.findall(client.read())
    assert replies == [b"a OK ", b"b OK ", b"c OK "]
    assert client.link.closed
    assert client.link.logouts == 1


def test_reading_stops_while_too_much_waits(connect: Connect) -> None:
    client = connect(queued_commands=3)
    client.link.login_waits_for = waiting = Deferred[None]()
    client.send(b"a LOGIN joe secret\r\n")
    client.send(b"".join(b"b%d NOOP\r\n" % number for number in range(3)))
    wanted = [client.link.wants_more]
    client.send(b"c NOOP\r\n")
    wanted.append(client.link.wants_more)
    waiting.callback(None)
    wanted.append(client.link.wants_more)
    assert wanted == [True, False, True]
    assert len(TAGGED.findall(client.read())) == 5


def test_reading_stops_at_too_many_octets(connect: Connect) -> None:
    client = connect(line_bytes=1000)
    client.link.login_waits_for = waiting = Deferred[None]()
    client.send(b"a LOGIN joe secret\r\n")
    client.send(b"b NOOP" + b" " * 2000)
    assert not client.link.wants_more
    waiting.callback(None)
    assert client.link.wants_more


def test_no_command_begins_before_the_client_took_the_last_answer(client: Client) -> None:
    client.link.slow = True
    answer = client.send(b"a CAPABILITY\r\nb CAPABILITY\r\nc CAPABILITY\r\n")
    assert TAGGED.findall(answer) == [b"a OK "]
    client.link.take()
    assert TAGGED.findall(client.read()) == [b"b OK "]


def test_a_client_that_reads_nothing_costs_bounded_memory(client: Client) -> None:
    client.append(message("large", "x" * 8_000_000))
    for _ in range(10):
        client.append(message("mail", "y" * 100_000))
    client.link.slow = True
    chunk = client.send(b"a FETCH 1:* BODY.PEEK[]\r\n")
    most, total = 0, 0
    while chunk:
        total += len(chunk)
        most = max(most, len(chunk))
        client.link.take()
        chunk = client.read()
    assert total > 9_000_000
    assert most <= 1024 * 1024


def test_a_client_that_goes_ends_its_answer(client: Client) -> None:
    for number in range(20):
        client.append(message(str(number), "x" * 100_000))
    client.link.slow = True
    client.send(b"a FETCH 1:* BODY.PEEK[]\r\n")
    client.disconnect()
    assert client.link.logouts == 1
    assert client.session.context.selected is None


def test_what_was_begun_ends_though_the_client_is_gone(connect: Connect) -> None:
    client = connect()
    client.link.login_waits_for = waiting = Deferred[None]()
    client.send(b"a LOGIN joe secret\r\n")
    client.disconnect()
    assert client.link.logouts == 0
    waiting.callback(None)
    assert client.link.logouts == 1


def test_going_away_in_idle_lets_go_of_everything(client: Client) -> None:
    client.send(b"a IDLE\r\n")
    client.disconnect()
    assert client.link.logouts == 1
    assert client.session.context.selected is None


def test_a_slow_client_in_idle_is_not_told_more_than_it_takes(connect: Connect) -> None:
    client, other = connect().login("INBOX"), connect().login("INBOX")
    client.link.slow = True
    client.send(b"a IDLE\r\n")
    for number in range(50):
        other.append(message(str(number)))
    assert client.read() == b""
    client.link.take()
    assert client.read() == b"* 50 EXISTS\r\n"
    client.send(b"DONE\r\n")
    client.link.take()
    assert client.read().startswith(b"a OK ")


def test_bad_commands_before_login_end_the_session(connect: Connect) -> None:
    client = connect(bad_commands_before_login=3)
    answer = client.send(b"a NONSENSE\r\n" * 10)
    assert answer.count(b"a BAD ") == 3
    assert answer.endswith(b"* BYE Too many invalid commands\r\n")
    assert client.link.closed


def test_bad_commands_after_login_end_the_session_later(connect: Connect) -> None:
    client = connect(bad_commands_before_login=3, bad_commands=5)
    client.send(b"a NONSENSE\r\n" * 2)
    client.login()
    answer = client.send(b"a NONSENSE\r\n" * 10)
    assert answer.count(b"a BAD ") == 5
    assert client.link.closed


def test_what_follows_goodbye_is_not_read(connect: Connect) -> None:
    client = connect()
    client.session.say_goodbye(Code.UNAVAILABLE, "Stopping")
    assert client.read() == b"* BYE [UNAVAILABLE] Stopping\r\n"
    assert client.send(b"a NOOP\r\n") == b""


def test_a_command_that_works_is_finished_before_goodbye(connect: Connect) -> None:
    client = connect()
    client.link.login_waits_for = waiting = Deferred[None]()
    client.send(b"a LOGIN joe secret\r\nb NOOP\r\n")
    client.session.say_goodbye(None, "Stopping")
    assert not client.link.closed
    waiting.callback(None)
    answer = client.read()
    assert answer.startswith(b"a OK ")
    assert answer.endswith(b"* BYE Stopping\r\n")
    assert client.link.closed


def test_an_unexpected_error_is_an_incident_and_one_reply(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    events = Events()
    client = Client(account, events).login("INBOX")

    async def broken() -> None:
        raise ZeroDivisionError("a secret")

    monkeypatch.setattr(client.session.context.view.shared.mailbox, "refresh", broken)
    assert client.reply("NOOP") == b"NO [SERVERBUG] Internal error, incident 0123"
    assert [type(error) for error in events.incidents] == [ZeroDivisionError]
    assert client.reply("CAPABILITY").startswith(b"OK")


# -- literals


def test_a_literal_is_refused_before_it_is_sent(client: Client) -> None:
    assert client.send(b"a APPEND INBOX {104857601}\r\n").startswith(b"a NO [TOOBIG] ")
    assert client.send(b"b APPEND INBOX {104857601+}\r\n").startswith(b"b NO [TOOBIG] ")


def test_a_password_literal_is_not_asked_for_in_clear(connect: Connect) -> None:
    client = connect(tls=False)
    assert client.send(b"a LOGIN {3}\r\n").startswith(b"a NO [PRIVACYREQUIRED] ")
    assert client.send(b"b NOOP\r\n").startswith(b"b OK ")


def test_a_message_is_not_taken_before_login(connect: Connect) -> None:
    assert connect().send(b"a APPEND INBOX {5}\r\n").startswith(b"a BAD ")


def test_a_literal_that_cannot_be_dropped_ends_the_session(client: Client) -> None:
    answer = client.send(b"a APPEND INBOX {4294967295+}\r\n")
    assert b"a NO [TOOBIG] " in answer
    assert b"* BYE [TOOBIG] " in answer
    assert client.link.closed


def test_a_large_message_goes_to_a_file(client: Client) -> None:
    octets = message("large", "x" * 200_000)
    assert client.append(octets).startswith(b"OK [APPENDUID ")
    assert b"".join(client.send(b"a FETCH 1 RFC822\r\n").split(octets)).startswith(b"* 1 FETCH ")


def test_a_line_has_a_limit_that_login_raises(connect: Connect) -> None:
    client = connect(line_bytes_before_login=100, line_bytes=1000)
    long = b"a NOOP " + b"x" * 200 + b"\r\n"
    assert client.send(long).startswith(b"a BAD [LIMIT] ")
    client.login()
    assert b"LIMIT" not in client.send(long)
    assert client.send(b"a NOOP " + b"x" * 2000 + b"\r\n").startswith(b"a BAD [LIMIT] ")


# -- STARTTLS


def test_starttls_begins_tls_behind_its_reply(connect: Connect) -> None:
    client = connect(tls=False)
    assert b" STARTTLS LOGINDISABLED]" in client.greeting
    assert client.send(b"a STARTTLS\r\n").startswith(b"a OK ")
    assert client.link.tls_began == [True]
    assert client.reply("LOGIN joe secret").startswith(b"OK [CAPABILITY ")


@pytest.mark.parametrize("behind", [b"b CAPABILITY\r\n", b"b LOGIN joe ", b" "])
def test_octets_in_clear_behind_starttls_end_the_connection(connect: Connect, behind: bytes) -> None:
    client = connect(tls=False)
    assert client.send(b"a STARTTLS\r\n" + behind) == b""
    assert client.link.tls_began == [False]
    assert client.send(b"secret\r\nc CAPABILITY\r\n") == b""


def test_starttls_is_refused_under_tls_and_with_arguments(connect: Connect) -> None:
    assert connect().reply("STARTTLS") == b"BAD TLS is active already"
    assert connect(tls=False).reply("STARTTLS now").startswith(b"BAD ")


# -- laws

_BODIES = st.one_of(
    st.binary(max_size=40).filter(lambda octets: b"\n" not in octets and not octets.rstrip(b"\r").endswith(b"}")),
    st.lists(
        st.sampled_from(
            b'1:*|1|INBOX|""|*|(|)|FLAGS|(UID BODY[])|+FLAGS|(\\Seen)|ALL|RETURN (COUNT)|NIL|{3+}\r\nabc'.split(b"|")
        ),
        max_size=5,
    ).map(b" ".join),
)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(sorted(VERBS)), _BODIES, st.sampled_from(["new", "in", "selected"]))
def test_every_verb_gives_one_tagged_reply(verb: bytes, body: bytes, state: str) -> None:
    events = Events()
    client = Client(new_account(), events)
    if state != "new":
        client.login("INBOX" if state == "selected" else None)
        client.append(message("one"))
    answer = client.send(b"tag7 " + verb + b" " + body + b"\r\n")
    if not TAGGED.search(answer):
        answer += client.send(b"DONE\r\n")
    assert len(TAGGED.findall(answer)) == 1
    assert answer.startswith((b"tag7 ", b"* ", b"+ "))
    assert events.incidents == []


def malformed(chance: random.Random) -> bytes:
    """A line that begins as a command might, and goes wrong."""
    verb = chance.choice([*sorted(VERBS), b"UID", b"XYZZY", b"", b"\xff"])
    pieces = [b"(", b")", b'"', b"{", b"}", b"{5", b"[", b"*", b"%", b"\\", b"\0", b"\r", b"\x80\xff", b"1:", b"BODY["]
    tail = b" ".join(chance.choice(pieces) * chance.randrange(1, 50) for _ in range(chance.randrange(6)))
    return chance.choice([b"m1 ", b"", b"+ ", b"* ", b"m1"]) + verb + b" " + tail + b"\r\n"


def test_a_thousand_malformed_lines_leave_the_session_serving(connect: Connect) -> None:
    chance = random.Random(20261126)
    client = connect(bad_commands=2000, bad_commands_before_login=2000)
    for _ in range(500):
        client.send(malformed(chance))
    client.send(b"DONE\r\n")
    client.login("INBOX")
    for _ in range(500):
        client.send(malformed(chance).replace(b"LOGOUT", b"LOGOFF"))
    client.send(b"DONE\r\n")
    assert client.reply("NOOP") == b"OK NOOP completed"


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(1, 40), max_size=20))
def test_octets_may_come_in_any_pieces(cuts: list[int]) -> None:
    conversation = (
        b"a LOGIN {3+}\r\njoe secret\r\nb SELECT INBOX\r\nc APPEND INBOX {5+}\r\nHello\r\nd IDLE\r\nDONE\r\n"
        b"e FETCH 1 (FLAGS UID)\r\nf LOGOUT\r\n"
    )
    whole, pieces = Client(new_account(), Events()), Client(new_account(), Events())
    wanted = whole.send(conversation)
    said, at = b"", 0
    for size in cuts:
        said += pieces.send(conversation[at : at + size])
        at += size
    said += pieces.send(conversation[at:])
    assert TAGGED.findall(said) == TAGGED.findall(wanted)
    assert len(TAGGED.findall(wanted)) == 6
