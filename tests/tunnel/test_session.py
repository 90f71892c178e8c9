"""The story of a connection, told to its end in each way that it can take.

Whatever happens, ``World.check`` looks afterwards whether everything was let go of, once, and one line was logged.
"""

import gc
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from listening import closed, no_descriptor_left
from OpenSSL import SSL
from pairs import Side, result_of, sides, socket_pair
from scripted import Scripted
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.logger import ILogObserver, LogLevel, globalLogPublisher
from twisted.python.failure import Failure
from zope.interface import implementer

from mailaccess.tunnel.admission import Doors
from mailaccess.tunnel.faults import Mismatch, StreamLost, TLSFailed, TunnelFault, Unreachable
from mailaccess.tunnel.plan import Plan
from mailaccess.tunnel.protocols.table import SPOKEN
from mailaccess.tunnel.proxies.header import Origin, TrustedNetworks, v1, v2
from mailaccess.tunnel.session import GOODBYE_SECONDS, UNAVAILABLE, Session
from mailaccess.tunnel.sockets import SocketStream
from mailaccess.tunnel.stream import Stream
from mailaccess.tunnel.tls import TLSStream, begin_tls
from mailaccess.tunnel.tlsside import TLSPeer
from mailaccess.tunnel.visitor import Visitor
from mailaccess.tunnel.way import Far
from tests.net.doubles import Remembered
from tests.net.loopback import turn_until

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


@pytest.fixture
def make() -> Iterator[Make]:
    worlds: list[World] = []
    unhandled: list[Any] = []

    def made(destination: Opens | None = None, **plan: Any) -> World:
        worlds.append(World(destination or Opens(), **plan))
        return worlds[-1]

    @implementer(ILogObserver)
    def watch(event: Any) -> None:
        if event.get("log_level", LogLevel.info) >= LogLevel.error:
            unhandled.append(event)

    globalLogPublisher.addObserver(watch)
    try:
        with no_descriptor_left():
            yield made
            for world in worlds:
                world.check()
        del worlds[:]
        gc.collect()
        assert unhandled == [], "a Deferred has an error that nobody looked at"
    finally:
        globalLogPublisher.removeObserver(watch)


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


# -- in and out


@pytest.mark.parametrize("protocol", ["", *GREETINGS])
@pytest.mark.parametrize("tls", ["", "tls"])
def test_a_client_hears_the_greeting_and_then_octets_pass(make: Make, protocol: str, tls: str) -> None:
    greeting = GREETINGS.get(protocol, b"")
    destination = Opens(greeting)
    world = make(destination, protocol=protocol, tls=tls)
    world.begin()
    client = world.secured() if tls else world.client
    hears(client, greeting)
    says(client, b"QUIT\r\n")
    hears(destination.server, b"QUIT\r\n")
    says(destination.server, b"good-bye\r\n")
    result_of(destination.server.end())
    hears_to_the_end(client, b"good-bye\r\n")
    result_of(client.end())
    hears_to_the_end(destination.server, b"")
    result_of(world.done)
    event, fields = world.logged()
    assert event == "tunnel_closed"
    assert (fields["sent"], fields["received"], fields["target"]) == (6, 10, "target:1")
    assert (fields["service"], fields["address"], fields["port"]) == ("pop3s", CLIENT, 1234)
    assert "reason" not in fields
    assert ("tls" in fields, "cipher" in fields) == (bool(tls), bool(tls))


def test_the_time_that_it_took_is_logged(make: Make) -> None:
    world = make()
    world.begin()
    says(world.client, b"x")
    hears(world.destination.server, b"x")
    world.clock.advance(12.3456)
    world.stop()
    result_of(world.done)
    assert world.logged()[1]["seconds"] == 12.346


def test_a_target_is_told_of_the_clients_tls(make: Make) -> None:
    world = make(tls="tls")
    world.begin()
    world.secured()
    turn_until(lambda: world.destination.visitors)
    (visitor,) = world.destination.visitors
    assert (visitor.tls_version, visitor.host, visitor.local_port) == ("TLSv1.3", CLIENT, 995)
    assert visitor.peer == TLSPeer(trusted=True, server_name="mail.example.org")
    world.stop()
    result_of(world.done)
    assert world.logged()[1]["server_name"] == "mail.example.org"


# -- the PROXY protocol


