import errno
import shutil
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IListeningPort
from twisted.internet.protocol import Protocol, ServerFactory

from mailaccess.errors import ConfigError
from mailaccess.net import listen
from mailaccess.net.endpoints import Endpoint, TCPEndpoint, parse_endpoint
from mailaccess.net.listen import Listener, resolve
from tests.net.doubles import Remembered
from tests.net.loopback import connect, reactor, talk, turn_until


class Greeter(Protocol):
    """Says hello and closes."""

    made: list[Any] = []  # noqa: RUF012  (emptied by each test's factory)

    def connectionMade(self) -> None:
        assert self.transport is not None
        self.made.append(self.transport)
        self.transport.write(b"hello")
        self.transport.loseConnection()


def parsed(text: str) -> Endpoint:
    endpoint = parse_endpoint(text, "--imap", 143)
    assert endpoint is not None
    return endpoint


class Serving:
    """Listens on endpoints, and stops at the test's end."""

    def __init__(self, events: Remembered) -> None:
        self.events = events
        self.ports: list[IListeningPort] = []
        self.factory = ServerFactory()
        self.factory.noisy = False
        self.factory.protocol = Greeter
        Greeter.made = []

    def on(self, endpoint: Endpoint) -> list[Listener]:
        added = []
        for bound in resolve(reactor, endpoint, self.events):
            added.append(result_of(bound.listen(self.factory)))
        self.ports += added
        return [Listener.of("imap", "STARTTLS", port) for port in added]

    def stop(self) -> None:
        for port in self.ports:
            result_of(port.stopListening())


def result_of(deferred: Any) -> Any:
    results: list[Any] = []
    if not isinstance(deferred, Deferred):
        return deferred
    deferred.addBoth(results.append)
    turn_until(lambda: results)
    if hasattr(results[0], "raiseException"):
        results[0].raiseException()
    return results[0]


@pytest.fixture
def serving(events: Remembered) -> Iterator[Serving]:
    serving = Serving(events)
    yield serving
    serving.stop()


def greeting(host: str, port: int) -> bytes:
    with connect(port, host) as wire:
        got = b""
        while chunk := wire.recv(100):
            got += chunk
        return got


def has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


needs_ipv6 = pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6")


@needs_ipv6
def test_a_bare_port_is_the_same_port_for_both_families(serving: Serving) -> None:
    ipv4, ipv6 = serving.on(parsed("0"))
    assert (ipv4.address, ipv6.address) == ("0.0.0.0", "::")
    assert ipv4.port == ipv6.port > 0
    assert talk(lambda: greeting("127.0.0.1", ipv4.port)) == b"hello"
    assert talk(lambda: greeting("::1", ipv4.port)) == b"hello"
    assert [transport.getPeer().host for transport in Greeter.made] == ["127.0.0.1", "::1"]


def test_host_and_port(serving: Serving) -> None:
    [listener] = serving.on(parsed("127.0.0.1:0"))
    assert str(listener) == f"imap STARTTLS 127.0.0.1 {listener.port}"
    assert talk(lambda: greeting("127.0.0.1", listener.port)) == b"hello"


def test_segments_are_not_held_back(serving: Serving) -> None:
    [listener] = serving.on(parsed("127.0.0.1:0"))
    delays = []

    class Asks(Greeter):
        def connectionMade(self) -> None:
            transport: Any = self.transport
            delays.append(transport.getTcpNoDelay())
            super().connectionMade()

    serving.factory.protocol = Asks
    talk(lambda: greeting("127.0.0.1", listener.port))
    assert delays == [True]


@needs_ipv6
def test_a_bracketed_address_is_that_address(serving: Serving) -> None:
    [listener] = serving.on(parsed("[::1]:0"))
    assert listener.address == "::1"
    assert talk(lambda: greeting("::1", listener.port)) == b"hello"


def test_a_twisted_description(serving: Serving) -> None:
    [listener] = serving.on(parsed("tcp:0:interface=127.0.0.1"))
    assert talk(lambda: greeting("127.0.0.1", listener.port)) == b"hello"


def test_a_unix_socket_has_a_path_and_no_port(serving: Serving) -> None:
    folder = tempfile.mkdtemp()  # a socket's path must be short
    try:
        path = str(Path(folder, "imap"))
        assert serving.on(parsed(f"unix:{path}")) == [Listener("imap", "STARTTLS", path, 0)]
    finally:
        serving.stop()
        serving.ports.clear()
        shutil.rmtree(folder)


