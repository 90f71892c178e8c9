"""fetchmail and getmail fetch everything, byte for byte, over POP3S and with STLS."""

import subprocess
from pathlib import Path

import pytest
from corpus import deliver, messages
from server_process import Server, program

pytestmark = pytest.mark.system


def bodies(contents: list[bytes]) -> list[bytes]:
    """What clients that add trace headers must keep: all from From: on."""
    return sorted(content[content.index(b"From: Sender") :] for content in contents)


@pytest.mark.parametrize("listener", ["pop3s", "pop3"])
def test_fetchmail(server: Server, tmp_path: Path, listener: str) -> None:
    sent = deliver(server.maildir, messages(25))
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    deliverer = tmp_path / "deliver"
    deliverer.write_text(f'#!/bin/sh\nexec cat > "$(mktemp {inbox}/XXXXXXXX)"\n')
    deliverer.chmod(0o755)
    tls = "ssl" if listener == "pop3s" else "sslproto TLS1.2+"
    password = server.password.replace("\\", "\\\\").replace('"', '\\"')
    rc = tmp_path / "fetchmailrc"
    rc.write_text(
        f"poll localhost protocol pop3 port {server.ports[listener]} uidl\n"
        f'  user "{server.user}" password "{password}" {tls} sslcertck sslcertfile {server.certificate}\n'
        f'  no rewrite fetchall no mimedecode pass8bits no stripcr mda "{deliverer}"\n'
    )
    rc.chmod(0o600)
    environment = {"HOME": str(tmp_path), "PATH": "/usr/bin:/bin", "FETCHMAILHOME": str(tmp_path), "LC_ALL": "C"}
    command = [
        program("fetchmail"),
        "-f",
        str(rc),
        "--nosyslog",
        "--invisible",
        "-v",
        "--pidfile",
        str(tmp_path / "pid"),
    ]
    result = subprocess.run(command, capture_output=True, env=environment, timeout=60, check=False)
    assert result.returncode == 0, (result.stdout + result.stderr).decode(errors="replace")
    assert bodies([path.read_bytes().replace(b"\r\n", b"\n") for path in inbox.iterdir()]) == bodies(sent)
    assert not [*(server.maildir / "new").iterdir(), *(server.maildir / "cur").iterdir()]


@pytest.mark.parametrize("listener", ["pop3s"])
def test_getmail(server: Server, tmp_path: Path, listener: str) -> None:
    sent = deliver(server.maildir, messages(25))
    for folder in ("cur", "new", "tmp"):
        (tmp_path / "got" / folder).mkdir(parents=True)
    home = tmp_path / "getmail"
    home.mkdir()
    (home / "getmailrc").write_text(
        "[retriever]\ntype = SimplePOP3SSLRetriever\nserver = localhost\n"
        f"port = {server.ports[listener]}\nusername = {server.user}\n"
        f'password_command = ("/bin/cat", "{tmp_path}/password")\nca_certs = {server.certificate}\n'
        f"[destination]\ntype = Maildir\npath = {tmp_path}/got/\n"
        "[options]\ndelete = false\nreceived = false\ndelivered_to = false\nverbose = 2\n"
    )
    (tmp_path / "password").write_text(server.password)
    command = [program("getmail"), "--getmaildir", str(home)]

    def run() -> None:
        result = subprocess.run(command, capture_output=True, timeout=60, check=False)
        assert result.returncode == 0, (result.stdout + result.stderr).decode(errors="replace")

    run()
    got = [path.read_bytes() for path in (tmp_path / "got" / "new").iterdir()]
    assert bodies(got) == bodies(sent)
    run()  # UIDL is stable: nothing comes twice
    assert len(list((tmp_path / "got" / "new").iterdir())) == 25
