"""Servers on loopback that do what a test says with each connection; and the reactor with a clock of the test's own."""

import os
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pairs import result_of, socket_pair
from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ServerEndpoint, TCP6ServerEndpoint, UNIXServerEndpoint
from twisted.internet.interfaces import IReactorPluggableNameResolver, IReactorTime
from twisted.internet.protocol import Factory
from twisted.internet.task import Clock
from zope.interface import implementer

from mailaccess.tunnel.faults import TunnelFault
from mailaccess.tunnel.sockets import SocketStream
from tests.net.loopback import reactor, turn_until

Serve = Callable[[SocketStream], Coroutine[Any, Any, object]]


@implementer(IReactorTime, IReactorPluggableNameResolver)
class Ours:
    """The reactor with a clock and a resolver of the test's own; names that have no address here are never answered."""

    def __init__(self, **names: tuple[str, ...]) -> None:
        self.clock = Clock()
        self.callLater = self.clock.callLater
        self.seconds = self.clock.seconds
        self.getDelayedCalls = self.clock.getDelayedCalls
        self._names = names
        self.nameResolver = self

    def resolveHostName(self, receiver: Any, name: str, port: int = 0, **how: Any) -> None:
        receiver.resolutionBegan(None)
        if name in self._names:
            for address in self._names[name]:
                kind = IPv6Address if ":" in address else IPv4Address
                receiver.addressResolved(kind("TCP", address, how["portNumber"]))
            receiver.resolutionComplete()

    def installNameResolver(self, resolver: object) -> Any:
        raise NotImplementedError

    def __getattr__(self, name: str) -> Any:
        return getattr(reactor, name)


class Listening(Factory):
    """A server that runs ``serve`` for each connection; ``streams`` are all that it had."""

    noisy = False

    def __init__(self, serve: Serve, *, family: str = "127.0.0.1", path: str = "") -> None:
        self.streams: list[SocketStream] = []
        self._serve = serve
        kind: Any = UNIXServerEndpoint if path else TCP6ServerEndpoint if ":" in family else TCP4ServerEndpoint
        endpoint = kind(reactor, path) if path else kind(reactor, 0, interface=family)
        self._port = result_of(endpoint.listen(self))
        self.port = 0 if path else self._port.getHost().port

    def buildProtocol(self, addr: object) -> SocketStream:
        return SocketStream(self._begin)

    def _begin(self, stream: SocketStream) -> None:
        self.streams.append(stream)
        Deferred.fromCoroutine(self._serve(stream)).addErrback(_left)

    @property
    def there(self) -> list[SocketStream]:
        """The connections that still are."""
        return [stream for stream in self.streams if stream._lost is None]

    def stop(self) -> None:
        """Listen no more, and close what is left."""
        stopping = self._port.stopListening()
        if isinstance(stopping, Deferred):
            result_of(stopping)
        for stream in self.streams:
            closed(stream)


def _left(failure: Any) -> None:
    failure.trap(TunnelFault)


def closed(stream: SocketStream) -> None:
    """Close it, and wait until its descriptor is gone."""
    stream.abort("the test is over")
    turn_until(lambda: stream.transport.fileno() == -1)


@contextmanager
def no_descriptor_left() -> Iterator[None]:
    """Afterwards whatever the test opened is closed."""
    for stream in socket_pair():  # what the reactor opens at its first turn is not the test's
        closed(stream)
    before = _descriptors()
    yield
    turn_until(lambda: _descriptors() <= before)


def _descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


def children() -> set[int]:
    """The processes that this one has started and not reaped; other tests' servers are among them."""
    found = (path.read_text().split() for path in Path("/proc/self/task").glob("*/children"))
    return {int(pid) for pids in found for pid in pids}


def greets(greeting: bytes, *answers: bytes) -> Serve:
    """A server that greets, and gives one answer for each thing that it is told; then it waits for the end."""

    async def serve(stream: SocketStream) -> None:
        await stream.write(greeting)
        for answer in answers:
            if not await stream.read():
                return
            await stream.write(answer)
        while await stream.read():
            pass
        await stream.end()
        stream.abort("everything is said")

    return serve
