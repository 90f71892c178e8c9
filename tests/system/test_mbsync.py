"""mbsync syncs both ways: messages, flags, folders with non-ASCII names, deletions; then it has nothing to do."""

import re
import subprocess
from pathlib import Path

import pytest
from corpus import deliver, messages
from server_process import Server, program

pytestmark = pytest.mark.system

CONFIGURATION = """
IMAPAccount server
Host localhost
Port {port}
User {user}
PassCmd "cat {password}"
SSLType {ssl}
CertificateFile {certificate}
AuthMechs {auth}
PipelineDepth 80

IMAPStore far
Account server

MaildirStore near
Path {near}/
Inbox {near}/INBOX
SubFolders Verbatim

Channel all
Far :far:
Near :near:
Patterns *
Create Both
Expunge Both
Remove Both
SyncState {state}/
"""


def configure(server: Server, folder: Path, ssl: str, port: int) -> tuple[Path, Path]:
    near = folder / "near"
    near.mkdir()
    (folder / "state").mkdir()
    password = folder / "password"
    password.write_text(server.password)
    path = folder / "mbsyncrc"
    path.write_text(
        CONFIGURATION.format(
            port=port,
            user=server.user,
            password=password,
            ssl=ssl,
            certificate=server.certificate,
            near=near,
            state=folder / "state",
            auth="PLAIN" if ssl == "IMAPS" else "LOGIN",
        )
    )
    return path, near


def mbsync(configuration: Path) -> str:
    result = subprocess.run(
        [program("mbsync"), "-c", str(configuration), "all"], capture_output=True, timeout=90, check=False
    )
    text = (result.stdout + result.stderr).decode(errors="replace")
    assert result.returncode == 0, text
    return text


def messages_in(maildir: Path) -> list[Path]:
    """The files of all messages, in their order."""
    return sorted([*(maildir / "new").iterdir(), *(maildir / "cur").iterdir()], key=lambda path: path.name)


def snapshot(folder: Path) -> dict[Path, int]:
    """Every message's file, and when its directory entry last changed."""
    return {path: path.stat().st_ctime_ns for path in folder.rglob("*") if path.parent.name in ("new", "cur")}


def contents(maildir: Path) -> dict[bytes, str]:
    """Each message's own header line, and its flags."""
    found = {}
    for path in messages_in(maildir):
        identity = re.search(rb"^Message-ID: (.*?)\r?$", path.read_bytes(), re.MULTILINE)
        assert identity
        found[identity[1]] = path.name.rpartition(":2,")[2] if ":2," in path.name else ""
    return found


@pytest.mark.parametrize(("ssl", "listener"), [("IMAPS", "imaps"), ("STARTTLS", "imap")])
def test_two_hundred_messages_both_ways(server: Server, tmp_path: Path, ssl: str, listener: str) -> None:
    program("mbsync")
    deliver(server.maildir, messages(100))
    configuration, near = configure(server, tmp_path, ssl, server.ports[listener])
    mbsync(configuration)
    assert len(contents(near / "INBOX")) == 100

    deliver(near / "Entw&APw-rfe", messages(100, seed=2))
    for path in messages_in(near / "INBOX")[:10]:
        path.rename(near / "INBOX" / "cur" / (path.name.partition(":2,")[0] + ":2,FS"))
    mbsync(configuration)
    far = server.maildir / ".Entw&APw-rfe"
    assert set(contents(far)) == set(contents(near / "Entw&APw-rfe"))
    assert len(contents(far)) == 100
    assert sorted(contents(server.maildir).values()).count("FS") == 10

    for path in messages_in(near / "INBOX")[:20]:
        path.unlink()
    for path in messages_in(server.maildir / ".Entw&APw-rfe")[:20]:
        path.unlink()
    mbsync(configuration)
    assert contents(server.maildir) == contents(near / "INBOX")
    assert contents(far) == contents(near / "Entw&APw-rfe")
    assert (len(contents(server.maildir)), len(contents(far))) == (80, 80)

    before = snapshot(near), snapshot(server.maildir)
    mbsync(configuration)
    assert (snapshot(near), snapshot(server.maildir)) == before
    last = [line for line in server.log.read_text().splitlines() if "#info] logout" in line][-1]
    assert "appended=0 expunged=0" in last
