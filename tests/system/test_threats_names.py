"""What a client chooses (user names, mailbox names) reaches neither path, nor pattern, nor log line."""

import os
import time
from pathlib import Path

import pytest
from corpus import deliver, messages
from server_process import Server
from wire import IMAP, POP3, plain

pytestmark = pytest.mark.system

USER_NAMES = [
    "../user1", "..", ".", "a/b", "/etc/passwd", "%u", "%s%n", "{user}", "user1\\", "'; DROP TABLE users;--", "*",
    "(&)", "user1\r\nlogin user=root", "user1\x1b[2J", "üser", "x" * 900, "user1:", "user1\u202e", "user1 ",
]  # fmt: skip


def test_user_names(shared: Server) -> None:
    secret = "never-in-the-log"
    before = len(shared.words())
    known = set((shared.folder / "mail").iterdir())
    clients = {name: IMAP(shared, source=f"127.1.{number}.1") for number, name in enumerate(USER_NAMES)}
    tags = {name: client.begin(b"AUTHENTICATE PLAIN " + plain(name, secret)) for name, client in clients.items()}
    for name, client in clients.items():
        assert client.answer(tags[name]).status in (b"NO", b"BAD"), name
        client.close()
    lines = shared.words()[before:].splitlines()
    failures = [line for line in lines if "login_failed " in line]
    assert len(failures) >= len(USER_NAMES) - 3
    assert len({line.partition("address=")[2].split()[0] for line in failures}) == len(failures)
    assert all(line.isprintable() and len(line) < 1200 and secret not in line for line in lines)
    assert not [line for line in lines if "user=root" in line and "login_failed" not in line]
    assert set((shared.folder / "mail").iterdir()) == known


def test_no_password_in_the_log(shared: Server) -> None:
    wrong = "some-wrong-secret"
    right = shared.password
    with IMAP(shared, source="127.0.1.9") as client, POP3(shared, source="127.0.1.10") as pop:
        client.ask(f"LOGIN {shared.user} {wrong}".encode())
        client.ask(f"LOGIN {shared.user} {wrong} x".encode())
        client.ask(f"LOGON {shared.user} {wrong}".encode())
        pop.ask(b"USER " + shared.user.encode())
        pop.ask(b"PASS " + wrong.encode())
        pop.ask(b"APOP x " + wrong.encode())
    with IMAP(shared) as client, POP3(shared) as pop:
        client.login()
        pop.login()
    words = shared.words()
    assert wrong not in words
    assert right not in words
    assert plain(shared.user, wrong).decode() not in words


MAILBOX_NAMES = [
    "../x", "..", ".", "../../etc", "/etc", "/tmp/x", "~root", "~/x", "a/../../x", "a.../x", "cur", "new/../x", ".x",
    "x.", "a..b", "&AC4ALgAv-x", "&AC8-etc", "&AAA-", "%", "*", "INBOX/../x", "x" * 300, "&-", "&", "&ZZZZZZ-", "\x7f",
    "\x1b[2J",
]  # fmt: skip


@pytest.mark.parametrize("name", MAILBOX_NAMES)
def test_mailbox_names_stay_inside(shared: Server, name: str) -> None:
    deliver(shared.maildir, messages(1))
    outside = _outside(shared)
    with IMAP(shared) as client:
        client.login()
        quoted = b'"' + name.encode() + b'"'
        for command in (b"CREATE %s", b"SELECT %s", b"STATUS %s (MESSAGES)", b"SUBSCRIBE %s", b"RENAME INBOX %s"):
            assert client.ask(command % quoted).status in (b"OK", b"NO", b"BAD"), command
        assert client.append(b"Subject: x\r\n\r\nx\r\n", quoted).status in (b"OK", b"NO", b"BAD")
        client.ok(b'LIST "" "*"')
        assert client.ask(b"DELETE " + quoted).status in (b"OK", b"NO", b"BAD")
        client.ok(b"NOOP")
    assert "incident" not in "".join(line for line in shared.words().splitlines() if shared.user in line)
    assert _outside(shared) == outside
    made = [path for path in shared.maildir.iterdir() if path.is_dir() and path.name not in ("cur", "new", "tmp")]
    assert all(path.name.startswith(".") and (path / "cur").is_dir() for path in made), made


def _outside(server: Server) -> set[str]:
    """All folders beside the user's."""
    roots = (server.folder, server.folder / "mail", Path("/tmp"), Path("/"))
    folders = (path for root in roots for path in root.iterdir() if path.is_dir())
    return {str(path) for path in folders if path.parent.name != "mail" or not path.name.startswith("user")}


