"""Tunnels that a file describes, alone and beside a running server; names that clients ask for; where it listens."""

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from server_process import Server, environment, eventually, start
from server_process import program as installed
from tunnel import ours as command
from tunnel import plain as servers
from tunnel.certificates import Certificates
from tunnel.ours import COMMAND, StartTunnel
from tunnel.plain import Plain, StartPlain
from tunnel.processes import Processes
from tunnel.traffic import echoed, said, trusting
from wire import POP3, Wire

pytestmark = pytest.mark.system

QUIT = b"QUIT\r\n"


@pytest.fixture
def usual(plain: StartPlain) -> Plain:
    """A server that says so."""
    return plain(servers.lines(b"usual\r\n", {}, b""))


@pytest.fixture
def other(plain: StartPlain) -> Plain:
    """Another."""
    return plain(servers.lines(b"other\r\n", {}, b""))


def test_a_name_leads_to_another_target_and_certificate(
    tunnel: StartTunnel, usual: Plain, other: Plain, pem: Certificates, tmp_path: Path
) -> None:
    conf = tmp_path / "tunnels.toml"
    conf.write_text(
        f"""
        [[tunnel]]
        name = "web"
        accept = "127.0.0.1:0"
        protocol = "none"
        connect = ["{usual.target}"]
        certificate = "{pem.server}"

        [[tunnel.sni]]
        name = "other.example.org"
        connect = ["{other.target}"]
        certificate = "{pem.other}"

        [[tunnel]]
        name = "echo"
        accept = "127.0.0.1:0"
        protocol = "none"
        exec = ["/bin/cat"]
        certificate = "{pem.server}"
        """
    )
    ours = tunnel("--config", str(conf))
    assert set(ours.ports) == {"web", "echo"}
    tls = trusting(pem.ca)
    assert said(ours.ports["web"], tls, send=QUIT) == b"usual\r\n"
    assert said(ours.ports["web"], tls, send=QUIT, host="other.example.org") == b"other\r\n"
    assert said(ours.ports["web"], tls, send=QUIT, host="third.example.org") == b""  # it gets localhost's certificate
    assert echoed(ours.ports["echo"], tls)


@pytest.fixture
def beside(tmp_path: Path, plain: StartPlain, pem: Certificates) -> Iterator[tuple[Server, int]]:
    """A server with a tunnel in its configuration, and the tunnel's port."""
    conf = tmp_path / "server.toml"
    conf.write_text(
        f"""
        [[tunnel]]
        name = "echo"
        accept = "127.0.0.1:0"
        protocol = "none"
        connect = ["{plain(servers.echo).target}"]
        certificate = "{pem.server}"
        """
    )
    server = start(tmp_path, f"--config={conf}")
    lines = [line.split() for line in server.output if line.startswith("listening echo ")]
    yield server, int(lines[0][-1])
    assert server.stop() == 0


def test_a_tunnel_runs_beside_a_server(beside: tuple[Server, int], pem: Certificates) -> None:
    server, port = beside
    with POP3(server) as pop3, Wire(port, trusting(pem.ca)) as wire:
        pop3.login()
        wire.send(b"beside\n")
        assert wire.line() == b"beside"
    eventually(lambda: "tunnel_closed" in server.words())


@pytest.mark.parametrize(
    ("words", "named"),
    [
        ('accept = "127.0.0.1:0"', "connect"),
        ('connect = ["127.0.0.1:1"]', "accept"),
        ('accept = "127.0.0.1:0"\nconnect = ["127.0.0.1:1"]\nexec = ["/bin/cat"]', "exec"),
        ('accept = "127.0.0.1:0"\nexec = ["/nonexistent/program"]', "/nonexistent/program"),
        ('accept = "127.0.0.1:0"\nconnect = ["127.0.0.1:1"]\nstarttls = true\nprotocol = "none"', "starttls"),
        ('accept = "127.0.0.1:0"\nconnect = ["127.0.0.1:1"]\ncertificate = "/nonexistent.pem"', "/nonexistent.pem"),
        ('accept = "127.0.0.1:0"\nconnect = ["127.0.0.1:1"]\ntypo = 1', "typo"),
        ('accept = "127.0.0.1:0"\nconnect = ["127.0.0.1:1"]\nverify = "chain"', "ca"),
    ],
)
def test_what_cannot_be_is_said_in_one_line(tmp_path: Path, words: str, named: str) -> None:
    conf = tmp_path / "tunnels.toml"
    conf.write_text(f"[[tunnel]]\n{words}\n")
    result = command.run("--config", str(conf), "--state", str(tmp_path), folder=tmp_path)
    assert result.returncode != 0
    assert result.stderr.count("\n") == 1, result.stderr
    assert named in result.stderr


def test_a_client_side_listens_on_this_machine_alone(tunnel: StartTunnel) -> None:
    ours = tunnel("--client", "--accept", "0", "--connect", "mail.example.org:995")
    assert ours.said.read_text().splitlines()[0].split()[2:4] == ["none", "127.0.0.1"]


def test_a_target_on_a_unix_socket(tunnel: StartTunnel, pem: Certificates, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "target"))
        listener.listen()
        ours = tunnel("--protocol", "none", "--connect", f"unix:{tmp_path / 'target'}", "--certificate", pem.server)
        serving = threading.Thread(target=lambda: servers.echo(listener.accept()[0]), daemon=True)
        serving.start()
        assert echoed(ours.port, trusting(pem.ca))


def test_clients_come_in_on_a_unix_socket(tunnel: StartTunnel, plain: StartPlain, pem: Certificates) -> None:
    far = tunnel("--protocol", "none", "--connect", plain(servers.echo).target, "--certificate", pem.server)
    place = far.said.parent / "near"
    tunnel(
        "--client", "--accept", f"unix:{place}", "--protocol", "none", "--connect", f"localhost:{far.port}",
        "--ca", pem.ca,
    )  # fmt: skip
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(10)
        client.connect(str(place))
        client.sendall(b"to and fro")
        assert client.recv(100) == b"to and fro"


def test_connections_to_targets_come_from_the_source(tunnel: StartTunnel, plain: StartPlain, pem: Certificates) -> None:
    tells = plain(lambda served: served.sendall(str(served.getpeername()[0]).encode()))
    ours = tunnel(
        "--protocol", "none", "--connect", tells.target, "--certificate", pem.server, "--source", "127.0.0.77"
    )
    assert said(ours.port, trusting(pem.ca)) == b"127.0.0.77"


def test_a_socket_that_systemd_hands_over(plain: StartPlain, processes: Processes, pem: Certificates) -> None:
    port = processes.free_port()
    activate = [installed("systemd-socket-activate"), f"--listen=127.0.0.1:{port}", "--fdname=echo"]
    activate += [f"--setenv={name}={value}" for name, value in environment().items() if name.startswith("PYTHON")]
    options = ["--protocol", "none", "--connect", plain(servers.echo).target, "--certificate", pem.server]
    processes.start([*activate, *COMMAND, "--accept", "systemd:echo", *options]).says("Listening on")
    assert echoed(port, trusting(pem.ca))
    assert echoed(port, trusting(pem.ca))
