"""The way out, in its order, to real servers; and what is left of it wherever it ends."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from listening import Listening, Ours, Serve, greets, no_descriptor_left
from OpenSSL import SSL
from pairs import Side, result_of, sides
from twisted.internet.defer import CancelledError, Deferred

from mailaccess.tunnel.far import Far
from mailaccess.tunnel.faults import Mismatch, Refused, StreamLost, TLSFailed, TunnelFault, Unreachable
from mailaccess.tunnel.protocols.table import SPOKEN
from mailaccess.tunnel.proxies.header import Origin, v1
from mailaccess.tunnel.proxies.via import parse_via
from mailaccess.tunnel.sockets import SocketStream
from mailaccess.tunnel.targets import Target, parse_target
from mailaccess.tunnel.tls import TLSStream, begin_tls
from mailaccess.tunnel.tlsside import TLSPeer
from mailaccess.tunnel.visitor import Visitor
from mailaccess.tunnel.way import Way
from tests.net.loopback import reactor, turn_until

VISITOR = Visitor("192.0.2.7", 1234, "203.0.113.1", 995)
HEADER = v1(Origin(("192.0.2.7", 1234), ("203.0.113.1", 995)))

Listen = Callable[..., Listening]


@pytest.fixture
def listen() -> Iterator[Listen]:
    """Starts servers; afterwards no descriptor and no timer is left of anything."""
    timers = set(reactor.getDelayedCalls())
    servers: list[Listening] = []

    def listening(serve: Serve, **where: str) -> Listening:
        servers.append(Listening(serve, **where))
        return servers[-1]

    with no_descriptor_left():
        yield listening
        for server in servers:
            server.stop()
    assert set(reactor.getDelayedCalls()) <= timers, "a timer is left"


def target_of(server: Listening) -> Target:
    return parse_target(f"127.0.0.1:{server.port}", "connect")


def spoken(name: str, **more: Any) -> Way:
    return Way(reactor, SPOKEN[name] if name else None, **more)


def opened(way: Way, target: Target, visitor: Visitor | None = VISITOR) -> Far:
    return result_of(way.open(target, visitor))


def let_go(far: Far) -> None:
    far.stream.abort("the test is over")


# -- each kind of target


def test_an_ipv4_address(listen: Listen) -> None:
    server = listen(greets(b"+OK ready\r\n", b"answer"))
    far = opened(spoken("pop3"), target_of(server))
    assert (far.greeting, far.name, far.outcome) == (b"+OK ready\r\n", f"127.0.0.1:{server.port}", None)
    far.release()
    result_of(far.stream.write(b"question"))
    assert result_of(far.stream.read()) == b"answer"
    let_go(far)


def test_an_ipv6_address(listen: Listen) -> None:
    server = listen(greets(b"+OK\r\n"), family="::1")
    far = opened(spoken("pop3"), parse_target(f"[::1]:{server.port}", "connect"))
    assert far.name == f"[::1]:{server.port}"
    let_go(far)


def test_a_name_with_several_addresses_of_which_one_answers(listen: Listen) -> None:
    server = listen(greets(b"+OK\r\n"))
    ours = Ours(host=("::1", "127.0.0.1"))
    opening = Deferred.fromCoroutine(
        Way(ours, SPOKEN["pop3"]).open(parse_target(f"host:{server.port}", "connect"), VISITOR)
    )

    def turned() -> bool:  # the second address has its turn while the first may still answer
        ours.clock.advance(0.1)
        return opening.called

    turn_until(turned)
    let_go(result_of(opening))
    assert ours.getDelayedCalls() == []


def test_a_unix_socket(listen: Listen, tmp_path: Path) -> None:
    listen(greets(b"+OK\r\n"), path=f"{tmp_path}/socket")
    far = opened(spoken("pop3"), parse_target(f"unix:{tmp_path}/socket", "connect"))
    assert (far.greeting, far.name) == (b"+OK\r\n", f"unix:{tmp_path}/socket")
    let_go(far)


def test_the_address_that_it_comes_from(listen: Listen) -> None:
    server = listen(greets(b"+OK\r\n"))
    far = opened(spoken("pop3", source="127.0.0.2"), target_of(server))
    assert server.streams[0].transport.getPeer().host == "127.0.0.2"
    let_go(far)


def test_what_a_server_says_after_its_greeting_is_not_lost(listen: Listen) -> None:
    server = listen(greets(b"+OK ready\r\nand more"))
    far = opened(spoken("pop3"), target_of(server))
    assert result_of(far.stream.read()) == b"and more"
    let_go(far)


@pytest.mark.parametrize(
    ("target", "why"),
    [
        ("127.0.0.1:{free}", "refused"),
        ("[::1]:{free}", ""),
        ("unix:/nonexistent/socket", "No such file"),
        ("a..b:110", "invalid hostname"),
    ],
)
def test_who_cannot_be_reached_is_named_in_one_line(listen: Listen, target: str, why: str) -> None:
    server = listen(greets(b""))
    free = server.port
    server.stop()
    text = target.format(free=free)
    with pytest.raises(Unreachable) as caught:
        opened(spoken(""), parse_target(text, "connect"))
    assert str(caught.value).startswith(f"{text} cannot be reached: ")
    assert why in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_address_that_is_not_ours_cannot_be_come_from(listen: Listen) -> None:
    server = listen(greets(b""))
    with pytest.raises(Unreachable, match="cannot be reached"):
        opened(spoken("", source="192.0.2.1"), target_of(server))


# -- the order


class Told:
    """A server that listens to everything in the order in which it comes."""

    def __init__(self, *steps: tuple[bytes, bytes], tls: Side | None = None, begins: bytes = b"") -> None:
        """``steps`` are what must come, and what is answered; ``begins`` is said inside TLS, if there is some."""
        self._steps = steps
        self._tls = tls
        self._begins = begins
        self.left = len(steps)

    async def __call__(self, stream: SocketStream) -> None:
        for expected, answer in self._steps:
            said = b""
            while len(said) < len(expected):
                more = await stream.read()
                assert more, f"it ended after {said!r}"
                said += more
            assert said.startswith(expected), said
            if said != expected:
                stream.unread(said[len(expected) :])
            self.left -= 1
            await stream.write(answer)
        inside: SocketStream | TLSStream = stream
        if self._tls is not None:
            inside, _ = await begin_tls(stream, self._tls)
        await inside.write(self._begins)
        while await inside.read():
            pass


CONNECT = b"CONNECT mail.example.org:995 HTTP/1.1\r\nHost: mail.example.org:995\r\n\r\n"
TARGET = parse_target("mail.example.org:995", "connect")


def test_proxy_then_header_then_tls_then_greeting(listen: Listen) -> None:
    client, server_side = sides()
    asked: list[Target] = []

    def towards(target: Target) -> Side:
        asked.append(target)
        return client

    told = Told((CONNECT, b"HTTP/1.1 200 OK\r\n\r\n"), (HEADER, b""), tls=server_side, begins=b"+OK inside\r\n")
    server = listen(told)
    way = spoken(
        "pop3",
        via=parse_via(f"http://127.0.0.1:{server.port}", "via"),
        header=lambda visitor: v1(visitor and Origin((visitor.host, visitor.port), ("203.0.113.1", 995))),
        tls=towards,
    )
    far = opened(way, TARGET)
    assert (far.greeting, far.name, told.left) == (b"+OK inside\r\n", "mail.example.org:995", 0)
    assert asked == [TARGET]
    assert client.checked == 1
    let_go(far)


def test_what_a_server_says_after_its_greeting_inside_tls_is_not_lost(listen: Listen) -> None:
    client, server_side = sides()
    server = listen(Told(tls=server_side, begins=b"+OK ready\r\nand more"))
    far = opened(spoken("pop3", tls=lambda target: client), target_of(server))
    assert far.greeting == b"+OK ready\r\n"
    assert result_of(far.stream.read()) == b"and more"
    let_go(far)


def test_header_then_greeting_then_starttls(listen: Listen) -> None:
    client, server_side = sides()
    told = Told((HEADER, b"+OK ready\r\n"), (b"STLS\r\n", b"+OK begin\r\n"), tls=server_side, begins=b"inside")
    way = spoken("pop3", header=lambda visitor: HEADER, tls=lambda target: client, starttls=True)
    far = opened(way, target_of(listen(told)))
    assert far.greeting == b"+OK Ready\r\n"
    assert result_of(far.stream.read()) == b"inside"
    assert isinstance(far.stream, TLSStream)
    let_go(far)


def test_a_connection_of_our_own_has_no_visitor(listen: Listen) -> None:
    visitors: list[Visitor | None] = []

    def header(visitor: Visitor | None) -> bytes:
        visitors.append(visitor)
        return v1(None)

    server = listen(Told((v1(None), b"+OK\r\n"), (b"QUIT\r\n", b"+OK\r\n")))
    result_of(spoken("pop3", header=header).ask(target_of(server)))
    assert visitors == [None]


# -- what goes wrong


class Strict(Side):
    """Who is at the other end is never right."""

    def check(self, connection: SSL.Connection) -> TLSPeer:
        raise TLSFailed("its certificate is for somebody else")


def hangs_up(said: bytes = b"") -> Serve:
    async def serve(stream: SocketStream) -> None:
        await stream.write(said)
        await stream.end()
        stream.abort("over")

    return serve


def resets(said: bytes = b"") -> Serve:
    async def serve(stream: SocketStream) -> None:
        await stream.read()
        stream.abort("over")

    return serve


def way_by_http(server: Listening) -> Way:
    return spoken("pop3", via=parse_via(f"http://127.0.0.1:{server.port}", "via"))


def way_by_socks(server: Listening) -> Way:
    return spoken("pop3", via=parse_via(f"socks5://127.0.0.1:{server.port}", "via"))


def way_in_clear(server: Listening) -> Way:
    return spoken("pop3")


def way_of_imap(server: Listening) -> Way:
    return spoken("imap")


def way_by_tls(server: Listening) -> Way:
    return spoken("pop3", tls=lambda target: sides()[0])


def way_by_starttls(server: Listening) -> Way:
    return spoken("pop3", tls=lambda target: sides()[0], starttls=True)


@dataclass(frozen=True)
class Fault:
    """What a server does, and what the log has of it."""

    way: Callable[[Listening], Way]
    serve: Serve
    kind: type[TunnelFault]
    why: str


FAULTS = [
    Fault(way_by_http, greets(b"", b"HTTP/1.1 403 Forbidden\r\n\r\n"), Refused, "403"),
    Fault(way_by_http, hangs_up(), Refused, ""),
    Fault(way_by_http, greets(b"", b"\0" * 100_000), Refused, ""),
    Fault(way_by_socks, greets(b"", b"\x05\xff"), Refused, ""),
    Fault(way_by_socks, greets(b"", b"HTTP/1.1 400 Bad\r\n\r\n"), Refused, ""),
    Fault(way_in_clear, hangs_up(), Unreachable, "it closes connections before its greeting"),
    Fault(way_in_clear, hangs_up(b"+OK half"), Refused, "in the middle"),
    Fault(way_in_clear, greets(b"* OK imap\r\n"), Mismatch, "imap greeting where pop3 is expected: '* OK imap'"),
    Fault(
        way_in_clear, greets(b"-ERR [SYS/TEMP] later\r\n"), Refused, "the server greets with '-ERR [SYS/TEMP] later'"
    ),
    Fault(way_in_clear, greets(os.urandom(10_000).replace(b"\n", b"")), Refused, "a line has more than 8192 octets"),
    Fault(way_of_imap, greets(b"+OK\r\n"), Mismatch, "pop3 greeting where imap is expected"),
    Fault(way_by_tls, greets(b"+OK in clear\r\n"), TLSFailed, "the handshake failed"),
    Fault(way_by_tls, hangs_up(), TLSFailed, "closed the connection during the handshake"),
    Fault(way_by_tls, resets(), StreamLost, ""),
    Fault(way_by_starttls, greets(b"+OK\r\n", b"-ERR no such command\r\n"), Refused, "STLS"),
    Fault(way_by_starttls, greets(b"+OK\r\n", b"+OK go\r\n+OK injected\r\n"), Refused, "octets in clear"),
    Fault(way_by_starttls, greets(b"+OK\r\n", b"+OK go\r\n", b"not TLS at all"), TLSFailed, "the handshake failed"),
    Fault(way_by_starttls, greets(b"* OK imap\r\n"), Mismatch, "imap greeting"),
]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: f"{fault.way.__name__}-{fault.why or fault.kind.__name__}")
@pytest.mark.parametrize("step", ["open", "ask"])
def test_what_goes_wrong_is_said_and_nothing_is_left(listen: Listen, fault: Fault, step: str) -> None:
    server = listen(fault.serve)
    target, way = target_of(server), fault.way(server)
    with pytest.raises(TunnelFault) as caught:
        result_of(way.open(target, VISITOR) if step == "open" else way.ask(target))
    assert str(caught.value).startswith(f"{target}: ")
    if step == "open":  # health checks have words of their own
        assert type(caught.value) is fault.kind
        assert fault.why in str(caught.value)
    turn_until(lambda: not server.there)


def test_a_server_that_is_not_the_right_one_hears_nothing(listen: Listen) -> None:
    client, server_side = sides()
    server = listen(Told(tls=server_side, begins=b"+OK\r\n"))
    strict = Strict(client._context, server=False)
    with pytest.raises(TLSFailed, match="its certificate is for somebody else"):
        opened(spoken("pop3", tls=lambda target: strict), target_of(server))
    turn_until(lambda: not server.there)


@pytest.mark.parametrize(
    ("way", "serve", "what"),
    [
        (way_by_http, greets(b""), "the way to it"),
        (way_in_clear, greets(b""), "the greeting (does it begin with TLS?)"),
        (way_in_clear, greets(b"+OK without end"), "the greeting (does it begin with TLS?)"),
        (way_by_tls, greets(b""), "the handshake"),
        (way_by_starttls, greets(b"+OK\r\n"), "the way to TLS"),
        (way_by_starttls, greets(b"+OK\r\n", b"+OK go\r\n"), "the way to TLS"),
    ],
)
def test_each_step_has_its_time(listen: Listen, way: Callable[[Listening], Way], serve: Serve, what: str) -> None:
    server = listen(serve)
    ours = Ours()
    opening = Deferred.fromCoroutine(
        replace(way(server), reactor=ours, handshake_seconds=30.0).open(target_of(server), VISITOR)
    )
    turn_until(lambda: server.streams)
    wanted = f"{target_of(server)}: {what} took more than 30 s"
    faults: list[Any] = []
    opening.addErrback(faults.append)

    def cut() -> bool:  # each step begins when the one before it has ended
        ours.clock.advance(3)
        return bool(faults)

    for _ in range(5):
        reactor.iterate(0.01)
    turn_until(cut)
    assert faults[0].getErrorMessage() == wanted
    assert ours.clock.getDelayedCalls() == []


@pytest.mark.parametrize("stage", ["the name", "the connection", "the handshake", "the greeting"])
def test_who_gives_up_leaves_nothing_behind(listen: Listen, stage: str) -> None:
    server = listen(greets(b""))
    target = target_of(server)
    way = way_by_tls(server) if stage == "the handshake" else spoken("pop3")
    if stage == "the name":
        way, target = Way(Ours()), parse_target("name.example:110", "connect")
    opening = Deferred.fromCoroutine(way.open(target, VISITOR))
    if stage not in ("the name", "the connection"):
        turn_until(lambda: server.streams)
    opening.cancel()
    with pytest.raises(CancelledError):
        result_of(opening)
    reactor.iterate(0.01)
    turn_until(lambda: not server.there)


def test_a_name_that_no_resolver_answers_has_its_time() -> None:
    ours = Ours()
    opening = Deferred.fromCoroutine(
        Way(ours, connect_seconds=10.0).open(parse_target("name.example:110", "connect"), VISITOR)
    )
    ours.clock.advance(9.9)
    assert not opening.called
    ours.clock.advance(0.2)
    with pytest.raises(Unreachable, match=r"^name\.example:110 cannot be reached: it took more than 10 s$"):
        result_of(opening)
    assert ours.getDelayedCalls() == []


def test_a_name_that_has_no_address() -> None:
    with pytest.raises(Unreachable, match=r"^host:110 cannot be reached: .*host"):
        result_of(Way(Ours(host=())).open(parse_target("host:110", "connect"), VISITOR))


# -- health


@pytest.mark.parametrize(
    ("protocol", "serve"),
    [
        ("", greets(b"")),
        ("pop3", greets(b"+OK\r\n", b"+OK bye\r\n")),
        ("imap", greets(b"* OK\r\n", b"t1 OK\r\n", b"* BYE\r\nt2 OK\r\n")),
    ],
)
def test_a_healthy_target_is_left_in_order(listen: Listen, protocol: str, serve: Serve) -> None:
    server = listen(serve)
    result_of(spoken(protocol).ask(target_of(server)))
    turn_until(lambda: not server.there)
    assert server.streams[0]._read_ended, "the good-bye was a reset"


def test_health_is_asked_inside_tls(listen: Listen) -> None:
    client, server_side = sides()

    async def serve(stream: SocketStream) -> None:
        inside, _ = await begin_tls(stream, server_side)
        await greets(b"+OK\r\n", b"+OK bye\r\n")(inside)  # type: ignore[arg-type]

    result_of(spoken("pop3", tls=lambda target: client).ask(target_of(listen(serve))))


def test_of_starttls_it_is_asked_that_tls_begins(listen: Listen) -> None:
    client, server_side = sides()
    told = Told((b"STLS\r\n", b"+OK begin\r\n"), tls=server_side)

    async def serve(stream: SocketStream) -> None:
        await stream.write(b"+OK\r\n")
        await told(stream)

    result_of(spoken("pop3", tls=lambda target: client, starttls=True).ask(target_of(listen(serve))))
    assert told.left == 0


def test_a_health_check_has_its_time(listen: Listen) -> None:
    server = listen(greets(b""))
    ours = Ours()
    way = Way(ours, SPOKEN["pop3"], connect_seconds=4.0, handshake_seconds=30.0)
    asking = Deferred.fromCoroutine(way.ask(target_of(server)))
    turn_until(lambda: server.streams)
    for _ in range(5):
        reactor.iterate(0.01)
    ours.clock.advance(4.1)
    with pytest.raises(StreamLost, match="the health check took more than 4 s"):
        result_of(asking)
