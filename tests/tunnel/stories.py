"""A client, a session for it, and where it leads: what the stories of a connection are told with."""

from collections.abc import Callable
from typing import Any

import pytest
from listening import closed
from OpenSSL import SSL
from pairs import Side, result_of, sides, socket_pair
from scripted import Scripted
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from mailaccess.tunnel.admission import Doors
from mailaccess.tunnel.far import Far
from mailaccess.tunnel.faults import StreamLost, TunnelFault
from mailaccess.tunnel.plan import Plan
from mailaccess.tunnel.protocols.table import SPOKEN
from mailaccess.tunnel.proxies.header import Origin
from mailaccess.tunnel.session import Session
from mailaccess.tunnel.sockets import SocketStream
from mailaccess.tunnel.stream import Stream
from mailaccess.tunnel.tls import TLSStream, begin_tls
from mailaccess.tunnel.tlsside import TLSPeer
from mailaccess.tunnel.visitor import Visitor
from tests.net.doubles import Remembered

CLIENT = "192.0.2.7"
GREETINGS = {
    "imap": b"* OK ready\r\n",
    "pop3": b"+OK ready\r\n",
    "smtp": b"220 ready ESMTP\r\n",
    "nntp": b"200 ready\r\n",
}
FROM_PROXY = Origin(("198.51.100.9", 4711), ("203.0.113.1", 995))


SIDES = sides()


class Opens:
    """A destination. Its far end is ``server``'s other end, or ``fault``; it comes at once, or when ``opened`` does."""

    def __init__(
        self,
        greeting: bytes = b"",
        *,
        fault: Exception | None = None,
        opened: "Deferred[None] | None" = None,
        outcome: "Callable[[], Deferred[str]] | None" = None,
        far: Scripted | None = None,
    ) -> None:
        self.visitors: list[Visitor] = []
        self.opens = self.releases = 0
        self.fault = fault
        socket, self.server = socket_pair()
        self.far: Any = far or socket
        self.socket = socket
        self._greeting = greeting
        self._opened = opened
        self._outcome = outcome

    async def open(self, visitor: Visitor) -> Far:
        self.visitors.append(visitor)
        if self._opened is not None:
            await self._opened
        if self.fault is not None:
            raise self.fault
        self.opens += 1
        return Far(self.far, "target:1", self._greeting, self._outcome, self._release)

    def _release(self) -> None:
        self.releases += 1

    def check(self) -> None:
        assert self.releases == self.opens
        if self.releases:
            with pytest.raises(StreamLost):
                result_of(self.far.write(b"nobody must be there any more"))
        closed(self.socket)
        closed(self.server)


class Naming(Side):
    """The server's side; ``check`` has a name for clients, and trusts those that ask for none of ``strangers``."""

    strangers: tuple[str, ...] = ()
    fault: TunnelFault | None = None
    doubt = ""

    def check(self, connection: SSL.Connection) -> TLSPeer:
        if self.fault is not None:
            raise self.fault
        name = (connection.get_servername() or b"").decode()
        return TLSPeer(trusted=name not in self.strangers, server_name=name, fault=self.doubt)


class Asking(Side):
    """The client's side, which asks for a name."""

    name = "mail.example.org"

    def new_connection(self) -> SSL.Connection:
        connection = super().new_connection()
        connection.set_tlsext_host_name(self.name.encode())
        return connection


class World:
    """A client, a session for it, and where it leads."""

    def __init__(self, destination: Opens, **plan: Any) -> None:
        client, server = sides() if plan.pop("own_sides", False) else SIDES
        self.client_side = Asking(client._context, server=False)
        self.server_side = Naming(server._context, server=True)
        self.clock = Clock()
        self.events = Remembered()
        self.doors = Doors(10, 5)
        self.destination = destination
        self.others: list[Opens] = []
        self.lines = 1
        self.client, self.near = socket_pair()
        tls = plan.pop("tls", "")
        spoken = plan.pop("protocol", "")
        self.plan = Plan(
            **{
                "name": "pop3s",
                "doors": self.doors,
                "destination": destination,
                "protocol": SPOKEN[spoken] if spoken else None,
                "tls": self.server_side if tls else None,
                "starttls": tls == "starttls",
                "close_seconds": 60.0,
                **plan,
            }
        )
        self.session: Session | None = None

    def begin(self) -> "Deferred[None]":
        visitor = Visitor(CLIENT, 1234, "203.0.113.1", 995)
        self.session = Session(self.plan, self.near, visitor, self.clock, self.events)
        self.done = Deferred.fromCoroutine(self.session.run())
        return self.done

    def stop(self) -> None:
        assert self.session is not None
        self.session.abort("the test is over")

    def secured(self, stream: Stream | None = None) -> TLSStream:
        inside, _ = result_of(begin_tls(stream or self.client, self.client_side))
        return inside

    def logged(self) -> tuple[str, dict[str, object]]:
        (line,) = self.events.events
        return line

    def reason(self) -> str:
        return str(self.logged()[1]["reason"])

    def check(self) -> None:
        """What must hold at each end."""
        if self.session is not None:
            result_of(self.done)
            assert self.near._lost is not None, "the client was not let go of"
            assert len(self.events.events) == self.lines
        assert len(self.doors) == 0
        assert self.clock.getDelayedCalls() == []
        for destination in (self.destination, *self.others):
            destination.check()
        closed(self.client)
        closed(self.near)


Make = Callable[..., World]


async def everything(stream: Stream) -> bytes:
    said = b""
    while data := await stream.read():
        said += data
    return said


def says(stream: Stream, data: bytes) -> None:
    result_of(stream.write(data))


def hears(stream: Stream, expected: bytes) -> None:
    """Exactly ``expected`` comes, perhaps in pieces."""
    said = b""
    while len(said) < len(expected):
        more = result_of(stream.read())
        assert more, f"it ended after {said!r}"
        said += more
    assert said == expected


def hears_to_the_end(stream: Stream, expected: bytes) -> None:
    assert result_of(everything(stream)) == expected


def is_lost(stream: SocketStream) -> None:
    with pytest.raises(StreamLost):
        result_of(everything(stream))


def started(make: Make, protocol: str, **plan: Any) -> World:
    """A client that has heard a greeting in clear."""
    world = make(Opens(GREETINGS[protocol]), protocol=protocol, tls="starttls", **plan)
    world.begin()
    assert result_of(world.client.read())
    return world


async def line(stream: Stream) -> bytes:
    said = b""
    while not said.endswith(b"\r\n"):
        said += await stream.read()
    return said