@pytest.mark.parametrize("header", [v1(FROM_PROXY), v2(FROM_PROXY)], ids=["v1", "v2"])
@pytest.mark.parametrize("tls", ["", "tls", "starttls"])
def test_a_named_network_says_for_whom_it_comes(make: Make, header: bytes, tls: str) -> None:
    world = make(Opens(b"+OK\r\n"), protocol="pop3", tls=tls, proxy_from=TrustedNetworks([CLIENT], "proxy_from"))
    world.begin()
    assert world.destination.visitors == []
    says(world.client, header)
    if tls == "tls":
        world.secured()
    turn_until(lambda: world.destination.visitors)
    (visitor,) = world.destination.visitors
    assert (visitor.host, visitor.port, visitor.local_host) == ("198.51.100.9", 4711, "203.0.113.1")
    world.stop()
    result_of(world.done)
    assert world.logged()[1]["address"] == "198.51.100.9"


def test_a_proxy_may_speak_for_itself(make: Make) -> None:
    world = make(proxy_from=TrustedNetworks(["192.0.2.0/24"], "proxy_from"))
    world.begin()
    says(world.client, v2(None) + b"x")
    hears(world.destination.server, b"x")
    assert world.destination.visitors[0].host == CLIENT
    world.stop()


@pytest.mark.parametrize("trusted", [(), ("198.51.100.0/24",), ("unix",)], ids=["nobody", "another", "unix"])
def test_nobody_else_is_believed_and_his_header_is_an_octet_like_any_other(
    make: Make, trusted: tuple[str, ...]
) -> None:
    world = make(proxy_from=TrustedNetworks(trusted, "proxy_from"))
    world.begin()
    says(world.client, v1(FROM_PROXY))
    hears(world.destination.server, v1(FROM_PROXY))
    assert world.destination.visitors[0].host == CLIENT
    world.stop()


def test_before_tls_a_header_of_nobody_is_no_handshake(make: Make) -> None:
    world = make(tls="tls")
    world.begin()
    says(world.client, v1(FROM_PROXY))
    result_of(world.client.end())
    result_of(world.done)
    assert world.logged()[0] == "tunnel_tls_failed"
    assert world.destination.visitors == []


def test_inside_tls_a_header_is_believed_from_nobody(make: Make) -> None:
    world = make(tls="tls", proxy_from=TrustedNetworks([CLIENT], "proxy_from"))
    world.begin()
    says(world.client, v2(None))
    says(world.secured(), v1(FROM_PROXY))
    hears(world.destination.server, v1(FROM_PROXY))
    assert world.destination.visitors[0].host == CLIENT
    world.stop()


@pytest.mark.parametrize("said", [b"\x16\x03\x01\x00\x05hello", b"PROXY TCP4 1.2.3.4\r\n", b"USER joe\r\n"])
def test_a_named_network_must_send_a_header(make: Make, said: bytes) -> None:
    world = make(proxy_from=TrustedNetworks([CLIENT], "proxy_from"))
    world.begin()
    says(world.client, said)
    result_of(world.done)
    assert world.logged()[0] == "tunnel_refused"
    assert world.destination.visitors == []


def test_a_header_has_its_time(make: Make) -> None:
    world = make(proxy_from=TrustedNetworks([CLIENT], "proxy_from"), handshake_seconds=30.0)
    world.begin()
    says(world.client, b"PROXY TCP4 ")
    turn_until(lambda: world.near._reader is not None)
    world.clock.advance(29.9)
    assert world.events.events == []
    world.clock.advance(0.2)
    result_of(world.done)
    assert world.reason() == "the PROXY header took more than 30 s"


# -- doors


def test_clients_are_counted_by_the_address_that_the_proxy_names(make: Make) -> None:
    world = make(proxy_from=TrustedNetworks([CLIENT], "proxy_from"), doors=Doors(10, 1))
    world.plan.doors.enter("198.51.100.9")
    world.begin()
    says(world.client, v1(FROM_PROXY))
    result_of(world.client.end())
    result_of(world.done)
    assert world.reason() == "198.51.100.9 has 1 connections, which is all it may have"
    assert len(world.plan.doors) == 1, "who was refused was not counted"


@pytest.mark.parametrize("protocol", ["", *SPOKEN])
@pytest.mark.parametrize("tls", ["", "starttls"])
def test_who_finds_the_doors_closed_in_clear_is_told_in_his_protocol(make: Make, protocol: str, tls: str) -> None:
    world = make(protocol=protocol, tls=tls, doors=Doors(0, 0))
    world.begin()
    words = SPOKEN[protocol].unavailable(UNAVAILABLE) if protocol else b""
    hears_to_the_end(world.client, words)
    result_of(world.client.end())
    result_of(world.done)
    assert world.logged()[0] == "tunnel_refused"
    assert world.destination.visitors == []


