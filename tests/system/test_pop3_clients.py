"""fetchmail and getmail fetch everything, byte for byte, over POP3S and with STLS."""

import subprocess
from collections.abc import Iterable
from pathlib import Path

import pytest
from corpus import deliver, messages
from server_process import Server, StartServer, program

pytestmark = pytest.mark.system

PASSWORD = "correct-horse"


@pytest.fixture
def server(start_server: StartServer) -> Server:
    """A server whose user has a password that both clients' configurations can say."""
    return start_server(users=f"joe:{{PLAIN}}{PASSWORD}\n")


@pytest.fixture
def delivery(tmp_path: Path) -> Path:
    """A program that puts each message into a file of its own in ``inbox``."""
    (tmp_path / "inbox").mkdir()
    script = tmp_path / "deliver"
    script.write_text(f'#!/bin/sh\nexec cat > "$(mktemp {tmp_path}/inbox/XXXXXXXX)"\n')
    script.chmod(0o755)
    return script


def own_part(contents: Iterable[bytes]) -> list[bytes]:
    """The messages from their own first line on: clients put trace headers above it."""
    return sorted(content.replace(b"\r\n", b"\n").partition(b"From: Sender")[2] for content in contents)


def fetched(delivery: Path) -> list[bytes]:
    return own_part(path.read_bytes() for path in (delivery.parent / "inbox").iterdir())


def run(*command: str, home: Path) -> None:
    environment = {"HOME": str(home), "PATH": "/usr/bin:/bin", "FETCHMAILHOME": str(home), "LC_ALL": "C"}
    result = subprocess.run(command, capture_output=True, env=environment, timeout=60, check=False)
    assert result.returncode == 0, (result.stdout + result.stderr).decode(errors="replace")


@pytest.mark.parametrize("listener", ["pop3s", "pop3"])
def test_fetchmail(server: Server, tmp_path: Path, delivery: Path, listener: str) -> None:
    sent = deliver(server.maildir, messages(25))
    tls = "ssl" if listener == "pop3s" else "sslproto TLS1.2+"
    rc = tmp_path / "fetchmailrc"
    rc.write_text(
        f"poll localhost protocol pop3 port {server.ports[listener]} uidl\n"
        f'  user "{server.user}" password "{PASSWORD}" {tls} sslcertck sslcertfile {server.certificate}\n'
        f'  no rewrite fetchall no mimedecode pass8bits stripcr mda "{delivery}"\n'
    )
    rc.chmod(0o600)
    run(program("fetchmail"), "-f", str(rc), "--nosyslog", "--invisible", "-v", "--pidfile", "pid", home=tmp_path)
    assert fetched(delivery) == own_part(sent)
    assert not [*(server.maildir / "new").iterdir(), *(server.maildir / "cur").iterdir()]


def test_getmail(server: Server, tmp_path: Path, delivery: Path) -> None:
    sent = deliver(server.maildir, messages(25))
    home = tmp_path / "getmail"
    home.mkdir()
    (home / "getmailrc").write_text(
        "[retriever]\ntype = SimplePOP3SSLRetriever\nserver = localhost\n"
        f"port = {server.ports['pop3s']}\nusername = {server.user}\npassword = {PASSWORD}\n"
        f"ca_certs = {server.certificate}\n"
        f"[destination]\ntype = MDA_external\npath = {delivery}\nallow_root_commands = true\nunixfrom = false\n"
        "[options]\ndelete = false\nread_all = false\nreceived = false\ndelivered_to = false\nverbose = 2\n"
    )
    for _ in range(2):  # the unique-ids are stable: the second time nothing comes
        run(program("getmail"), "--getmaildir", str(home), home=tmp_path)
        assert fetched(delivery) == own_part(sent)
