"""Sockets that systemd hands over, what it is told, and a connection for each process as from inetd."""

import socket
import sys
from pathlib import Path

import pytest
from server_process import environment, program
from tunnel import plain as servers
from tunnel.certificates import Certificates
from tunnel.ours import COMMAND, StartTunnel
from tunnel.peers import inetd
from tunnel.plain import StartPlain
from tunnel.processes import Processes
from tunnel.traffic import echoed, trusting
from wire import Wire

pytestmark = pytest.mark.system


def test_a_tunnel_on_a_socket_that_systemd_hands_over(
    plain: StartPlain, processes: Processes, pem: Certificates
) -> None:
    port = processes.free_port()
    activate = [program("systemd-socket-activate"), f"--listen=127.0.0.1:{port}", "--fdname=echo"]
    activate += [f"--setenv={name}={value}" for name, value in environment().items() if name.startswith("PYTHON")]
    options = ["--protocol", "none", "--connect", plain(servers.echo).target, "--certificate", pem.server]
    running = processes.start([*activate, *COMMAND, "--accept", "systemd:echo", *options])
    running.says("Listening on")
    assert echoed(port, trusting(pem.ca))
    assert echoed(port, trusting(pem.ca))


def test_systemd_is_told(tunnel: StartTunnel, plain: StartPlain, pem: Certificates, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        systemd.settimeout(10)
        told: list[str] = []

        def is_told(words: str) -> bool:
            while not any(words in message for message in told):
                told.append(systemd.recv(4096).decode())
            return True

        ours = tunnel(
            "--protocol", "none", "--connect", plain(servers.echo).target, "--certificate", pem.server,
            environment_too={"NOTIFY_SOCKET": str(tmp_path / "notify")},
        )  # fmt: skip
        assert is_told("READY=1")
        ours.running.stop()
        assert is_told("STOPPING=1")


@pytest.mark.parametrize("service", ["imaps", "pop3s", "imap", "pop3"])
def test_inetd_starts_a_server_for_each_connection(processes: Processes, pem: Certificates, service: str) -> None:
    mail = processes.folder / "mail"
    mail.mkdir()
    (mail / "users").write_text("joe:{PLAIN}secret\n")
    words = [program("env"), f"PYTHONPATH={environment()['PYTHONPATH']}", sys.executable]
    words += ["-m", "mailaccess.app.command", "inetd", service, "--maildir", str(mail)]
    words += ["--certificate", pem.server, "--private-key", pem.server]
    port = inetd(processes, *words)
    with Wire(port, trusting(pem.ca) if service.endswith("s") else None, seconds=20) as wire:
        assert wire.line().startswith(b"* OK" if "imap" in service else b"+OK")
        if not service.endswith("s"):
            wire.send(b"a STARTTLS\r\n" if service == "imap" else b"STLS\r\n")
            assert b"OK" in wire.line()
            wire.start_tls(trusting(pem.ca))
        wire.send(b"a LOGIN joe secret\r\n" if "imap" in service else b"USER joe\r\nPASS secret\r\n")
        lines = [wire.line() for _ in range(1 if "imap" in service else 2)]
        assert b"OK" in lines[-1], lines
        wire.send(b"a LOGOUT\r\n" if "imap" in service else b"QUIT\r\n")
        assert wire.rest()
