"""Python's poplib over real sockets: STLS, implicit TLS, and a reader that is slow."""

import poplib
import ssl
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import trustme
from twisted.internet.ssl import PrivateCertificate
from twisted.protocols.tls import TLSMemoryBIOFactory

from mailaccess.pop3.protocol import POP3Factory
from tests.net.loopback import PATIENCE_SECONDS, reactor, talk, turn_until
from tests.pop3.doubles import Drop, Events, Login

MESSAGES = [b"Subject: one\r\n\r\n.\r\n..\r\nlast\r\n", b"Subject: two\r\n\r\n" + b".x" * 40 + b"\r\n" * 300_000]


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def trust(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


@pytest.fixture(scope="module")
def creator(authority: trustme.CA) -> Any:
    issued = authority.issue_cert("localhost")
    pem = issued.private_key_pem.bytes() + issued.cert_chain_pems[0].bytes()
    return PrivateCertificate.loadPEM(pem).options()  # type: ignore[no-untyped-call]


@pytest.fixture
def drop() -> Drop:
    return Drop(MESSAGES)


@pytest.fixture
def listen(drop: Drop, creator: Any) -> Iterator[Callable[[bool], int]]:
    """Listens, with implicit TLS or with STLS, and returns the port."""
    ports = []
    factory = POP3Factory(events=Events(), login=Login(drop), tls=creator, reactor=reactor)

    def listen(implicit: bool) -> int:
        port = reactor.listenTCP(
            0, TLSMemoryBIOFactory(creator, False, factory) if implicit else factory, interface="127.0.0.1"
        )
        ports.append(port)
        return int(port.getHost().port)

    yield listen
    for port in ports:
        port.stopListening()
    turn_until(lambda: not drop.locked)


def fetch_all(client: poplib.POP3) -> list[bytes]:
    """Log in, fetch everything, delete everything, say goodbye, and see the server close."""
    client.user("joe")
    client.pass_("secret")
    messages = [b"\r\n".join([*client.retr(number + 1)[1], b""]) for number in range(client.stat()[0])]
    for number in range(len(messages)):
        client.dele(number + 1)
    client.sock.sendall(b"QUIT\r\n")
    client.sock.settimeout(3)  # less than the server gives a client that does not read
    assert client.file.read() == b"+OK Bye, 0 messages left\r\n"
    client.close()
    return messages


def test_stls(listen: Callable[[bool], int], trust: ssl.SSLContext, drop: Drop) -> None:
    port = listen(False)

    def client() -> list[bytes]:
        pop = poplib.POP3("localhost", port, timeout=PATIENCE_SECONDS)
        assert "USER" not in pop.capa()
        with pytest.raises(poplib.error_proto, match="SYS/PERM"):
            pop.user("joe")
        pop.stls(trust)
        assert "USER" in pop.capa()
        return fetch_all(pop)

    assert talk(client) == MESSAGES
    assert not drop.messages


def test_implicit_tls(listen: Callable[[bool], int], trust: ssl.SSLContext, drop: Drop) -> None:
    port = listen(True)
    fetched = talk(
        lambda: fetch_all(poplib.POP3_SSL("localhost", port, context=trust, timeout=PATIENCE_SECONDS)),
    )
    assert fetched == MESSAGES
    assert not drop.messages


def test_what_follows_stls_in_clear_closes(listen: Callable[[bool], int], drop: Drop) -> None:
    port = listen(False)

    def client() -> bytes:
        pop = poplib.POP3("localhost", port, timeout=PATIENCE_SECONDS)
        pop.sock.sendall(b"STLS\r\nUSER joe\r\nPASS secret\r\n")
        rest = pop.file.read()
        pop.close()
        return bytes(rest)

    assert talk(client) == b""
    assert not drop.locked