def test_who_finds_the_doors_closed_before_tls_is_told_nothing(make: Make) -> None:
    world = make(protocol="pop3", tls="tls", doors=Doors(0, 0))
    world.begin()
    is_lost(world.client)


# -- no target


@pytest.mark.parametrize(
    "fault", [Unreachable("a:1 is not there"), Mismatch("imap greeting"), TLSFailed("not him"), StreamLost("reset")]
)
@pytest.mark.parametrize("protocol", ["", *SPOKEN])
@pytest.mark.parametrize("tls", ["", "tls", "starttls"])
def test_where_no_target_is_to_be_had_the_client_is_told_so_but_not_why(
    make: Make, fault: TunnelFault, protocol: str, tls: str
) -> None:
    world = make(Opens(fault=fault), protocol=protocol, tls=tls)
    world.begin()
    client = world.secured() if tls == "tls" else world.client
    hears_to_the_end(client, SPOKEN[protocol].unavailable(UNAVAILABLE) if protocol else b"")
    result_of(client.end())
    result_of(world.done)
    assert (world.logged()[0], world.reason()) == (fault.event, str(fault))


def test_who_does_not_go_after_the_good_bye_is_cut(make: Make) -> None:
    world = make(Opens(fault=Unreachable("nobody")), protocol="pop3")
    world.begin()
    hears_to_the_end(world.client, SPOKEN["pop3"].unavailable(UNAVAILABLE))
    says(world.client, b"USER joe\r\n")
    turn_until(lambda: world.near._reader is not None)
    world.clock.advance(GOODBYE_SECONDS - 0.1)
    assert world.near._lost is None
    world.clock.advance(0.2)
    result_of(world.done)
    assert world.reason() == "nobody"


def test_a_client_that_is_gone_need_not_be_told(make: Make) -> None:
    opened: Deferred[None] = Deferred()
    world = make(Opens(fault=Unreachable("nobody"), opened=opened), protocol="pop3")
    world.begin()
    result_of(world.client.end())
    turn_until(lambda: world.near._read_ended)
    opened.callback(None)
    hears_to_the_end(world.client, SPOKEN["pop3"].unavailable(UNAVAILABLE))
    result_of(world.done)


# -- TLS


def test_a_failed_handshake_opens_nothing_and_its_alert_is_heard(make: Make) -> None:
    world = make(tls="tls", own_sides=True)
    world.server_side._context.set_min_proto_version(SSL.TLS1_3_VERSION)
    world.client_side._context.set_max_proto_version(SSL.TLS1_2_VERSION)
    world.begin()
    with pytest.raises(TLSFailed, match="protocol version"):
        world.secured()
    result_of(world.client.end())
    result_of(world.done)
    assert world.logged()[0] == "tunnel_tls_failed"
    assert world.destination.visitors == []


def test_who_may_not_come_in_is_let_go_of_after_the_handshake(make: Make) -> None:
    world = make(tls="tls", protocol="pop3")
    world.server_side.fault = TLSFailed("it showed no certificate")
    world.begin()
    client = world.secured()
    hears_to_the_end(client, b"")
    result_of(client.end())
    result_of(world.done)
    assert world.logged()[0] == "tunnel_tls_failed"
    assert world.reason() == "it showed no certificate"
    assert world.destination.visitors == []


@pytest.mark.parametrize("said", [b"", b"\x16\x03\x01\x02\x00\x01"], ids=["nothing", "half a hello"])
def test_a_handshake_has_its_time(make: Make, said: bytes) -> None:
    world = make(tls="tls", handshake_seconds=30.0)
    world.begin()
    says(world.client, said)
    turn_until(lambda: world.near._reader is not None)
    world.clock.advance(30.1)
    result_of(world.done)
    assert world.reason() == "the handshake took more than 30 s"
    assert world.destination.visitors == []


@pytest.mark.parametrize("leave", ["end", "abort"])
def test_a_client_that_leaves_in_the_handshake_is_counted_down(make: Make, leave: str) -> None:
    world = make(tls="tls")
    world.begin()
    assert len(world.doors) == 1
    if leave == "end":
        result_of(world.client.end())
    else:
        world.client.abort("gone")
    result_of(world.done)


