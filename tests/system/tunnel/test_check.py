"""A tunnel into the wrong service: ``--check`` finds it before a client does, and no client gets in."""

import pytest
from server_process import eventually
from tunnel import ours as command
from tunnel import plain as servers
from tunnel.certificates import Certificates
from tunnel.ours import StartTunnel
from tunnel.peers import stunnel
from tunnel.plain import StartPlain
from tunnel.processes import Processes
from tunnel.traffic import said, trusting

pytestmark = pytest.mark.system


def test_the_articles_mistake_is_found(plain: StartPlain, pem: Certificates) -> None:
    """``-d pop3s -r localhost:imap`` puts POP3 clients into IMAP."""
    result = command.run("-d", "pop3s", "-r", plain(servers.IMAP).target, "--certificate", pem.server, "--check")
    assert result.returncode != 0
    assert "Traceback" not in result.stdout + result.stderr
    assert "imap" in (result.stdout + result.stderr).lower()
    assert "pop3" in (result.stdout + result.stderr).lower()


def test_a_check_that_finds_nothing(plain: StartPlain, pem: Certificates) -> None:
    result = command.run("-d", "pop3s", "-r", plain(servers.POP3).target, "--certificate", pem.server, "--check")
    assert result.returncode == 0, result


def test_a_check_looks_inside_tls(plain: StartPlain, processes: Processes, pem: Certificates) -> None:
    target = plain(servers.POP3).target
    theirs = stunnel(
        processes,
        tls=[f"connect = {target}", f"cert = {pem.server}"],
        starttls=[f"connect = {target}", f"cert = {pem.server}", "protocol = pop3"],
        stranger=[f"connect = {target}", f"cert = {pem.stranger}"],
    )

    def check(name: str, *options: str) -> int:
        to = f"localhost:{theirs.ports[name]}"
        options = ("--client", "--accept", "127.0.0.1:0", "--connect", to, "--ca", pem.ca, *options)
        return command.run(*options, "--check", "--handshake-timeout-seconds", "1").returncode

    assert check("tls", "--protocol", "pop3") == 0
    assert check("starttls", "--protocol", "pop3", "--starttls") == 0
    assert check("tls", "--protocol", "imap") != 0
    assert check("stranger", "--protocol", "pop3") != 0
    assert check("starttls", "--protocol", "pop3") != 0
    assert check("tls", "--protocol", "pop3", "--starttls") != 0


def test_a_check_finds_nobody_there(processes: Processes, pem: Certificates) -> None:
    port = processes.free_port()
    result = command.run("-d", "pop3s", "-r", f"127.0.0.1:{port}", "--certificate", pem.server, "--check")
    assert result.returncode != 0
    assert str(port) in result.stdout + result.stderr


@pytest.mark.parametrize("protocol", ["imap", "smtp", "nntp"])
def test_no_client_gets_into_the_wrong_service(
    tunnel: StartTunnel, plain: StartPlain, pem: Certificates, protocol: str
) -> None:
    server = plain({"imap": servers.IMAP, "smtp": servers.SMTP, "nntp": servers.NNTP}[protocol])
    ours = tunnel("--protocol", "pop3", "--connect", server.target, "--certificate", pem.server)
    assert said(ours.port, trusting(pem.ca), send=b"USER joe\r\nPASS secret\r\n").startswith(b"-ERR ")
    ours.logs("tunnel_mismatch", protocol)


def test_a_program_that_speaks_something_else(tunnel: StartTunnel, pem: Certificates) -> None:
    options = ["--protocol", "pop3", "--certificate", pem.server]
    ours = tunnel(*options, *command.executing("/bin/echo", "* OK imap"))
    assert said(ours.port, trusting(pem.ca)).startswith(b"-ERR ")
    eventually(lambda: "tunnel_mismatch" in ours.log())
