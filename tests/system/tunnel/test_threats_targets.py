"""Targets at their worst: the client is told in time, the log says why, memory stays, and others are served."""

import socket
import ssl
import struct
import time
from collections.abc import Iterator

import pytest
from server_process import eventually
from tunnel import plain as servers
from tunnel.certificates import Certificates
from tunnel.crowd import reset
from tunnel.ours import StartTunnel
from tunnel.plain import Serve, StartPlain
from tunnel.traffic import said, trusting
from wire import Wire

pytestmark = pytest.mark.system

QUICK = ("--handshake-timeout-seconds", "1", "--connect-timeout-seconds", "1", "--retries", "0")
IN_TIME = 4.0
MORE_BYTES = 16_000_000
"""What a target may cost that says more than anybody takes."""


def silent(connection: socket.socket) -> None:
    connection.recv(1 << 16)
    connection.recv(1)


def closes(connection: socket.socket) -> None:
    connection.close()


def says(*pieces: bytes, times: int = 1, then: Serve = silent) -> Serve:
    """A target that says this, whatever it hears, and then does something else."""

    def serve(connection: socket.socket) -> None:
        for _ in range(times):
            for piece in pieces:
                connection.sendall(piece)
        then(connection)

    return serve


def hears_then(answer: bytes, then: Serve = silent) -> Serve:
    """A target that answers the first thing that it hears."""

    def serve(connection: socket.socket) -> None:
        connection.recv(1 << 16)
        connection.sendall(answer)
        then(connection)

    return serve


Case = tuple[str, Serve, str]
"""A protocol, what its server does, and what the log says of that."""

MEGABYTE = b"x" * (1 << 20)
RECORD = b"\x16\x03\x03" + struct.pack("!H", 90)

CLEAR: dict[str, Case] = {
    "silent": ("pop3", silent, "the greeting (does it begin with TLS?) took more than 1 s"),
    "closes": ("pop3", closes, "it closes connections before its greeting"),
    "resets": ("pop3", reset, "non-clean"),
    "resets after a word": ("pop3", says(b"+OK", then=reset), ""),
    "closes after a word": ("pop3", says(b"+OK", then=closes), "in the middle of the conversation"),
    "no line end": ("pop3", says(b"+OK " + b"x" * 9000), "a line has more than 8192 octets"),
    "a megabyte of line": ("pop3", says(b"+OK ", MEGABYTE, b"\r\n"), "a line has more than 8192 octets"),
    "zeros": ("imap", says(bytes(1000) + b"\r\n"), "unknown greeting where imap is expected"),
    "control characters": (
        "imap",
        says(b"\x1b[2J\x07* OK\r\n"),
        "unknown greeting where imap is expected: '?[2J?* OK'",
    ),
    "an endless greeting": ("smtp", says(b"220-more\r\n", times=200_000), "a reply has more than 100 lines"),
    "a gigabyte": ("smtp", says(MEGABYTE, times=1024), "a line has more than 8192 octets"),
    "bye": ("imap", says(b"* BYE go away\r\n"), "the server greets with '* BYE go away'"),
}
IN_TLS: dict[str, Case] = {
    "silent": ("none", silent, "the handshake took more than 1 s"),
    "resets": ("none", hears_then(b"", reset), ""),
    "closes": ("none", hears_then(b"", closes), "the other side closed the connection during the handshake"),
    "half a record": ("none", hears_then(RECORD), "the handshake took more than 1 s"),
    "half a record, then reset": ("none", hears_then(RECORD, reset), ""),
    "clear": ("pop3", says(b"+OK ready\r\n"), "the handshake failed"),
    "an alert": ("none", hears_then(b"\x15\x03\x03\0\2\2\x28"), "the handshake failed"),
    "zeros": ("none", hears_then(bytes(1000)), "the handshake failed"),
    "a gigabyte": ("none", says(MEGABYTE, times=1024), "the handshake failed"),
    "a huge record": ("none", hears_then(b"\x16\x03\x03\xff\xff" + bytes(70_000)), "the handshake failed"),
}
IN_COMMAND: dict[str, Case] = {
    "pop3, silent after STLS": ("pop3", says(b"+OK ready\r\n"), "the way to TLS took more than 1 s"),
    "pop3, no": ("pop3", says(b"+OK ready\r\n-ERR no\r\n"), "the server answers STLS with '-ERR no'"),
    "pop3, then clear": ("pop3", says(b"+OK ready\r\n+OK go\r\n+OK welcome\r\n"), "octets in clear follow"),
    "pop3, then reset": ("pop3", says(b"+OK ready\r\n+OK go\r\n", then=reset), ""),
    "imap, PREAUTH": ("imap", says(b"* PREAUTH you know me\r\n"), "PREAUTH"),
    "imap, stripped": ("imap", says(b"* OK [CAPABILITY IMAP4rev1] hi\r\n"), "the server does not offer STARTTLS"),
    "imap, endless": ("imap", says(b"* OK hi\r\n", b"* x\r\n" * 100_000), "does not answer"),
    "smtp, stripped": ("smtp", says(b"220 hi\r\n250 mail.example.org\r\n"), "the server does not offer STARTTLS"),
    "smtp, then clear": (
        "smtp",
        says(b"220 hi\r\n250-a\r\n250 STARTTLS\r\n220 go\r\n250 injected\r\n"),
        "octets in clear follow",
    ),
    "nntp, then clear": ("nntp", says(b"200 hi\r\n382 go\r\n200 injected\r\n"), "octets in clear follow"),
    "postgresql, then clear": ("postgresql", hears_then(b"SR\0\0\0\x08\0\0\0\0"), "octets in clear follow"),
    "postgresql, no": ("postgresql", hears_then(b"N"), "the server offers no TLS"),
    "postgresql, an error": ("postgresql", hears_then(b"E\0\0\0\x20" + bytes(28)), "with an error"),
    "ldap, garbage": ("ldap", hears_then(b"\x30\x84\xff\xff\xff\xff"), ""),
    "ldap, then clear": (
        "ldap",
        hears_then(bytes.fromhex("300c02010178070a010004000400") + b"\x30\x0c\x02\x01\x02\x61\x07\x0a\x01\0\4\0\4\0"),
        "octets in clear follow",
    ),
}
CASES = [
    *(pytest.param("server", case, id=f"clear, {name}") for name, case in CLEAR.items()),
    *(pytest.param("client", case, id=f"TLS, {name}") for name, case in IN_TLS.items()),
    *(pytest.param("starttls", case, id=f"STARTTLS, {name}") for name, case in IN_COMMAND.items()),
]
EXCUSES = {
    "none": b"",
    "imap": b"* BYE [UNAVAILABLE]",
    "pop3": b"-ERR [SYS/TEMP]",
    "smtp": b"421 4.3.2",
    "nntp": b"400 ",
    "ldap": b"0",
    "postgresql": b"E\0\0\0",
}


