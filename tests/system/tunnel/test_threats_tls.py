"""TLS as attackers speak it: old versions, octets in clear, keys that never stay, ends that are none."""

import socket
import ssl
import subprocess
import time
from contextlib import suppress
from pathlib import Path

import pytest
from OpenSSL import SSL
from server_process import eventually, program
from tunnel import plain as servers
from tunnel.certificates import Certificates
from tunnel.crowd import cpu_seconds, reset
from tunnel.ours import StartTunnel, Tunnel
from tunnel.plain import Plain, StartPlain
from tunnel.records import ALERT, APPLICATION_DATA, ASKING, HANDSHAKE, NOT_ASKING, Forger, below, forgeable
from tunnel.traffic import echoed, trusting
from wire import Wire

pytestmark = pytest.mark.system


class Ends:
    """A server that knows whether what it heard ended, or was cut."""

    def __init__(self) -> None:
        self.heard = b""
        self.end = ""

    def __call__(self, connection: socket.socket) -> None:
        try:
            while data := connection.recv(1 << 16):
                self.heard += data
                connection.sendall(data)
        except ConnectionError:
            self.end = "cut"
            raise
        self.end = "ended"


@pytest.fixture
def ends() -> Ends:
    return Ends()


@pytest.fixture
def target(plain: StartPlain, ends: Ends) -> Plain:
    return plain(ends)


@pytest.fixture
def ours(tunnel: StartTunnel, target: Plain, pem: Certificates) -> Tunnel:
    return tunnel("--protocol", "none", "--connect", target.target, "--certificate", pem.server)


def rest(wire: Wire) -> bytes:
    """What still comes, however it ends."""
    try:
        return wire.rest()
    except (ConnectionError, ssl.SSLError):
        return b""


# -- versions

TOO_OLD = [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1]
SSL_3 = b"\x16\3\0\0\x2f\1\0\0\x2b\3\0" + bytes(32) + b"\0\0\4\x00\x2f\x00\x35\1\0"


@pytest.mark.parametrize("version", TOO_OLD, ids=[version.name for version in TOO_OLD])
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_old_versions_are_refused(ours: Tunnel, target: Plain, version: ssl.TLSVersion) -> None:
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname, client.verify_mode = False, ssl.CERT_NONE
    client.set_ciphers("ALL:@SECLEVEL=0")
    client.minimum_version = client.maximum_version = version
    with pytest.raises(ssl.SSLError, match="PROTOCOL_VERSION"):
        Wire(ours.port, client)
    ours.logs("tunnel_tls_failed", "unsupported protocol")
    assert not target.accepted


def test_ssl_3_is_refused(ours: Tunnel, target: Plain) -> None:
    with Wire(ours.port, None) as wire:
        wire.send(SSL_3)
        assert wire.rest()[:1] in {b"\x15", b""}
    ours.logs("tunnel_tls_failed")
    assert not target.accepted