def refused(serving: Serving, endpoint: Endpoint) -> ConfigError:
    with pytest.raises(ConfigError) as raised:
        serving.on(endpoint)
    assert raised.value.key == "--imap"
    assert raised.value.value == endpoint.text
    assert "\n" not in str(raised.value)
    return raised.value


def test_a_port_that_is_taken(serving: Serving) -> None:
    [listener] = serving.on(parsed("127.0.0.1:0"))
    assert "another program" in refused(serving, parsed(f"127.0.0.1:{listener.port}")).allowed


def test_a_description_whose_port_is_taken(serving: Serving) -> None:
    [listener] = serving.on(parsed("127.0.0.1:0"))
    error = refused(serving, parsed(f"tcp:{listener.port}:interface=127.0.0.1"))
    assert "another program" in error.allowed


def test_an_address_of_another_host(serving: Serving) -> None:
    assert "no such address" in refused(serving, parsed("192.0.2.1:0")).allowed


def test_a_name_of_nobody(serving: Serving, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*args: object, **kwargs: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    assert "no address" in refused(serving, parsed("nobody.invalid:0")).allowed


@pytest.mark.parametrize("text", ["tcp:x", "ssl:993:privateKey=/nonexistent", "tcp:0:bogus=1", "systemd:index=99"])
def test_a_description_that_says_nothing(serving: Serving, text: str) -> None:
    refused(serving, parsed(text))


def forbid(monkeypatch: pytest.MonkeyPatch, *ports: int) -> None:
    """Let this user not bind ``ports``."""
    real = listen._listening

    def listening(family: socket.AddressFamily, address: Any) -> socket.socket:
        if address[1] in ports:
            raise PermissionError(errno.EACCES, "Permission denied")
        return real(family, address)

    monkeypatch.setattr(listen, "_listening", listening)


def test_a_default_port_that_needs_privileges_has_a_substitute(
    serving: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    forbid(monkeypatch, 143)
    listeners = serving.on(TCPEndpoint("--imap", "143", None, 143, 0))
    assert listeners
    assert all(listener.port not in (0, 143) for listener in listeners)


def test_a_named_port_has_none(serving: Serving, monkeypatch: pytest.MonkeyPatch) -> None:
    forbid(monkeypatch, 143)
    assert "CAP_NET_BIND_SERVICE" in refused(serving, parsed("143")).allowed


def test_a_substitute_that_is_taken_too(serving: Serving, monkeypatch: pytest.MonkeyPatch) -> None:
    [listener] = serving.on(parsed("127.0.0.1:0"))
    forbid(monkeypatch, 143)
    assert "another program" in refused(serving, TCPEndpoint("--imap", "143", "127.0.0.1", 143, listener.port)).allowed


@pytest.mark.parametrize("number", [errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL])
def test_a_machine_without_ipv6_listens_on_ipv4(
    serving: Serving, monkeypatch: pytest.MonkeyPatch, events: Remembered, number: int
) -> None:
    real = listen._listening

    def listening(family: socket.AddressFamily, address: Any) -> socket.socket:
        if family == socket.AF_INET6:
            raise OSError(number, "no IPv6 here")
        return real(family, address)

    monkeypatch.setattr(listen, "_listening", listening)
    [listener] = serving.on(parsed("0"))
    assert listener.address == "0.0.0.0"
    assert events.names() == ["no_ipv6"]


def test_a_free_port_is_free_for_both_families(serving: Serving, monkeypatch: pytest.MonkeyPatch) -> None:
    real = listen._listening
    taken = iter([True, True, False])

    def listening(family: socket.AddressFamily, address: Any) -> socket.socket:
        if family == socket.AF_INET6 and next(taken):
            raise OSError(errno.EADDRINUSE, "taken")
        return real(socket.AF_INET, ("127.0.0.1", 0)) if family == socket.AF_INET6 else real(family, address)

    monkeypatch.setattr(listen, "_listening", listening)
    assert len(serving.on(parsed("0"))) == 2


@needs_ipv6
def test_a_port_that_another_has_for_ipv6_is_refused(serving: Serving) -> None:
    [listener] = serving.on(parsed("[::]:0"))
    assert "another program" in refused(serving, parsed(str(listener.port))).allowed
