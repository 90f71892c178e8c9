"""``MailTunnel`` as an embedder runs it: real ports on loopback, with the time in the test's hands."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme
from listening import Listening, Ours, closed, greets, no_descriptor_left
from OpenSSL import SSL
from pairs import Side, result_of
from twisted.application.service import MultiService
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ClientEndpoint
from twisted.internet.protocol import Factory
from zope.interface import implementer

from mailaccess.app.tunnels import DRAIN_SECONDS, RELOAD_SECONDS, MailTunnel, default_state
from mailaccess.errors import ConfigError
from mailaccess.interfaces import IEvents
from mailaccess.net.certificates import CertificateFiles
from mailaccess.net.listen import Listener
from mailaccess.tunnel.faults import StreamLost
from mailaccess.tunnel.sockets import SocketStream
from mailaccess.tunnel.tls import TLSStream, begin_tls
from tests.net.doubles import Remembered
from tests.net.handshakes import write_certificate
from tests.net.loopback import reactor, turn_until

GREETING = b"+OK ready\r\n"


class _Clients(Factory):
    noisy = False

    def buildProtocol(self, addr: object) -> SocketStream:
        return SocketStream()


@implementer(IEvents)
class Log(Remembered):
    """Keeps incidents too."""

    def __init__(self) -> None:
        super().__init__()
        self.incidents: list[tuple[str, BaseException]] = []

    def incident(self, what: str, error: BaseException) -> str:
        self.incidents.append((what, error))
        return "id"


class World:
    """A POP3 server without TLS, and tunnels in front of it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.reactor = Ours()
        self.events = Log()
        self.said: list[str] = []
        self.authority = trustme.CA()
        self.server = Listening(greets(GREETING))
        self.services: list[MailTunnel] = []
        self.clients: list[SocketStream] = []

    def certificate(self, name: str = "own") -> dict[str, str]:
        files = write_certificate(self.folder, name, self.authority.issue_cert("mail.example"))
        return {"certificate": str(files.certificate), "private_key": str(files.private_key)}

    def table(self, **keys: Any) -> dict[str, Any]:
        return {
            "accept": "127.0.0.1:0",
            "connect": f"127.0.0.1:{self.server.port}",
            "protocol": "pop3",
            **self.certificate(),
            **keys,
        }

    def tunnel(self, *tables: dict[str, Any], **more: Any) -> MailTunnel:
        service = MailTunnel(
            tables or [self.table()], announce=self.said.append, events=self.events, reactor=self.reactor, **more
        )
        self.services.append(service)
        return service

    def client(self, port: int) -> SocketStream:
        connected: Any = TCP4ClientEndpoint(reactor, "127.0.0.1", port).connect(_Clients())
        self.clients.append(result_of(connected))
        return self.clients[-1]

    def secured(self, port: int) -> TLSStream:
        """A client that has heard the greeting inside TLS, and says nothing."""
        inside, _ = result_of(begin_tls(self.client(port), Side(SSL.Context(SSL.TLS_CLIENT_METHOD), server=False)))
        assert result_of(inside.read()) == GREETING
        return inside

    def stop(self) -> None:
        for client in self.clients:
            closed(client)
        for service in self.services:
            ending = Deferred.fromCoroutine(service.end())
            ports_close()
            self.reactor.clock.advance(DRAIN_SECONDS + 0.1)
            result_of(ending)
        self.server.stop()
        assert self.reactor.getDelayedCalls() == []


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with no_descriptor_left():
        world = World(tmp_path)
        yield world
        world.stop()


def shown(inside: TLSStream) -> str:
    """The serial number of the certificate that a server showed."""
    certificate = inside._tls.get_peer_certificate()
    assert certificate is not None
    return hex(certificate.get_serial_number())


def ports_close() -> None:
    """Twisted closes a port in a later turn; what follows has its time from then on."""
    for _ in range(5):
        reactor.iterate(0)


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def served(service: MailTunnel) -> list[Listener]:
    return result_of(service.serve())


def test_it_runs_in_an_embedders_service(world: World) -> None:
    parent = MultiService()  # type: ignore[no-untyped-call]
    service = world.tunnel()
    service.setServiceParent(parent)  # type: ignore[no-untyped-call]
    parent.privilegedStartService()  # type: ignore[no-untyped-call]
    parent.startService()  # type: ignore[no-untyped-call]
    ((name, fields),) = world.events.events
    assert (name, fields["protocol"], fields["tls_mode"]) == ("listening", "127.0.0.1:0", "TLS")
    port: Any = fields["port"]
    assert world.said == [f"listening 127.0.0.1:0 TLS 127.0.0.1 {port}"]
    world.secured(port)
    assert service.status() == f"127.0.0.1:0 {port}, 1 connections"
    stopping: Any = parent.stopService()  # type: ignore[no-untyped-call]
    assert not stopping.called
    ports_close()
    world.reactor.clock.advance(DRAIN_SECONDS + 0.1)
    result_of(stopping)
    assert not listens(port)
    assert service.connections() == 0


