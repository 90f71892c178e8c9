"""Certificates: by the name that a client asks for, whole chains, changed while the server runs; IPv6 too."""

import signal
import socket
import ssl
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import trustme
from server_process import Server, StartServer, eventually, program
from wire import Wire

pytestmark = pytest.mark.system

Issue = Callable[..., Path]


@pytest.fixture(scope="module")
def root() -> trustme.CA:
    """An authority, with one between it and the servers."""
    return trustme.CA()


@pytest.fixture
def issue(root: trustme.CA, tmp_path: Path) -> Issue:
    """Writes a certificate, its chain and its key into one file."""
    between = root.create_child_ca()

    def write(*names: str, file: str) -> Path:
        path = tmp_path / file
        made = between.issue_cert(*names)
        path.write_bytes(made.private_key_and_cert_chain_pem.bytes())
        return path

    return write


@pytest.fixture
def trusting(root: trustme.CA) -> ssl.SSLContext:
    """What a client trusts."""
    context = ssl.create_default_context()
    root.configure_trust(context)
    return context


def serial(server: Server, trusting: ssl.SSLContext, host: str) -> object:
    """The serial number of what a verifying client is shown."""
    with Wire(server.ports["imaps"], trusting, host=host) as client:
        assert isinstance(client.socket, ssl.SSLSocket)
        shown = client.socket.getpeercert()
        assert shown is not None
        assert client.line().startswith(b"* OK")
        return shown["serialNumber"]


def test_two_names_and_their_chains(start_server: StartServer, issue: Issue, root: trustme.CA, tmp_path: Path) -> None:
    one, two = issue("one.example", file="one.pem"), issue("two.example", file="two.pem")
    config = tmp_path / "sni.toml"
    config.write_text(f'certificate = "{one}"\n[[sni]]\ncertificate = "{two}"\n')
    server = start_server(f"--config={config}")
    authority = tmp_path / "root.pem"
    root.cert_pem.write_to_path(str(authority))
    for host, listener, extra in [
        ("one.example", "imaps", []),
        ("two.example", "imaps", []),
        ("two.example", "pop3s", []),
        ("two.example", "imap", ["-starttls", "imap"]),
        ("two.example", "pop3", ["-starttls", "pop3"]),
    ]:
        command = [program("openssl"), "s_client", "-showcerts", "-servername", host, "-verify_hostname", host, *extra]
        command += [
            "-CAfile",
            str(authority),
            "-connect",
            f"127.0.0.1:{server.ports[listener]}",
            "-verify_return_error",
        ]
        shown = subprocess.run(command, input="", capture_output=True, text=True, timeout=20, check=False).stdout
        assert "Verify return code: 0 (ok)" in shown, shown
        assert shown.count("-----BEGIN CERTIFICATE-----") == 2, "the certificate and the authority between"


def test_an_unknown_name_gets_the_first(
    start_server: StartServer, issue: Issue, trusting: ssl.SSLContext, tmp_path: Path
) -> None:
    config = tmp_path / "sni.toml"
    config.write_text(
        f'certificate = "{issue("one.example", file="one.pem")}"\n'
        f'[[sni]]\ncertificate = "{issue("two.example", file="two.pem")}"\n'
    )
    server = start_server(f"--config={config}")
    trusting.check_hostname = False
    assert serial(server, trusting, "elsewhere.example") == serial(server, trusting, "one.example")
    assert serial(server, trusting, "two.example") != serial(server, trusting, "one.example")


@pytest.mark.parametrize("told", [True, False], ids=["SIGHUP", "watched"])
def test_a_new_certificate_while_sessions_go_on(
    start_server: StartServer, issue: Issue, trusting: ssl.SSLContext, told: bool
) -> None:
    path = issue("one.example", file="one.pem")
    server = start_server(f"--certificate={path}", *([] if told else ["--reload-seconds=0.1"]))
    first = serial(server, trusting, "one.example")
    with Wire(server.ports["imaps"], trusting, host="one.example") as session:
        assert session.line().startswith(b"* OK")
        path.write_bytes(b"half a certificate\n")
        if told:
            server.process.send_signal(signal.SIGHUP)
        eventually(lambda: "certificate" in server.words())
        assert serial(server, trusting, "one.example") == first, "the last good one stays"
        issue("one.example", file="one.pem")
        if told:
            server.process.send_signal(signal.SIGHUP)
        eventually(lambda: serial(server, trusting, "one.example") != first)
        session.send(b"a NOOP\r\n")
        assert session.line().startswith(b"a OK")


def test_ipv6(start_server: StartServer) -> None:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        pytest.skip("this machine has no ::1")
    server = start_server("--imaps=[::1]:0")
    with (
        socket.create_connection(("::1", server.ports["imaps"]), 10) as plain,
        server.tls().wrap_socket(plain, server_hostname="localhost") as client,
    ):
        assert client.recv(100).startswith(b"* OK")
    assert "address=::1" in server.words()


def test_octets_that_are_no_tls(shared: Server) -> None:
    for octets in (
        b"a CAPABILITY\r\n",
        b"\x16\x03\x01\xff\xff" + b"\0" * 70_000,
        b"\0" * 1000,
        b"GET / HTTP/1.1\r\n\r\n",
    ):
        with Wire(shared.ports["imaps"], None) as client:
            client.send(octets)
            assert b"* OK" not in client.rest()
    with Wire(shared.ports["imaps"], shared.tls()) as client:
        assert client.line().startswith(b"* OK")
    assert "Traceback" not in shared.words()
