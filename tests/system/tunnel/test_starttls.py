"""TLS that begins in the middle of a conversation, in both roles: with stunnel, curl and openssl at the other end."""

import subprocess

import pytest
from server_process import eventually, program
from tunnel import plain as servers
from tunnel.certificates import Certificates
from tunnel.ours import StartTunnel
from tunnel.peers import stunnel
from tunnel.plain import Serve, StartPlain
from tunnel.processes import Processes
from tunnel.traffic import trusting
from wire import Wire

pytestmark = pytest.mark.system

SERVERS: dict[str, Serve] = {
    "imap": servers.IMAP, "pop3": servers.POP3, "smtp": servers.SMTP, "nntp": servers.NNTP,
}  # fmt: skip
ASKS = {
    "imap": (b"* OK ", b"a NOOP\r\n", b"a OK done"),
    "pop3": (b"+OK ", b"STAT\r\n", b"+OK 0 0"),
    "smtp": (b"220 ", b"VRFY joe\r\n", b"252 2.0.0 send some mail"),
    "nntp": (b"200 ", b"DATE\r\n", b"111 20260601100000"),
}
BEGINS = {"imap": b"x STARTTLS\r\n", "pop3": b"STLS\r\n", "smtp": b"STARTTLS\r\n", "nntp": b"STARTTLS\r\n"}
SECRETS = {
    "imap": b"x LOGIN joe secret\r\n",
    "pop3": b"PASS secret\r\n",
    "smtp": b"AUTH PLAIN c2VjcmV0\r\n",
    "nntp": b"AUTHINFO PASS secret\r\n",
}


def serves(protocol: str, port: int) -> None:
    """Whether a client in clear finds the server behind ``port``."""
    greeting, command, reply = ASKS[protocol]
    with Wire(port, None) as wire:
        assert wire.line().startswith(greeting)
        wire.send(command)
        assert wire.line() == reply


@pytest.mark.parametrize("protocol", SERVERS)
def test_stunnel_is_the_client_of_our_server_side(
    tunnel: StartTunnel, plain: StartPlain, processes: Processes, pem: Certificates, protocol: str
) -> None:
    target = plain(SERVERS[protocol]).target
    ours = tunnel("--protocol", protocol, "--starttls", "--connect", target, "--certificate", pem.server)
    common = ["client = yes", f"connect = 127.0.0.1:{ours.port}", f"CAfile = {pem.ca}", "verifyChain = yes"]
    theirs = stunnel(processes, near=[*common, f"protocol = {protocol}"])
    serves(protocol, theirs.ports["near"])


@pytest.mark.parametrize("protocol", ["imap", "pop3", "smtp"])  # stunnel has no server's role for NNTP
def test_stunnel_is_the_server_of_our_client_side(
    tunnel: StartTunnel, plain: StartPlain, processes: Processes, pem: Certificates, protocol: str
) -> None:
    target = plain(SERVERS[protocol]).target
    theirs = stunnel(processes, far=[f"connect = {target}", f"cert = {pem.server}", f"protocol = {protocol}"])
    far = f"localhost:{theirs.ports['far']}"
    ours = tunnel("--client", "--protocol", protocol, "--starttls", "--connect", far, "--ca", pem.ca)
    serves(protocol, ours.port)


@pytest.mark.parametrize("protocol", SERVERS)
def test_our_client_side_finds_our_server_side(
    tunnel: StartTunnel, plain: StartPlain, pem: Certificates, protocol: str
) -> None:
    common = ["--protocol", protocol, "--starttls"]
    far = tunnel(*common, "--connect", plain(SERVERS[protocol]).target, "--certificate", pem.server)
    near = tunnel(*common, "--client", "--connect", f"localhost:{far.port}", "--ca", pem.ca)
    serves(protocol, near.port)


