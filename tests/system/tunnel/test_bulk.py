"""Much through the tunnel: nothing is lost or changed, each direction ends by itself, and memory stays bounded."""

import select
import socket
import ssl
import struct
import threading

import pytest
from server_process import eventually
from tunnel import plain as servers
from tunnel.certificates import Certificates
from tunnel.ours import StartTunnel, Tunnel
from tunnel.plain import StartPlain
from tunnel.traffic import Blocks, both_ways, digest_of, trusting

pytestmark = pytest.mark.system

MIB = 1 << 20
ROOM = 16 * MIB
"""What a tunnel's memory may grow by, whatever passes through it: buffers of a few hundred KiB, and fragmentation."""


def pair(tunnel: StartTunnel, target: str, pem: Certificates) -> tuple[Tunnel, Tunnel]:
    """Our client side and, behind it, our server side in front of ``target``."""
    far = tunnel("--protocol", "none", "--connect", target, "--certificate", pem.server)
    near = tunnel("--client", "--protocol", "none", "--connect", f"localhost:{far.port}", "--ca", pem.ca)
    return near, far


def test_a_gigabyte_in_both_directions_at_once(tunnel: StartTunnel, plain: StartPlain, pem: Certificates) -> None:
    size = 1024 * MIB
    there, back = Blocks(size, seed=1), Blocks(size, seed=2)
    arrived: list[tuple[int, str]] = []
    near, far = pair(tunnel, plain(lambda served: arrived.append(both_ways(served, back))).target, pem)
    before = near.running.resident(), far.running.resident()
    most = [0, 0]
    done = threading.Event()

    def watch() -> None:
        while not done.wait(0.05):
            most[:] = max(most[0], near.running.resident()), max(most[1], far.running.resident())

    watching = threading.Thread(target=watch)
    watching.start()
    with socket.create_connection(("127.0.0.1", near.port), 60) as connection:
        assert both_ways(connection, there) == (size, back.digest())
    eventually(lambda: arrived)
    done.set()
    watching.join()
    assert arrived == [(size, there.digest())]
    assert [after - earlier < ROOM for after, earlier in zip(most, before, strict=True)] == [True, True], (most, before)


@pytest.mark.parametrize("first", ["client", "server"])
def test_each_direction_ends_by_itself(tunnel: StartTunnel, plain: StartPlain, pem: Certificates, first: str) -> None:
    blocks = Blocks(4 * MIB, seed=3)
    arrived: list[tuple[int, str]] = []

    def listens_first(served: socket.socket) -> None:
        arrived.append(digest_of(served))
        blocks.send(served)

    def speaks_first(served: socket.socket) -> None:
        blocks.send(served)
        arrived.append(digest_of(served))

    near, _ = pair(tunnel, plain(listens_first if first == "client" else speaks_first).target, pem)
    with socket.create_connection(("127.0.0.1", near.port), 20) as connection:
        if first == "client":
            blocks.send(connection)
            assert digest_of(connection) == (blocks.size, blocks.digest())
        else:
            assert digest_of(connection) == (blocks.size, blocks.digest())
            blocks.send(connection)
    eventually(lambda: arrived)
    assert arrived == [(blocks.size, blocks.digest())]


def _stuffed(connection: socket.socket) -> int:
    """How much goes into a connection that nobody reads at the other end, until it takes no more for a second."""
    connection.settimeout(1)
    sent = 0
    try:
        while sent < 256 * MIB:
            sent += connection.send(bytes(1 << 16))
    except TimeoutError:
        return sent
    return sent


@pytest.mark.parametrize("slow", ["client", "server"])
def test_who_does_not_read_stops_who_sends(
    tunnel: StartTunnel, plain: StartPlain, pem: Certificates, slow: str
) -> None:
    stuffed: list[int] = []
    over = threading.Event()

    def fast(served: socket.socket) -> None:
        stuffed.append(_stuffed(served))

    def silent(_: socket.socket) -> None:
        over.wait(60)

    near, far = pair(tunnel, plain(fast if slow == "client" else silent).target, pem)
    before = near.running.resident(), far.running.resident()
    with socket.create_connection(("127.0.0.1", near.port), 20) as connection:
        if slow == "server":
            stuffed.append(_stuffed(connection))
        eventually(lambda: stuffed, 60)
        assert stuffed[0] < 64 * MIB
        assert near.running.resident() - before[0] < ROOM
        assert far.running.resident() - before[1] < ROOM
    over.set()


def test_nothing_is_lost_when_a_server_closes(tunnel: StartTunnel, plain: StartPlain, pem: Certificates) -> None:
    size = 3 * MIB + 1
    near, _ = pair(tunnel, plain(lambda served: served.sendall(bytes(size))).target, pem)
    for _ in range(10):
        with socket.create_connection(("127.0.0.1", near.port), 20) as connection:
            assert digest_of(connection)[0] == size


