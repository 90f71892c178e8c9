"""One structured line for each event, and never a password."""

import imaplib
import socket

import pytest
from server_process import Server, eventually

pytestmark = pytest.mark.system


def lines(server: Server, event: str) -> list[str]:
    return [
        line.partition("[mailaccess#info] ")[2]
        for line in server.log.read_text().splitlines()
        if f"[mailaccess#info] {event} " in line
    ]


def test_a_session_has_its_lines(server: Server) -> None:
    client = imaplib.IMAP4_SSL("localhost", server.ports["imaps"], ssl_context=server.tls())
    with pytest.raises(imaplib.IMAP4.error):
        client.login(server.user, "secret-guess")
    client.login(server.user, server.password)
    client.select()
    client.logout()
    eventually(lambda: bool(lines(server, "logout")), 5)
    (failed,), (login,), (logout,) = (lines(server, event) for event in ("login_failed", "login", "logout"))
    assert f"user={server.user} address=127.0.0.1" in failed
    assert "protocol=imap user=joe address=127.0.0.1 tls=TLSv1.3" in login
    assert "commands=" in logout
    assert "bytes_out=" in logout
    assert lines(server, "connect")
    assert "secret-guess" not in server.log.read_text()
    assert server.password not in server.log.read_text()


def test_a_password_in_clear_is_refused_and_told_but_not_shown(server: Server) -> None:
    client = imaplib.IMAP4("localhost", server.ports["imap"])
    with pytest.raises(imaplib.IMAP4.error, match="PRIVACYREQUIRED"):
        client.login(server.user, server.password)
    assert lines(server, "login_refused") == ['login_refused protocol=imap address=127.0.0.1 reason="not under TLS"']
    assert server.password not in server.log.read_text()
    client.logout()


def test_a_handshake_that_fails_says_why(server: Server) -> None:
    with socket.create_connection(("127.0.0.1", server.ports["imaps"])) as plain:
        plain.sendall(b"GET / HTTP/1.0\r\n\r\n")
        eventually(lambda: bool(lines(server, "disconnect")), 5)
    assert "tls_failure=" in lines(server, "disconnect")[0]
