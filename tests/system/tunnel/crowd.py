"""Many connections at once, and what they cost the process at the other end."""

import os
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tunnel.processes import Running

HELLO = bytes.fromhex("1603010200010001fc0303") + bytes(32)
"""The first half of a ClientHello: a record of 512 octets, of which 43 come."""


def connect(port: int, say: bytes = b"") -> socket.socket:
    """A connection that says this much, and no more."""
    connection = socket.create_connection(("127.0.0.1", port), 10)
    if say:
        connection.sendall(say)
    return connection


@contextmanager
def crowd(port: int, count: int, say: bytes = b"") -> Iterator[list[socket.socket]]:
    """So many of them; closed afterwards."""
    connections: list[socket.socket] = []
    try:
        for _ in range(count):
            connections.append(connect(port, say))
        yield connections
    finally:
        for connection in connections:
            connection.close()


def closed(connections: Sequence[socket.socket], seconds: float) -> int:
    """How many of them the other side has closed within this time."""
    deadline = time.monotonic() + seconds
    left = list(connections)
    for connection in connections:
        connection.setblocking(False)
    while left and time.monotonic() < deadline:
        left = [connection for connection in left if not _over(connection)]
        time.sleep(0.02)
    return len(connections) - len(left)


def _over(connection: socket.socket) -> bool:
    try:
        while connection.recv(1 << 16):
            pass
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True


def reset(connection: socket.socket) -> None:
    """Close it with RST."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    connection.close()


def cpu_seconds(running: Running) -> float:
    """User and system time of a process."""
    fields = Path(f"/proc/{running.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
