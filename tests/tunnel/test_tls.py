from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from OpenSSL import SSL
from pairs import Side, result_of, sides, socket_pair
from twisted.internet.defer import Deferred

from mailaccess.tunnel.faults import StreamLost, TLSFailed
from mailaccess.tunnel.sockets import SocketStream
from mailaccess.tunnel.tls import TLSStream, begin_tls
from tests.net.loopback import turn_until

MUCH = bytes(range(256)) * (8 * 4096)


def secured(client: Side, server: Side) -> tuple[TLSStream, TLSStream]:
    one, two = socket_pair()
    accepting = Deferred.fromCoroutine(begin_tls(two, server))
    (inside, _), (outside, _) = result_of(begin_tls(one, client)), result_of(accepting)
    return inside, outside


@pytest.fixture
def pair() -> tuple[TLSStream, TLSStream]:
    return secured(*sides())


async def everything(stream: TLSStream) -> bytes:
    pieces = []
    while data := await stream.read():
        pieces.append(data)
    return b"".join(pieces)


def test_octets_pass_and_each_direction_ends_by_itself(pair: tuple[TLSStream, TLSStream]) -> None:
    one, two = pair
    result_of(one.write(b"question"))
    assert result_of(two.read()) == b"question"
    result_of(one.end())
    assert result_of(two.read()) == b""
    assert not two.truncated
    result_of(two.write(b"answer after the end"))
    assert result_of(one.read()) == b"answer after the end"
    result_of(two.end())
    assert result_of(one.read()) == b""


def test_much_passes_unchanged_in_both_directions_at_once(pair: tuple[TLSStream, TLSStream]) -> None:
    async def send(stream: TLSStream) -> None:
        for place in range(0, len(MUCH), 100_000):
            await stream.write(MUCH[place : place + 100_000])
        await stream.end()

    sending = [Deferred.fromCoroutine(send(stream)) for stream in pair]
    reading = [Deferred.fromCoroutine(everything(stream)) for stream in pair]
    assert [result_of(each) for each in reading] == [MUCH, MUCH]
    for each in sending:
        result_of(each)


def test_a_close_without_close_notify_is_noticed(pair: tuple[TLSStream, TLSStream]) -> None:
    one, two = pair
    inner = one._inner
    assert isinstance(inner, SocketStream)
    result_of(inner.end())
    assert result_of(two.read()) == b""
    assert two.truncated


def test_a_handshake_with_something_else_fails_and_says_why() -> None:
    one, two = socket_pair()
    _, server = sides()
    accepting = Deferred.fromCoroutine(begin_tls(two, server))
    result_of(one.write(b"USER joe\r\nPASS secret\r\n"))
    with pytest.raises(TLSFailed, match="the other side does not speak TLS"):
        result_of(accepting)
    assert server.checked == 0


def test_a_client_that_leaves_in_the_handshake_is_a_fault() -> None:
    one, two = socket_pair()
    _, server = sides()
    accepting = Deferred.fromCoroutine(begin_tls(two, server))
    result_of(one.end())
    with pytest.raises(TLSFailed, match="closed the connection during the handshake"):
        result_of(accepting)


def test_garbage_in_the_stream_ends_it(pair: tuple[TLSStream, TLSStream]) -> None:
    one, two = pair
    result_of(one._inner.write(b"\x17\x03\x03\x00\x20" + bytes(32)))
    with pytest.raises(StreamLost, match="TLS failed"):
        result_of(two.read())


def test_tls_1_2_ends_both_ways_too() -> None:
    client, server = sides()
    client._context.set_max_proto_version(SSL.TLS1_2_VERSION)
    one, two = secured(client, server)
    assert one.version == "TLSv1.2"
    result_of(one.end())
    assert result_of(two.read()) == b""
    result_of(two.write(b"answer"))
    assert result_of(one.read()) == b"answer"


def test_abort_reaches_the_socket(pair: tuple[TLSStream, TLSStream]) -> None:
    one, two = pair
    reading = Deferred.fromCoroutine(one.read())
    one.abort("enough")
    with pytest.raises(StreamLost, match="enough"):
        result_of(reading)
    inner = two._inner
    assert isinstance(inner, SocketStream)
    turn_until(lambda: inner._lost)


@pytest.mark.parametrize("step", [lambda stream: stream.write(b"x"), lambda stream: stream.end()], ids=["write", "end"])
def test_where_tls_has_failed_nothing_more_is_said(
    pair: tuple[TLSStream, TLSStream], step: Callable[[TLSStream], Coroutine[Any, Any, None]]
) -> None:
    one, two = pair
    result_of(one._inner.write(b"\x17\x03\x03\x00\x20" + bytes(32)))
    with pytest.raises(StreamLost, match="TLS failed"):
        result_of(two.read())
    with pytest.raises(StreamLost, match="TLS failed"):
        result_of(step(two))
