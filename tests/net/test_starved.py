"""Without file descriptors a server refuses, and does not spin; when there are some again it serves."""

import os
import select
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.net.loopback import connect
from tests.net.starved_server import SPARE

PROJECT = Path(__file__).resolve().parents[2]
WATCHED_SECONDS = 1.0

pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")


@pytest.fixture
def server() -> Iterator["subprocess.Popen[str]"]:
    process = subprocess.Popen(
        [sys.executable, Path(__file__).with_name("starved_server.py")],
        env={**os.environ, "PYTHONPATH": str(PROJECT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        yield process
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(10) == 0


def answers(wire: socket.socket) -> bool:
    try:
        wire.sendall(b"still here?")
        return wire.recv(100) == b"still here?"
    except ConnectionError:
        return False


def answers_anew(port: int) -> bool:
    with connect(port) as wire:
        return answers(wire)


def cpu_seconds(pid: int) -> float:
    """User and system time of a process."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_a_server_without_descriptors(server: "subprocess.Popen[str]") -> None:
    assert server.stdout is not None
    port = int(server.stdout.readline())
    with ExitStack() as wires:
        inside = wires.enter_context(connect(port))
        assert answers(inside)
        crowd = [wires.enter_context(connect(port)) for _ in range(SPARE + 30)]
        served = [answers(wire) for wire in crowd]
        assert served[0]
        assert served[-10:] == [False] * 10

        before = cpu_seconds(server.pid)
        assert select.select([inside], [], [], WATCHED_SECONDS)[0] == []
        assert cpu_seconds(server.pid) - before < 0.5 * WATCHED_SECONDS
        assert answers(inside)
    assert any(answers_anew(port) for _ in range(100))