def test_what_a_client_says_at_once_after_its_handshake_is_not_lost(make: Make) -> None:
    opened: Deferred[None] = Deferred()
    world = make(Opens(opened=opened), tls="tls")
    world.begin()
    client = world.secured()
    says(client, b"GET / HTTP/1.0\r\n\r\n")
    turn_until(lambda: world.destination.visitors)
    opened.callback(None)
    hears(world.destination.server, b"GET / HTTP/1.0\r\n\r\n")
    world.stop()


def test_who_ends_tls_without_a_word_is_noted(make: Make) -> None:
    world = make(tls="tls")
    world.begin()
    says(world.secured(), b"x")
    hears(world.destination.server, b"x")
    result_of(world.client.end())
    hears_to_the_end(world.destination.server, b"")
    result_of(world.destination.server.end())
    result_of(world.done)
    assert world.logged()[1]["truncated"] == "client"


def test_why_a_client_is_redirected_is_noted(make: Make) -> None:
    world = make(tls="tls")
    world.server_side.doubt = "it showed no certificate"
    world.begin()
    says(world.secured(), b"x")
    hears(world.destination.server, b"x")
    world.stop()
    assert world.logged()[1]["not_trusted"] == "it showed no certificate"


def test_a_client_that_is_not_trusted_is_redirected(make: Make) -> None:
    other = Opens()
    world = make(tls="tls", redirect=other, route=lambda name: pytest.fail("who is not trusted is not routed"))
    world.others.append(other)
    world.server_side.strangers = ("mail.example.org",)
    world.begin()
    says(world.secured(), b"x")
    hears(other.server, b"x")
    assert world.destination.visitors == []
    world.stop()


def test_a_name_leads_to_a_target_of_its_own(make: Make) -> None:
    other = Opens()
    world = make(tls="tls", route=lambda name: other if name == "mail.example.org" else None)
    world.others.append(other)
    world.begin()
    says(world.secured(), b"x")
    hears(other.server, b"x")
    assert world.destination.visitors == []
    world.stop()


# -- STARTTLS in the server's role

BEGIN = {"imap": b"a STARTTLS\r\n", "pop3": b"STLS\r\n", "smtp": b"STARTTLS\r\n", "nntp": b"STARTTLS\r\n"}
TALK = {
    "imap": [b"a LOGIN joe secret\r\n", b"b NOOP\r\n"],
    "pop3": [b"USER joe\r\n", b"PASS secret\r\n"],
    "smtp": [b"EHLO client\r\n", b"MAIL FROM:<>\r\n"],
    "nntp": [b"AUTHINFO USER joe\r\n", b"GROUP misc\r\n"],
}
LEAVE = {"imap": b"a LOGOUT\r\n", "pop3": b"QUIT\r\n", "smtp": b"QUIT\r\n", "nntp": b"QUIT\r\n"}


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


@pytest.mark.parametrize("protocol", BEGIN)
def test_nothing_passes_before_tls_and_everything_after(make: Make, protocol: str) -> None:
    world = started(make, protocol)
    says(world.destination.server, b"untagged news for who is not there yet\r\n")
    for command in TALK[protocol]:
        says(world.client, command)
        assert b"news" not in result_of(line(world.client))
    assert world.destination.server._held == []
    says(world.client, BEGIN[protocol])
    assert b"news" not in result_of(line(world.client))
    assert world.destination.server._held == []
    inside = world.secured()
    hears(inside, b"untagged news for who is not there yet\r\n")
    says(inside, b"c\r\n")
    hears(world.destination.server, b"c\r\n")
    world.stop()


@pytest.mark.parametrize("protocol", BEGIN)
def test_a_good_bye_before_tls_is_answered(make: Make, protocol: str) -> None:
    world = started(make, protocol)
    says(world.client, LEAVE[protocol])
    assert result_of(everything(world.client)).endswith(b"\r\n")
    result_of(world.client.end())
    result_of(world.done)
    assert (world.logged()[0], world.reason()) == ("tunnel_closed", "the client left before TLS")


@pytest.mark.parametrize("protocol", BEGIN)
def test_who_insists_on_clear_text_hears_the_last_words(make: Make, protocol: str) -> None:
    world = started(make, protocol)
    says(world.client, TALK[protocol][1] * 12)
    said = result_of(everything(world.client))
    assert said.rstrip().endswith(b"Too many commands without TLS"), said
    result_of(world.client.end())
    result_of(world.done)
    assert world.logged()[0] == "tunnel_refused"