@pytest.mark.parametrize("kind", ["folder", "cur"])
def test_a_folder_that_is_a_link_leads_nowhere(shared: Server, tmp_path: Path, kind: str) -> None:
    deliver(shared.maildir, messages(1))
    deliver(tmp_path / "others", messages(2, seed=4))
    if kind == "folder":
        (shared.maildir / ".Link").symlink_to(tmp_path / "others")
    else:
        (shared.maildir / ".Link" / "tmp").mkdir(parents=True)
        for part in ("cur", "new"):
            (shared.maildir / ".Link" / part).symlink_to(tmp_path / "others" / part)
    with IMAP(shared) as client:
        client.login().select()
        client.ok(b'LIST "" "*"')
        if client.ask(b"DELETE Link").status == b"OK":
            assert not os.path.lexists(shared.maildir / ".Link")
        assert len([*(tmp_path / "others").glob("new/*"), *(tmp_path / "others").glob("cur/*")]) == 2
        client.ok(b"NOOP")


@pytest.mark.parametrize(
    "command",
    [
        b'LIST "" "' + b"*%" * 2000 + b'x"',
        b'LIST "" "' + b"*" * 4000 + b'"',
        b'LIST "" "' + b"*a" * 2000 + b'"',
        b'LSUB "" "' + b"%a*" * 1300 + b'"',
        b"SEARCH " + b"OR SEEN " * 4000 + b"SEEN",
        b"SEARCH " + b"NOT " * 10_000 + b"SEEN",
        b"SEARCH " + b"(" * 20_000 + b"SEEN" + b")" * 20_000,
        b"SEARCH " + b" ".join([b"BODY x"] * 7000),
        b"SEARCH " + b" ".join([b"1:*"] * 15_000),
        b"FETCH " + b",".join([b"1:*"] * 16_000) + b" UID",
        b"FETCH " + b",".join([b"%d" % n for n in range(1, 200)] * 85) + b" UID",
        b"UID FETCH " + b",".join([b"%d:%d" % (n, n + 9) for n in range(1, 60_000, 10)]) + b" UID",
        b"FETCH 1 (" + b" ".join([b"BODY.PEEK[]"] * 5000) + b")",
        b"FETCH 1 BODY[HEADER.FIELDS (" + b" ".join([b"x%d" % n for n in range(8000)]) + b")]",
        b"STORE 1 +FLAGS (" + b" ".join([b"k%d" % n for n in range(9000)]) + b")",
        b'SELECT "' + b"a." * 20_000 + b'"',
        b"SEARCH HEADER x {60000+}\r\n" + b"y" * 60_000,
    ],
    ids=lambda command: command[:16].decode() + str(len(command)),
)
def test_much_work_in_few_octets(shared: Server, command: bytes) -> None:
    deliver(shared.maildir, messages(200))
    with IMAP(shared, seconds=30) as client, IMAP(shared) as other:
        client.login()
        other.login()
        for number in range(5):
            client.ok(b"CREATE " + b".".join([b"a" * 20] * number + [b"x"]))
        client.select()
        tag = client.begin(command)
        for _ in range(5):
            began = time.monotonic()
            other.ok(b"NOOP")
            assert time.monotonic() - began < 1
        began = time.monotonic()
        assert client.answer(tag).status in (b"OK", b"NO", b"BAD")
        assert time.monotonic() - began < 5


def test_what_a_client_says_of_itself_is_one_line(shared: Server) -> None:
    before = len(shared.words())
    forged = b"x\r\n2026-01-01T00:00:00+0000 [mailaccess#info] login user=root\x1b[2J"
    with IMAP(shared) as client:
        client.login()
        client.ok(b'ID ("name" {%d+}\r\n%s "%s" "y")' % (len(forged), forged, b"k" * 30))
        for command in (b"CREATE {%d+}\r\n%s", b"SELECT {%d+}\r\n%s", b"SUBSCRIBE {%d+}\r\n%s"):
            answer = client.ask(command % (len(forged), forged))
            assert answer.status in (b"NO", b"BAD")
            assert len(answer.lines) == 1
        answer = client.ask(b"t\x1b[2J NOOP")
        assert b"\x1b" not in answer.text
    written = shared.words()[before:].splitlines()
    assert not [line for line in written if line.startswith("2026-01-01")]
    assert all(line.isprintable() for line in written)
    assert any(" client user=" in line and "user=root" in line for line in written), "the words themselves are kept"
