"""Numbers that stay, totals that are right, a lock that is let go."""

from collections.abc import Coroutine
from typing import Any, TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailaccess.changes import Arrived
from mailaccess.errors import ClientError, MailboxInUse, StoreUnavailable
from mailaccess.pop3.maildrop import AHEAD_BYTES, Maildrop
from mailaccess.values import UID, MessageRow, ModSeq
from tests.pop3.doubles import Drop

T = TypeVar("T")


def done(coroutine: Coroutine[Any, Any, T]) -> T:
    """What a coroutine that has nothing to wait for returns."""
    try:
        coroutine.send(None)
    except StopIteration as stop:
        result: T = stop.value
        return result
    raise AssertionError("the coroutine waits")


def opened(drop: Drop) -> Maildrop:
    """The maildrop of a new session."""
    store: Any = drop
    return done(Maildrop.open(store))


def test_sizes_that_are_not_known_are_measured() -> None:
    drop = Drop([b"a" * 10, b"b" * 20, b"c" * 30])
    drop.unmeasured = {UID(10), UID(30)}
    maildrop = opened(drop)
    assert [(number, maildrop.size(number)) for number in maildrop.numbers()] == [(1, 10), (2, 20), (3, 30)]
    assert (maildrop.count, maildrop.octets) == (3, 60)


def test_what_vanishes_while_it_is_measured_gets_no_number() -> None:
    drop = Drop([b"a" * 10, b"b" * 20, b"c" * 30])
    drop.unmeasured = {UID(10), UID(20)}
    rows = drop.listen

    def listen_and_lose(listener: Any) -> Any:
        listed = rows(listener)
        drop.remove(1)
        return listed

    drop.listen = listen_and_lose  # type: ignore[method-assign]
    maildrop = opened(drop)
    assert [maildrop.size(number) for number in maildrop.numbers()] == [20, 30]
    assert done(maildrop.unique_ids([1, 2])) == [b"0000001400000007", b"0000001e00000007"]


def test_what_arrives_belongs_to_the_next_session() -> None:
    drop = Drop([b"a"])
    maildrop = opened(drop)
    drop.messages[UID(99)] = b"new"
    drop.change(Arrived((MessageRow(UID(99), frozenset(), ModSeq(5), 3),)))
    assert list(maildrop.numbers()) == [1]
    maildrop.close()
    assert list(opened(drop).numbers()) == [1, 2]


@given(st.integers(0, 20), st.lists(st.integers(1, 20)))
def test_marks_move_no_number(count: int, marks: list[int]) -> None:
    drop = Drop([b"x" * at for at in range(1, count + 1)])
    maildrop = opened(drop)
    kept = set(range(1, count + 1))
    for number in marks:
        if number in kept:
            maildrop.check(number)
            maildrop.mark(number)
            kept.remove(number)
        else:
            with pytest.raises(ClientError):
                maildrop.check(number)
        assert set(maildrop.numbers()) == kept
        assert maildrop.count == len(kept)
        assert maildrop.octets == sum(kept)
        assert all(maildrop.size(number) == number for number in kept)
    done(maildrop.commit())
    assert {uid // 10 for uid in drop.messages} == kept


def test_everything_marked_goes_in_one_call() -> None:
    drop = Drop([b"a", b"b", b"c"])
    maildrop = opened(drop)
    maildrop.mark(1)
    maildrop.mark(3)
    assert done(maildrop.commit()) == 2
    assert drop.expunged == [[10, 30]]


def test_nothing_marked_asks_nothing() -> None:
    drop = Drop([b"a"])
    assert done(opened(drop).commit()) == 0
    assert drop.expunged == []


def test_the_lock_is_exclusive_and_let_go() -> None:
    drop = Drop([b"a"])
    first = opened(drop)
    with pytest.raises(MailboxInUse):
        opened(drop)
    first.close()
    first.close()
    opened(drop).close()
    assert not drop.locked
    assert drop.listeners == []


@pytest.mark.parametrize("failing", ["open", "measure", "listen"])
def test_a_failure_lets_go_of_the_lock(failing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    drop = Drop([b"a"])
    drop.unmeasured = {UID(10)}

    def fail(*_: object) -> None:
        raise StoreUnavailable

    monkeypatch.setattr(drop, failing, fail)
    with pytest.raises(StoreUnavailable):
        opened(drop)
    assert not drop.locked
    assert drop.listeners == []


def test_who_fetches_in_order_is_read_ahead_for() -> None:
    drop = Drop([b"a", b"b", b"c" * 20, b"d", b"e" * (AHEAD_BYTES + 1), b"f"])
    maildrop = opened(drop)
    fetched = [done(maildrop.fetch(number, 2 * AHEAD_BYTES)) for number in range(1, 7)]
    assert fetched == list(drop.messages.values())
    assert drop.reads == 3, "one, two to four, five and six"


def test_who_jumps_is_not_read_ahead_for() -> None:
    drop = Drop([b"a", b"b", b"c"])
    maildrop = opened(drop)
    assert [done(maildrop.fetch(number, 10)) for number in (3, 1, 3)] == [b"c", b"a", b"c"]
    assert drop.reads == 3


def test_what_was_read_ahead_and_expunged_is_gone() -> None:
    drop = Drop([b"a", b"b", b"c"])
    maildrop = opened(drop)
    done(maildrop.fetch(1, 10))
    done(maildrop.fetch(2, 10))
    drop.remove(3)
    with pytest.raises(ClientError):
        done(maildrop.fetch(3, 10))


def test_a_marked_message_is_not_read_ahead() -> None:
    drop = Drop([b"a", b"b", b"c", b"d"])
    maildrop = opened(drop)
    done(maildrop.fetch(1, 10))
    maildrop.mark(3)
    done(maildrop.fetch(2, 10))
    assert done(maildrop.fetch(4, 10)) == b"d"
    assert drop.reads == 3