@pytest.mark.parametrize("protocol", BEGIN)
def test_octets_that_follow_the_command_in_clear_end_it(make: Make, protocol: str) -> None:
    world = started(make, protocol)
    says(world.client, BEGIN[protocol] + b"injected\r\n")
    result_of(world.client.end())
    result_of(world.done)
    assert world.reason() == "octets in clear follow the command that begins TLS"
    assert world.destination.server._held == []


@pytest.mark.parametrize("stage", ["before the command", "in the handshake"])
def test_the_way_to_tls_has_its_time(make: Make, stage: str) -> None:
    world = started(make, "pop3", handshake_seconds=20.0)
    if stage == "in the handshake":
        says(world.client, b"STLS\r\n")
        assert result_of(line(world.client)).startswith(b"+OK")
    turn_until(lambda: world.near._reader is not None)
    world.clock.advance(20.1)
    result_of(world.done)
    assert world.reason() == "the client's way to TLS took more than 20 s"


def test_after_starttls_a_name_leads_to_another_target_and_the_first_is_let_go_of(make: Make) -> None:
    other = Opens(b"* OK the other's greeting, which comes too late\r\n")
    world = started(make, "imap", route=lambda name: other if name == "mail.example.org" else None)
    world.others.append(other)
    says(world.client, b"a STARTTLS\r\n")
    assert result_of(line(world.client)).startswith(b"a OK")
    inside = world.secured()
    is_lost(world.destination.server)
    assert world.destination.releases == 1
    says(inside, b"b NOOP\r\n")
    hears(other.server, b"b NOOP\r\n")
    says(other.server, b"b OK\r\n")
    hears(inside, b"b OK\r\n")
    world.stop()
    result_of(world.done)
    assert (world.destination.releases, other.releases) == (1, 1)


def test_after_starttls_the_excuse_is_inside_tls(make: Make) -> None:
    other = Opens(fault=Unreachable("the other is not there"))
    world = started(make, "imap", route=lambda name: other)
    world.others.append(other)
    says(world.client, b"a STARTTLS\r\n")
    assert result_of(line(world.client)).startswith(b"a OK")
    inside = world.secured()
    hears_to_the_end(inside, SPOKEN["imap"].unavailable(UNAVAILABLE))
    result_of(inside.end())
    result_of(world.done)
    assert world.reason() == "the other is not there"
    assert world.destination.releases == 1


def test_a_postgresql_client_that_asks_for_tls_in_clear_is_told_no(make: Make) -> None:
    world = make(protocol="postgresql")
    world.begin()
    says(world.client, b"\0\0\0\x08\x04\xd2\x16\x2f")
    hears(world.client, b"N")
    world.clock.advance(31)
    result_of(world.done)
    assert world.reason() == "the first words of both sides took more than 30 s"


# -- programs


class Ends:
    """A program's end, when the test says so."""

    def __init__(self) -> None:
        self.status: Deferred[str] = Deferred()

    def __call__(self) -> "Deferred[str]":
        return self.status


def finished(ends: Ends, make: Make) -> tuple[World, Scripted]:
    """Both sides have said all they have."""
    program = Scripted(b"+OK")
    world = make(Opens(outcome=ends, far=program))
    world.begin()
    hears_to_the_end(world.client, b"+OK")
    result_of(world.client.end())
    turn_until(lambda: program.ended)
    return world, program


def test_how_a_program_ended_is_logged(make: Make) -> None:
    ends = Ends()
    world, program = finished(ends, make)
    assert world.events.events == []
    assert program.aborted is None
    ends.status.callback("3")
    result_of(world.done)
    assert world.logged()[1]["status"] == "3"


def test_a_program_that_goes_on_after_its_output_has_its_time(make: Make) -> None:
    ends = Ends()
    world, program = finished(ends, make)
    world.clock.advance(59)
    before = program.aborted
    world.clock.advance(2)
    assert (before, program.aborted) == (None, "the program's end took more than 60 s")
    ends.status.callback("SIGTERM")
    result_of(world.done)
    assert world.logged()[1]["status"] == "SIGTERM"


