"""One tunnel through all loads; a JSON object for each figure.

    load.py stunnel|ours [--loads handshake,bulk,idle,latency] [--seconds 4] [--idle 500,2000]
"""

import argparse
import json
import multiprocessing
import resource
import selectors
import socket
import ssl
import statistics
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

from peers import Backend, Peer, certificate

CHUNK = 1 << 16


def context() -> ssl.SSLContext:
    """A client that spends nothing on verifying: the tunnels are measured."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    tls.check_hostname = False
    tls.verify_mode = ssl.CERT_NONE
    tls.minimum_version = ssl.TLSVersion.TLSv1_3
    return tls


def connect(port: int, tls: ssl.SSLContext, session: ssl.SSLSession | None = None) -> ssl.SSLSocket:
    plain = socket.create_connection(("127.0.0.1", port), 30)
    plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return tls.wrap_socket(plain, session=session)


def wish(connection: ssl.SSLSocket, what: bytes) -> None:
    connection.sendall(what)


# ------------------------------------------------------------ handshakes
def shake(port: int, resumed: bool, end: float, tally: list[int]) -> None:
    tls, session = context(), None
    while time.monotonic() < end:
        with connect(port, tls, session) as connection:
            connection.sendall(b"Ex")
            assert connection.recv(1) == b"x"
            tally[0] += 1
            tally[1] += bool(connection.session_reused)
            if resumed:
                session = connection.session


def shakers(port: int, resumed: bool, seconds: float, threads: int, results: "multiprocessing.Queue") -> None:
    tally, end = [0, 0], time.monotonic() + seconds
    running = [threading.Thread(target=shake, args=(port, resumed, end, tally)) for _ in range(threads)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    results.put(tally)


def handshake(peer: Peer, seconds: float, emit: Callable) -> None:
    for name, resumed in (("full", False), ("resumed", True)):
        results = multiprocessing.Queue()
        before, began = peer.cpu_seconds(), time.monotonic()
        clients = [
            multiprocessing.Process(target=shakers, args=(peer.port, resumed, seconds, 4, results)) for _ in range(2)
        ]
        for client in clients:
            client.start()
        tallies = [results.get() for _ in clients]
        for client in clients:
            client.join()
        took, cpu = time.monotonic() - began, peer.cpu_seconds() - before
        count, reused = (sum(tally[n] for tally in tallies) for n in (0, 1))
        emit(f"handshakes, {name}", "1/s", count / took)
        emit(f"handshakes, {name}: CPU", "us", cpu / count * 1e6)
        assert reused > 0.9 * count if resumed else not reused, (reused, count)


# ------------------------------------------------------------------ bulk
class Flow:
    """One connection that sends or takes as much as it can, or both."""

    def __init__(self, port: int, kind: bytes) -> None:
        self.connection = connect(port, context())
        wish(self.connection, kind)
        self.sends, self.takes = kind in (b"S", b"B"), kind in (b"G", b"B")
        self.connection.setblocking(False)
        self.octets = 0
        self.out, self.room = bytes(CHUNK), bytearray(CHUNK)

    def events(self) -> int:
        return selectors.EVENT_READ | (selectors.EVENT_WRITE if self.sends else 0)

    def go(self, mask: int) -> None:
        try:
            if mask & selectors.EVENT_READ:
                for _ in range(8):
                    self.octets += self.connection.recv_into(self.room)
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            pass
        try:
            if mask & selectors.EVENT_WRITE:
                self.octets += self.connection.send(self.out)
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            pass


def flow(port: int, kind: bytes, connections: int, seconds: float) -> tuple[int, float]:
    """Octets through ``connections`` in about ``seconds``, and the exact time."""
    flows = [Flow(port, kind) for _ in range(connections)]
    with selectors.DefaultSelector() as selector:
        for one in flows:
            selector.register(one.connection, one.events(), one)
        began = time.monotonic()
        while time.monotonic() < began + seconds:
            for key, mask in selector.select(1):
                key.data.go(mask)
        took = time.monotonic() - began
    for one in flows:
        one.connection.close()
    return sum(one.octets for one in flows), took


def bulk(peer: Peer, seconds: float, emit: Callable) -> None:
    for connections in (1, 16):
        for name, kind in (("to the server", b"S"), ("to the client", b"G"), ("both ways", b"B")):
            before = peer.cpu_seconds()
            octets, took = flow(peer.port, kind, connections, seconds)
            cpu = peer.cpu_seconds() - before
            through = f"{connections} connection{'s' if connections > 1 else ''}"
            emit(f"bulk, {through}, {name}", "MB/s", octets / took / 1e6)
            emit(f"bulk, {through}, {name}: CPU", "us/MB", cpu / octets * 1e12)


# ------------------------------------------------------------- idle, latency
def idle(peer: Peer, counts: list[int], emit: Callable) -> None:
    tls, held = context(), []
    with connect(peer.port, tls) as warm:
        warm.sendall(b"Ex")
        warm.recv(1)
    before = peer.pss_kib()
    emit("memory without connections", "MiB", before / 1024)
    for count in counts:
        while len(held) < count:
            connection = connect(peer.port, tls)
            connection.sendall(b"Ex")
            assert connection.recv(1) == b"x"
            held.append(connection)
        emit(f"memory for each of {count} idle connections", "KiB", (peer.pss_kib() - before) / count)
    for connection in held:
        connection.close()


def latency(peer: Peer, seconds: float, emit: Callable) -> None:
    times = []
    with connect(peer.port, context()) as connection:
        connection.sendall(b"E")
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            began = time.perf_counter()
            connection.sendall(b"x")
            connection.recv(1)
            times.append(time.perf_counter() - began)
    times.sort()
    emit("echo of an octet, median", "us", statistics.median(times) * 1e6)
    emit("echo of an octet, 99 of 100", "us", times[len(times) * 99 // 100] * 1e6)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("peer", choices=("stunnel", "ours"))
    options.add_argument("--loads", default="handshake,bulk,latency,idle")
    options.add_argument("--seconds", type=float, default=4)
    options.add_argument("--idle", default="500,2000")
    wanted = options.parse_args()
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))

    def emit(name: str, unit: str, value: float) -> None:
        print(json.dumps({"peer": wanted.peer, "name": name, "unit": unit, "value": round(value, 3)}), flush=True)

    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        pem, backend = certificate(folder), Backend()
        try:
            for load in wanted.loads.split(","):
                peer = Peer(wanted.peer, folder, backend.port, pem)
                try:
                    if load == "idle":
                        idle(peer, [int(count) for count in wanted.idle.split(",")], emit)
                    else:
                        {"handshake": handshake, "bulk": bulk, "latency": latency}[load](peer, wanted.seconds, emit)
                finally:
                    peer.stop()
        finally:
            backend.stop()


if __name__ == "__main__":
    main()
