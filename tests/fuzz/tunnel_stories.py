"""Connections through a tunnel as chance has them: what each side says and when, how it ends, what goes wrong.

What must hold of all of them:

1. What arrives is the beginning of what was sent; and all of it, with its end, where both sides ended in order.
2. Every stream is let go of, doors and balance are back at zero, and no timer is left.
3. There is exactly one line in the log.
"""

import gc
import random
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from OpenSSL import SSL
from pairs import Side, sides
from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.task import deferLater
from twisted.logger import ILogObserver, LogLevel, globalLogPublisher
from zope.interface import implementer

from mailaccess.tunnel.admission import Doors
from mailaccess.tunnel.balance import Balance, Policy
from mailaccess.tunnel.destination import Servers
from mailaccess.tunnel.faults import TunnelFault
from mailaccess.tunnel.plan import Plan
from mailaccess.tunnel.protocols.table import SPOKEN
from mailaccess.tunnel.proxies.header import Origin, v1, v2
from mailaccess.tunnel.proxies.trusted import TrustedNetworks
from mailaccess.tunnel.session import Session
from mailaccess.tunnel.sockets import SocketStream
from mailaccess.tunnel.stream import Stream
from mailaccess.tunnel.targets import parse_targets
from mailaccess.tunnel.tls import begin_tls
from mailaccess.tunnel.visitor import Visitor
from mailaccess.tunnel.way import Way
from tests.fuzz.tunnel_wire import Network, Timed
from tests.net.doubles import Remembered

CLIENT = "192.0.2.7"
ORIGIN = Origin(("198.51.100.9", 4711), ("203.0.113.1", 995))
HANDSHAKE, IDLE, CLOSE, CONNECT = 30.0, 600.0, 60.0, 10.0
LONGEST = 3 * (HANDSHAKE + CONNECT) + 2 * IDLE + CLOSE  # of a story: each step has its time
SIZES = (0, 1, 100, 5000, 70_000, 300_000)
NONSENSE = (b"\0", b"\r\n" * 10, b"* OK ready\r\n", bytes(range(256)) * 40, b"\x16\x03\x01\x02\x00\x01" + bytes(600))
GOOD_ENDS = ("in order", "in order", "without a good-bye")
"""How a side ends what it says, and then reads on to the other's end; TLS has a good-bye, which may be missing."""

ENDS = (*GOOD_ENDS, *GOOD_ENDS, "reset", "silence", "cut")
"""The same, or at once; never; or without reading on."""

GREETING = b"+OK ready\r\n"
"""What POP3 servers begin with; the tunnel's own, after STLS, is as long."""


@dataclass
class Told:
    """What a side said in all, and what it heard."""

    said: bytes = b""
    heard: bytes = b""
    ended: bool = False
    """Whether it ended in order, and heard the other's end."""


@dataclass
class Part:
    """How a side behaves once octets pass through."""

    says: list[bytes]
    pauses: list[float]
    end: str
    told: Told = field(default_factory=Told)

    @classmethod
    def by(cls, chance: random.Random, *, well: bool) -> "Part":
        """``well``: it ends in order."""
        count = chance.randint(0, 6)
        says = [chance.randbytes(chance.choice(SIZES)) for _ in range(count)]
        pauses = [chance.choice((0, 0, 0.01, 3)) for _ in range(40)]
        return cls([piece for piece in says if piece], pauses, chance.choice(GOOD_ENDS if well else ENDS))

    async def play(self, network: Network, stream: Stream, socket: Stream) -> None:
        """Say and hear everything; ``socket`` is below the TLS of ``stream``, if there is one."""
        both = self._say(network, stream, socket), self._hear(network, stream)
        await gatherResults([Deferred.fromCoroutine(_faultless(direction)) for direction in both])

    async def _say(self, network: Network, stream: Stream, socket: Stream) -> None:
        for number, piece in enumerate(self.says):
            await _pause(network, self.pauses[number])
            self.told.said += piece
            await stream.write(piece)
        await _pause(network, self.pauses[-1])
        if self.end in ("in order", "cut"):
            await stream.end()
        if self.end == "without a good-bye":
            await socket.end()
        if self.end in ("reset", "cut"):
            stream.abort("it wants to")

    async def _hear(self, network: Network, stream: Stream) -> None:
        number = 0
        while data := await stream.read():
            self.told.heard += data
            await _pause(network, self.pauses[number % len(self.pauses)] / 100)
            number += 1
        self.told.ended = self.end in GOOD_ENDS


