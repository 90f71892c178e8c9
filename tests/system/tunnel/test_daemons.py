"""POP3 and IMAP daemons that know no TLS, behind ours: Debian's popa3d, GNU mailutils' pop3d, Dovecot's imap."""

import subprocess
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest
from corpus import crlf, deliver, messages
from server_process import eventually, program
from tunnel.certificates import Certificates
from tunnel.mail_user import MailUser
from tunnel.ours import StartTunnel, Tunnel, executing
from tunnel.peers import NOBODY, dovecot_imap, folder_of, give, inetd
from tunnel.processes import Processes
from tunnel.traffic import trusting
from wire import Wire

pytestmark = pytest.mark.system

DAEMONS = [["popa3d"], ["pop3d", "--inetd"]]


def own_part(contents: Iterable[bytes]) -> list[bytes]:
    """The messages from their own first line on: fetchmail and the daemons put headers of theirs above or behind."""
    return sorted(content.replace(b"\r\n", b"\n").partition(b"\n\n")[2].rstrip(b"\n") for content in contents)


def fetch(folder: Path, joe: MailUser, port: int, pem: Certificates, tls: str = "ssl") -> list[bytes]:
    """All that fetchmail gets from ``port`` over TLS, whose certificate it checks."""
    inbox, script, rc = folder / "inbox", folder / "deliver", folder / "fetchmailrc"
    inbox.mkdir()
    script.write_text(f'#!/bin/sh\nexec cat > "$(mktemp {inbox}/XXXXXXXX)"\n')
    script.chmod(0o755)
    rc.write_text(
        f"poll localhost protocol pop3 port {port}\n"
        f'  user "{joe.name}" password "{joe.password}" {tls} sslcertck sslcertfile {pem.ca}\n'
        f'  no rewrite fetchall no mimedecode pass8bits stripcr mda "{script}"\n'
    )
    rc.chmod(0o600)
    command = [program("fetchmail"), "-f", str(rc), "--nosyslog", "--invisible", "-v", "--pidfile", "pid"]
    environment = {"HOME": str(folder), "PATH": "/usr/bin:/bin", "FETCHMAILHOME": str(folder), "LC_ALL": "C"}
    result = subprocess.run(command, capture_output=True, env=environment, timeout=60, check=False)
    assert result.returncode == 0, (result.stdout + result.stderr).decode(errors="replace")
    return own_part(path.read_bytes() for path in inbox.iterdir())


@pytest.fixture(params=["exec", "inetd", "connect"])
def way(request: pytest.FixtureRequest, processes: Processes) -> Callable[[list[str]], list[str]]:
    """The options that put a daemon behind the tunnel."""

    def options(command: list[str]) -> list[str]:
        if request.param == "connect":
            return ["--connect", f"127.0.0.1:{inetd(processes, *command)}"]
        return [*(["--inetd"] if request.param == "inetd" else []), *executing(*command)]

    return options


@pytest.mark.parametrize("daemon", DAEMONS, ids=lambda command: str(command[0]))
def test_fetchmail_gets_all_mail_through_tls(
    tunnel: StartTunnel, way: Callable[[list[str]], list[str]], pem: Certificates, joe: MailUser, daemon: list[str]
) -> None:
    sent = own_part(joe.receive(10))
    destination = way([program(daemon[0]), *daemon[1:]])
    ours = tunnel("--protocol", "pop3", "--certificate", pem.server, *destination)
    assert fetch(ours.running.log.parent, joe, ours.port, pem) == sent


def test_fetchmail_begins_tls_with_stls(tunnel: StartTunnel, pem: Certificates, joe: MailUser) -> None:
    sent = own_part(joe.receive(10))
    command = executing(program("pop3d"), "--inetd")
    ours = tunnel("--protocol", "pop3", "--starttls", "--certificate", pem.server, *command)
    assert fetch(ours.running.log.parent, joe, ours.port, pem, "sslproto TLS1.2+") == sent


