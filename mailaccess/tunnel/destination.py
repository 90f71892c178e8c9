"""Where a connection goes: servers, of which one is chosen, or a program that is started for it."""

import os
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime

from mailaccess.interfaces import IEvents
from mailaccess.tunnel.balance import Balance
from mailaccess.tunnel.conversation import Conversation
from mailaccess.tunnel.environment import program_environment
from mailaccess.tunnel.far import Far
from mailaccess.tunnel.faults import StreamLost, TunnelFault, Unreachable, blamed_on
from mailaccess.tunnel.greeting import listen
from mailaccess.tunnel.patience import pause, within
from mailaccess.tunnel.programs import STANDARD_PATH, Program, ProgramStream, start
from mailaccess.tunnel.spoken import Spoken
from mailaccess.tunnel.visitor import Visitor
from mailaccess.tunnel.way import Way

RETRY_SECONDS = 1.0
"""Between two rounds through all targets: a server that is restarted is back by then."""


_PASSING = (Unreachable, StreamLost)
"""What may be over in a second; what else goes wrong does not mend itself."""


@dataclass(frozen=True, slots=True)
class Servers:
    """One of several targets: those that are well in the balance's order, until one takes the connection.

    The log has a ``target_doubtful`` for one that is passed over, also where another takes the connection, and a
    ``target_up`` when it takes one again.
    """

    service: str
    balance: Balance
    way: Way
    clock: IReactorTime
    events: IEvents
    retries: int = 1

    async def open(self, visitor: Visitor) -> Far:
        """Try each target, and all again ``retries`` times; the last one's fault is raised.

        Where health checks say that none is up there is nothing to try, and nothing to wait for.
        """
        for left in reversed(range(self.retries + 1)):
            faults: list[TunnelFault] = []
            far = await self._first(visitor, faults)
            if far is not None:
                return far
            if not left or not any(isinstance(fault, _PASSING) for fault in faults):
                raise faults[-1] if faults else Unreachable("no target is up")
            await pause(self.clock, RETRY_SECONDS)
        raise AssertionError("the last round returns or raises")

    async def _first(self, visitor: Visitor, faults: list[TunnelFault]) -> Far | None:
        """The first target that takes the connection; None where none does, with the ``faults`` of all."""
        for target in self.balance.order(self.clock.seconds()):
            self.balance.taken(target)
            try:
                far = await self.way.open(target, visitor)
            except TunnelFault as fault:
                faults.append(fault)
                self.balance.released(target)
                if self.balance.failed(target, str(fault), self.clock.seconds()):
                    self.events.event("target_doubtful", service=self.service, target=target, reason=fault)
            except BaseException:
                self.balance.released(target)
                raise
            else:
                if self.balance.well(target):
                    self.events.event("target_up", service=self.service, target=target)
                return replace(far, release=partial(self.balance.released, target))
        return None


@dataclass(frozen=True, slots=True)
class Programs:
    """A program for each connection."""

    program: Program
    service: str
    protocol: Spoken | None
    reactor: Any
    events: IEvents
    greeting_seconds: float
    _running: set[ProgramStream] = field(default_factory=set, init=False, repr=False, compare=False)

    async def open(self, visitor: Visitor) -> Far:
        """Start it, and look at its first line."""
        environment = program_environment({"PATH": STANDARD_PATH, **os.environ}, visitor)
        stream = await start(self.program, environment, self.reactor, self.events, self.service)
        self._running.add(stream)
        Deferred.fromCoroutine(stream.ended()).addCallback(lambda _: self._running.discard(stream))
        talk = Conversation(stream)
        name = self.program.file
        with blamed_on(name), within(self.reactor, self.greeting_seconds, stream.abort, "the greeting"):
            try:
                greeting = await listen(talk, self.protocol)
            except BaseException:
                stream.abort(f"{name} is of no use")
                raise
        return Far(talk.hand_back(), name, greeting, stream.ended)

    async def gone(self) -> None:
        """Wait for the end of all programs: also of one that does not go at once when its connection is cut."""
        for stream in list(self._running):
            await stream.ended()
