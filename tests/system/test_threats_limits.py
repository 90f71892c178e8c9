"""Every limit ends in words that a client understands, and hurts nobody else."""

import time
from pathlib import Path

import pytest
from corpus import deliver, messages
from server_process import Server, StartServer, eventually, limits
from wire import IMAP, POP3, Wire

pytestmark = pytest.mark.system


def test_connections_of_one_user_from_one_address(start_server: StartServer, tmp_path: Path) -> None:
    server = start_server(limits(tmp_path, connections_per_user_and_address=3))
    held = [IMAP(server).login() for _ in range(3)]
    with IMAP(server) as client:
        assert client.ask(b'LOGIN joe "p_w\\"\\\\x"').last.split()[1:3] == [b"NO", b"[LIMIT]"]
        client.ok(b"NOOP")
        held.pop().ok(b"LOGOUT")
        eventually(lambda: client.ask(b'LOGIN joe "p_w\\"\\\\x"').status == b"OK", 5)
        with POP3(server) as pop:
            pop.ask(b"USER joe")
            assert pop.ask(b"PASS " + server.password.encode()).startswith(b"-ERR [IN-USE]")
        with IMAP(server, source="127.0.0.2") as elsewhere:
            elsewhere.login()
        for each in held:
            each.ok(b"NOOP")


def test_connections_of_one_address(start_server: StartServer, tmp_path: Path) -> None:
    server = start_server(limits(tmp_path, connections_per_address=3))
    held = [IMAP(server).login() for _ in range(3)]
    with IMAP(server) as refused:
        assert refused.greeting.startswith(b"* BYE")
        assert refused.rest() == b""
    with POP3(server) as pop:
        assert pop.greeting.startswith(b"-ERR [SYS/TEMP]"), "RFC 2449's IN-USE is for a maildrop"
        assert pop.rest() == b""
    with IMAP(server, source="127.0.0.2") as elsewhere:
        elsewhere.login()
    for each in held:
        each.ok(b"NOOP")
    held[0].close()
    eventually(lambda: IMAP(server).greeting.startswith(b"* OK"), 5)


def test_a_flood_of_connections_pushes_out_who_waits_longest(start_server: StartServer, tmp_path: Path) -> None:
    server = start_server(limits(tmp_path, unauthenticated_connections=20, unauthenticated_connections_per_address=5))
    inside = IMAP(server).login()
    waiting = [IMAP(server, source="127.0.0.9") for _ in range(5)]
    newcomer = IMAP(server, source="127.0.0.9")
    assert waiting[0].line().startswith(b"* BYE")
    assert newcomer.greeting.startswith(b"* OK")
    waiting[1].ok(b"NOOP")
    others = [Wire(server.ports["pop3"], None, source=f"127.0.3.{number}") for number in range(30)]
    assert all(other.line().startswith(b"+OK") for other in others)
    assert others[5].line().startswith(b"-ERR")
    assert waiting[1].line().startswith(b"* BYE")
    inside.ok(b"NOOP")
    others[-1].send(b"CAPA\r\n")
    assert others[-1].line().startswith(b"+OK")
    with IMAP(server) as late:
        late.login()
    inside.ok(b"NOOP")


def test_time_to_log_in(start_server: StartServer, tmp_path: Path) -> None:
    server = start_server(limits(tmp_path, login_timeout_seconds=1))
    inside = IMAP(server).login()
    began = time.monotonic()
    silent, busy, pop, clear = IMAP(server), IMAP(server), POP3(server), Wire(server.ports["imaps"], None)
    while busy.ask(b"NOOP").status == b"OK":
        assert time.monotonic() - began < 3
    assert silent.line().startswith(b"* BYE")
    assert pop.rest().startswith((b"", b"-ERR"))
    assert 0.8 < time.monotonic() - began < 3
    assert clear.rest() == b"", "a TLS handshake that never comes counts too"
    inside.ok(b"NOOP")


def test_bad_commands(start_server: StartServer, tmp_path: Path) -> None:
    server = start_server(limits(tmp_path, bad_commands_before_login=3, bad_commands=5))
    with IMAP(server) as client:
        client.send(b"a X\r\nb\r\nc LOGIN\r\nd NOOP\r\n")
        said = client.rest()
        assert b"* BYE" in said
        assert b"d OK" not in said
    with IMAP(server) as client:
        client.login()
        client.send(b"a X\r\n" * 5)
        assert b"* BYE" in client.rest()
    with POP3(server) as pop:
        pop.send(b"X\r\n" * 50)
        assert pop.rest().count(b"-ERR") <= 4
    with IMAP(server) as client:
        client.login()


def test_lines_that_are_too_long(shared: Server) -> None:
    deliver(shared.maildir, messages(1))
    with IMAP(shared) as client:
        answer = client.ask(b"NOOP " + b"x" * 9000)
        assert answer.status == b"BAD"
        client.ok(b"NOOP")
        client.login()
        client.select()
        client.ok(b"FETCH " + b",".join([b"1"] * 20_000) + b" UID")
        assert client.ask(b"FETCH " + b",".join([b"1"] * 40_000) + b" UID").status == b"BAD"
        client.ok(b"NOOP")
    with POP3(shared) as pop:
        assert pop.ask(b"NOOP " + b"x" * 9000).startswith(b"-ERR")
        pop.login()


def test_a_message_that_is_too_large(start_server: StartServer, tmp_path: Path) -> None:
    server = start_server(limits(tmp_path, append_bytes=1000))
    with IMAP(server) as client:
        client.login()
        assert b"APPENDLIMIT=1000" in client.ok(b"CAPABILITY").lines[0]
        assert client.ask(b"APPEND INBOX {1001}").last.split()[1:3] == [b"NO", b"[TOOBIG]"]
        assert client.append(b"x" * 1001).last.split()[1:3] == [b"NO", b"[TOOBIG]"]
        assert client.append(b"Subject: x\r\n\r\n").status == b"OK"
        assert b"* 1 EXISTS" in client.select().lines
        assert not list((server.maildir / "tmp").iterdir())
