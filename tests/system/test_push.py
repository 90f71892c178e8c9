"""IDLE clients hear of what other programs do to the Maildir, at once (RFC 2177, RFC 9051 §6.3.13)."""

import ssl
import time
from collections.abc import Generator, Iterator
from socket import create_connection

import pytest
from corpus import deliver, messages
from server_process import Server

pytestmark = pytest.mark.system

AT_ONCE_SECONDS = 0.5
"""Far below the interval at which a folder without inotify would be looked at."""


class Idling:
    """A client in IDLE."""

    def __init__(self, server: Server) -> None:
        plain = create_connection(("127.0.0.1", server.ports["imaps"]), timeout=5)
        self.socket = server.tls().wrap_socket(plain, server_hostname="localhost")
        self.lines = self._lines(self.socket)
        next(self.lines)
        password = server.password.replace("\\", "\\\\").replace('"', '\\"')
        for command in (f'LOGIN {server.user} "{password}"', "SELECT INBOX"):
            self.socket.sendall(f"a {command}\r\n".encode())
            assert self.until("a ").startswith("a OK")
        self.socket.sendall(b"a IDLE\r\n")
        self.until("+")

    @staticmethod
    def _lines(socket: ssl.SSLSocket) -> Generator[str, None, None]:
        with socket.makefile("rb") as file:
            for line in file:
                yield line.decode().rstrip("\r\n")

    def close(self) -> None:
        self.lines.close()
        self.socket.close()

    def until(self, start: str) -> str:
        return next(line for line in self.lines if line.startswith(start))


@pytest.fixture
def idling(server: Server) -> Iterator[Idling]:
    deliver(server.maildir, messages(3))
    client = Idling(server)
    yield client
    client.close()


def test_a_delivery_into_new(server: Server, idling: Idling) -> None:
    for expected in (4, 5):
        begin = time.monotonic()
        deliver(server.maildir, messages(1, seed=expected))
        assert idling.until("*") == f"* {expected} EXISTS"
        assert time.monotonic() - begin < AT_ONCE_SECONDS
        assert idling.until("*").endswith("RECENT")


def test_flags_that_another_program_changed(server: Server, idling: Idling) -> None:
    first = min((server.maildir / "cur").iterdir())
    begin = time.monotonic()
    first.rename(first.with_name(first.name.partition(":2,")[0] + ":2,FS"))
    told = idling.until("* 1 FETCH")
    assert time.monotonic() - begin < AT_ONCE_SECONDS
    assert r"\Flagged" in told
    assert r"\Seen" in told


def test_a_message_that_another_program_removed(server: Server, idling: Idling) -> None:
    begin = time.monotonic()
    min((server.maildir / "cur").iterdir()).unlink()
    assert idling.until("*") == "* 1 EXPUNGE"
    assert time.monotonic() - begin < AT_ONCE_SECONDS


def test_two_clients_hear_the_same(server: Server, idling: Idling) -> None:
    other = Idling(server)
    deliver(server.maildir, messages(1, seed=7))
    assert [client.until("* 4") for client in (idling, other)] == ["* 4 EXISTS"] * 2
    other.close()
