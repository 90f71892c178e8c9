"""Work in threads, its results in the thread that asked."""

import queue
import threading
from collections.abc import Callable, Iterator
from typing import Any, cast

import pytest
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IReactorFromThreads
from twisted.python.failure import Failure

from mailaccess.auth.hashing import HashingThreads


class Calls:
    """Takes calls from threads, and makes them where the test asks for them."""

    def __init__(self) -> None:
        self._calls: queue.Queue[Callable[[], Any]] = queue.Queue()

    def callFromThread(self, function: Callable[..., Any], *args: Any) -> None:
        self._calls.put(lambda: function(*args))

    def make_one(self) -> None:
        self._calls.get(timeout=30)()


@pytest.fixture
def calls() -> Calls:
    return Calls()


@pytest.fixture
def threads(calls: Calls) -> Iterator[HashingThreads]:
    service = HashingThreads(cast(IReactorFromThreads, calls), threads=1)
    service.startService()
    yield service
    service.stopService()


def _outcome(done: Deferred[Any]) -> list[Any]:
    outcome: list[Any] = []
    done.addBoth(outcome.append)
    return outcome


def test_results_come_back(threads: HashingThreads, calls: Calls) -> None:
    outcome = _outcome(threads.run(threading.get_ident))
    assert outcome == []
    calls.make_one()
    assert outcome != [threading.get_ident()]


def test_errors_come_back(threads: HashingThreads, calls: Calls) -> None:
    outcome = _outcome(threads.run(lambda: 1 // 0))
    calls.make_one()
    assert isinstance(outcome[0], Failure)
    assert isinstance(outcome[0].value, ZeroDivisionError)


def test_what_nobody_waits_for_is_not_begun(threads: HashingThreads, calls: Calls) -> None:
    go = threading.Event()
    first = threads.run(go.wait)
    begun: list[int] = []
    second = threads.run(lambda: begun.append(2))
    third = threads.run(lambda: begun.append(3))
    outcome = _outcome(second)
    second.cancel()
    assert isinstance(outcome[0].value, CancelledError)
    go.set()
    for _ in range(3):
        calls.make_one()
    assert first.called
    assert third.called
    assert begun == [3]
    assert len(outcome) == 1
