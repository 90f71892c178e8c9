"""A disk that is full, or may only be read: what is there is served, and nothing is acknowledged that was not done."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from corpus import crlf, deliver, messages
from server_process import Server, StartServer
from wire import IMAP, POP3

pytestmark = pytest.mark.system

DISK_OCTETS = 2 * 1024 * 1024


def _mount(*arguments: str) -> None:
    command = ["mount", *arguments]
    result = subprocess.run(command, capture_output=True, check=False)
    if result.returncode:
        pytest.skip(f"{' '.join(command)}: {result.stderr.decode()}")


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A small disk where the server keeps mail and state."""
    if os.geteuid() != 0:
        pytest.skip("only root may mount")
    path = tmp_path / "mail"
    path.mkdir()
    _mount("-t", "tmpfs", "-o", f"size={DISK_OCTETS}", "none", str(path))
    yield path
    subprocess.run(["umount", "--lazy", str(path)], check=True)


@pytest.fixture
def server(disk: Path, start_server: StartServer) -> Server:
    """A server on that disk."""
    server = start_server()
    deliver(server.maildir, messages(20))
    return server


def fill(path: Path) -> None:
    """Leave no room."""
    with path.open("ab", buffering=0) as file:
        try:
            while True:
                file.write(b"\0" * 4096)
        except OSError:
            pass


def numbers(client: IMAP) -> list[bytes]:
    """UIDVALIDITY, and the messages' UIDs."""
    return [line for line in client.select().lines if b"UIDVALIDITY" in line] + client.ok(b"FETCH 1:* UID").lines[:-1]


def test_a_full_disk(server: Server, disk: Path, start_server: StartServer) -> None:
    ballast = disk / "ballast"
    with IMAP(server) as client, POP3(server) as pop:
        client.login()
        client.ok(b"CREATE Work")
        before = numbers(client)
        content = b"Subject: x\r\n\r\n" + b"y" * 100_000 + b"\r\n"
        fill(ballast)
        assert client.append(content).last.split()[1:3] == [b"NO", b"[OVERQUOTA]"]
        assert client.append(content).last.split()[1:3] == [b"NO", b"[OVERQUOTA]"]
        assert client.ask(b"CREATE More").status in (b"NO", b"OK")
        assert client.ask(b"COPY 1 Work").status in (b"NO", b"OK")
        assert not list((server.maildir / "tmp").iterdir())
        assert numbers(client) == before
        assert b"{" in client.ok(b"FETCH 1:* (ENVELOPE BODYSTRUCTURE BODY.PEEK[])").text
        client.ok(b"SEARCH BODY x")
        client.ok(rb"STORE 1 +FLAGS (\Deleted)")
        client.ok(b"EXPUNGE")
        pop.login()
        assert pop.ask(b"DELE 1").startswith(b"+OK")
        assert pop.ask(b"QUIT").startswith(b"+OK")
        with IMAP(server) as another:
            another.login().select()
            another.ok(b"FETCH 1:* FLAGS")
        server.process.kill()
        server.process.wait()
    ballast.unlink()
    again = start_server()
    with IMAP(again) as client:
        client.login()
        after = numbers(client)
        assert after[0] == before[0]
        uids = [line.partition(b"UID ")[2] for line in after[1:]]
        assert uids == [line.partition(b"UID ")[2] for line in before[3:]], "what was kept has its UID"
        assert client.append(content).status == b"OK"
        assert b"UID %d)" % 21 not in uids


def test_a_disk_that_may_only_be_read(server: Server) -> None:
    with IMAP(server) as client:
        client.login()
        client.ok(b"CREATE Work")
        before = numbers(client)
        flags = client.ok(b"FETCH 1:* FLAGS").lines[:-1]
        sent = client.ok(b"FETCH 1 BODY.PEEK[]").lines[:-1]
        subprocess.run(["mount", "-o", "bind", str(server.maildir), str(server.maildir)], check=True)
        try:
            subprocess.run(["mount", "-o", "remount,ro,bind", str(server.maildir)], check=True)
            for change in (
                rb"STORE 1 +FLAGS (\Flagged)",
                rb"STORE 1 +FLAGS ($New)",
                b"COPY 1 Work",
                b"MOVE 1 Work",
                b"CREATE More",
                b"DELETE Work",
                b"RENAME Work More",
                b"SUBSCRIBE Work",
            ):
                assert client.ask(change).status == b"NO", change
            assert client.append(crlf(b"Subject: x\n\nx\n")).status == b"NO"
            client.ok(b"EXAMINE INBOX")
            assert numbers(client) == before
            assert client.ok(b"FETCH 1 BODY.PEEK[]").lines[:-1] == sent
            with IMAP(server) as another:
                another.login().select()
                assert another.ok(b"FETCH 1:* FLAGS").lines[:-1] == [line.replace(rb"\Recent", b"") for line in flags]
        finally:
            subprocess.run(["umount", "--lazy", str(server.maildir)], check=True)
        client.ok(b"NOOP")
        client.ok(rb"STORE 1 +FLAGS (\Flagged)")
    assert "Traceback" not in server.words()
