"""curl lists, fetches and appends, over implicit TLS and with STARTTLS; in clear it gets nowhere."""

import subprocess
from pathlib import Path

import pytest
from corpus import crlf, deliver, messages
from server_process import Server, program

pytestmark = pytest.mark.system


def curl(server: Server, url: str, *options: str, check: bool = True) -> "subprocess.CompletedProcess[bytes]":
    scheme = url.partition(":")[0]
    command = [program("curl"), "--silent", "--show-error", "--max-time", "20", "--cacert", str(server.certificate)]
    if not scheme.endswith("s"):
        command += ["--ssl-reqd"]
    command += ["--user", f"{server.user}:{server.password}", *options]
    command += [url.replace("HOST", f"localhost:{server.ports[scheme]}")]
    return subprocess.run(command, check=check, capture_output=True, timeout=30)


@pytest.mark.parametrize("scheme", ["imaps", "imap"])
def test_imap_lists_fetches_and_appends(server: Server, tmp_path: Path, scheme: str) -> None:
    sent = deliver(server.maildir, messages(3))
    assert b'* LIST (\\HasNoChildren) "." INBOX' in curl(server, f"{scheme}://HOST/").stdout
    assert curl(server, f"{scheme}://HOST/INBOX;MAILINDEX=2").stdout == crlf(sent[1])
    subject = curl(server, f"{scheme}://HOST/INBOX;MAILINDEX=3;SECTION=HEADER.FIELDS%20(SUBJECT)").stdout
    assert subject == b"Subject: Message number 3\r\n\r\n"
    draft = tmp_path / "draft"
    draft.write_bytes(crlf(next(messages(1, seed=9))))
    curl(server, f"{scheme}://HOST/INBOX", "--upload-file", str(draft))
    assert curl(server, f"{scheme}://HOST/INBOX;MAILINDEX=4").stdout == draft.read_bytes()
    assert b"* SEARCH 4" in curl(server, f"{scheme}://HOST/INBOX", "--request", "SEARCH SUBJECT 1 SEEN").stdout


@pytest.mark.parametrize("scheme", ["pop3s", "pop3"])
def test_pop3_lists_and_fetches(server: Server, scheme: str) -> None:
    sent = deliver(server.maildir, messages(5))
    sizes = [f"{n} {len(crlf(content))}".encode() for n, content in enumerate(sent, 1)]
    assert curl(server, f"{scheme}://HOST/").stdout.splitlines() == sizes
    for number, content in enumerate(sent, 1):
        assert curl(server, f"{scheme}://HOST/{number}").stdout == crlf(content)
    assert len(curl(server, f"{scheme}://HOST/", "--request", "UIDL").stdout.splitlines()) == 5


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN"])
@pytest.mark.parametrize("scheme", ["imaps", "pop3s"])
def test_each_mechanism(server: Server, scheme: str, mechanism: str) -> None:
    deliver(server.maildir, messages(1))
    assert curl(server, f"{scheme}://HOST/", "--login-options", f"AUTH={mechanism}").returncode == 0


@pytest.mark.parametrize("scheme", ["imap", "pop3"])
def test_no_login_in_clear(server: Server, scheme: str) -> None:
    login = f"{server.user}:{server.password}"
    command = [program("curl"), "-sSv", "-m", "20", "-u", login, f"{scheme}://localhost:{server.ports[scheme]}/"]
    result = subprocess.run(command, check=False, capture_output=True, timeout=30)
    assert result.returncode != 0
    assert server.password.encode() not in result.stderr


def test_wrong_password(server: Server) -> None:
    result = curl(server, "imaps://HOST/", "--user", "joe:wrong", check=False)
    assert result.returncode == 67