def test_a_stop_puts_down_a_program_that_is_waited_for(make: Make) -> None:
    ends = Ends()
    world, program = finished(ends, make)
    world.stop()
    assert program.aborted == "the test is over"
    ends.status.callback("SIGTERM")
    result_of(world.done)
    assert world.logged()[1]["status"] == "SIGTERM"


def test_a_program_whose_client_is_lost_is_put_down_at_once(make: Make) -> None:
    ends = Ends()
    world = make(Opens(outcome=ends))
    world.begin()
    says(world.client, b"x")
    hears(world.destination.server, b"x")
    world.client.abort("gone")
    turn_until(lambda: world.destination.far._lost)
    ends.status.callback("SIGTERM")
    result_of(world.done)
    assert world.logged()[1]["status"] == "SIGTERM"
    assert world.logged()[1]["reason"]


# -- the end, whatever is waited for


def waits_for_the_header(make: Make) -> World:
    world = make(proxy_from=TrustedNetworks([CLIENT], "proxy_from"))
    world.begin()
    return world


def waits_for_the_handshake(make: Make) -> World:
    world = make(tls="tls")
    world.begin()
    return world


def waits_for_a_target(make: Make) -> World:
    world = make(Opens(opened=Deferred()), protocol="pop3")
    world.begin()
    return world


def waits_for_starttls(make: Make) -> World:
    return started(make, "imap")


def waits_for_an_octet(make: Make) -> World:
    world = make()
    world.begin()
    says(world.client, b"x")
    hears(world.destination.server, b"x")
    return world


def waits_for_the_client_to_go(make: Make) -> World:
    world = make(Opens(fault=Unreachable("nobody")), protocol="pop3")
    world.begin()
    hears_to_the_end(world.client, SPOKEN["pop3"].unavailable(UNAVAILABLE))
    return world


def was_lost(failure: Failure) -> None:
    failure.trap(StreamLost)  # type: ignore[no-untyped-call]


def waits_for_a_client_that_does_not_read(make: Make) -> World:
    world = make()
    world.begin()
    flood = Deferred.fromCoroutine(world.destination.server.write(bytes(16 << 20)))
    flood.addErrback(was_lost)
    turn_until(lambda: world.near._full)
    return world


WAITS = [
    waits_for_the_header,
    waits_for_the_handshake,
    waits_for_a_target,
    waits_for_starttls,
    waits_for_an_octet,
    waits_for_the_client_to_go,
    waits_for_a_client_that_does_not_read,
]


@pytest.mark.parametrize("waits", WAITS, ids=lambda waits: waits.__name__)
def test_a_stop_ends_whatever_is_waited_for(make: Make, waits: Callable[[Make], World]) -> None:
    world = waits(make)
    world.stop()
    result_of(world.done)


@pytest.mark.parametrize("waits", WAITS, ids=lambda waits: waits.__name__)
def test_a_client_that_is_lost_ends_whatever_is_waited_for(make: Make, waits: Callable[[Make], World]) -> None:
    world = waits(make)
    world.client.abort("gone")
    result_of(world.done)


def test_a_client_that_is_lost_stops_the_way_to_a_target(make: Make) -> None:
    stopped: list[Deferred[None]] = []
    opened: Deferred[None] = Deferred(stopped.append)
    world = make(Opens(opened=opened), protocol="pop3")
    world.begin()
    world.client.abort("gone")
    result_of(world.done)
    assert stopped == [opened]
    assert world.logged()[0] == "tunnel_lost"


def test_a_client_that_has_said_everything_is_still_served(make: Make) -> None:
    opened: Deferred[None] = Deferred()
    world = make(Opens(b"+OK\r\n", opened=opened), protocol="pop3")
    world.begin()
    says(world.client, b"QUIT\r\n")
    result_of(world.client.end())
    turn_until(lambda: world.near._read_ended)
    opened.callback(None)
    hears_to_the_end(world.destination.server, b"QUIT\r\n")
    result_of(world.destination.server.end())
    hears_to_the_end(world.client, b"+OK\r\n")
    result_of(world.done)
    assert "reason" not in world.logged()[1]


def test_what_is_no_fault_of_a_client_or_a_target_is_raised_and_everything_let_go_of(make: Make) -> None:
    world = make(Opens(fault=ZeroDivisionError("ours")), protocol="pop3")
    done = world.begin()
    failures: list[Any] = []
    done.addErrback(failures.append)
    is_lost(world.client)
    (failure,) = failures
    assert failure.check(ZeroDivisionError)
    world.lines = 0
