"""NUL, lengths, numbers and half commands: what cuts a string short or wraps a number elsewhere (CVE-2019-11500)."""

import pytest
from corpus import deliver, messages
from server_process import Server
from wire import IMAP, POP3

pytestmark = pytest.mark.system


@pytest.mark.parametrize(
    "command",
    [
        b'LOGIN "USER\0x" "PASSWORD"',
        b'LOGIN "USER" "PASSWORD\0x"',
        b"LOGIN {%d+}\r\nUSER\0x PASSWORD",
        b"LOGIN USER {%d+}\r\nPASSWORD\0x",
        b"LOGIN USER\0x PASSWORD",
    ],
)
def test_nul_in_an_imap_login(shared: Server, command: bytes) -> None:
    user, password = (
        shared.user.encode(),
        b"".join(b"\\" * (c in b'"\\') + bytes([c]) for c in shared.password.encode()),
    )
    if b"{" in command:
        password = shared.password.encode()
        command = command % ((len(user if b"{%d+}\r\nUSER" in command else password)) + 2)
    with IMAP(shared, source="127.0.1.1") as client:
        assert client.ask(command.replace(b"USER", user).replace(b"PASSWORD", password)).status == b"BAD"
        assert client.ask(b"SELECT INBOX").status == b"BAD"
        client.ok(b"NOOP")


@pytest.mark.parametrize("tail", [b"", b"\0x", b"\0"])
def test_nul_in_a_pop3_login(shared: Server, tail: bytes) -> None:
    with POP3(shared) as client:
        asked = client.ask(b"USER " + shared.user.encode() + tail)
        assert asked.startswith(b"-ERR" if tail else b"+OK")
        if tail:
            assert client.ask(b"USER " + shared.user.encode()).startswith(b"+OK")
            assert client.ask(b"PASS " + shared.password.encode() + tail).startswith(b"-ERR")


@pytest.mark.parametrize(
    "name", [b'"INBOX\0x"', b'"INBOX\0/../.."', b"INBOX\0", b"{7+}\r\nINBOX\0x", b"~{7+}\r\nINBOX\0x"]
)
def test_nul_in_a_mailbox_name(shared: Server, name: bytes) -> None:
    with IMAP(shared) as client:
        client.login()
        for verb in (b"SELECT ", b"CREATE ", b"DELETE ", b"SUBSCRIBE "):
            assert client.ask(verb + name).status == b"BAD", verb


@pytest.mark.parametrize(
    "size", [b"4294967296", b"18446744073709551615", b"18446744073709551616", b"99999999999999999999", b"-1", b"", b"+"]
)
def test_lengths_of_literals(shared: Server, size: bytes) -> None:
    with IMAP(shared) as client:
        client.login()
        answer = client.ask(b"APPEND INBOX {%s}" % size)
        assert answer.status in (b"NO", b"BAD")
        client.ok(b"NOOP")


@pytest.mark.parametrize(
    "command",
    [
        b"UID FETCH 99999999999999999999 FLAGS",
        b"UID FETCH 4294967296 FLAGS",
        b"FETCH 0 FLAGS",
        b"FETCH 1, FLAGS",
        b"FETCH ,1 FLAGS",
        b"FETCH 1:: FLAGS",
        b"FETCH 9 FLAGS",
        b"FETCH 1 BODY[]<0>",
        b"FETCH 1 BODY[]<0.0>",
        b"FETCH 1 BODY[]<0.9223372036854775808>",
        b"FETCH 1 BODY[]<18446744073709551615.1>",
        b"FETCH 1 BODY[]<-1.1>",
        b"FETCH 1 BODY[0]",
        b"FETCH 1 BODY[4294967296]",
        b"FETCH 1 ()",
        b"EXPUNGE 1",
        b"STORE 1 FLAGS",
        b"STORE 1 FLAGS (",
        b"ENABLE",
        b"SEARCH LARGER 99999999999999999999",
        b"SEARCH UID 1,",
        b"UID EXPUNGE",
        b"CLOSE 1",
        b"NOOP x",
    ],
)
def test_commands_that_are_none(shared: Server, command: bytes) -> None:
    deliver(shared.maildir, messages(1))
    with IMAP(shared) as client:
        client.login().select()
        client.ok(rb"STORE 1 +FLAGS (\Deleted)")
        assert client.ask(command).status == b"BAD"
        assert client.ok(b"FETCH 1 UID").lines[0] == b"* 1 FETCH (UID 1)"


@pytest.mark.parametrize(
    ("partial", "expected"),
    [
        (b"0.4294967295", None),
        (b"4294967295.4294967295", b""),
        (b"4294967296.1", b""),
        (b"0.4294967296", None),
        (b"3.2", b"m:"),
    ],
)
def test_partial_fetch_never_wraps(shared: Server, partial: bytes, expected: bytes | None) -> None:
    content = deliver(shared.maildir, messages(1))[0].replace(b"\n", b"\r\n")
    with IMAP(shared) as client:
        client.login().select()
        fetched = client.ok(b"FETCH 1 BODY.PEEK[]<%s>" % partial).text
        value = content if expected is None else expected
        assert b"BODY[]<%s> " % partial.split(b".")[0] in fetched
        assert (b"{%d}\r\n%s)" % (len(value), value) in fetched) or (b'"%s")' % value in fetched)


def test_enable_before_login(shared: Server) -> None:
    with IMAP(shared) as client:
        assert client.ask(b"ENABLE CONDSTORE").status == b"BAD"


@pytest.mark.parametrize(
    "command", [b"USER", b"USER ", b"PASS", b"PASS x", b"RETR", b"AUTH", b"APOP", b"STAT", b"\0", b""]
)
def test_pop3_commands_that_are_none(shared: Server, command: bytes) -> None:
    with POP3(shared) as client:
        answer = client.ask(command)
        if command == b"AUTH" and answer.startswith(b"+OK"):  # the list of mechanisms, as some clients ask for it
            while client.line() != b".":
                pass
        else:
            assert answer.startswith(b"-ERR")
        client.login()


@pytest.mark.parametrize("number", [b"0", b"2", b"-1", b"4294967297", b"99999999999999999999", b"1x", b"1\0", b"0x1"])
def test_pop3_numbers(shared: Server, number: bytes) -> None:
    deliver(shared.maildir, messages(1))
    with POP3(shared) as client:
        client.login()
        for verb in (b"RETR ", b"DELE ", b"LIST ", b"UIDL ", b"TOP 1 -", b"TOP "):
            assert client.ask(verb + number).startswith(b"-ERR"), verb
        assert client.ask(b"STAT").startswith(b"+OK 1 ")
