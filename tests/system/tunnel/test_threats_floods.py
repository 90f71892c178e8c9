"""Who says nothing, half of something or nonsense, in numbers: he is put out in time, and the others do not notice."""

import random
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from server_process import eventually
from tunnel import plain as servers
from tunnel.certificates import Certificates
from tunnel.crowd import HELLO, closed, connect, cpu_seconds, crowd, reset
from tunnel.ours import StartTunnel, Tunnel
from tunnel.plain import StartPlain
from tunnel.traffic import echoed, trusting
from wire import Wire

pytestmark = pytest.mark.system

FEW = [pytest.param(300, id="300"), pytest.param(3000, id="3000", marks=pytest.mark.soak)]
NOTICED_SECONDS = 1.0
PATIENCE = 2.0
EACH_BYTES = 100_000
"""Of memory for a connection before TLS: OpenSSL alone has some 40 kB; 3,000 are to fit into 400 MB."""

BURST = 1000
AT_REST_BYTES = 40_000_000
"""How much more may stay in the process's hands after a later burst: the allocator keeps what the largest needed."""


@pytest.fixture
def ours(tunnel: StartTunnel, plain: StartPlain, pem: Certificates) -> Callable[[float], Tunnel]:
    """Starts a tunnel to an echo, whose handshakes have so many seconds."""
    target = plain(servers.echo).target
    return lambda patience: tunnel(
        "--protocol", "none", "--connect", target, "--certificate", pem.server,
        "--connections-per-address", "10000", "--handshake-timeout-seconds", str(patience),
    )  # fmt: skip


def slowest_answer(wire: Wire, times: int = 20) -> float:
    """Seconds until what is said comes back, at the worst."""
    worst = 0.0
    for _ in range(times):
        began = time.monotonic()
        wire.send(b"still here")
        assert wire.octets(10) == b"still here"
        worst = max(worst, time.monotonic() - began)
    return worst


@pytest.mark.parametrize("count", FEW)
@pytest.mark.parametrize("say", [b"", HELLO], ids=["nothing", "half a hello"])
def test_who_never_begins_tls_is_put_out_and_harms_nobody(
    ours: Callable[[float], Tunnel], pem: Certificates, say: bytes, count: int
) -> None:
    tls, patience = trusting(pem.ca), PATIENCE + count / 500  # until all are there
    tunnel = ours(patience)
    with Wire(tunnel.port, tls) as inside:
        slowest_answer(inside)  # until then its way to the target may not be there
        descriptors, resident = tunnel.running.descriptors(), tunnel.running.resident()
        with crowd(tunnel.port, count, say) as many:
            eventually(lambda: tunnel.running.descriptors() >= descriptors + 0.95 * count)  # some may be out already
            assert slowest_answer(inside) < NOTICED_SECONDS
            began = time.monotonic()
            assert echoed(tunnel.port, tls)
            assert time.monotonic() - began < NOTICED_SECONDS
            assert (tunnel.running.resident() - resident) / count < EACH_BYTES
            assert closed(many, patience + 10) == count
        assert slowest_answer(inside) < NOTICED_SECONDS
        eventually(lambda: tunnel.running.descriptors() == descriptors)
    assert "Traceback" not in tunnel.log()


def test_an_octet_now_and_then_is_no_handshake(ours: Callable[[float], Tunnel]) -> None:
    """What comes slowly has no more time than what does not come."""
    tunnel = ours(PATIENCE)
    connection = connect(tunnel.port)
    began = time.monotonic()
    try:
        for octet in HELLO:
            connection.sendall(bytes([octet]))
            time.sleep(0.1)
            assert time.monotonic() - began < PATIENCE + 2
    except ConnectionError:
        pass
    finally:
        connection.close()
    assert time.monotonic() - began > PATIENCE - 0.5
    tunnel.logs("tunnel_lost", "the handshake took more than")


def test_who_asks_for_much_and_reads_nothing_costs_little(
    tunnel: StartTunnel, plain: StartPlain, pem: Certificates
) -> None:
    """Each holds what its two sides' buffers have, and the process rests."""

    def pour(connection: socket.socket) -> None:
        while True:
            connection.sendall(bytes(1 << 16))

    ours = tunnel("--protocol", "none", "--connect", plain(pour).target, "--certificate", pem.server)
    resident = ours.running.resident()
    with ExitStack() as many:
        for _ in range(50):
            many.enter_context(Wire(ours.port, trusting(pem.ca)))
        eventually(lambda: rests(ours))
        assert (ours.running.resident() - resident) / 50 < 1_000_000


def rests(ours: Tunnel) -> bool:
    """Whether the process does nothing for a moment."""
    before = cpu_seconds(ours.running)
    time.sleep(0.3)
    return cpu_seconds(ours.running) - before < 0.03


def test_who_is_told_that_there_are_too_many_does_not_stay(
    tunnel: StartTunnel, plain: StartPlain, pem: Certificates
) -> None:
    ours = tunnel(
        "--protocol", "pop3", "--starttls", "--connect", plain(servers.POP3).target, "--certificate", pem.server,
        "--connections", "5", "--handshake-timeout-seconds", "30",
    )  # fmt: skip
    with crowd(ours.port, 5) as inside:
        assert all(connection.recv(3) == b"+OK" for connection in inside)
        with crowd(ours.port, 100) as outside:
            assert all(connection.recv(100).startswith(b"-ERR [SYS/TEMP]") for connection in outside)
            assert closed(outside, 10) == 100
            eventually(lambda: ours.running.descriptors() < 40)


def silences(seed: int) -> Iterator[bytes]:
    chance = random.Random(seed)
    while True:
        yield chance.choice((b"", HELLO, b"GET / HTTP/1.0\r\n\r\n", b"STLS\r\n", b"\x16\x03\x01", bytes(100)))


@pytest.mark.parametrize("bursts", [2, pytest.param(20, marks=pytest.mark.soak)])
@pytest.mark.parametrize("role", ["server", "starttls", "client"])
def test_who_comes_and_goes_leaves_nothing(
    tunnel: StartTunnel, plain: StartPlain, pem: Certificates, role: str, bursts: int
) -> None:
    """Neither a descriptor nor memory: the second thousand, and the twentieth, cost nothing that the first did not."""
    ours = tunnel(
        "--connect", plain(servers.POP3).target, "--handshake-timeout-seconds", str(PATIENCE),
        "--connections-per-address", "10000", *{
            "server": ("--protocol", "none", "--certificate", pem.server),
            "starttls": ("--protocol", "pop3", "--certificate", pem.server, "--starttls"),
            "client": ("--protocol", "none", "--client", "--ca", pem.ca),
        }[role],
    )  # fmt: skip
    descriptors = ours.running.descriptors()

    says = silences(bursts)

    def come_and_go() -> int:
        for number, say in zip(range(BURST), says, strict=False):
            connection = connect(ours.port, say)
            if number % 2:
                reset(connection)
            else:
                connection.close()
        eventually(lambda: ours.running.descriptors() <= descriptors + 10, 60)  # threads that ask for names have some
        return ours.running.resident()

    after = [come_and_go() for _ in range(1 + bursts)]
    assert max(after) - after[0] < AT_REST_BYTES
    assert "Traceback" not in ours.log()
    assert len([line for line in ours.log().splitlines() if " tunnel_" in line]) == len(after) * BURST
