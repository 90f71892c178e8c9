"""Connections that send any octets, as no mail program would."""

import base64
import re
import socket
import ssl
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from server_process import Server

_LITERAL = re.compile(rb"\{(\d+)\}\Z")


class Wire:
    """A connection to ``port`` from the loopback address ``source``; what takes longer than ``seconds`` fails."""

    def __init__(
        self,
        port: int,
        tls: ssl.SSLContext | None,
        source: str = "127.0.0.1",
        seconds: float = 10,
        host: str = "localhost",
    ) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), seconds, (source, 0))
        if tls is not None:
            self._socket = tls.wrap_socket(self._socket, server_hostname=host)
        self._received = bytearray()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def socket(self) -> socket.socket:
        """The socket itself."""
        return self._socket

    def wait_up_to(self, seconds: float) -> None:
        """From now on."""
        self._socket.settimeout(seconds)

    def close(self) -> None:
        """Hang up."""
        self._socket.close()

    def start_tls(self, tls: ssl.SSLContext) -> None:
        """Begin TLS on the connection."""
        self._socket = tls.wrap_socket(self._socket, server_hostname="localhost")

    def send(self, data: bytes) -> None:
        """Send octets as they are."""
        self._socket.sendall(data)

    def _receive(self) -> bool:
        try:
            data = self._socket.recv(1 << 16)
        except (ConnectionError, ssl.SSLError):
            return False
        self._received += data
        return bool(data)

    def _take(self, count: int) -> bytes:
        data = bytes(self._received[:count])
        del self._received[:count]
        return data

    def line(self) -> bytes:
        """The next line without its end; empty when the server has closed the connection."""
        seen = 0
        while (end := self._received.find(b"\n", seen)) < 0:
            seen = len(self._received)
            if not self._receive():
                return self._take(len(self._received))
        return self._take(end + 1).removesuffix(b"\n").removesuffix(b"\r")

    def octets(self, count: int) -> bytes:
        """So many octets."""
        while len(self._received) < count and self._receive():
            pass
        return self._take(count)

    def rest(self) -> bytes:
        """Everything until the server closes the connection."""
        while self._receive():
            pass
        return self._take(len(self._received))


@dataclass(frozen=True)
class Answer:
    """What came up to a command's last line; literals stand in their lines."""

    lines: list[bytes]

    @property
    def status(self) -> bytes:
        """``OK``, ``NO``, ``BAD``; empty where the connection ended."""
        return self.last.split(b" ", 2)[1] if b" " in self.last else b""

    @property
    def last(self) -> bytes:
        """The tagged line."""
        return self.lines[-1]

    @property
    def text(self) -> bytes:
        """All lines."""
        return b"\r\n".join(self.lines)


class IMAP(Wire):
    """An IMAP connection over implicit TLS, or in clear on the port for STARTTLS."""

    def __init__(self, server: Server, *, clear: bool = False, source: str = "127.0.0.1", seconds: float = 10) -> None:
        super().__init__(server.ports["imap" if clear else "imaps"], None if clear else server.tls(), source, seconds)
        self.server = server
        self.greeting = self.line()
        self._count = 0

    def begin(self, command: bytes) -> bytes:
        """Send a command; its tag."""
        self._count += 1
        tag = b"t%d" % self._count
        self.send(tag + b" " + command + b"\r\n")
        return tag

    def untagged(self) -> bytes:
        """The next response, with its literals."""
        response = line = self.line()
        while found := _LITERAL.search(line):
            line = self.line_behind(int(found[1]))
            response += b"\r\n" + line
        return response

    def line_behind(self, size: int) -> bytes:
        """A literal and the line that goes on behind it."""
        return self.octets(size) + self.line()

    def answer(self, tag: bytes) -> Answer:
        """What comes up to the reply with this tag, or to the end."""
        lines: list[bytes] = []
        while not lines or (lines[-1] and not lines[-1].startswith(tag + b" ")):
            lines.append(self.untagged())
        return Answer(lines)

    def ask(self, command: bytes) -> Answer:
        """Send a command and wait for its reply."""
        return self.answer(self.begin(command))

    def login(self) -> Self:
        """Log in as the server's user, who must succeed."""
        password = self.server.password.replace("\\", "\\\\").replace('"', '\\"')
        answer = self.ask(f'LOGIN "{self.server.user}" "{password}"'.encode())
        assert answer.status == b"OK", answer
        return self

    def select(self, name: bytes = b"INBOX") -> Answer:
        """Open a mailbox, which must succeed."""
        return self.ok(b"SELECT " + name)

    def ok(self, command: bytes) -> Answer:
        """Send a command that must succeed."""
        answer = self.ask(command)
        assert answer.status == b"OK", answer
        return answer

    def append(self, content: bytes, name: bytes = b"INBOX") -> Answer:
        """Store a message."""
        tag = self.begin(b"APPEND %s {%d+}\r\n%s" % (name, len(content), content))
        return self.answer(tag)


class POP3(Wire):
    """A POP3 connection over implicit TLS, or in clear on the port for STLS."""

    def __init__(self, server: Server, *, clear: bool = False, source: str = "127.0.0.1", seconds: float = 10) -> None:
        super().__init__(server.ports["pop3" if clear else "pop3s"], None if clear else server.tls(), source, seconds)
        self.server = server
        self.greeting = self.line()

    def ask(self, command: bytes) -> bytes:
        """Send a command; the first line of its reply."""
        self.send(command + b"\r\n")
        return self.line()

    def login(self) -> Self:
        """Log in as the server's user, who must succeed."""
        assert self.ask(b"USER " + self.server.user.encode()).startswith(b"+OK")
        answer = self.ask(b"PASS " + self.server.password.encode())
        assert answer.startswith(b"+OK"), answer
        return self

    def listing(self, command: bytes) -> list[bytes]:
        """The lines of a multi-line reply, dots undone."""
        assert self.ask(command).startswith(b"+OK")
        lines: list[bytes] = []
        while (line := self.line()) != b".":
            lines.append(line.removeprefix(b"."))
        return lines


def plain(user: str, password: str) -> bytes:
    """The response of SASL PLAIN (RFC 4616 §2)."""
    return base64.b64encode(f"\0{user}\0{password}".encode())
