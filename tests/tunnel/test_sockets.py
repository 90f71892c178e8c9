import pytest
from pairs import result_of, socket_pair
from twisted.internet.defer import CancelledError, Deferred

from mailaccess.tunnel.faults import StreamLost
from mailaccess.tunnel.sockets import HELD_BYTES, SocketStream
from tests.net.loopback import turn_until

MUCH = bytes(range(256)) * (16 * 4096)


async def everything(stream: SocketStream) -> bytes:
    pieces = []
    while data := await stream.read():
        pieces.append(data)
    return b"".join(pieces)


def test_octets_come_in_order_and_end() -> None:
    one, two = socket_pair()

    async def say() -> None:
        for word in (b"one ", b"two ", b"three"):
            await one.write(word)
        await one.end()

    assert result_of(say()) is None
    assert result_of(everything(two)) == b"one two three"
    assert result_of(two.read()) == b""
    two.abort("over")
    one.abort("over")


def test_each_direction_ends_by_itself() -> None:
    one, two = socket_pair()
    result_of(one.end())
    assert result_of(two.read()) == b""
    result_of(two.write(b"still here"))
    assert result_of(one.read()) == b"still here"
    result_of(two.end())
    assert result_of(one.read()) == b""
    two.abort("over")
    one.abort("over")


def test_what_was_read_too_far_is_read_again() -> None:
    one, two = socket_pair()
    result_of(one.write(b"abc"))
    assert result_of(two.read()) == b"abc"
    two.unread(b"bc")
    assert result_of(two.read()) == b"bc"
    one.abort("over")
    two.abort("over")


def test_nobody_writes_faster_than_the_other_reads_and_nothing_is_lost() -> None:
    one, two = socket_pair()
    sent = 0

    async def send() -> None:
        nonlocal sent
        for place in range(0, len(MUCH), 65536):
            await one.write(MUCH[place : place + 65536])
            sent += 65536
        await one.end()

    sending = Deferred.fromCoroutine(send())
    turn_until(lambda: two._reading_paused and one._full)
    assert sent < len(MUCH), "it went on though nobody reads"
    assert two._held_bytes <= HELD_BYTES + 65536
    assert result_of(everything(two)) == MUCH
    result_of(sending)
    one.abort("over")
    two.abort("over")


def test_end_returns_when_everything_is_out_and_abort_takes_nothing_back() -> None:
    one, two = socket_pair()

    async def send() -> None:
        await one.write(MUCH)
        await one.end()
        one.abort("let go")

    sending = Deferred.fromCoroutine(send())
    assert result_of(everything(two)) == MUCH
    result_of(sending)
    two.abort("over")


def test_what_is_said_after_the_end_was_begun_waits_for_nobody() -> None:
    """TLS answers a KeyUpdate, or sends an alert."""
    one, two = socket_pair()
    sending = Deferred.fromCoroutine(one.write(MUCH))
    turn_until(lambda: one._full)
    ending = Deferred.fromCoroutine(one.end())
    late = Deferred.fromCoroutine(one.write(b"late"))
    assert late.called
    assert not ending.called
    assert result_of(everything(two)) == MUCH + b"late"
    result_of(ending)
    result_of(sending)
    one.abort("over")
    two.abort("over")


def test_abort_tells_who_waits_and_resets_the_other_side() -> None:
    one, two = socket_pair()
    reading = Deferred.fromCoroutine(one.read())
    one.abort("it took too long")
    with pytest.raises(StreamLost, match="it took too long"):
        result_of(reading)
    with pytest.raises(StreamLost, match="it took too long"):
        result_of(one.write(b"more"))
    with pytest.raises(StreamLost, match=r"[Rr]eset|lost"):
        result_of(two.read())


def test_abort_says_its_own_reason_also_where_everything_was_said() -> None:
    one, two = socket_pair()
    result_of(one.end())
    reading = Deferred.fromCoroutine(one.read())
    one.abort("it took too long")
    with pytest.raises(StreamLost, match="it took too long"):
        result_of(reading)
    two.abort("over")


async def waiting(on: "Deferred[str]") -> str:
    return await on


def test_work_while_connected_comes_to_what_it_comes_to() -> None:
    one, two = socket_pair()
    work: Deferred[str] = Deferred()
    doing = Deferred.fromCoroutine(one.while_connected(waiting(work)))
    result_of(two.end())
    turn_until(lambda: one._read_ended)
    work.callback("done")
    assert result_of(doing) == "done"
    one.abort("over")
    two.abort("over")


def test_work_is_cancelled_where_the_connection_is_lost() -> None:
    one, two = socket_pair()
    cancelled: list[Deferred[str]] = []
    work: Deferred[str] = Deferred(cancelled.append)
    doing = Deferred.fromCoroutine(one.while_connected(waiting(work)))
    two.abort("gone")
    with pytest.raises(StreamLost, match=r"[Rr]eset|lost"):
        result_of(doing)
    assert cancelled == [work]


def test_work_is_not_begun_where_the_connection_is_lost_already() -> None:
    one, two = socket_pair()
    one.abort("gone")
    with pytest.raises(StreamLost, match="gone"):
        result_of(one.while_connected(waiting(Deferred())))
    two.abort("over")


def test_work_that_is_cancelled_by_others_says_so() -> None:
    one, two = socket_pair()
    doing = Deferred.fromCoroutine(one.while_connected(waiting(Deferred())))
    doing.cancel()
    with pytest.raises(CancelledError):
        result_of(doing)
    one.abort("over")
    two.abort("over")


def test_what_came_before_a_reset_is_read_first() -> None:
    one, two = socket_pair()
    result_of(one.write(b"last words"))
    turn_until(lambda: two._held)
    one.abort("gone")
    turn_until(lambda: two._lost)
    assert result_of(two.read()) == b"last words"
    with pytest.raises(StreamLost):
        result_of(two.read())


def test_what_came_before_a_reset_that_writing_finds_is_read_too_and_no_end_follows() -> None:
    """The kernel tells of a reset once: whoever reads after that finds what had come, and then an orderly end."""
    one, two = socket_pair()
    two.transport.pauseProducing()
    result_of(one.write(b"last words"))
    one.abort("gone")
    turn_until(lambda: one.transport.fileno() == -1)
    with pytest.raises(StreamLost, match="reset"):
        result_of(two.write(b"are you there?"))
    with pytest.raises(StreamLost, match="reset"):
        result_of(two.write(b"are you there?"))
    two.transport.resumeProducing()
    assert result_of(two.read()) == b"last words"
    with pytest.raises(StreamLost, match="reset"):
        result_of(two.read())
    turn_until(lambda: two.transport.fileno() == -1)
