"""Real sockets without a running reactor: the test turns it by hand while a blocking client talks in a thread."""

import socket
import ssl
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, TypeVar

from twisted.internet import reactor as _reactor

T = TypeVar("T")
reactor: Any = _reactor
PATIENCE_SECONDS = 30.0


def turn_until(condition: Callable[[], Any]) -> None:
    """Turn the reactor until ``condition`` holds."""
    end = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        reactor.iterate(0.01)


def talk(client: Callable[[], T]) -> T:
    """The result of the blocking ``client``, which runs in a thread while the reactor turns."""
    with ThreadPoolExecutor(1) as threads:
        done = threads.submit(client)
        turn_until(done.done)
        return done.result()


def connect(port: int, host: str = "127.0.0.1") -> socket.socket:
    """A connected socket that does not wait for ever."""
    return socket.create_connection((host, port), PATIENCE_SECONDS)


class TLSClient:
    """A TLS client that keeps what came over the wire, to look for clear text in it."""

    def __init__(self, wire: socket.socket, context: ssl.SSLContext, name: str | None = None) -> None:
        self.socket = wire
        self.seen = bytearray()
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=name)
        self._do(self.tls.do_handshake)

    def read(self, octets: int) -> bytes:
        """Exactly ``octets`` octets of what the server said inside TLS; fewer where it closed."""
        got = b""
        while len(got) < octets:
            chunk = self._do(partial(self.tls.read, octets - len(got)))
            if not chunk:
                break
            got += chunk
        return got

    def write(self, data: bytes) -> None:
        """Say ``data`` inside TLS."""
        self._do(lambda: self.tls.write(data))

    def close(self) -> None:
        """Close without a word."""
        self.socket.close()

    def _do(self, step: Callable[[], T]) -> T:
        while True:
            try:
                result = step()
            except ssl.SSLWantReadError:
                self._send()
                data = self.socket.recv(65536)
                self.seen += data
                if data:
                    self._incoming.write(data)
                else:
                    self._incoming.write_eof()
            else:
                self._send()
                return result

    def _send(self) -> None:
        data = self._outgoing.read()
        if data:
            self.socket.sendall(data)
