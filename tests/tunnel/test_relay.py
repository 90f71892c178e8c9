import hashlib
from contextlib import suppress

import pytest
from pairs import result_of, sides, socket_pair
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from mailaccess.tunnel.faults import StreamLost
from mailaccess.tunnel.relay import Relay
from mailaccess.tunnel.sockets import SocketStream
from mailaccess.tunnel.tls import begin_tls
from tests.net.loopback import reactor, turn_until

CHUNK = bytes(range(256)) * 256


class Joined:
    """A client and a server with a relay between them."""

    def __init__(self, *, idle_seconds: float = 60, close_seconds: float = 30, clock: Clock | None = None) -> None:
        self.client, near = socket_pair()
        far, self.server = socket_pair()
        self.relay = Relay(near, far, clock or reactor, idle_seconds=idle_seconds, close_seconds=close_seconds)
        self.done = Deferred.fromCoroutine(self.relay.run())


async def send(stream: SocketStream, chunks: int) -> None:
    for _ in range(chunks):
        await stream.write(CHUNK)
    await stream.end()


async def digest(stream: SocketStream) -> str:
    seen = hashlib.sha256()
    while data := await stream.read():
        seen.update(data)
    return seen.hexdigest()


def test_both_directions_at_once_lose_nothing() -> None:
    joined = Joined()
    running = [Deferred.fromCoroutine(send(end, 512)) for end in (joined.client, joined.server)]
    digests = [Deferred.fromCoroutine(digest(end)) for end in (joined.server, joined.client)]
    whole = hashlib.sha256(CHUNK * 512).hexdigest()
    assert [result_of(each) for each in digests] == [whole, whole]
    for each in running:
        result_of(each)
    result_of(joined.done)
    assert (joined.relay.outward.octets, joined.relay.inward.octets) == (512 * 65536, 512 * 65536)
    assert joined.relay.fault == ""


@pytest.mark.parametrize("first", ["client", "server"])
def test_half_close_passes_through(first: str) -> None:
    joined = Joined()
    one, other = (joined.client, joined.server) if first == "client" else (joined.server, joined.client)
    result_of(one.write(b"all I have to say"))
    result_of(one.end())
    assert result_of(other.read()) == b"all I have to say"
    assert result_of(other.read()) == b""
    result_of(other.write(b"and the answer"))
    assert result_of(one.read()) == b"and the answer"
    result_of(other.end())
    assert result_of(one.read()) == b""
    result_of(joined.done)
    assert joined.relay.fault == ""


def test_a_reset_resets_the_other_side() -> None:
    joined = Joined()
    result_of(joined.client.write(b"x"))
    assert result_of(joined.server.read()) == b"x"
    joined.client.abort("gone")
    with pytest.raises(StreamLost):
        result_of(joined.server.read())
    result_of(joined.done)
    assert joined.relay.fault


def test_a_servers_last_words_reach_a_client_that_goes_on_talking() -> None:
    joined = Joined()
    result_of(joined.server.write(b"bye\r\n"))
    result_of(joined.server.end())
    joined.server.abort("closed by the server")
    result_of(joined.client.write(b"NOOP\r\n"))
    assert result_of(joined.client.read()) == b"bye\r\n"
    assert result_of(joined.client.read()) == b""
    joined.client.abort("over")
    result_of(joined.done)


def test_who_does_not_read_holds_the_other_back() -> None:
    joined = Joined()
    written = 0

    async def flood() -> None:
        nonlocal written
        with suppress(StreamLost):
            while True:
                await joined.client.write(CHUNK)
                written += len(CHUNK)

    flooding = Deferred.fromCoroutine(flood())
    turn_until(lambda: joined.client._full)
    quiet = [written, -1]

    def settled() -> bool:
        quiet.append(written)
        return quiet[-1] == quiet[-20:][0] and len(quiet) > 40

    turn_until(settled)
    assert written < 64 * 1024 * 1024
    joined.client.abort("enough")
    joined.server.abort("enough")
    result_of(joined.done)
    result_of(flooding)


def test_silence_ends_it_and_an_octet_keeps_it() -> None:
    clock = Clock()
    joined = Joined(idle_seconds=100, clock=clock)
    clock.advance(90)
    result_of(joined.client.write(b"x"))
    assert result_of(joined.server.read()) == b"x"
    clock.advance(90)
    assert joined.relay.fault == ""
    clock.advance(11)
    result_of(joined.done)
    assert joined.relay.fault == "no octet came for 100 s"


def test_once_one_side_has_ended_patience_is_shorter() -> None:
    clock = Clock()
    joined = Joined(idle_seconds=1000, close_seconds=10, clock=clock)
    clock.advance(500)
    result_of(joined.client.end())
    assert result_of(joined.server.read()) == b""
    clock.advance(9)
    assert joined.relay.fault == ""
    for _ in range(2):  # the kernel's queue may have moved once, with the end itself
        clock.advance(11)
    result_of(joined.done)
    assert joined.relay.fault == "no octet came for 10 s"
    assert not clock.getDelayedCalls()


