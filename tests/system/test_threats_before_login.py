"""What is not logged in costs bounded memory, and one login's trouble is no other's."""

import base64
import time
from collections.abc import Iterator

import pytest
from corpus import deliver, messages
from server_process import Server, eventually
from wire import IMAP, POP3, plain

pytestmark = pytest.mark.system

MIB = 1024 * 1024
FLOOD = 32 * MIB


def _flooded(client: IMAP | POP3, chunks: Iterator[bytes]) -> None:
    """Send until the server has had enough, or all is said."""
    try:
        for chunk in chunks:
            client.send(chunk)
    except OSError:
        pass  # it closed the connection, which is its right


@pytest.mark.parametrize(
    ("first", "chunk"),
    [
        (b"a LOGIN ", b"(" * 65536),
        (b"", b"x" * 65536),
        (b'a LOGIN "', b"x" * 65536),
        (b"a ID (", b'"k" "v" ' * 8192),
        (b"", b"a LOGIN {4000+}\r\n" + b"x" * 4000 + b" "),
        (b"a NOOP ", b"{1+}\r\nx " * 8192),
        (b"a NOOP {200000000+}\r\n", b"x" * 65536),
        (b"", b"a AUTHENTICATE PLAIN\r\n*\r\n" * 2500),
        (b"a AUTHENTICATE PLAIN\r\n", b"A" * 65536),
        (b"", b"\r\n" * 32768),
    ],
    ids=["parentheses", "line", "quoted", "list", "literals", "many-literals", "large", "aborted", "response", "empty"],
)
def test_imap_floods(shared: Server, first: bytes, chunk: bytes) -> None:
    with IMAP(shared) as warm:
        warm.login()
        before = shared.resident()
        clients = [IMAP(shared, seconds=1) for _ in range(2)]
        for client in clients:
            client.send(first)
            _flooded(client, (chunk for _ in range(FLOOD // len(chunk) // 4)))
        warm.ok(b"NOOP")
        assert shared.resident() - before < 8 * MIB
        for client in clients:
            client.close()


@pytest.mark.parametrize("chunk", [b"x" * 65536, b"AUTH PLAIN\r\n*\r\n" * 4000, b"USER " + b"x" * 60000 + b"\r\n"])
def test_pop3_floods(shared: Server, chunk: bytes) -> None:
    with POP3(shared) as warm, POP3(shared, seconds=1) as client:
        warm.login()
        before = shared.resident()
        _flooded(client, (chunk for _ in range(FLOOD // len(chunk) // 8)))
        assert warm.ask(b"NOOP").startswith(b"+OK")
        assert shared.resident() - before < 8 * MIB


BAD_RESPONSES = [b"!!!", b"====", b"", base64.b64encode(b"no NUL"), base64.b64encode(b"\0\0\0\0"), b"A" * 9000, b"\xff"]


@pytest.mark.parametrize("response", BAD_RESPONSES)
def test_a_bad_response_fails_its_own_login_only(shared: Server, response: bytes) -> None:
    with IMAP(shared, source="127.0.1.2") as bad, IMAP(shared) as good:
        tag = good.begin(b"AUTHENTICATE PLAIN")
        assert good.line() == b"+ "
        failing = bad.begin(b"AUTHENTICATE PLAIN")
        assert bad.line() == b"+ "
        bad.send(response + b"\r\n")
        assert bad.answer(failing).status in (b"BAD", b"NO")
        good.send(plain(shared.user, shared.password) + b"\r\n")
        assert good.answer(tag).status == b"OK"
        assert bad.ask(b"SELECT INBOX").status == b"BAD"
        bad.login()


def test_cancelled_logins(shared: Server) -> None:
    with IMAP(shared) as client:
        for mechanism, answers in ((b"PLAIN", 0), (b"LOGIN", 0), (b"LOGIN", 1)):
            tag = client.begin(b"AUTHENTICATE " + mechanism)
            assert client.line().startswith(b"+")
            for _ in range(answers):
                client.send(base64.b64encode(b"joe") + b"\r\n")
                assert client.line().startswith(b"+")
            client.send(b"*\r\n")
            assert client.answer(tag).status == b"BAD"
        client.login()
    with POP3(shared) as pop:
        assert pop.ask(b"AUTH PLAIN") == b"+ "
        assert pop.ask(b"*").startswith(b"-ERR")
        pop.login()


def test_two_logins_at_once_are_two_users(shared: Server, another: Server) -> None:
    deliver(shared.maildir, messages(3))
    with IMAP(shared) as one, IMAP(another) as other:
        tags = [client.begin(b"AUTHENTICATE PLAIN") for client in (one, other)]
        for client in (one, other):
            assert client.line() == b"+ "
        other.send(plain(another.user, another.password) + b"\r\n")
        one.send(plain(shared.user, shared.password) + b"\r\n")
        assert [client.answer(tag).status for client, tag in zip((one, other), tags, strict=True)] == [b"OK", b"OK"]
        assert b"* 3 EXISTS" in one.select().lines
        assert b"* 0 EXISTS" in other.select().lines


def test_authorization_as_somebody_else(shared: Server, another: Server) -> None:
    response = base64.b64encode(f"{another.user}\0{shared.user}\0{shared.password}".encode())
    with IMAP(shared, source="127.0.1.3") as client:
        assert client.ask(b"AUTHENTICATE PLAIN " + response).status == b"NO"
        assert client.ask(b"SELECT INBOX").status == b"BAD"


def test_who_hangs_up_while_logging_in_leaves_nothing(shared: Server) -> None:
    descriptors = shared.descriptors()
    for source in range(5):
        with IMAP(shared, source=f"127.0.2.{source + 1}") as client:
            client.begin(b"LOGIN %s wrong" % shared.user.encode())
    eventually(lambda: shared.descriptors() <= descriptors)
    began = time.monotonic()
    with IMAP(shared) as client:
        client.login()
    assert time.monotonic() - began < 1
