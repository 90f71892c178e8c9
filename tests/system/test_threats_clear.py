"""No password before TLS, and nothing that came in clear survives its start (CVE-2011-0411, CVE-2021-33515)."""

import pytest
from server_process import Server
from wire import IMAP, POP3, plain

pytestmark = pytest.mark.system


def test_imap_takes_no_password_in_clear(shared: Server) -> None:
    with IMAP(shared, clear=True) as client:
        offered = client.greeting + client.ok(b"CAPABILITY").lines[0]
        assert b"LOGINDISABLED" in offered
        assert b"AUTH=" not in offered
        assert client.ask(b'LOGIN %s "x"' % shared.user.encode()).last.split()[1:3] == [b"NO", b"[PRIVACYREQUIRED]"]
        assert client.ask(b"AUTHENTICATE PLAIN").lines[0].split()[1:3] == [b"NO", b"[PRIVACYREQUIRED]"]
        right = plain(shared.user, shared.password)
        assert client.ask(b"AUTHENTICATE PLAIN " + right).last.split()[1:3] == [b"NO", b"[PRIVACYREQUIRED]"]
        refused = client.ask(b"LOGIN {4}")
        assert refused.lines[0].split()[1:3] == [b"NO", b"[PRIVACYREQUIRED]"], "no literal is asked for"
        assert client.ask(b"SELECT INBOX").status == b"BAD"


@pytest.mark.parametrize(
    "command", ["USER {user}", "PASS {password}", "AUTH PLAIN", "AUTH PLAIN {plain}", "APOP {user} x"]
)
def test_pop3_takes_no_password_in_clear(shared: Server, command: str) -> None:
    right = plain(shared.user, shared.password).decode()
    with POP3(shared, clear=True) as client:
        offered = client.listing(b"CAPA")
        assert not [line for line in offered if line.split()[0] in (b"USER", b"SASL", b"AUTH")]
        assert b"STLS" in offered
        answer = client.ask(command.format(user=shared.user, password=shared.password, plain=right).encode())
        assert answer.startswith(b"-ERR")
        assert client.ask(b"STAT").startswith(b"-ERR")


def test_a_user_told_in_clear_is_forgotten(shared: Server) -> None:
    with POP3(shared, clear=True) as client:
        client.ask(b"USER " + shared.user.encode())
        assert client.ask(b"STLS").startswith(b"+OK")
        client.start_tls(shared.tls())
        assert client.ask(b"PASS " + shared.password.encode()).startswith(b"-ERR")
        client.login()


def test_imap_takes_nothing_that_came_before_the_handshake(shared: Server) -> None:
    with IMAP(shared, clear=True) as client:
        client.send(b"a STARTTLS\r\nb NOOP\r\n")
        answer = client.rest()
        assert b"b OK" not in answer
        assert answer.count(b"\r\n") <= 2


def test_pop3_takes_nothing_that_came_before_the_handshake(shared: Server) -> None:
    with POP3(shared, clear=True) as client:
        client.send(b"STLS\r\nCAPA\r\n")
        assert client.rest().count(b"\r\n") <= 1


def test_capabilities_change_with_tls(shared: Server) -> None:
    with IMAP(shared, clear=True) as client:
        client.ok(b"STARTTLS")
        client.start_tls(shared.tls())
        offered = client.ok(b"CAPABILITY").lines[0]
        assert b"STARTTLS" not in offered
        assert b"LOGINDISABLED" not in offered
        assert b"AUTH=PLAIN" in offered
        assert client.ask(b"STARTTLS").status == b"BAD"
        client.login()
        assert client.ask(b"STARTTLS").status == b"BAD"


@pytest.mark.parametrize(("command", "status"), [(b"STARTTLS now", b"BAD"), (b"STARTTLS", b"OK")])
def test_starttls_has_no_argument(shared: Server, command: bytes, status: bytes) -> None:
    with IMAP(shared, clear=True) as client:
        assert client.ask(command).status == status


@pytest.mark.parametrize(("command", "status"), [(b"STLS now", b"-ERR"), (b"STLS", b"+OK")])
def test_stls_has_no_argument(shared: Server, command: bytes, status: bytes) -> None:
    with POP3(shared, clear=True) as client:
        assert client.ask(command).startswith(status)
