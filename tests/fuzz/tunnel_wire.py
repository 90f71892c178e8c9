"""A network without sockets: connections whose octets come late, in pieces and against a window, by a clock of ours."""

import random
import socket
from collections import deque
from collections.abc import Callable
from typing import Any

from twisted.internet import error
from twisted.internet.address import IPv4Address
from twisted.internet.task import Clock
from twisted.python.failure import Failure

from mailaccess.tunnel.sockets import SocketStream

ROOM = 65_536  # what a transport holds before it asks for a pause: Twisted's own
WINDOW = 50_000  # what the kernel of who does not read takes
PIECES = (1, 5, 1460, 16_384, 40_000)
DELAYS = (0.0, 0.0, 0.001, 0.2)

_END = None
_SILENT, _ = socket.socketpair()  # the kernel holds nothing of what is written here


class End:
    """One end of a connection, as Twisted's transports are to a protocol."""

    offset = 0
    _tempDataLen = 0  # noqa: N815  (Twisted's name)

    def __init__(self, network: "Network", protocol: Any) -> None:
        self.dataBuffer = b""
        self.other: End
        self.protocol = protocol
        self.gone = False
        self._network = network
        self._arrived: deque[bytes | None] = deque()
        self._producer: Any = None
        self._held_back = self._paused = self._sending = self._delivering = False
        self._ending = self._ended = self._closing = False

    # -- what a protocol calls

    def write(self, data: bytes) -> None:
        if self.gone or self._ending or self._closing:
            return
        self.dataBuffer += data
        if len(self.dataBuffer) > ROOM and self._producer is not None and not self._held_back:
            self._held_back = True
            self._producer.pauseProducing()
        self._soon_send()

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        self._producer = producer

    def unregisterProducer(self) -> None:
        self._producer = None

    def pauseProducing(self) -> None:
        self._paused = True

    def resumeProducing(self) -> None:
        self._paused = False
        self._soon_deliver()

    def loseWriteConnection(self) -> None:
        self._ending = True
        self._soon_send()

    def loseConnection(self) -> None:
        self._closing = True
        self._soon_send()

    def abortConnection(self) -> None:
        if not self.gone:
            self.dataBuffer = b""
            self._network.later(0, self._lose, error.ConnectionAborted())
            self._network.later(self._network.delay(), self.other.reset)

    def getPeer(self) -> IPv4Address:
        return IPv4Address("TCP", "192.0.2.7", 1234)

    def getHost(self) -> IPv4Address:
        return IPv4Address("TCP", "203.0.113.1", 995)

    def fileno(self) -> int:
        return _SILENT.fileno()

    # -- what the wire does

    def reset(self) -> None:
        """RST: what had come before is perhaps read, perhaps not."""
        if self.gone:
            return
        while self._arrived and self._network.chance.random() < 0.5 and not self.gone:
            self._give(self._arrived.popleft())
        self._lose(error.ConnectionLost())

    def _soon_send(self) -> None:
        if not self._sending and not self.gone:
            self._sending = True
            self._network.later(self._network.delay(), self._send)

    def _send(self) -> None:
        self._sending = False
        if self.gone:
            return
        room = self.other.window()
        if self.dataBuffer and room:
            size = min(room, self._network.chance.choice(PIECES))
            piece, self.dataBuffer = self.dataBuffer[:size], self.dataBuffer[size:]
            self.other.arrive(piece, self)
            self._soon_send()
        if not self.dataBuffer:
            self._drained()

    def _drained(self) -> None:
        if self._held_back:
            self._held_back = False
            self._soon_send()  # for who had asked for the end meanwhile
            if self._producer is not None:
                self._producer.resumeProducing()
            return
        if (self._ending or self._closing) and not self._ended:
            self._ended = True
            self.other.arrive(_END, self)
            if not self._closing:
                self.protocol.writeConnectionLost()
        if self._closing:
            self._lose(error.ConnectionDone())

    def window(self) -> int:
        """How much more this end takes; all where it is gone, to be answered with a reset."""
        return WINDOW if self.gone else max(0, WINDOW - sum(len(piece or b"") for piece in self._arrived))

    def arrive(self, piece: bytes | None, sender: "End") -> None:
        """Octets, or the end of them."""
        if not self.gone:
            self._arrived.append(piece)
            self._soon_deliver()
        elif piece is not _END:
            self._network.later(self._network.delay(), sender.reset)

    def _soon_deliver(self) -> None:
        if not self._delivering and not self.gone:
            self._delivering = True
            self._network.later(self._network.delay(), self._deliver)

    def _deliver(self) -> None:
        self._delivering = False
        if self.gone or self._paused or not self._arrived:
            return
        self._give(self._arrived.popleft())
        self._soon_deliver()
        self.other._soon_send()

    def _give(self, piece: bytes | None) -> None:
        if piece is _END:
            self.protocol.readConnectionLost()
        else:
            self.protocol.dataReceived(piece)

    def _lose(self, reason: Exception) -> None:
        if not self.gone:
            self.gone = True
            self.other._soon_send()  # what it sends from now on is answered with a reset
            self.protocol.connectionLost(Failure(reason))  # type: ignore[no-untyped-call]


