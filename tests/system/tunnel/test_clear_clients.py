"""Mail programs that know no TLS, through our client side, to servers that demand it."""

import subprocess
from pathlib import Path

import pytest
from corpus import crlf, deliver, messages
from server_process import Server, StartServer, program
from tunnel.certificates import Certificates
from tunnel.mail_user import MailUser
from tunnel.ours import StartTunnel, Tunnel
from tunnel.peers import stunnel
from tunnel.processes import Processes

pytestmark = pytest.mark.system


def curl(url: str, *options: str) -> bytes:
    """What curl gets in clear."""
    command = [program("curl"), "--silent", "--show-error", "--max-time", "20", *options, url]
    return subprocess.run(command, capture_output=True, timeout=30, check=True).stdout


@pytest.fixture
def server(start_server: StartServer) -> Server:
    """Our own server, which takes no password in clear; it has five messages."""
    server = start_server(users="joe:{PLAIN}secret\n")
    deliver(server.maildir, messages(5))
    return server


def before(tunnel: StartTunnel, server: Server, listener: str) -> Tunnel:
    """Our client side in front of one of the server's ports."""
    protocol = listener.removesuffix("s")
    begins = [] if listener.endswith("s") else ["--starttls"]
    target = ["--connect", f"localhost:{server.ports[listener]}", "--ca", str(server.certificate)]
    return tunnel("--client", "--protocol", protocol, *begins, *target)


@pytest.mark.parametrize("listener", ["imaps", "imap"])
def test_curl_reads_by_imap(tunnel: StartTunnel, server: Server, listener: str, tmp_path: Path) -> None:
    ours = before(tunnel, server, listener)
    third = list(messages(5))[2]
    login = ["--user", "joe:secret"]
    assert curl(f"imap://localhost:{ours.port}/INBOX;MAILINDEX=3", *login) == crlf(third)
    draft = tmp_path / "draft"
    draft.write_bytes(crlf(third))
    curl(f"imap://localhost:{ours.port}/INBOX", *login, "--upload-file", str(draft))
    assert curl(f"imap://localhost:{ours.port}/INBOX;MAILINDEX=6", *login) == crlf(third)


@pytest.mark.parametrize("listener", ["pop3s", "pop3"])
def test_curl_reads_by_pop3(tunnel: StartTunnel, server: Server, listener: str) -> None:
    ours = before(tunnel, server, listener)
    for number, message in enumerate(messages(5), 1):
        assert curl(f"pop3://localhost:{ours.port}/{number}", "--user", "joe:secret") == crlf(message)


def test_curl_reads_from_popa3d_behind_stunnel(
    tunnel: StartTunnel, processes: Processes, pem: Certificates, joe: MailUser
) -> None:
    joe.receive(3)
    theirs = stunnel(processes, far=[f"exec = {program('popa3d')}", "execArgs = popa3d", f"cert = {pem.server}"])
    target = ["--connect", f"localhost:{theirs.ports['far']}", "--ca", pem.ca]
    ours = tunnel("--client", "--protocol", "pop3", *target)
    listing = curl(f"pop3://localhost:{ours.port}/", "--user", f"{joe.name}:{joe.password}")
    assert [line.split()[0] for line in listing.splitlines()] == [b"1", b"2", b"3"]


def test_a_password_goes_nowhere_before_the_server_is_known(
    tunnel: StartTunnel, server: Server, pem: Certificates
) -> None:
    """Its certificate is from an authority that we were not told of: the client hears an error, and keeps its word."""
    target = ["--connect", f"localhost:{server.ports['pop3s']}", "--ca", pem.ca]
    ours = tunnel("--client", "--protocol", "pop3", *target)
    command = [program("curl"), "--verbose", "--max-time", "20", "--user", "joe:secret"]
    result = subprocess.run([*command, f"pop3://localhost:{ours.port}/"], capture_output=True, timeout=30, check=False)
    assert result.returncode != 0
    assert b"< -ERR " in result.stderr
    assert b"PASS" not in result.stderr
    ours.logs("tunnel_tls_failed")
