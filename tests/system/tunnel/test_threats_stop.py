"""The end of a tunnel in the middle of its work: by SIGTERM in time, by SIGKILL with nothing in the way of the next."""

import signal
import socket
import ssl
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from server_process import eventually
from tunnel import plain as servers
from tunnel.certificates import Certificates
from tunnel.ours import StartTunnel
from tunnel.plain import StartPlain
from tunnel.processes import Processes
from tunnel.traffic import echoed, trusting
from wire import Wire

pytestmark = pytest.mark.system

STOP_SECONDS = 10.0


def pour(connection: socket.socket) -> None:
    """A target that talks without end, and hears without end."""
    threading.Thread(target=swallow, args=(connection,), daemon=True).start()
    while True:
        connection.sendall(bytes(1 << 14))


def swallow(connection: socket.socket) -> None:
    try:
        while connection.recv(1 << 16):
            pass
    except OSError:
        return


class Busy(threading.Thread):
    """Clients that say and hear as much as they can, all in one thread."""

    def __init__(self, port: int, count: int, tls: ssl.SSLContext) -> None:
        super().__init__(daemon=True)
        self.wires = [Wire(port, tls) for _ in range(count)]
        self.octets = 0
        for wire in self.wires:
            wire.socket.setblocking(False)

    def run(self) -> None:
        left = list(self.wires)
        while left:
            left = [wire for wire in left if self._goes_on(wire)]

    def _goes_on(self, wire: Wire) -> bool:
        try:
            return self._moves(wire.socket.send, bytes(1 << 14)) and self._moves(wire.socket.recv, 1 << 14)
        except OSError:
            return False

    def _moves(self, step: Callable[[Any], Any], argument: object) -> bool:
        """False at the end."""
        try:
            moved = step(argument)
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return True
        self.octets += moved if isinstance(moved, int) else len(moved)
        return bool(moved)


@pytest.mark.parametrize("count", [100, pytest.param(500, marks=pytest.mark.soak)])
def test_many_that_are_busy_are_no_reason_to_stay(
    tunnel: StartTunnel, plain: StartPlain, pem: Certificates, count: int
) -> None:
    ours = tunnel(
        "--protocol", "none", "--connect", plain(pour).target, "--certificate", pem.server,
        "--connections-per-address", "1000",
    )  # fmt: skip
    busy = Busy(ours.port, count, trusting(pem.ca))
    busy.start()
    eventually(lambda: busy.octets > count << 16, 30)
    began = time.monotonic()
    ours.running.process.send_signal(signal.SIGTERM)
    assert ours.running.process.wait(STOP_SECONDS + 5) == 0
    assert time.monotonic() - began < STOP_SECONDS
    busy.join(10)
    assert not busy.is_alive()
    lines = [line for line in ours.log().splitlines() if " tunnel_" in line]
    assert len(lines) == count
    assert "Traceback" not in ours.log()


def test_who_waits_for_a_handshake_is_no_reason_either(
    tunnel: StartTunnel, plain: StartPlain, pem: Certificates
) -> None:
    ours = tunnel("--protocol", "none", "--connect", plain(servers.echo).target, "--certificate", pem.server)
    with Wire(ours.port, None), Wire(ours.port, None) as half:
        half.send(b"\x16\3\1\2\0")
        began = time.monotonic()
        ours.running.process.send_signal(signal.SIGTERM)
        assert ours.running.process.wait(STOP_SECONDS) == 0
        assert time.monotonic() - began < STOP_SECONDS


def test_a_stop_twice_is_a_stop(tunnel: StartTunnel, plain: StartPlain, pem: Certificates) -> None:
    ours = tunnel("--protocol", "none", "--connect", plain(servers.echo).target, "--certificate", pem.server)
    with Wire(ours.port, trusting(pem.ca)) as wire:
        wire.send(b"x")
        assert wire.octets(1) == b"x"
        for _ in range(3):
            ours.running.process.send_signal(signal.SIGTERM)
            time.sleep(0.1)
        assert ours.running.process.wait(STOP_SECONDS) == 0
    assert "Traceback" not in ours.log()


def test_a_killed_one_is_not_in_the_way_of_the_next(
    tunnel: StartTunnel, processes: Processes, plain: StartPlain, pem: Certificates
) -> None:
    """The port is free at once, though connections stood, and so is the path of a UNIX socket."""
    port, path, state = processes.free_port(), processes.folder / "clear", processes.folder / "state"
    target = plain(servers.echo).target
    configuration = processes.folder / "tunnels.toml"
    configuration.write_text(
        f'[[tunnel]]\nname = "one"\naccept = "127.0.0.1:{port}"\nconnect = "{target}"\nprotocol = "none"\n'
        f'[[tunnel]]\nname = "two"\naccept = "unix:{path}"\nconnect = "127.0.0.1:{port}"\nprotocol = "none"\n'
        f'client = true\nverify = "none"\n'
    )
    options = ("--config", str(configuration), "--state", str(state))
    for _ in range(2):
        ours = tunnel(*options)
        tls = trusting(str(state / "certificate.pem"))
        tls.check_hostname = False
        with Wire(port, tls) as wire:
            wire.send(b"x")
            assert wire.octets(1) == b"x"
            assert over(path)
            ours.running.process.kill()
            ours.running.process.wait(5)
    ours = tunnel(*options)
    assert echoed(port, tls)
    assert over(path)
    assert ours.running.stop() == 0
    assert not path.exists()


def over(path: Path) -> bool:
    """Whether an echo is behind a UNIX socket."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(10)
        connection.connect(str(path))
        connection.sendall(b"over")
        return connection.recv(4) == b"over"
