"""The threads in which passwords are checked, so that the reactor never waits for a hash."""

import os
from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar

from twisted.application.service import Service
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IReactorFromThreads
from twisted.python.failure import Failure
from twisted.python.threadpool import ThreadPool

T = TypeVar("T")

THREADS = min(4, os.cpu_count() or 1)
"""Hashing is all processor: more threads than cores only hold more of Argon2's memory."""


class Run(Protocol):
    """Carries out a function somewhere else, and gives its result here."""

    def __call__(self, work: Callable[[], T], /) -> Awaitable[T]:
        """The result of ``work``, or what it raised."""


class HashingThreads(Service):
    """A small pool of threads, which lives as long as the service that it belongs to.

    What waits for a thread is bounded by the connections that may be without login, each of which waits for one. Work
    whose result nobody waits for any more is dropped before it begins.
    """

    def __init__(self, reactor: IReactorFromThreads, threads: int = THREADS) -> None:
        self._reactor = reactor
        self._pool = ThreadPool(0, threads, name="mailaccess-hashing")

    def startService(self) -> None:  # noqa: N802  # twisted.application calls it
        """Take work."""
        super().startService()  # type: ignore[no-untyped-call]
        self._pool.start()

    def stopService(self) -> None:  # noqa: N802  # twisted.application calls it
        """Finish what was begun."""
        super().stopService()  # type: ignore[no-untyped-call]
        self._pool.stop()

    def run(self, work: Callable[[], T], /) -> Deferred[T]:
        """Carry out ``work`` in a thread; cancelling what is returned drops it where it has not begun."""
        done: Deferred[T] = Deferred()

        def in_thread() -> T:
            if done.called:
                raise CancelledError
            return work()

        def finished(success: bool, result: T | Failure) -> None:
            self._reactor.callFromThread(done.callback if success else done.errback, result)

        self._pool.callInThreadWithCallback(finished, in_thread)
        return done