async def _pause(network: Network, seconds: float) -> None:
    waiting: Deferred[None] = deferLater(network, seconds)
    await waiting


async def _faultless(work: Any) -> None:
    try:
        await work
    except TunnelFault:
        return


class Story:
    """A client, a tunnel, and a server."""

    def __init__(self, seed: int, client_side: Side, server_side: Side) -> None:
        self.network = Network(seed)
        self.clock: Any = Timed(self.network)
        chance = self.chance = self.network.chance
        self.sides = client_side, server_side
        self.spoken = chance.choice(("", "", "pop3"))
        self.tls = chance.choice(("", "tls", "tls", *(["starttls"] if self.spoken else [])))
        self.far_tls = chance.choice(("", "", "tls", *(["starttls"] if self.spoken else [])))
        self.trusted, self.header = chance.random() < 0.3, chance.choice((None, v1, v2))
        self.well = chance.random() < 0.5
        self.wrong_at_client = not self.well and chance.random() < 0.2
        self.wrong_at_server = 0.0 if self.well else chance.choice((0, 0, 0.8))
        self.ports = chance.choices((110,) if self.well else (1, 2, 110, 110, 110), k=chance.randint(1, 3))
        self.part = Part.by(chance, well=self.well)
        self.events = Remembered()
        self.served: list[Part] = []
        self.stop_after = None if self.well or chance.random() < 0.8 else chance.uniform(0, 20)

    def run(self) -> None:
        """Tell it to its end, and look."""
        network, plan = self.network, self._plan()
        network.accept = self._accept
        near, client = SocketStream(), SocketStream()
        network.join(client, near)
        playing = Deferred.fromCoroutine(_faultless(self._client(client)))
        session = Session(plan, near, Visitor(CLIENT, 1234, "203.0.113.1", 995), self.clock, self.events)
        done: list[Any] = []
        Deferred.fromCoroutine(session.run()).addBoth(done.append)
        if self.stop_after is not None:
            network.later(self.stop_after, session.abort, "the service is stopping")
        network.run(lambda: bool(done), LONGEST)
        assert done == [None], done[0]
        assert not self.clock.to_come()
        left = len(plan.doors), [standing.connections for standing in self.balance.standings()]
        assert left == (0, [0] * len(self.balance.targets))
        network.run(lambda: not network.getDelayedCalls(), LONGEST)  # what is under way arrives
        others = (client, *self._servers)
        assert all(end.gone for end in network.ends if end.protocol not in others)
        for stream in others:  # who wanted to stay may go now
            stream.abort("the story is over")
        network.run(lambda: not network.getDelayedCalls(), LONGEST)
        assert playing.called
        self._look()

    def _look(self) -> None:
        (self.line,) = self.events.events
        event, fields = self.line
        assert not self.well or (event == "tunnel_closed" and "reason" not in fields), fields
        client = self.part.told
        assert not client.heard or self.served[-1].told.said.startswith(client.heard)
        assert all(client.said.startswith(part.told.heard) for part in self.served)
        if event != "tunnel_closed" or "reason" in fields:
            return
        server = self.served[-1].told
        assert not self.well or (client.ended and server.ended)
        if client.ended and server.ended:
            assert (client.heard, server.heard) == (server.said, client.said)
            greeted = len(GREETING) if self.spoken else 0
            assert (fields["sent"], fields["received"]) == (len(client.said), greeted + len(server.said))
            assert fields.get("truncated") == self._truncated()

    def _truncated(self) -> str | None:
        """Whose TLS ended without a good-bye, as the log has it."""
        missing = "without a good-bye"
        if self.tls and self.part.end == missing:
            return "client"
        return "target" if self.far_tls and self.served[-1].end == missing else None

    # -- the tunnel

    def _plan(self) -> Plan:
        texts = [f"127.0.0.{number}:{port}" for number, port in enumerate(self.ports, 1)]
        self.balance = Balance(parse_targets(texts, "connect"), Policy.PRIORITY)
        self._servers: list[SocketStream] = []
        header = self.header
        way = Way(
            self.clock,
            SPOKEN.get(self.spoken),
            (lambda target: self.sides[0]) if self.far_tls else None,
            starttls=self.far_tls == "starttls",
            header=None if header is None else (lambda visitor: header(ORIGIN)),
            connect_seconds=CONNECT,
            handshake_seconds=HANDSHAKE,
        )
        return Plan(
            name="pop3s",
            doors=Doors(5, 5),
            destination=Servers("fuzz", self.balance, way, self.clock, Remembered(), retries=self.chance.randint(0, 1)),
            protocol=SPOKEN.get(self.spoken),
            tls=self.sides[1] if self.tls else None,
            starttls=self.tls == "starttls",
            proxy_from=TrustedNetworks([CLIENT] if self.trusted else [], "proxy_from"),
            handshake_seconds=HANDSHAKE,
            idle_seconds=IDLE,
            close_seconds=CLOSE,
        )

    # -- the client

    async def _client(self, socket: Stream) -> None:
        stream = socket
        if self.wrong_at_client:
            await self._go_wrong(stream, self.part.told)
            return
        if self.trusted:
            await stream.write(v1(ORIGIN) if self.chance.random() < 0.5 else v2(ORIGIN))
        if self.tls == "starttls":
            await _line(stream)
            await stream.write(b"STLS\r\n")
            await _line(stream)
        if self.tls:
            stream, _ = await begin_tls(stream, self.sides[0])
        if self.spoken and self.tls != "starttls":
            await _line(stream)
        await self.part.play(self.network, stream, socket)

    # -- the server

    def _accept(self, port: int) -> SocketStream:
        server = SocketStream(self._serve)
        self._servers.append(server)
        return server

    def _serve(self, stream: SocketStream) -> None:
        part = Part.by(self.chance, well=self.well)
        self.served.append(part)
        Deferred.fromCoroutine(_faultless(self._server(stream, part)))

    async def _server(self, socket: Stream, part: Part) -> None:
        stream = socket
        if self.chance.random() < self.wrong_at_server:
            await self._go_wrong(stream, part.told)
            return
        if self.header is not None:
            await _exactly(stream, len(self.header(ORIGIN)))
        if self.far_tls == "tls":
            stream, _ = await begin_tls(stream, self.sides[1])
        if self.spoken:
            await stream.write(GREETING)
        if self.far_tls == "starttls":
            await _line(stream)
            await stream.write(b"+OK go\r\n")
            stream, _ = await begin_tls(stream, self.sides[1])
        await part.play(self.network, stream, socket)

    async def _go_wrong(self, stream: Stream, told: Told) -> None:
        """Say nonsense, or nothing; end, reset, or stay."""
        for _ in range(self.chance.randint(0, 3)):
            await _pause(self.network, self.chance.choice((0, 0.1, 20)))
            nonsense = self.chance.choice(NONSENSE)
            told.said += nonsense
            await stream.write(nonsense)
        match self.chance.choice(("end", "reset", "stay")):
            case "end":
                await stream.end()
            case "reset":
                stream.abort("it goes wrong")
        while await stream.read():
            pass


