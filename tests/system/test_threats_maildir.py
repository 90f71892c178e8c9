"""A Maildir that somebody hostile can write to, and folders that go away: the rest of the mail is served."""

import os
import shutil
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from corpus import crlf, deliver, messages
from server_process import Server, StartServer
from wire import IMAP, POP3

pytestmark = pytest.mark.system


def _socket(path: Path) -> None:
    here = os.open(path.parent, os.O_RDONLY)
    with socket.socket(socket.AF_UNIX) as unix:
        unix.bind(f"/proc/self/fd/{here}/{path.name}")
    os.close(here)


def _loop(path: Path) -> None:
    path.symlink_to(path.name)


NOT_MESSAGES: dict[str, Callable[[Path], object]] = {
    "fifo": os.mkfifo,
    "zero": lambda path: path.symlink_to("/dev/zero"),
    "dangling": lambda path: path.symlink_to("/nowhere"),
    "passwd": lambda path: path.symlink_to("/etc/passwd"),
    "loop": _loop,
    "socket": _socket,
    "folder": Path.mkdir,
}


@pytest.mark.parametrize("place", ["new/1.odd.test", "cur/1.odd.test:2,S"])
@pytest.mark.parametrize("kind", NOT_MESSAGES)
def test_what_is_no_message_is_left_out(shared: Server, kind: str, place: str) -> None:
    sent = deliver(shared.maildir, messages(3))
    NOT_MESSAGES[kind](shared.maildir / place)
    for _ in range(2):
        with IMAP(shared) as client:
            client.login().select()
            served = [b"BODY[] {%d}\r\n%s)" % (len(crlf(content)), crlf(content)) for content in sent]
            fetched = client.ok(b"FETCH 1:* (FLAGS ENVELOPE BODYSTRUCTURE RFC822.SIZE BODY.PEEK[])").text
            assert all(content in fetched for content in served)
            assert b"root:" not in fetched
            client.ok(b"SEARCH TEXT the")
            client.ok(b"NOOP")
    with POP3(shared) as pop:
        pop.login()
        assert b"\r\n".join(pop.listing(b"RETR 1")) + b"\r\n" in map(crlf, sent)
        assert len(pop.listing(b"UIDL")) >= 3
    told = [line for line in shared.words().splitlines() if str(shared.maildir / place) in line]
    assert 1 <= len(told) <= 3, told  # at most one for each login


def test_a_file_that_may_not_be_read(start_server: StartServer) -> None:
    server = start_server(confined=True)
    sent = deliver(server.maildir, messages(3))
    secret = server.maildir / "new" / "1.odd.test"
    secret.write_bytes(b"Subject: not for you\n\n")
    secret.chmod(0)
    with IMAP(server) as client, POP3(server) as pop:
        client.login().select()
        fetched = client.ask(b"FETCH 1:* (FLAGS ENVELOPE BODYSTRUCTURE RFC822.SIZE BODY.PEEK[])")
        assert fetched.status in (b"OK", b"NO")
        assert all(crlf(content) in fetched.text for content in sent)
        client.ok(b"FETCH 2:4 BODY.PEEK[]")
        client.ok(b"SEARCH TEXT the")
        pop.login()
        for number, content in enumerate(sent, 1):
            assert b"\r\n".join(pop.listing(b"RETR %d" % number)) + b"\r\n" == crlf(content)
    assert len([line for line in server.words().splitlines() if "1.odd.test" in line and server.user in line]) == 1


@pytest.mark.parametrize("kind", ["fifo", "zero", "dangling"])
def test_a_message_that_becomes_something_else(shared: Server, kind: str) -> None:
    deliver(shared.maildir, messages(3))
    with IMAP(shared) as client:
        client.login().select()
        path = sorted((shared.maildir / "cur").iterdir())[1]
        path.unlink()
        NOT_MESSAGES[kind](path)
        fetched = client.ask(b"FETCH 1:3 BODY.PEEK[]")
        assert fetched.status in (b"OK", b"NO")
        assert {b"1", b"3"} <= {line.split()[1] for line in fetched.lines[:-1] if b" FETCH " in line}
        client.ok(b"FETCH 1 BODY.PEEK[]")


@pytest.mark.parametrize("declared", ["1", "9999999", "99999999999999999999", "-5", "x"])
def test_a_false_size_in_a_name(shared: Server, declared: str) -> None:
    (content,) = deliver(shared.maildir, messages(1))
    (path,) = (shared.maildir / "new").iterdir()
    path.rename(shared.maildir / "cur" / f"1.false,S={declared},W={declared}:2,")
    with IMAP(shared) as client:
        client.login().select()
        size = len(crlf(content))
        fetched = client.ok(b"FETCH 1 (RFC822.SIZE BODY.PEEK[])")
        assert b"{%d}\r\n%s" % (size, crlf(content)) in fetched.text
        client.ok(b"NOOP")
    with POP3(shared) as pop:
        pop.login()
        assert b"\r\n".join(pop.listing(b"RETR 1")) + b"\r\n" == crlf(content)


