"""Our own files, lost or damaged in any way: all mail is read at the first try, under its UIDs or a new UIDVALIDITY."""

from dataclasses import replace
from pathlib import Path

import pytest
from corpus import crlf, deliver, messages
from server_process import PASSWORD, Server, StartServer
from wire import IMAP

pytestmark = pytest.mark.system

FILES = ("dovecot-uidlist", "dovecot-keywords", "subscriptions", "index")
GARBAGE = (b"", b"\0" * 5000, b"3 V1 N1 Gx\n\xff\xff\n", b"garbage\n" * 100, b"3 V99999999999999999999 N0\n1 :x\n")


def _file(server: Server, name: str) -> Path:
    if name == "index":
        return server.folder / "mail" / "mailaccess-state" / "index" / f"{server.user}.sqlite"
    return server.maildir / name


def _numbers(server: Server) -> tuple[bytes, bytes, bytes]:
    """UIDVALIDITY, UIDNEXT, and each message with its UID."""
    with IMAP(server) as client:
        client.login()
        opened = client.select().lines
        validity, following = (next(line for line in opened if word in line) for word in (b"UIDVALIDITY", b"UIDNEXT"))
        rows = client.ok(b"FETCH 1:* (UID BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)])").text.rpartition(b"\r\n")[0]
        return validity, following, rows


def _use(server: Server) -> list[bytes]:
    """Mail that is there, and each of our files."""
    sent = deliver(server.maildir, messages(5))
    with IMAP(server) as client:
        client.login().select()
        client.ok(b"STORE 1 +FLAGS ($Kept)")
        client.ok(b"CREATE Work")
        client.ok(b"SUBSCRIBE Work")
    return sent


def _all_is_there(server: Server, sent: list[bytes]) -> None:
    with IMAP(server) as client:
        client.login().select()
        fetched = client.ok(b"FETCH 1:* (UID FLAGS ENVELOPE BODY.PEEK[])").text
        assert all(crlf(content) in fetched for content in sent)
        client.ok(b'LIST "" "*"')
        client.ok(b'LSUB "" "*"')
        client.ok(b"STORE 1 +FLAGS ($Other)")
        client.ok(b"SUBSCRIBE INBOX")


def test_an_index_deleted_under_a_session_changes_no_uid(shared: Server) -> None:
    _use(shared)
    before = _numbers(shared)
    with IMAP(shared) as client:
        client.login().select()
        for path in _file(shared, "index").parent.glob(f"{shared.user}.sqlite*"):
            path.unlink()
        assert b"* 5 FETCH" in client.ok(b"FETCH 1:* (UID FLAGS ENVELOPE)").text
        client.ok(rb"STORE 1 +FLAGS (\Flagged)")
        client.ok(b"NOOP")
        assert _numbers(shared) == before
    assert _numbers(shared) == before


@pytest.mark.parametrize("garbage", range(len(GARBAGE)))
@pytest.mark.parametrize("name", FILES)
def test_damage_while_the_server_runs(shared: Server, name: str, garbage: int) -> None:
    sent = _use(shared)
    before = _numbers(shared)
    with IMAP(shared) as client:
        client.login().select()
        _file(shared, name).write_bytes(GARBAGE[garbage])
        client.ok(b"NOOP")
        assert client.ok(b"FETCH 1:* (UID BODY.PEEK[])").text.count(b" FETCH (UID ") == 5
        _all_is_there(shared, sent)
    after = _numbers(shared)
    assert after[1:] == before[1:] or after[0] != before[0]


def test_damage_while_it_does_not(start_server: StartServer) -> None:
    users = {(name, number): f"{name}{number}" for name in FILES for number in range(len(GARBAGE))}
    lines = "".join(f"{user}:{{PLAIN}}{PASSWORD}\n" for user in users.values())
    server = start_server(users=lines)
    known = {}
    for user in users.values():
        one = replace(server, user=user)
        known[user] = _use(one), _numbers(one)
    assert server.stop() == 0
    for (name, number), user in users.items():
        _file(replace(server, user=user), name).write_bytes(GARBAGE[number])
    server = start_server()
    for user, (sent, before) in known.items():
        one = replace(server, user=user)
        _all_is_there(one, sent)
        after = _numbers(one)
        assert after[1:] == before[1:] or after[0] != before[0], user
    assert "Traceback" not in server.words()
