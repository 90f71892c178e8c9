import pytest
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import Clock
from twisted.python.failure import Failure

from mailaccess.tunnel.patience import pause, within


def test_a_step_in_time_leaves_no_timer() -> None:
    clock, cut = Clock(), list[str]()
    with within(clock, 30, cut.append, "the handshake"):
        clock.advance(29)
    clock.advance(100)
    assert cut == []
    assert clock.getDelayedCalls() == []


def test_a_step_that_fails_leaves_no_timer() -> None:
    clock = Clock()
    with pytest.raises(ZeroDivisionError), within(clock, 30, lambda reason: None, "the handshake"):
        raise ZeroDivisionError
    assert clock.getDelayedCalls() == []


def test_a_step_that_takes_too_long_is_cut_once_and_told_why() -> None:
    clock, cut = Clock(), list[str]()
    with within(clock, 2.5, cut.append, "the handshake"):
        clock.advance(2.5)
        clock.advance(100)
    assert cut == ["the handshake took more than 2.5 s"]


def test_a_pause() -> None:
    clock = Clock()
    over = Deferred.fromCoroutine(pause(clock, 3))
    clock.advance(2.9)
    assert not over.called
    clock.advance(0.1)
    assert over.called


def test_a_pause_that_is_cancelled_leaves_no_timer() -> None:
    clock, errors = Clock(), list[Failure]()
    over = Deferred.fromCoroutine(pause(clock, 3))
    over.addErrback(errors.append)
    over.cancel()
    assert errors[0].check(CancelledError)  # type: ignore[no-untyped-call]
    assert clock.getDelayedCalls() == []