def test_ports_are_bound_before_privileges_are_dropped_and_once(world: World) -> None:
    service = world.tunnel()
    descriptors = len(os.listdir("/proc/self/fd"))
    service.prepare()
    service.prepare()
    assert len(os.listdir("/proc/self/fd")) == descriptors + 1
    assert world.events.events == []
    assert len(served(service)) == 1


def test_idle_connections_of_all_tunnels_are_ended_in_the_same_time(world: World) -> None:
    service = world.tunnel(world.table(name="one"), world.table(name="two"))
    one, two = served(service)
    assert (one.protocol, two.protocol) == ("one", "two")
    clients = [world.secured(one.port), world.secured(two.port)]
    stopping = service.stopService()
    ports_close()
    world.reactor.clock.advance(DRAIN_SECONDS - 0.1)
    assert service.connections() == 2
    assert not stopping.called
    world.reactor.clock.advance(0.2)
    result_of(stopping)
    for client in clients:
        with pytest.raises(StreamLost):
            result_of(client.read())
    reasons = [fields["reason"] for name, fields in world.events.events if name == "tunnel_closed"]
    assert reasons == ["the service is stopping"] * 2


def test_connections_that_finish_are_not_cut(world: World) -> None:
    service = world.tunnel()
    client = world.secured(served(service)[0].port)
    stopping = service.stopService()
    result_of(client.end())
    assert result_of(client.read()) == b""
    result_of(stopping)
    (_, (name, fields)) = world.events.events
    assert (name, fields.get("reason")) == ("tunnel_closed", None)


def test_it_stops_where_it_never_began_and_twice(world: World) -> None:
    service = world.tunnel()
    result_of(service.stopService())
    result_of(service.stopService())
    assert world.events.events == []


def test_it_begins_again(world: World) -> None:
    service = world.tunnel()
    for _ in range(2):
        (listener,) = served(service)
        result_of(world.secured(listener.port).end())
        stopping = service.stopService()
        ports_close()
        world.reactor.clock.advance(DRAIN_SECONDS + 0.1)
        result_of(stopping)


def test_targets_are_asked_while_it_runs(world: World) -> None:
    away = Listening(greets(b""))
    away.stop()
    targets = [f"127.0.0.1:{port}" for port in (world.server.port, away.port)]
    service = world.tunnel(world.table(connect=targets, health_seconds=10.0))
    served(service)
    world.reactor.clock.advance(10)
    turn_until(lambda: "target_down" in world.events.names())
    (fields,) = [fields for name, fields in world.events.events if name == "target_down"]
    assert str(fields["target"]) == targets[1]


def test_the_reactor_is_twisteds_where_none_is_given(world: World) -> None:
    (tunnel,) = MailTunnel([world.table()]).tunnels
    assert tunnel.servers[0].way.reactor is reactor


# -- certificates


def test_certificates_are_followed(world: World) -> None:
    service = world.tunnel()
    (listener,) = served(service)
    before = shown(world.secured(listener.port))
    world.certificate()
    assert shown(world.secured(listener.port)) == before
    world.reactor.clock.advance(RELOAD_SECONDS + 0.1)
    after = shown(world.secured(listener.port))
    assert after != before
    world.certificate()
    service.reload()
    assert shown(world.secured(listener.port)) not in (before, after)


def test_of_tunnels_that_name_no_certificate_all_show_the_same_of_our_own(world: World, tmp_path: Path) -> None:
    table = world.table(certificate="", private_key="")
    service = world.tunnel(table, table, state=tmp_path / "state")
    assert len(world.said) == 1
    assert world.said[0].startswith(f"certificate {tmp_path}/state/")
    assert "SHA-256" in world.said[0]
    one, two = served(service)
    assert shown(world.secured(one.port)) == shown(world.secured(two.port))


def test_an_embedder_gives_the_certificate(world: World) -> None:
    files = world.certificate("embedders")
    given = CertificateFiles(Path(files["certificate"]), Path(files["private_key"]))
    service = world.tunnel(world.table(certificate="", private_key=""), certificate=lambda: given)
    assert world.said == []
    assert shown(world.secured(served(service)[0].port)) == hex(given.read().leaf.serial_number)


