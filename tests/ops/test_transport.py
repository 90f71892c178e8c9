"""Writing at once: in order, whole, and never in clear on a connection that is encrypted."""

import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import trustme
from twisted.internet.address import IPv4Address, UNIXAddress
from twisted.internet.protocol import Protocol, ServerFactory
from twisted.internet.ssl import CertificateOptions, PrivateCertificate
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.protocols.policies import ProtocolWrapper, WrappingFactory
from twisted.protocols.tls import TLSMemoryBIOFactory

from mailaccess.ops.transport import close_gracefully, is_encrypted, peer_of, start_tls, tls_of, write_now
from mailaccess.values import Peer
from tests.net.loopback import TLSClient, connect, reactor, talk, turn_until

SECRET = b"what nobody on the wire may read"
GO_AHEAD = b"+ begin\r\n"


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def creator(authority: trustme.CA) -> CertificateOptions:
    pem = authority.issue_cert("server.example").private_key_and_cert_chain_pem.bytes()
    certificate: Any = PrivateCertificate
    options: CertificateOptions = certificate.loadPEM(pem).options()
    return options


@pytest.fixture
def trusting(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


class Speaker(Protocol):
    """Says SECRET for each "speak"; encrypts after "encrypt"."""

    creator: Any = None
    lost = False

    def dataReceived(self, data: bytes) -> None:
        assert self.transport is not None
        if data.startswith(b"encrypt"):
            start_tls(self.transport, self.creator, GO_AHEAD, clear_octets_follow=data != b"encrypt\r\n")
        else:
            write_now(self.transport, SECRET)

    def connectionLost(self, reason: object = None) -> None:
        self.lost = True


@contextmanager
def serving(factory: Any) -> Iterator[int]:
    port = reactor.listenTCP(0, factory, interface="127.0.0.1")
    try:
        yield port.getHost().port
    finally:
        stopped: list[object] = []
        port.stopListening().addBoth(stopped.append)
        turn_until(lambda: stopped)


def factory_of(make: Callable[[], Protocol]) -> ServerFactory:
    factory = ServerFactory()
    factory.noisy = False
    factory.buildProtocol = lambda address: make()  # type: ignore[method-assign,assignment]
    return factory


def test_short_answers_leave_nothing_for_the_reactor_to_write() -> None:
    waiting: list[bool] = []

    class Watched(Speaker):
        def dataReceived(self, data: bytes) -> None:
            super().dataReceived(data)
            waiting.append(self.transport in reactor.getWriters())

    with serving(factory_of(Watched)) as port:

        def client() -> bytes:
            with connect(port) as wire:
                wire.sendall(b"speak")
                return wire.recv(100)

        assert talk(client) == SECRET
    assert waiting == [False]


def test_everything_arrives_in_order_from_a_client_that_reads_late() -> None:
    parts = [bytes([65 + n]) * 700_000 for n in range(8)]

    class Bulk(Speaker):
        def dataReceived(self, data: bytes) -> None:
            for part in parts:
                write_now(self.transport, part)

    with serving(factory_of(Bulk)) as port:

        def client() -> bytes:
            with connect(port) as wire:
                wire.sendall(b"speak")
                got = bytearray()
                while len(got) < 5_600_000:
                    got += wire.recv(1 << 20)
                return bytes(got)

        assert talk(client) == b"".join(parts)


def test_a_pull_producer_is_asked_again() -> None:
    class Pulled(Speaker):
        left = 5

        def dataReceived(self, data: bytes) -> None:
            transport: Any = self.transport
            transport.registerProducer(self, False)

        def resumeProducing(self) -> None:
            transport: Any = self.transport
            write_now(transport, b"piece")
            self.left -= 1
            if not self.left:
                transport.unregisterProducer()
                transport.loseConnection()

        def stopProducing(self) -> None:
            self.left = 0

    with serving(factory_of(Pulled)) as port:

        def client() -> bytes:
            with connect(port) as wire:
                wire.sendall(b"speak")
                got = b""
                while chunk := wire.recv(100):
                    got += chunk
                return got

        assert talk(client) == b"piece" * 5


def test_a_lost_connection_is_found_by_the_reactor() -> None:
    speaker = Speaker()

    with serving(factory_of(lambda: speaker)) as port:
        wire = talk(lambda: connect(port))
        turn_until(lambda: speaker.transport is not None)
        transport: Any = speaker.transport
        transport.socket.shutdown(1)
        write_now(transport, SECRET)
        turn_until(lambda: speaker.lost)
        write_now(transport, SECRET)
        wire.close()


def wrapped(factory: ServerFactory) -> Any:
    """What ``haproxy:`` does to a factory: transports become wrappers that hand out the raw socket's attributes."""

    class Quiet(WrappingFactory):
        noisy = False
        protocol = ProtocolWrapper

    return Quiet(factory)  # type: ignore[no-untyped-call]


@pytest.mark.parametrize("behind_a_proxy", [False, True])
def test_implicit_tls_shows_no_clear_text(
    creator: CertificateOptions, trusting: ssl.SSLContext, behind_a_proxy: bool
) -> None:
    factory: Any = TLSMemoryBIOFactory(creator, False, factory_of(Speaker))
    with serving(wrapped(factory) if behind_a_proxy else factory) as port:

        def client() -> tuple[bytes, bytes]:
            tls = TLSClient(connect(port), trusting, "server.example")
            tls.write(b"speak")
            heard = tls.read(len(SECRET))
            tls.close()
            return heard, bytes(tls.seen)

        heard, seen = talk(client)
    assert heard == SECRET
    assert SECRET not in seen


@pytest.mark.parametrize("behind_a_proxy", [False, True])
def test_after_starttls_there_is_no_clear_text(
    creator: CertificateOptions, trusting: ssl.SSLContext, behind_a_proxy: bool
) -> None:
    speaker = Speaker()
    speaker.creator = creator
    factory = factory_of(lambda: speaker)
    encrypted: list[bool] = []

    with serving(wrapped(factory) if behind_a_proxy else factory) as port:

        def client() -> tuple[bytes, bytes, bytes]:
            wire = connect(port)
            encrypted.append(is_encrypted(speaker.transport))
            wire.sendall(b"encrypt\r\n")
            answer = wire.recv(len(GO_AHEAD))
            tls = TLSClient(wire, trusting, "server.example")
            tls.write(b"speak")
            heard = tls.read(len(SECRET))
            tls.close()
            return answer, heard, bytes(tls.seen)

        answer, heard, seen = talk(client)
    assert answer == GO_AHEAD
    assert heard == SECRET
    assert SECRET not in seen


@pytest.mark.parametrize("behind_a_proxy", [False, True])
def test_what_protects_a_connection_is_told_for_implicit_tls(
    creator: CertificateOptions, trusting: ssl.SSLContext, behind_a_proxy: bool
) -> None:
    told: list[object] = []

    class Teller(Speaker):
        def dataReceived(self, data: bytes) -> None:
            told.append((is_encrypted(self.transport), tls_of(self.transport)["tls"]))
            super().dataReceived(data)

    factory: Any = TLSMemoryBIOFactory(creator, False, factory_of(Teller))

    def client(port: int) -> None:
        tls = TLSClient(connect(port), trusting, "server.example")
        tls.write(b"speak")
        tls.read(1)
        tls.close()

    with serving(wrapped(factory) if behind_a_proxy else factory) as port:
        talk(lambda: client(port))
    assert told == [(True, "TLSv1.3")]


def test_peer_of() -> None:
    transport_at: Any = StringTransport
    ours, theirs = IPv4Address("TCP", "192.0.2.1", 143), IPv4Address("TCP", "192.0.2.2", 4711)
    assert peer_of(transport_at(hostAddress=ours, peerAddress=theirs)) == Peer("192.0.2.2", 4711, 143)
    local = transport_at(hostAddress=UNIXAddress(b"/run/imap"), peerAddress=UNIXAddress(b""))
    assert peer_of(local) == Peer("local")


@pytest.mark.parametrize("behind_a_proxy", [False, True])
def test_is_encrypted_tells_the_two_apart(
    creator: CertificateOptions, trusting: ssl.SSLContext, behind_a_proxy: bool
) -> None:
    told: list[object] = []

    class Teller(Speaker):
        def dataReceived(self, data: bytes) -> None:
            told.append((is_encrypted(self.transport), tls_of(self.transport)["tls"]))
            super().dataReceived(data)

    def make() -> Teller:
        teller = Teller()
        teller.creator = creator
        return teller

    def upgrade(port: int) -> None:
        wire = connect(port)
        wire.sendall(b"encrypt\r\n")
        wire.recv(len(GO_AHEAD))
        tls = TLSClient(wire, trusting, "server.example")
        tls.write(b"speak")
        tls.read(1)
        tls.close()

    with serving(wrapped(factory_of(make)) if behind_a_proxy else factory_of(make)) as port:
        talk(lambda: upgrade(port))
    assert told == [(False, "none"), (True, "TLSv1.3")]


def test_octets_behind_starttls_close_the_connection(creator: CertificateOptions) -> None:
    """The class of CVE-2011-0411."""
    speaker = Speaker()
    speaker.creator = creator

    with serving(factory_of(lambda: speaker)) as port:

        def client() -> bytes:
            with connect(port) as wire:
                wire.sendall(b"encrypt\r\nspeak")
                return wire.recv(100)

        assert talk(client) == b""
        turn_until(lambda: speaker.lost)


def test_closing_waits_only_so_long() -> None:
    class Transport(StringTransport):
        aborted = False

        def abortConnection(self) -> None:
            self.aborted = True

    clock, transport = Clock(), Transport()  # type: ignore[no-untyped-call]
    close_gracefully(transport, clock, 3.0)
    assert transport.disconnecting
    clock.advance(2.9)
    assert not transport.aborted
    clock.advance(0.2)
    assert transport.aborted
