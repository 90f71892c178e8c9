"""Whether the targets of a service are well: each is asked again and again.

A target goes down after ``FAILURES_UNTIL_DOWN`` bad answers in a row, so that one lost packet moves nobody; only the
very first answer counts by itself, since nothing good is known of the target yet. One good answer brings it up: who
serves a whole conversation serves. (HAProxy has ``fall 3 rise 2``; here connections that fail make a target doubtful
at once, ``balance``.)

Targets are asked one after the other over the interval, at a random moment of their part of it, so that neither the
targets of one service nor those of several processes are asked all at once. The next question comes ``seconds`` after
the answer: a target is never asked twice at a time, and a slow one is asked less often.
"""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from random import random

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater

from mailaccess.interfaces import IEvents
from mailaccess.tunnel.balance import Balance
from mailaccess.tunnel.faults import TunnelFault
from mailaccess.tunnel.targets import Target

FAILURES_UNTIL_DOWN = 2

Ask = Callable[[Target], Awaitable[None]]
"""Asks a target, within a time of its own; raises a ``TunnelFault`` where it is ill."""


class HealthChecks:
    """Asks the targets of ``balance`` from ``start`` to ``stop``, and tells it what they say.

    ``seconds`` (more than 0) is the interval; ``jitter`` returns where in its part of it a target is first asked, from
    0 to less than 1. The log has one ``target_down`` or ``target_up`` for each change.
    """

    def __init__(
        self,
        service: str,
        balance: Balance,
        ask: Ask,
        clock: IReactorTime,
        events: IEvents,
        *,
        seconds: float,
        jitter: Callable[[], float] = random,
    ) -> None:
        self._service = service
        self._balance = balance
        self._ask = ask
        self._clock = clock
        self._events = events
        self._seconds = seconds
        self._jitter = jitter
        self._watches: list[tuple[_Watch, Deferred[None]]] = []

    def start(self) -> None:
        """Begin; harmless where it has begun."""
        if self._watches:
            return
        part = self._seconds / len(self._balance.targets)
        for place, target in enumerate(self._balance.targets):
            watch = _Watch(target)
            asking = Deferred.fromCoroutine(self._keep_asking(watch, (place + self._jitter()) * part))
            self._watches.append((watch, asking))

    def stop(self) -> None:
        """End, and cancel what is under way; harmless where it has ended. What is thought of the targets stays."""
        watches, self._watches = self._watches, []
        for watch, asking in watches:
            watch.over = True
            asking.cancel()

    async def _keep_asking(self, watch: "_Watch", delay: float) -> None:
        with suppress(CancelledError):  # by ``stop``, between two questions
            while not watch.over:
                pause: Deferred[None] = deferLater(self._clock, delay)
                await pause
                await self._check(watch)
                delay = self._seconds

    async def _check(self, watch: "_Watch") -> None:
        """Ask once. What is answered after ``stop`` is nobody's business any more."""
        try:
            await self._ask(watch.target)
        except Exception as error:  # whatever comes, the target must be asked again
            if not watch.over:
                self._ill(watch, error)
        else:
            if not watch.over:
                self._well(watch)

    def _well(self, watch: "_Watch") -> None:
        watch.failures = 0
        if self._balance.mark_up(watch.target):
            self._events.event("target_up", service=self._service, target=watch.target)

    def _ill(self, watch: "_Watch", error: Exception) -> None:
        if not isinstance(error, TunnelFault):  # our own fault, which says nothing of the target
            self._events.incident(f"the health check of {watch.target}", error)
            return
        watch.failures += 1
        if watch.failures >= FAILURES_UNTIL_DOWN and self._balance.mark_down(watch.target, str(error)):
            self._events.event("target_down", service=self._service, target=watch.target, reason=error)


@dataclass(slots=True)
class _Watch:
    """One target from ``start`` to ``stop``, and how many bad answers it gave in a row."""

    target: Target
    failures: int = FAILURES_UNTIL_DOWN - 1
    over: bool = False
