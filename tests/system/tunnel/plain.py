"""Servers that know no TLS, in threads of the test: what they serve is a function of one connection."""

import socket
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

Serve = Callable[[socket.socket], None]


@dataclass
class Plain:
    """A server on ``port`` of 127.0.0.1 (0: a free one); each connection is closed when ``serve`` returns."""

    serve: Serve
    port: int = 0
    accepted: list[socket.socket] = field(default_factory=list)
    _listener: socket.socket = field(init=False)

    def __post_init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", self.port), backlog=128)
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def target(self) -> str:
        """The same, as a tunnel's target."""
        return f"127.0.0.1:{self.port}"

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.accepted.append(connection)
            threading.Thread(target=self._run, args=(connection,), daemon=True).start()

    def _run(self, connection: socket.socket) -> None:
        with connection:
            try:
                self.serve(connection)
            except OSError:
                return  # the client, or the test, has closed it

    def close(self) -> None:
        """Take no more connections, and cut those that are open. Harmless twice."""
        _cut(self._listener)
        self._listener.close()
        for connection in self.accepted:
            _cut(connection)


StartPlain = Callable[..., Plain]


def _cut(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # closed already


def echo(connection: socket.socket) -> None:
    """What comes goes back; the end too."""
    while data := connection.recv(1 << 16):
        connection.sendall(data)
    connection.shutdown(socket.SHUT_WR)


def hears(heard: list[bytes]) -> Serve:
    """What comes is kept in ``heard``, and goes back."""

    def serve(connection: socket.socket) -> None:
        while data := connection.recv(1 << 16):
            heard.append(data)
            connection.sendall(data)

    return serve


def lines(greeting: bytes, replies: Mapping[bytes, bytes], otherwise: bytes) -> Serve:
    """A server of a line protocol: a greeting, then a reply to each line by its first word; ``QUIT``'s is the last."""

    def serve(connection: socket.socket) -> None:
        connection.sendall(greeting)
        for line in connection.makefile("rb"):
            word = line.split()[0].upper() if line.split() else b""
            connection.sendall(replies.get(word, otherwise))
            if word == b"QUIT":
                return

    return serve


def tagged(greeting: bytes, replies: Mapping[bytes, bytes]) -> Serve:
    """The same for IMAP; ``%s`` in a reply is the command's tag, and ``LOGOUT``'s is the last."""

    def serve(connection: socket.socket) -> None:
        connection.sendall(greeting)
        for line in connection.makefile("rb"):
            tag, _, command = line.strip().partition(b" ")
            word = command.split()[0].upper() if command.split() else b""
            connection.sendall(replies.get(word, b"%s BAD what?\r\n").replace(b"%s", tag))
            if word == b"LOGOUT":
                return

    return serve


SMTP = lines(
    b"220 plain.example.org ESMTP\r\n",
    {
        b"EHLO": b"250-plain.example.org\r\n250-SIZE 1000\r\n250 8BITMIME\r\n",
        b"HELO": b"250 plain.example.org\r\n",
        b"NOOP": b"250 2.0.0 nothing done\r\n",
        b"VRFY": b"252 2.0.0 send some mail\r\n",
        b"QUIT": b"221 2.0.0 bye\r\n",
    },
    b"500 5.5.1 what?\r\n",
)
NNTP = lines(
    b"200 plain.example.org, posting allowed\r\n",
    {
        b"CAPABILITIES": b"101 list follows\r\nVERSION 2\r\nREADER\r\n.\r\n",
        b"DATE": b"111 20260601100000\r\n",
        b"QUIT": b"205 bye\r\n",
    },
    b"500 what?\r\n",
)
POP3 = lines(
    b"+OK plain pop3\r\n",
    {
        b"CAPA": b"+OK list follows\r\nUSER\r\nUIDL\r\n.\r\n",
        b"USER": b"+OK\r\n",
        b"PASS": b"+OK 0 messages\r\n",
        b"STAT": b"+OK 0 0\r\n",
        b"LIST": b"+OK\r\n.\r\n",
        b"NOOP": b"+OK\r\n",
        b"QUIT": b"+OK bye\r\n",
    },
    b"-ERR what?\r\n",
)
IMAP = tagged(
    b"* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] plain imap\r\n",
    {
        b"CAPABILITY": b"* CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN\r\n%s OK done\r\n",
        b"NOOP": b"%s OK done\r\n",
        b"LOGIN": b"%s OK done\r\n",
        b"AUTHENTICATE": b"%s OK done\r\n",
        b"LIST": b'* LIST () "/" INBOX\r\n%s OK done\r\n',
        b"LOGOUT": b"* BYE bye\r\n%s OK done\r\n",
    },
)