@pytest.mark.parametrize("length", [255, 254, 200])
def test_a_long_name(shared: Server, length: int) -> None:
    (content,) = deliver(shared.maildir, messages(1))
    (path,) = (shared.maildir / "new").iterdir()
    path.rename(path.with_name("x" * length))
    deliver(shared.maildir, messages(1, seed=3))
    with IMAP(shared) as client:
        client.login().select()
        assert crlf(content) in client.ok(b"FETCH 1:* BODY.PEEK[]").text
        assert client.ask(rb"STORE 1:* +FLAGS (\Seen)").status in (b"OK", b"NO")
        assert crlf(content) in client.ok(b"FETCH 1:* BODY.PEEK[]").text


@pytest.mark.parametrize("folder", ["INBOX", "Work"])
def test_a_maildir_that_goes_away_is_not_made_anew(shared: Server, folder: str, tmp_path: Path) -> None:
    deliver(shared.maildir, messages(3))
    with IMAP(shared) as client:
        client.login()
        client.ok(b"CREATE Work")
        path = shared.maildir if folder == "INBOX" else shared.maildir / ".Work"
        deliver(path, messages(2, seed=2))
        selected = client.select(folder.encode())
        client.ok(b"FETCH 1:* FLAGS")
        shutil.move(path, tmp_path / "away")
        for command in (b"FETCH 1:* BODY.PEEK[]", rb"STORE 1 +FLAGS (\Seen)", b"COPY 1 %s" % folder.encode(), b"NOOP"):
            assert client.ask(command).status in (b"OK", b"NO", b""), command
        assert not path.exists()
        shutil.move(tmp_path / "away", path)
    with IMAP(shared) as client:
        client.login()
        again = client.select(folder.encode())
        assert [line for line in again.lines if b"UIDVALIDITY" in line or b"EXISTS" in line] == [
            line for line in selected.lines if b"UIDVALIDITY" in line or b"EXISTS" in line
        ]


ODD_NAMES = [
    b"1.line\n7 :1.forged",
    b"2.line\r",
    b" 3.space ",
    b"4.tab\t",
    b"5.\xff\xfe",
    b"6.\xe2\x80\xae",
    b"7.twice:2,SSSS",
    b"8.letters:2,S!\x01~",
    b"9.other:1,S",
    b"10.colons:x:y:2,F",
    b"11.empty:2,",
    b"12.size,S=,W=",
    b"13.%s%n%u",
    b"14.\x1b[2J",
    b":2,S",
    b":",
    b"15.old:3,S",
]


def test_odd_names(shared: Server) -> None:
    sent = deliver(shared.maildir, messages(2))
    new = os.fsencode(shared.maildir / "new")
    for number, name in enumerate(ODD_NAMES):
        for folder in (b"new", b"cur"):
            with open(os.path.join(new, b"..", folder, folder + name if name[:1] != b":" else name), "wb") as file:
                file.write(b"Subject: odd %d\n\n" % number)
    seen = []
    for _ in range(3):
        with IMAP(shared) as client:
            client.login()
            opened = client.select().lines
            rows = client.ok(b"FETCH 1:* (UID BODY.PEEK[])").text.rpartition(b"\r\n")[0]
            seen.append(([line for line in opened if b"UIDVALIDITY" in line or b"EXISTS" in line], rows))
            assert all(crlf(content) in rows for content in sent)
            index = shared.folder / "mail" / "mailaccess-state" / "index" / f"{shared.user}.sqlite"
            index.unlink(missing_ok=True)
            client.ok(b"NOOP")
    assert seen[0] == seen[1] == seen[2]
    served = {name for number, name in enumerate(ODD_NAMES) if b"Subject: odd %d\r\n" % number in seen[0][1]}
    unlisted = {name for name in ODD_NAMES if name.startswith(b":") or any(octet < 32 for octet in name)}
    assert served == set(ODD_NAMES) - unlisted, "no line of a UID list can name the others"
    uids = [line.partition(b"UID ")[2].split()[0] for line in seen[0][1].split(b"\r\n") if b" FETCH (UID" in line]
    assert len(set(uids)) == len(uids)
    assert all(line.isprintable() for line in shared.words().splitlines())