@pytest.mark.parametrize(("role", "case"), CASES)
def test_the_client_is_told_and_the_log_knows_why(
    tunnel: StartTunnel, plain: StartPlain, pem: Certificates, role: str, case: Case
) -> None:
    protocol, serve, why = case
    target = plain(serve)
    options = {
        "server": ("--certificate", pem.server),
        "client": ("--client", "--ca", pem.ca, "--host", "localhost"),
        "starttls": ("--client", "--ca", pem.ca, "--host", "localhost", "--starttls"),
    }[role]
    ours = tunnel("--protocol", protocol, "--connect", target.target, *options, *QUICK)
    resident = ours.running.resident()
    began = time.monotonic()
    heard = said(ours.port, trusting(pem.ca) if role == "server" else None)
    assert time.monotonic() - began < IN_TIME
    assert heard.startswith(EXCUSES[protocol])
    assert b"Traceback" not in heard
    assert b"injected" not in heard
    ours.logs("address=127.0.0.1", target.target, why)
    assert len([line for line in ours.log().splitlines() if " tunnel_" in line]) == 1
    assert ours.running.resident() - resident < MORE_BYTES
    assert "Traceback" not in ours.log()


@pytest.fixture
def full() -> Iterator[int]:
    """A port where connections are neither taken nor refused."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        port: int = listener.getsockname()[1]
        waiting = []
        for _ in range(4):
            one = socket.socket()
            one.setblocking(False)
            one.connect_ex(("127.0.0.1", port))
            waiting.append(one)
        yield port
        for one in waiting:
            one.close()


def test_who_hangs_while_connecting(tunnel: StartTunnel, full: int, pem: Certificates) -> None:
    ours = tunnel("--protocol", "pop3", "--connect", f"127.0.0.1:{full}", "--certificate", pem.server, *QUICK)
    began = time.monotonic()
    assert said(ours.port, trusting(pem.ca)).startswith(b"-ERR")
    assert 0.5 < time.monotonic() - began < IN_TIME
    ours.logs("tunnel_unreachable", "cannot be reached")


def is_served(port: int, tls: ssl.SSLContext) -> bool:
    """Whether what follows a first word, which is not ``much``, comes back."""
    with Wire(port, tls) as wire:
        wire.send(b"less\n")
        wire.send(b"and more")
        return wire.octets(8) == b"and more"


def test_who_says_a_gigabyte_to_a_client_that_does_not_listen(
    tunnel: StartTunnel, plain: StartPlain, pem: Certificates
) -> None:
    """The kernel's buffers fill, and no others; the next client is served meanwhile."""
    sent: list[int] = []

    def serve(connection: socket.socket) -> None:
        if connection.recv(5) != b"much\n":
            servers.echo(connection)
            return
        for _ in range(1024):
            connection.sendall(MEGABYTE)
            sent.append(len(MEGABYTE))

    ours = tunnel("--protocol", "none", "--connect", plain(serve).target, "--certificate", pem.server)
    tls = trusting(pem.ca)
    assert is_served(ours.port, tls)
    resident = ours.running.resident()
    with Wire(ours.port, tls) as wire:
        wire.send(b"much\n")
        eventually(lambda: len(sent) > 1)
        for _ in range(50):  # while others come and go
            assert is_served(ours.port, tls)
            assert ours.running.resident() - resident < MORE_BYTES
        assert sum(sent) < 64 * len(MEGABYTE)