async def _line(stream: Stream) -> bytes:
    """A line, and not an octet more. ``TunnelFault`` where it ends before."""
    return await _until(stream, lambda held: held.find(b"\n") + 1)


async def _exactly(stream: Stream, count: int) -> bytes:
    return await _until(stream, lambda held: count if len(held) >= count else 0)


async def _until(stream: Stream, size: Any) -> bytes:
    held = b""
    while not size(held):
        data = await stream.read()
        if not data:
            raise TunnelFault("it ended")
        held += data
    if held[size(held) :]:
        stream.unread(held[size(held) :])
    return held[: size(held)]


def tell_all(seeds: Iterable[int]) -> list[Story]:
    """One connection for each seed, which a failure names; also an error in a Deferred that nobody looks at is one."""
    worlds = sides(), sides()
    worlds[1][0]._context.set_max_proto_version(SSL.TLS1_2_VERSION)
    unseen: list[Any] = []

    @implementer(ILogObserver)
    def watch(event: Any) -> None:
        if event.get("log_level", LogLevel.info) >= LogLevel.error:
            unseen.append(event)

    globalLogPublisher.addObserver(watch)
    try:
        stories = [_told(seed, worlds[seed % 2]) for seed in seeds]
        gc.collect()
        assert unseen == []
    finally:
        globalLogPublisher.removeObserver(watch)
    return stories


def _told(seed: int, both: tuple[Side, Side]) -> Story:
    try:
        story = Story(seed, *both)
        story.run()
    except Exception as error:
        raise AssertionError(f"seed {seed}: {error}") from error
    return story