@pytest.mark.parametrize(
    ("environment", "folder"),
    [
        ({"STATE_DIRECTORY": "/var/lib/mailaccess:/var/lib/more"}, "/var/lib/mailaccess"),
        ({"XDG_STATE_HOME": "/home/joe/state"}, "/home/joe/state/mailaccess"),
        ({"HOME": "/home/joe"}, "/home/joe/.local/state/mailaccess"),
    ],
)
def test_where_our_own_certificate_lies(
    environment: dict[str, str], folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("STATE_DIRECTORY", "XDG_STATE_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert default_state() == Path(folder)


# -- what is wrong


@pytest.mark.parametrize(
    ("keys", "key"),
    [
        ({"verfy": "none"}, "tunnel.verfy"),
        ({"verify": "perhaps"}, "tunnel.verify"),
        ({"connect": ""}, "tunnel '127.0.0.1:0': connect"),
        ({"retries": "1"}, "tunnel.retries"),
        ({"certificate": "/nope.pem"}, "tunnel '127.0.0.1:0': certificate"),
        ({"sni": [{"nme": "a"}]}, "tunnel.sni.nme"),
    ],
)
def test_what_is_wrong_with_a_table_is_said_with_its_key(world: World, keys: dict[str, Any], key: str) -> None:
    with pytest.raises(ConfigError) as caught:
        world.tunnel(world.table(**keys))
    assert caught.value.key == key


def test_a_key_is_named_as_whoever_wrote_it_knows_it(world: World) -> None:
    with pytest.raises(ConfigError) as caught:
        world.tunnel(world.table(name="pop", verify="full"), key=lambda table, name: f"[{table.name}] {name}")
    assert caught.value.key == "[pop] verify"


def test_a_port_in_use_is_said_in_one_line(world: World) -> None:
    with pytest.raises(ConfigError) as caught:
        world.tunnel(world.table(accept=f"127.0.0.1:{world.server.port}")).privilegedStartService()
    assert str(caught.value) == (
        f"tunnel '127.0.0.1:{world.server.port}': accept: '127.0.0.1:{world.server.port}' is not possible: "
        "another program listens there: a free port is needed"
    )


def test_a_tunnel_for_one_connection_listens_nowhere(world: World) -> None:
    with pytest.raises(ConfigError, match=r"^tunnel .*: accept: '' is not possible: where to listen is needed"):
        world.tunnel(world.table(accept="")).prepare()


def test_where_a_port_cannot_be_had_at_the_start_it_is_an_incident(world: World) -> None:
    service = world.tunnel(world.table(accept=f"tcp:{world.server.port}:interface=127.0.0.1"))
    service.prepare()
    service.startService()
    ((what, error),) = world.events.incidents
    assert what == "starting the tunnels"
    where = f"tcp:{world.server.port}:interface=127.0.0.1"
    assert str(error).startswith(f"tunnel '{where}': accept: '{where}' is not possible: ")


# -- one connection


@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_UNIX])
def test_one_connection_is_served_to_its_end(world: World, family: socket.AddressFamily) -> None:
    service = world.tunnel(world.table(accept=""))
    ours, theirs = connected(family)
    serving = Deferred.fromCoroutine(service.serve_connection(ours))
    client: Any = reactor.adoptStreamConnection(theirs.fileno(), family, _Clients()).protocol
    theirs.close()
    world.clients.append(client)
    inside, _ = result_of(begin_tls(client, Side(SSL.Context(SSL.TLS_CLIENT_METHOD), server=False)))
    assert result_of(inside.read()) == GREETING
    assert service.connections() == 1
    assert not serving.called
    result_of(inside.end())
    assert result_of(inside.read()) == b""
    result_of(serving)
    assert world.events.names() == ["tunnel_closed"]


def test_one_connection_is_ended_by_a_stop(world: World) -> None:
    service = world.tunnel(world.table(accept=""))
    ours, theirs = connected(socket.AF_INET)
    serving = Deferred.fromCoroutine(service.serve_connection(ours))
    ending = Deferred.fromCoroutine(service.end())
    world.reactor.clock.advance(DRAIN_SECONDS + 0.1)
    result_of(ending)
    result_of(serving)
    theirs.close()


def connected(family: socket.AddressFamily) -> tuple[socket.socket, socket.socket]:
    """Both ends of a connection: ours as a super-server hands it over, and the client's."""
    if family == socket.AF_UNIX:
        one, two = socket.socketpair()
    else:
        with socket.create_server(("127.0.0.1", 0)) as server:
            two = socket.create_connection(server.getsockname())
            one, _ = server.accept()
    two.setblocking(False)
    return one, two