@pytest.mark.parametrize("protocol", SERVERS)
def test_openssl_begins_tls(tunnel: StartTunnel, plain: StartPlain, pem: Certificates, protocol: str) -> None:
    target = plain(SERVERS[protocol]).target
    ours = tunnel("--protocol", protocol, "--starttls", "--connect", target, "--certificate", pem.server)
    _, command, reply = ASKS[protocol]
    quits = b"q LOGOUT\r\n" if protocol == "imap" else b"QUIT\r\n"
    client = [
        program("openssl"), "s_client", "-connect", f"localhost:{ours.port}", "-starttls", protocol, "-quiet",
        "-CAfile", pem.ca, "-verify_return_error", "-verify_hostname", "localhost", "-no_ign_eof",
    ]  # fmt: skip
    process = subprocess.Popen(client, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        process.stdin.write(command)
        process.stdin.flush()
        lines = iter(process.stdout.readline, b"")
        assert any(line.strip() == reply for line in lines)
        process.stdin.write(quits)
        process.stdin.flush()
        assert process.wait(10) == 0
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize(
    ("url", "command"),
    [
        ("imap://joe:x@localhost:{}/", b"A005 LIST"),
        ("pop3://joe:x@localhost:{}/", b"PASS x"),
        ("smtp://localhost:{}/ -X NOOP", b"NOOP"),
    ],
)
def test_curl_demands_tls(tunnel: StartTunnel, plain: StartPlain, pem: Certificates, url: str, command: bytes) -> None:
    protocol = url.partition(":")[0]
    target = plain(SERVERS[protocol]).target
    ours = tunnel("--protocol", protocol, "--starttls", "--connect", target, "--certificate", pem.server)
    client = [program("curl"), "--verbose", "--ssl-reqd", "--cacert", pem.ca, "--max-time", "10"]
    result = subprocess.run([*client, *url.format(ours.port).split()], capture_output=True, timeout=20, check=False)
    assert b"SSL certificate verify ok" in result.stderr, result.stderr
    assert b"> " + command in result.stderr


@pytest.mark.parametrize("protocol", SERVERS)
def test_nothing_secret_is_taken_in_clear(
    tunnel: StartTunnel, plain: StartPlain, pem: Certificates, protocol: str
) -> None:
    server = plain(SERVERS[protocol])
    ours = tunnel("--protocol", protocol, "--starttls", "--connect", server.target, "--certificate", pem.server)
    _, _, reply = ASKS[protocol]
    with Wire(ours.port, None) as wire:
        wire.line()
        wire.send(SECRETS[protocol])
        refusal = wire.line()
        assert refusal
        assert not refusal.startswith((b"+OK", b"x OK", b"2", b"3")), refusal
        wire.send(ASKS[protocol][1])
        assert wire.line() != reply


@pytest.mark.parametrize("protocol", SERVERS)
def test_what_follows_in_clear_ends_the_connection(
    tunnel: StartTunnel, plain: StartPlain, pem: Certificates, protocol: str
) -> None:
    """What stands behind STARTTLS in the same packet must not be taken for what is said inside TLS (CVE-2011-0411)."""
    server = plain(SERVERS[protocol])
    ours = tunnel("--protocol", protocol, "--starttls", "--connect", server.target, "--certificate", pem.server)
    with Wire(ours.port, None) as wire:
        wire.line()
        wire.send(BEGINS[protocol] + ASKS[protocol][1])
        assert ASKS[protocol][2] not in wire.rest()
    ours.logs("tunnel_refused", "clear")


@pytest.mark.parametrize("protocol", SERVERS)
def test_a_server_without_starttls_is_not_spoken_to_in_clear(
    tunnel: StartTunnel, plain: StartPlain, pem: Certificates, protocol: str
) -> None:
    server = plain(SERVERS[protocol])
    ours = tunnel("--client", "--protocol", protocol, "--starttls", "--connect", server.target, "--ca", pem.ca)
    with Wire(ours.port, None) as wire:
        wire.send(SECRETS[protocol])
        assert not wire.line().startswith(ASKS[protocol][0])
    ours.logs("tunnel_refused")


def test_a_client_that_insists_on_clear_is_cut_off(tunnel: StartTunnel, plain: StartPlain, pem: Certificates) -> None:
    server = plain(servers.POP3)
    ours = tunnel("--protocol", "pop3", "--starttls", "--connect", server.target, "--certificate", pem.server)
    with Wire(ours.port, None) as wire:
        wire.send(b"USER joe\r\n" * 50)
        assert wire.rest().count(b"-ERR") < 20
    eventually(lambda: "tunnel_refused" in ours.log())


def test_tls_works_after_a_refused_command(tunnel: StartTunnel, plain: StartPlain, pem: Certificates) -> None:
    ours = tunnel(
        "--protocol", "pop3", "--starttls", "--connect", plain(servers.POP3).target, "--certificate", pem.server
    )
    with Wire(ours.port, None) as wire:
        wire.line()
        for command, start in ((b"CAPA", b"+OK"), (b"USER joe", b"-ERR"), (b"STLS", b"+OK")):
            wire.send(command + b"\r\n")
            assert wire.line().startswith(start)
            while command == b"CAPA" and wire.line() != b".":
                pass
        wire.start_tls(trusting(pem.ca))
        wire.send(b"STAT\r\n")
        assert wire.line() == b"+OK 0 0"
