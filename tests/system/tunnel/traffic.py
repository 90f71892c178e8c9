"""Octets through a tunnel, in both directions at once."""

import hashlib
import random
import socket
import ssl
import threading
from collections.abc import Callable
from pathlib import Path

from wire import Wire

BLOCK = 1 << 16


def trusting(ca: str, client: str = "", minimum: ssl.TLSVersion = ssl.TLSVersion.TLSv1_2) -> ssl.SSLContext:
    """A client that trusts the authority in ``ca``, and shows the certificate in ``client``."""
    tls = ssl.create_default_context(cafile=ca)
    tls.minimum_version = minimum
    if client:
        tls.load_cert_chain(client)
    return tls


def said(port: int, tls: ssl.SSLContext | None = None, *, send: bytes = b"", host: str = "localhost") -> bytes:
    """All that a service says to ``send`` until it closes; empty where it says nothing or refuses the handshake."""
    try:
        with Wire(port, tls, host=host) as wire:
            wire.send(send)
            return wire.rest()
    except (ConnectionError, ssl.SSLError):
        return b""


def echoed(
    port: int, tls: ssl.SSLContext | None = None, *, host: str = "localhost", data: bytes = b"to and fro"
) -> bool:
    """Whether ``data`` comes back from an echo behind ``port``."""
    try:
        with Wire(port, tls, host=host) as wire:
            wire.send(data)
            return wire.octets(len(data)) == data
    except (ConnectionError, ssl.SSLError):
        return False


class Blocks:
    """Octets that look random and are made faster than they are sent: ``size`` of them, the same for the same seed."""

    def __init__(self, size: int, seed: int) -> None:
        self.size = size
        chance = random.Random(seed)
        self._blocks = [chance.randbytes(BLOCK + 1) for _ in range(16)]

    def send(self, connection: socket.socket) -> None:
        """Send them all, then their end."""
        for block in self:
            connection.sendall(block)
        connection.shutdown(socket.SHUT_WR)

    def digest(self) -> str:
        """The hash of them all."""
        hashed = hashlib.blake2b()
        for block in self:
            hashed.update(block)
        return hashed.hexdigest()

    def __iter__(self) -> "Blocks":
        self._left, self._turn = self.size, 0
        return self

    def __next__(self) -> bytes:
        if not self._left:
            raise StopIteration
        block = self._blocks[self._turn % len(self._blocks)][: self._left]
        self._turn += 1
        self._left -= len(block)
        return block


def digest_of(connection: socket.socket) -> tuple[int, str]:
    """How many octets come until the end, and their hash."""
    hashed, size, room = hashlib.blake2b(), 0, bytearray(BLOCK)
    while count := connection.recv_into(room):
        hashed.update(memoryview(room)[:count])
        size += count
    return size, hashed.hexdigest()


def both_ways(connection: socket.socket, blocks: Blocks) -> tuple[int, str]:
    """Send ``blocks`` and at the same time take what comes; its size and hash."""
    sending = threading.Thread(target=blocks.send, args=(connection,), daemon=True)
    sending.start()
    taken = digest_of(connection)
    sending.join()
    return taken


def threads(*functions: Callable[[], object]) -> None:
    """Call them all at once, and wait for them."""
    running = [threading.Thread(target=function, daemon=True) for function in functions]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()


def read(path: str) -> bytes:
    """A file's octets."""
    return Path(path).read_bytes()
