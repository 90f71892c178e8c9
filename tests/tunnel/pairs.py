"""Streams in pairs, joined in memory or by real sockets, and TLS sides for them."""

from collections.abc import Coroutine
from typing import Any, TypeVar

import trustme
from OpenSSL import SSL
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ClientEndpoint
from twisted.internet.protocol import Factory

from mailaccess.tunnel.sockets import SocketStream
from mailaccess.tunnel.tlsside import TLSPeer
from tests.net.loopback import reactor, turn_until

T = TypeVar("T")


def result_of(awaitable: Coroutine[Any, Any, T] | Deferred[T]) -> T:
    """What an awaitable comes to, while the reactor turns; its error is raised."""
    outcome: list[T] = []
    errors: list[Any] = []
    deferred = awaitable if isinstance(awaitable, Deferred) else Deferred.fromCoroutine(awaitable)
    deferred.addCallbacks(outcome.append, errors.append)
    turn_until(lambda: outcome or errors)
    if errors:
        errors[0].raiseException()
    return outcome[0]


def socket_pair() -> tuple[SocketStream, SocketStream]:
    """Both ends of a TCP connection on loopback: who connected, and who accepted."""
    accepted: list[SocketStream] = []
    factory = _Streams(accepted.append)
    connected: list[SocketStream] = []
    port = reactor.listenTCP(0, factory, interface="127.0.0.1")
    connecting = TCP4ClientEndpoint(reactor, "127.0.0.1", port.getHost().port).connect(_Streams(connected.append))
    result_of(connecting)
    turn_until(lambda: accepted)
    result_of(port.stopListening())
    return connected[0], accepted[0]


class _Streams(Factory):
    noisy = False

    def __init__(self, made: Any) -> None:
        self._made = made

    def buildProtocol(self, addr: object) -> SocketStream:
        return SocketStream(self._made)


class Side:
    """A side of TLS with a test certificate, and no opinion about the peer."""

    def __init__(self, context: SSL.Context, *, server: bool) -> None:
        self._context = context
        self._server = server
        self.checked = 0

    def new_connection(self) -> SSL.Connection:
        connection = SSL.Connection(self._context, None)
        if self._server:
            connection.set_accept_state()
        else:
            connection.set_connect_state()
        return connection

    def check(self, connection: SSL.Connection) -> TLSPeer:
        self.checked += 1
        return TLSPeer(trusted=True)


def sides() -> tuple[Side, Side]:
    """The client's and the server's."""
    authority = trustme.CA()
    server = SSL.Context(SSL.TLS_SERVER_METHOD)
    authority.issue_cert("localhost").configure_cert(server)
    return Side(SSL.Context(SSL.TLS_CLIENT_METHOD), server=False), Side(server, server=True)