def test_early_data_is_not_taken(ours: Tunnel, ends: Ends, pem: Certificates, tmp_path: Path) -> None:
    """What is said before the handshake may be said twice by somebody else (RFC 8446 §8)."""
    client = [program("openssl"), "s_client", "-connect", f"localhost:{ours.port}", "-CAfile", pem.ca, "-tls1_3"]
    session, early = tmp_path / "session", tmp_path / "early"
    early.write_bytes(b"delete everything\n")
    first = subprocess.Popen([*client, "-sess_out", str(session)], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
    with first:
        eventually(session.exists)
        first.kill()
    offer = [*client, "-sess_in", str(session), "-early_data", str(early)]
    again = subprocess.run(offer, input=b"Q\n", capture_output=True, timeout=20, check=False)
    assert b"Early data was accepted" not in again.stdout
    assert b"delete" not in ends.heard


def test_renegotiation_is_not_taken_up(ours: Tunnel, pem: Certificates) -> None:
    """TLS 1.2 only; each would cost the server more than the client."""
    context = SSL.Context(SSL.TLS_CLIENT_METHOD)
    context.set_max_proto_version(SSL.TLS1_2_VERSION)
    with socket.create_connection(("127.0.0.1", ours.port)) as connection:
        client = SSL.Connection(context, connection)
        client.set_connect_state()
        client.do_handshake()
        client.sendall(b"before")
        assert client.recv(6) == b"before"
        assert client.renegotiate()
        with pytest.raises(SSL.Error, match="no renegotiation"):
            client.do_handshake()
    assert echoed(ours.port, trusting(pem.ca))
    assert "Traceback" not in ours.log()


# -- what is no TLS

GARBAGE = {
    "clear": b"RETR 1\r\n",
    "a record in clear": b"\x17\3\3\0\6RETR 1",
    "an alert in clear": b"\x15\3\3\0\2\2\0",
    "a record of zeros": b"\x17\3\3\0\x64" + bytes(100),
    "a huge record": b"\x17\3\3\xff\xff" + bytes(65535),
    "a handshake in clear": b"\x16\3\3\0\4\0\0\0\0",
}


@pytest.mark.parametrize("garbage", GARBAGE.values(), ids=GARBAGE)
def test_what_is_put_into_the_stream_ends_it_and_is_not_passed_on(
    ours: Tunnel, ends: Ends, pem: Certificates, garbage: bytes
) -> None:
    with Wire(ours.port, trusting(pem.ca)) as wire:
        wire.send(b"inside")
        assert wire.octets(6) == b"inside"
        with below(wire) as socket_itself:
            socket_itself.sendall(garbage)
        assert rest(wire) == b""
    ours.logs("tunnel_closed", "reason=", "TLS failed")
    eventually(lambda: ends.end == "cut")  # the target must not take what it heard for the whole
    assert ends.heard == b"inside"


def test_a_command_in_clear_after_the_go_ahead_is_no_command(
    tunnel: StartTunnel, plain: StartPlain, pem: Certificates
) -> None:
    """In a packet of its own it is not behind the command; then it stands where the handshake must (CVE-2011-0411)."""
    ours = tunnel(
        "--protocol", "pop3", "--starttls", "--connect", plain(servers.POP3).target, "--certificate", pem.server
    )
    with Wire(ours.port, None) as wire:
        wire.line()
        wire.send(b"STLS\r\n")
        assert wire.line().startswith(b"+OK")
        wire.send(b"STAT\r\n")
        assert b"+OK" not in wire.rest()
    ours.logs("tunnel_tls_failed")


# -- records that no library sends


@pytest.fixture
def secrets(tmp_path: Path) -> Path:
    return tmp_path / "secrets"


def test_forged_records_are_good_ones(ours: Tunnel, pem: Certificates, secrets: Path) -> None:
    """Else the tests below prove nothing."""
    with Wire(ours.port, forgeable(trusting(pem.ca), secrets)) as wire:
        forger = Forger(wire, secrets)
        forger.send(forger.record(APPLICATION_DATA, b"one") + forger.key_update(NOT_ASKING))
        forger.send(forger.record(APPLICATION_DATA, b"two"))
        assert wire.octets(6) == b"onetwo"


@pytest.mark.parametrize("ask", [ASKING, NOT_ASKING], ids=["answered", "not answered"])
def test_keys_that_never_stay_harm_nobody(ours: Tunnel, pem: Certificates, secrets: Path, ask: bytes) -> None:
    """A client that has its key changed without end, and reads no answer, has no room made for them."""
    with Wire(ours.port, forgeable(trusting(pem.ca), secrets)) as wire, Wire(ours.port, trusting(pem.ca)) as other:
        forger = Forger(wire, secrets)
        flood = b"".join(forger.key_update(ask) for _ in range(50_000))
        resident = ours.running.resident()
        with below(wire) as socket_itself:
            socket_itself.settimeout(2)
            with suppress(TimeoutError):  # it is not read as fast as it comes
                socket_itself.sendall(flood)
            began = time.monotonic()
            other.send(b"still here")
            assert other.octets(10) == b"still here"
            assert time.monotonic() - began < 1
        assert ours.running.resident() - resident < 16_000_000
        reset(below(wire))
    assert echoed(ours.port, trusting(pem.ca))
    assert "Traceback" not in ours.log()


STRANGE = {
    "empty data": (APPLICATION_DATA, b""),
    "an unknown kind": (99, b"x"),
    "no kind": (0, b""),
    "a hello": (HANDSHAKE, b"\1\0\0\0"),
    "a fatal alert": (ALERT, b"\2\x28"),
    "a short alert": (ALERT, b"\1"),
}


@pytest.mark.parametrize("strange", STRANGE.values(), ids=STRANGE)
def test_strange_records_end_it_at_once(
    ours: Tunnel, pem: Certificates, secrets: Path, strange: tuple[int, bytes]
) -> None:
    with Wire(ours.port, forgeable(trusting(pem.ca), secrets)) as wire:
        forger = Forger(wire, secrets)
        before = cpu_seconds(ours.running)
        with suppress(OSError):
            for _ in range(200):
                forger.send(forger.record(*strange))
        assert rest(wire) == b""
        assert cpu_seconds(ours.running) - before < 1
    ours.logs("tunnel_closed", "TLS failed")
    assert echoed(ours.port, trusting(pem.ca))


# -- ends


def test_an_end_without_a_good_bye_is_an_end_and_logged(ours: Tunnel, ends: Ends, pem: Certificates) -> None:
    """Half the mail programs end so; whoever cuts a wire too, so it is said."""
    with Wire(ours.port, trusting(pem.ca)) as wire:
        wire.send(b"and that")
        assert wire.octets(8) == b"and that"
        below(wire).shutdown(socket.SHUT_WR)
        ours.logs("tunnel_closed", "truncated=client")
    assert ends.end == "ended"
    assert ends.heard == b"and that"


def test_the_same_of_a_target(tunnel: StartTunnel, plain: StartPlain, pem: Certificates) -> None:
    inside = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    inside.load_cert_chain(pem.server)

    def serve(connection: socket.socket) -> None:
        with inside.wrap_socket(connection, server_side=True) as wrapped:
            wrapped.sendall(b"and that")
            wrapped.shutdown(socket.SHUT_RDWR)

    ours = tunnel("--client", "--protocol", "none", "--connect", f"localhost:{plain(serve).port}", "--ca", pem.ca)
    with Wire(ours.port, None) as wire:
        assert wire.rest() == b"and that"
    ours.logs("tunnel_closed", "truncated=target")


def test_a_reset_is_passed_on_as_one(ours: Tunnel, ends: Ends, pem: Certificates) -> None:
    wire = Wire(ours.port, trusting(pem.ca))
    wire.send(b"and that")
    assert wire.octets(8) == b"and that"
    reset(wire.socket)
    eventually(lambda: ends.end == "cut")
    ours.logs("tunnel_closed", "reason=")
