"""What a tunnel bears: connections, time, silence, and how it ends."""

import signal
import socket
import time

import pytest
from server_process import eventually
from tunnel import plain as servers
from tunnel.certificates import Certificates
from tunnel.ours import StartTunnel
from tunnel.plain import StartPlain
from tunnel.traffic import echoed, read, trusting
from wire import Wire

pytestmark = pytest.mark.system


def until_closed(wire: Wire) -> float:
    """Seconds until the other side closes."""
    began = time.monotonic()
    wire.rest()
    return time.monotonic() - began


def test_silence_ends(tunnel: StartTunnel, plain: StartPlain, pem: Certificates) -> None:
    ours = tunnel(
        "--protocol", "none", "--connect", plain(servers.echo).target, "--certificate", pem.server,
        "--idle-timeout-seconds", "1",
    )  # fmt: skip
    with Wire(ours.port, trusting(pem.ca)) as wire:
        began = time.monotonic()
        while time.monotonic() < began + 1.5:  # what is not silent goes on
            wire.send(b"x")
            assert wire.octets(1) == b"x"
        assert 0.5 < until_closed(wire) < 5


def test_a_handshake_that_does_not_come_ends(tunnel: StartTunnel, plain: StartPlain, pem: Certificates) -> None:
    server = plain(servers.echo)
    ours = tunnel(
        "--protocol", "none", "--connect", server.target, "--certificate", pem.server,
        "--handshake-timeout-seconds", "0.5",
    )  # fmt: skip
    with Wire(ours.port, None) as wire:
        assert until_closed(wire) < 5
    assert not server.accepted


def test_a_client_that_never_begins_tls_is_not_kept(tunnel: StartTunnel, plain: StartPlain, pem: Certificates) -> None:
    ours = tunnel(
        "--protocol", "pop3", "--starttls", "--connect", plain(servers.POP3).target, "--certificate", pem.server,
        "--handshake-timeout-seconds", "0.5",
    )  # fmt: skip
    with Wire(ours.port, None) as wire:
        assert wire.line().startswith(b"+OK")
        assert until_closed(wire) < 5


def test_a_second_direction_that_does_not_end(tunnel: StartTunnel, plain: StartPlain, pem: Certificates) -> None:
    def says_and_stays(served: socket.socket) -> None:
        served.sendall(b"bye")
        served.shutdown(socket.SHUT_WR)
        served.recv(1)

    far = tunnel("--protocol", "none", "--connect", plain(says_and_stays).target, "--certificate", pem.server)
    near = tunnel(
        "--client", "--protocol", "none", "--connect", f"localhost:{far.port}", "--ca", pem.ca,
        "--close-timeout-seconds", "0.5",
    )  # fmt: skip
    with socket.create_connection(("127.0.0.1", near.port), 10) as connection:
        assert connection.recv(3) == b"bye"
        eventually(lambda: "tunnel_closed" in near.log() or "tunnel_lost" in near.log())


def test_more_than_so_many_are_refused(tunnel: StartTunnel, plain: StartPlain, pem: Certificates) -> None:
    ours = tunnel(
        "--protocol", "pop3", "--connect", plain(servers.POP3).target, "--certificate", pem.server,
        "--connections", "3", "--connections-per-address", "2",
    )  # fmt: skip

    def connect(source: str) -> Wire:
        return Wire(ours.port, trusting(pem.ca), source=source)

    with connect("127.0.0.2") as one, connect("127.0.0.2") as two, connect("127.0.0.3") as three:
        assert all(wire.line().startswith(b"+OK") for wire in (one, two, three))
        for source in ("127.0.0.2", "127.0.0.4"):
            assert not echoed_greeting(ours.port, pem, source)
    eventually(lambda: echoed_greeting(ours.port, pem, "127.0.0.2"))


def echoed_greeting(port: int, pem: Certificates, source: str) -> bool:
    """Whether the server's greeting reaches a client from ``source``."""
    try:
        with Wire(port, trusting(pem.ca), source=source) as wire:
            return wire.line().startswith(b"+OK")
    except OSError:
        return False


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_when_told(tunnel: StartTunnel, plain: StartPlain, pem: Certificates, number: signal.Signals) -> None:
    ours = tunnel("--protocol", "none", "--connect", plain(servers.echo).target, "--certificate", pem.server)
    assert echoed(ours.port, trusting(pem.ca))
    ours.running.process.send_signal(number)
    assert ours.running.process.wait(15) == 0
    assert "Traceback" not in ours.log()


def test_a_renewed_certificate_is_shown_without_a_restart(
    tunnel: StartTunnel, plain: StartPlain, pem: Certificates
) -> None:
    """SIGHUP has all files read again; connections that stand go on."""
    target = plain(servers.echo).target
    mine = pem.folder / "renewed.pem"
    mine.write_bytes(read(pem.server))
    ours = tunnel("--protocol", "none", "--connect", target, "--certificate", str(mine))
    with Wire(ours.port, trusting(pem.ca)) as wire:
        mine.write_bytes(read(pem.other))
        ours.running.process.send_signal(signal.SIGHUP)
        eventually(lambda: echoed(ours.port, trusting(pem.ca), host="other.example.org"))
        wire.send(b"still here")
        assert wire.octets(10) == b"still here"


NONSENSE = [b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\xff\xff" + bytes(20000), b"\x80\x2e\x01\x00\x02", bytes(70000)]


@pytest.mark.parametrize("nonsense", NONSENSE, ids=["http", "long hello", "ssl 2", "zeros"])
def test_nonsense_harms_nobody(tunnel: StartTunnel, plain: StartPlain, pem: Certificates, nonsense: bytes) -> None:
    server = plain(servers.echo)
    ours = tunnel("--protocol", "none", "--connect", server.target, "--certificate", pem.server)
    with Wire(ours.port, None) as wire:
        try:
            wire.send(nonsense)
            wire.rest()
        except OSError:
            pass
    ours.logs("tunnel_tls_failed")
    assert "Traceback" not in ours.log()
    assert not server.accepted
    assert echoed(ours.port, trusting(pem.ca))
