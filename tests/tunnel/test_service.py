"""Connections that come in by a real listener, and a service that stops."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from listening import Listening, closed, greets, no_descriptor_left
from pairs import result_of
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import (
    TCP4ClientEndpoint,
    TCP4ServerEndpoint,
    TCP6ServerEndpoint,
    UNIXClientEndpoint,
    UNIXServerEndpoint,
)
from twisted.internet.protocol import Factory
from twisted.internet.task import Clock
from zope.interface import implementer

from mailaccess.interfaces import IEvents
from mailaccess.tunnel.admission import Doors
from mailaccess.tunnel.balance import Balance, Policy
from mailaccess.tunnel.destination import Servers
from mailaccess.tunnel.far import Far
from mailaccess.tunnel.plan import Plan
from mailaccess.tunnel.service import TunnelFactory
from mailaccess.tunnel.sockets import SocketStream
from mailaccess.tunnel.targets import parse_target
from mailaccess.tunnel.visitor import Visitor
from mailaccess.tunnel.way import Way
from tests.net.loopback import reactor, turn_until


@implementer(IEvents)
class Log:
    """What happened."""

    def __init__(self) -> None:
        self.events: list[tuple[str, dict[str, object]]] = []
        self.incidents: list[tuple[str, BaseException]] = []

    def event(self, name: str, /, **fields: object) -> None:
        self.events.append((name, fields))

    def incident(self, what: str, error: BaseException) -> str:
        self.incidents.append((what, error))
        return "id"


class Destination:
    """Notes who comes; then what ``opens`` does."""

    def __init__(self, opens: Callable[[Visitor], Any]) -> None:
        self.visitors: list[Visitor] = []
        self._opens = opens

    async def open(self, visitor: Visitor) -> Far:
        self.visitors.append(visitor)
        far: Far = await self._opens(visitor)
        return far


class _Clients(Factory):
    noisy = False

    def buildProtocol(self, addr: object) -> SocketStream:
        return SocketStream()


class Service:
    """A service on loopback, in front of an echo; ``clock`` is its time."""

    def __init__(
        self, opens: Callable[[Visitor], Any] | None = None, path: str = "", interface: str = "127.0.0.1"
    ) -> None:
        self.clock = Clock()
        self.log = Log()
        self.doors = Doors(100, 100)
        self.echo = Listening(echo)
        target = parse_target(f"127.0.0.1:{self.echo.port}", "connect")
        servers = Servers("echo", Balance([target], Policy.ROUND_ROBIN), Way(reactor), reactor, self.log)
        self.destination = Destination(opens or servers.open)
        self.factory = TunnelFactory(Plan("echo", self.doors, self.destination), self.clock, self.log)
        self.path = path
        self._clients: list[SocketStream] = []
        kind: Any = UNIXServerEndpoint if path else TCP6ServerEndpoint if ":" in interface else TCP4ServerEndpoint
        endpoint = kind(reactor, path) if path else kind(reactor, 0, interface=interface)
        self._port: Any = result_of(endpoint.listen(self.factory))

    def client(self) -> SocketStream:
        endpoint: Any = (
            UNIXClientEndpoint(reactor, self.path)  # type: ignore[no-untyped-call]
            if self.path
            else TCP4ClientEndpoint(reactor, "127.0.0.1", self._port.getHost().port)
        )
        before = len(self.factory)
        self._clients.append(result_of(endpoint.connect(_Clients())))
        turn_until(lambda: len(self.factory) > before or self.log.incidents)
        return self._clients[-1]

    def stop(self) -> None:
        result_of(self._port.stopListening())
        for client in self._clients:
            closed(client)
        turn_until(lambda: not len(self.factory))
        self.echo.stop()
        assert len(self.doors) == 0
        assert self.clock.getDelayedCalls() == []


async def echo(stream: SocketStream) -> None:
    while data := await stream.read():
        await stream.write(data)
    await stream.end()
    stream.abort("everything is said")


Make = Callable[..., Service]


@pytest.fixture
def make() -> Iterator[Make]:
    services: list[Service] = []

    def made(opens: Callable[[Visitor], Any] | None = None, **where: str) -> Service:
        services.append(Service(opens, **where))
        return services[-1]

    with no_descriptor_left():
        yield made
        for service in services:
            service.stop()


def says(stream: SocketStream, data: bytes) -> None:
    result_of(stream.write(data))
    assert result_of(stream.read()) == data


def test_each_connection_is_a_session_of_its_own(make: Make) -> None:
    service = make()
    one, two = service.client(), service.client()
    says(one, b"one")
    says(two, b"two")
    assert (len(service.factory), len(service.doors)) == (2, 2)
    result_of(one.end())
    assert result_of(one.read()) == b""
    turn_until(lambda: len(service.factory) == 1)
    says(two, b"still there")
    assert [name for name, _ in service.log.events] == ["tunnel_closed"]


def test_who_comes_is_known_by_address(make: Make) -> None:
    service = make()
    client = service.client()
    says(client, b"x")
    (visitor,) = service.destination.visitors
    ours, theirs = client.transport.getHost(), client.transport.getPeer()
    assert (visitor.host, visitor.port) == (ours.host, ours.port)
    assert (visitor.local_host, visitor.local_port) == (theirs.host, theirs.port)


def test_who_comes_by_ipv4_to_a_socket_of_both_has_an_ipv4_address(make: Make) -> None:
    service = make(interface="::")
    says(service.client(), b"x")
    (visitor,) = service.destination.visitors
    assert (visitor.host, visitor.local_host) == ("127.0.0.1", "127.0.0.1")


def test_by_a_unix_socket_comes_somebody_local(make: Make, tmp_path: Path) -> None:
    service = make(path=f"{tmp_path}/socket")
    says(service.client(), b"x")
    assert service.destination.visitors == [Visitor("local", 0, "local", 0)]


def test_a_fault_of_our_own_is_an_incident_and_nothing_is_left_of_the_connection(make: Make) -> None:
    async def opens(visitor: Visitor) -> Far:
        raise ZeroDivisionError("ours")

    service = make(opens)
    client = service.client()
    turn_until(lambda: client._lost)
    ((what, error),) = service.log.incidents
    assert (what, str(error)) == ("a session of echo", "ours")
    assert service.log.events == []
    assert (len(service.factory), len(service.doors)) == (0, 0)


def test_a_service_that_drains_lets_sessions_finish(make: Make) -> None:
    service = make()
    client = service.client()
    says(client, b"x")
    draining = Deferred.fromCoroutine(service.factory.drain(2.0))
    service.clock.advance(1.9)
    says(client, b"still there")
    result_of(client.end())
    result_of(draining)
    assert service.clock.getDelayedCalls() == []
    assert "reason" not in service.log.events[0][1]


def test_sessions_that_do_not_finish_are_ended_in_time(make: Make) -> None:
    waiting: Deferred[Far] = Deferred()

    async def opens(visitor: Visitor) -> Far:
        return await waiting

    idle, dialling = make(), make(opens)
    says(idle.client(), b"x")
    dialling.client()
    for service in (idle, dialling):
        draining = Deferred.fromCoroutine(service.factory.drain(2.0))
        service.clock.advance(1.9)
        assert not draining.called
        service.clock.advance(0.2)
        result_of(draining)
        assert service.clock.getDelayedCalls() == []
        assert str(service.log.events[0][1]["reason"]) == "the service is stopping"


def test_who_waits_for_the_end_twice_is_told_twice(make: Make) -> None:
    service = make()
    client = service.client()
    waiting = [Deferred.fromCoroutine(service.factory.until_empty()) for _ in range(2)]
    assert not any(each.called for each in waiting)
    result_of(client.end())
    for each in waiting:
        result_of(each)


def test_a_service_without_sessions_is_drained_at_once(make: Make) -> None:
    service = make()
    draining = Deferred.fromCoroutine(service.factory.drain(2.0))
    assert draining.called
    assert service.clock.getDelayedCalls() == []


def test_a_greeting_comes_through(make: Make) -> None:
    server = Listening(greets(b"+OK ready\r\n"))
    target = parse_target(f"127.0.0.1:{server.port}", "connect")
    service = make(Servers("pop3", Balance([target], Policy.ROUND_ROBIN), Way(reactor), reactor, Log()).open)
    assert result_of(service.client().read()) == b"+OK ready\r\n"
    server.stop()