def test_many_connections_at_once(tunnel: StartTunnel, plain: StartPlain, pem: Certificates) -> None:
    near, far = pair(tunnel, plain(servers.echo).target, pem)
    many = [socket.create_connection(("127.0.0.1", near.port), 60, (f"127.0.1.{n % 250 + 1}", 0)) for n in range(150)]
    for number, connection in enumerate(many):
        connection.sendall(b"%05d" % number)
    for number, connection in enumerate(many):
        assert connection.recv(5) == b"%05d" % number
        connection.close()
    quiet = 30
    eventually(lambda: near.running.descriptors() < quiet and far.running.descriptors() < quiet)


def test_a_connection_that_is_cut_is_cut_on_the_other_side(
    tunnel: StartTunnel, plain: StartPlain, pem: Certificates
) -> None:
    """A server that dies in the middle is not taken for one that has said all: the client's TLS ends without a bye."""

    def dies(served: socket.socket) -> None:
        served.sendall(b"half a mess")
        served.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    ours = tunnel("--protocol", "none", "--connect", plain(dies).target, "--certificate", pem.server)
    with (
        socket.create_connection(("127.0.0.1", ours.port), 20) as connection,
        trusting(pem.ca).wrap_socket(connection, server_hostname="localhost", suppress_ragged_eofs=False) as secure,
        pytest.raises((ssl.SSLEOFError, ConnectionResetError)),
    ):
        digest_of(secure)
    ours.logs("tunnel_closed", "reason=")


def test_a_thousand_short_connections_leave_nothing(tunnel: StartTunnel, plain: StartPlain, pem: Certificates) -> None:
    near, far = pair(tunnel, plain(servers.echo).target, pem)

    def some(count: int) -> None:
        for number in range(count):
            with socket.create_connection(("127.0.0.1", near.port), 20) as connection:
                connection.sendall(b"%05d" % number)
                assert connection.recv(5) == b"%05d" % number

    some(100)
    eventually(lambda: near.log().count("tunnel_closed") == 100 and far.log().count("tunnel_closed") == 100)
    before = [each.running.descriptors() for each in (near, far)], [each.running.resident() for each in (near, far)]
    some(1000)
    eventually(lambda: near.log().count("tunnel_closed") == 1100 and far.log().count("tunnel_closed") == 1100)
    assert [each.running.descriptors() for each in (near, far)] == before[0]
    assert max(each.running.resident() - was for each, was in zip((near, far), before[1], strict=True)) < 4 * MIB


@pytest.mark.parametrize("how", ["in order", "with a reset"])
def test_a_client_that_leaves_stops_its_server(
    tunnel: StartTunnel, plain: StartPlain, pem: Certificates, how: str
) -> None:
    """What nobody takes any more is not fetched: a download that is given up costs no more."""
    over = threading.Event()

    def endless(served: socket.socket) -> None:
        served.settimeout(10)
        try:
            while True:
                served.sendall(bytes(1 << 16))
        except (ConnectionResetError, BrokenPipeError):
            over.set()

    far = tunnel("--protocol", "none", "--connect", plain(endless).target, "--certificate", pem.server)
    with socket.create_connection(("127.0.0.1", far.port), 20) as connection:
        secure = trusting(pem.ca).wrap_socket(connection, server_hostname="localhost")
        assert secure.recv(1)
        if how == "with a reset":
            secure.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        secure.close()
    assert over.wait(5)
    eventually(lambda: "tunnel_closed" in far.log())


@pytest.mark.parametrize("busy", [False, True], ids=["idle", "while it is sent much"])
def test_a_reset_is_not_taken_for_the_end(
    tunnel: StartTunnel, plain: StartPlain, pem: Certificates, busy: bool
) -> None:
    """A server must not take what it got of a message for the whole of it."""
    ends: list[str] = []
    begun = threading.Event()

    def receives(served: socket.socket) -> None:
        served.setblocking(False)
        try:
            while True:
                readable, writable, _ = select.select([served], [served] if busy else [], [], 10)
                if readable:
                    if not served.recv(1 << 16):
                        return ends.append("the end")
                    begun.set()
                if writable:
                    served.send(bytes(1 << 16))
        except ConnectionResetError:
            return ends.append("a reset")

    far = tunnel("--protocol", "none", "--connect", plain(receives).target, "--certificate", pem.server)
    with socket.create_connection(("127.0.0.1", far.port), 20) as connection:
        secure = trusting(pem.ca).wrap_socket(connection, server_hostname="localhost")
        secure.sendall(b"half a mess")
        assert begun.wait(10)
        secure.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        secure.close()
    eventually(lambda: ends)
    assert ends == ["a reset"]