def test_curl_begins_tls_with_stls(tunnel: StartTunnel, pem: Certificates, joe: MailUser) -> None:
    """popa3d knows no CAPA, without which fetchmail does not go on inside TLS."""
    sent = joe.receive(3)
    options = ["--protocol", "pop3", "--starttls", "--certificate", pem.server]
    ours = tunnel(*options, *executing(program("popa3d")))
    command = [program("curl"), "--silent", "--show-error", "--ssl-reqd", "--cacert", pem.ca, "--max-time", "20"]
    url = f"pop3://{joe.name}:{joe.password}@localhost:{ours.port}/3"
    got = subprocess.run([*command, url], capture_output=True, timeout=30, check=True).stdout
    assert own_part([got]) == own_part(sent[2:])


@pytest.fixture
def imap(tunnel: StartTunnel, pem: Certificates) -> Iterator[tuple[Tunnel, Path]]:
    """Dovecot's imap behind TLS, and the Maildir that it shows."""
    with folder_of(NOBODY) as folder:
        deliver(folder / "Maildir", iter(()))
        give(folder, NOBODY)
        command = dovecot_imap(folder / "Maildir")
        yield tunnel("--protocol", "imap", "--certificate", pem.server, *executing(*command)), folder / "Maildir"


def test_curl_reads_mail_from_an_imap_program(imap: tuple[Tunnel, Path], pem: Certificates) -> None:
    ours, maildir = imap
    sent = deliver(maildir, messages(5))
    give(maildir, NOBODY)
    for number, message in enumerate(sent, 1):
        url = f"imaps://localhost:{ours.port}/INBOX;MAILINDEX={number}"
        command = [program("curl"), "--silent", "--show-error", "--max-time", "20", "--cacert", pem.ca, url]
        assert subprocess.run(command, check=True, capture_output=True).stdout == crlf(message)


def test_a_program_ends_with_its_client(imap: tuple[Tunnel, Path], pem: Certificates) -> None:
    ours, _ = imap

    def children() -> str:
        pid = ours.running.process.pid
        return Path(f"/proc/{pid}/task/{pid}/children").read_text()

    with Wire(ours.port, trusting(pem.ca)) as wire:
        assert wire.line().startswith(b"* PREAUTH ")
        assert children()
    eventually(lambda: not children())


def test_a_program_learns_who_its_client_is(tunnel: StartTunnel, processes: Processes, pem: Certificates) -> None:
    script = processes.folder / "tells"
    script.write_text('#!/bin/sh\necho "$REMOTE_HOST $REMOTE_PORT ${SSL_CLIENT_DN-nobody}"\n')
    script.chmod(0o755)
    options = ["--protocol", "none", "--certificate", pem.server, "--exec", str(script)]
    with Wire(tunnel(*options).port, trusting(pem.ca), source="127.0.0.9") as wire:
        told = wire.line().split(maxsplit=2)
        assert told == [b"127.0.0.9", b"%d" % wire.socket.getsockname()[1], b"nobody"]
    ours = tunnel(*options, "--ca", pem.ca, "--verify", "chain")
    with Wire(ours.port, trusting(pem.ca, pem.client)) as wire:
        assert b"joe" in wire.line()


def test_a_program_gets_a_terminal(tunnel: StartTunnel, pem: Certificates) -> None:
    options = ["--protocol", "none", "--certificate", pem.server, "--exec", "/usr/bin/tty"]
    with Wire(tunnel("--pty", *options).port, trusting(pem.ca)) as wire:
        assert wire.line().startswith(b"/dev/pts/")
    with Wire(tunnel(*options).port, trusting(pem.ca)) as wire:
        assert wire.line() == b"not a tty"


def test_with_inetd_a_program_gets_a_socket(tunnel: StartTunnel, pem: Certificates) -> None:
    options = [
        "--protocol",
        "none",
        "--certificate",
        pem.server,
        "--inetd",
        *executing("/bin/readlink", "/proc/self/fd/0"),
    ]
    with Wire(tunnel(*options).port, trusting(pem.ca)) as wire:
        assert wire.line().startswith(b"socket:")


def test_what_a_program_says_at_last_is_not_lost(tunnel: StartTunnel, pem: Certificates) -> None:
    ours = tunnel(
        "--protocol", "none", "--certificate", pem.server, *executing("/usr/bin/head", "-c", "3000000", "/dev/zero")
    )
    for _ in range(5):
        with Wire(ours.port, trusting(pem.ca)) as wire:
            assert wire.rest() == bytes(3_000_000)