def test_tls_on_one_side() -> None:
    client_side, server_side = sides()
    client, near = socket_pair()
    far, server = socket_pair()
    accepting = Deferred.fromCoroutine(begin_tls(near, server_side))
    inside, _ = result_of(begin_tls(client, client_side))
    outside, _ = result_of(accepting)
    done = Deferred.fromCoroutine(Relay(outside, far, reactor, idle_seconds=60, close_seconds=10).run())
    result_of(inside.write(b"QUIT\r\n"))
    result_of(inside.end())
    assert result_of(server.read()) == b"QUIT\r\n"
    assert result_of(server.read()) == b""
    result_of(server.write(b"+OK bye\r\n"))
    result_of(server.end())
    assert result_of(inside.read()) == b"+OK bye\r\n"
    assert result_of(inside.read()) == b""
    assert not inside.truncated
    result_of(done)


def test_a_slow_reader_is_not_idle() -> None:
    clock = Clock()
    joined = Joined(idle_seconds=1000, close_seconds=10, clock=clock)
    sending = Deferred.fromCoroutine(send(joined.client, 256))
    turn_until(lambda: joined.client._full)
    unsent: list[int] = []

    def settled() -> bool:
        unsent.append(joined.relay._far.unsent())
        return len(unsent) > 20 and len(set(unsent[-20:])) == 1

    turn_until(settled)
    result_of(joined.server.end())
    for _ in range(4):
        clock.advance(9)
        before = joined.relay._far.unsent()
        while joined.relay._far.unsent() == before:  # windows open in leaps
            result_of(joined.server.read())
            reactor.iterate(0.01)
    assert joined.relay.fault == ""
    assert result_of(digest(joined.server))
    result_of(sending)
    joined.client.abort("over")
    joined.server.abort("over")
    result_of(joined.done)


def test_a_client_that_goes_is_noticed_also_when_the_server_takes_nothing_more() -> None:
    joined = Joined()
    joined.server.abort("it does not read")
    turn_until(lambda: joined.relay.fault or joined.relay._far._lost)  # type: ignore[attr-defined]
    joined.client.abort("gone")
    result_of(joined.done)


class Deaf:
    """A far end, as of a program that has closed its input: it takes nothing more, and goes on talking."""

    def __init__(self, stream: SocketStream) -> None:
        self.read, self.unread, self.end = stream.read, stream.unread, stream.end
        self.unsent, self.abort = stream.unsent, stream.abort

    async def write(self, data: bytes) -> None:
        raise StreamLost("it reads no more")


def test_a_client_is_found_lost_also_where_nobody_takes_what_it_says() -> None:
    client, near = socket_pair()
    far, server = socket_pair()
    relay = Relay(near, Deaf(far), reactor, idle_seconds=60, close_seconds=30)
    done = Deferred.fromCoroutine(relay.run())
    result_of(client.write(b"x"))
    result_of(server.write(b"still talking"))
    assert result_of(client.read()) == b"still talking"
    client.abort("gone")
    result_of(done)
    assert relay.fault
    with pytest.raises(StreamLost):
        result_of(server.read())


class Slow:
    """A far end that has not taken everything yet, until ``taken``."""

    def __init__(self, stream: SocketStream) -> None:
        self.read, self.unread, self.write = stream.read, stream.unread, stream.write
        self.unsent, self._end, self._abort = stream.unsent, stream.end, stream.abort
        self.taken: Deferred[None] = Deferred()
        self.ending = False
        self.aborted = ""

    async def end(self) -> None:
        self.ending = True
        await self.taken
        await self._end()

    def abort(self, reason: str) -> None:
        self.aborted = reason
        self._abort(reason)


def test_what_a_client_said_is_delivered_also_where_it_does_not_wait_for_the_answer() -> None:
    client, near = socket_pair()
    far, server = socket_pair()
    slow = Slow(far)
    relay = Relay(near, slow, reactor, idle_seconds=60, close_seconds=30)
    done = Deferred.fromCoroutine(relay.run())
    result_of(client.write(b"all I have to say"))
    result_of(client.end())
    turn_until(lambda: slow.ending)
    client.abort("gone")
    for _ in range(20):  # the first answer finds the reset, the next one is found to be in vain
        result_of(server.write(b"an answer"))
        reactor.iterate(0.001)
    assert near._was_reset
    assert (slow.aborted, done.called) == ("", False)
    slow.taken.callback(None)
    result_of(done)
    assert slow.aborted == relay.fault == "its client is gone"
    assert result_of(server.read()) == b"all I have to say"
    assert result_of(server.read()) == b""
    server.abort("over")


def test_what_nobody_takes_is_dropped_and_the_end_of_both_is_waited_for() -> None:
    client, near = socket_pair()
    far, server = socket_pair()
    relay = Relay(near, Deaf(far), reactor, idle_seconds=60, close_seconds=30)
    done = Deferred.fromCoroutine(relay.run())
    result_of(client.write(b"x"))
    result_of(client.end())
    turn_until(lambda: near._read_ended)
    assert not done.called
    result_of(server.write(b"last words"))
    result_of(server.end())
    assert result_of(client.read()) == b"last words"
    assert result_of(client.read()) == b""
    result_of(done)
    assert relay.fault == ""
    client.abort("over")
    server.abort("over")