class Network(Clock):
    """A reactor with time and ``connectTCP``; ``accept`` is called with what a server gets, None refuses."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self.chance = random.Random(seed)
        self.ends: list[End] = []
        self.accept: Callable[[int], SocketStream | None] = lambda port: None

    def later(self, seconds: float, call: Callable[..., object], *arguments: object) -> None:
        self.callLater(seconds, call, *arguments)

    def delay(self) -> float:
        return self.chance.choice(DELAYS)

    def join(self, one: Any, other: Any) -> None:
        """Make two protocols the ends of a connection."""
        ends = End(self, one), End(self, other)
        ends[0].other, ends[1].other = ends[1], ends[0]
        self.ends += ends
        for end in ends:
            end.protocol.makeConnection(end)

    def connectTCP(self, host: str, port: int, factory: Any, timeout: float = 30, bindAddress: Any = None) -> Any:  # noqa: N803
        connector = _Connector(self, factory, timeout)
        factory.doStart()
        factory.startedConnecting(connector)
        self.later(self.delay(), connector.connect, port)
        return connector

    def run(self, over: Callable[[], bool], seconds: float) -> None:
        """Let time pass until ``over``, at the most so long."""
        end = self.seconds() + seconds
        while not over():
            times = [call.getTime() for call in self.getDelayedCalls()]
            assert times, "it waits for nothing"
            assert min(times) <= end, f"it does not end within {seconds:g} s"
            self.advance(max(0.0, min(times) - self.seconds()))


class Timed:
    """The same reactor as the tunnel has it: which of its calls are still to come is known."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self._calls: list[Any] = []
        self.seconds = network.seconds
        self.connectTCP = network.connectTCP

    def callLater(self, seconds: float, call: Callable[..., object], *arguments: object) -> Any:
        self._calls.append(self._network.callLater(seconds, call, *arguments))
        return self._calls[-1]

    def to_come(self) -> list[Any]:
        return [call for call in self._calls if call.active()]


class _Connector:
    """An attempt to connect: port 1 refuses, port 2 does not answer, others are the network's to accept."""

    def __init__(self, network: Network, factory: Any, timeout: float) -> None:
        self._network = network
        self._factory = factory
        self._waiting = network.callLater(timeout, self._fail, error.TimeoutError())  # type: ignore[no-untyped-call]
        self._over = False

    def connect(self, port: int) -> None:
        if self._over or port == 2:
            return
        served = self._network.accept(port) if port != 1 else None
        if served is None:
            self._fail(error.ConnectionRefusedError())  # type: ignore[no-untyped-call]
            return
        self._stop()
        protocol = self._factory.buildProtocol(IPv4Address("TCP", "127.0.0.1", port))
        self._network.join(served, protocol)

    def stopConnecting(self) -> None:
        self._fail(error.ConnectionAborted())

    def getDestination(self) -> IPv4Address:
        return IPv4Address("TCP", "127.0.0.1", 0)

    def _fail(self, reason: Exception) -> None:
        if not self._over:
            self._stop()
            self._factory.clientConnectionFailed(self, Failure(reason))  # type: ignore[no-untyped-call]

    def _stop(self) -> None:
        self._over = True
        if self._waiting.active():
            self._waiting.cancel()
