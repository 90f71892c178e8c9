"""Who connects: the table of ``admission`` with a clock, as the front ends and the server's stop see it.

Invariant: what is not logged in costs bounded memory, time and file descriptors. The table bounds those that wait for
their login; those that were told to go and have not gone yet are bounded too, and the oldest of them is cut off.
"""

from collections import OrderedDict

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from zope.interface import implementer

from mailaccess.errors import ClientError, Code
from mailaccess.interfaces import IEvents, IGate, ISession
from mailaccess.net.admission import Admission, Connected
from mailaccess.ops.addresses import network_of
from mailaccess.ops.limits import Limits

DRAIN_SECONDS = 5.0
"""How long sessions may take to finish when the server stops."""

ABORT_SECONDS = 1.0
"""How long the reactor may take to tell of connections that were cut off."""


@implementer(IGate)
class Gate:
    """The gate of one process, for all its listeners."""

    def __init__(self, limits: Limits, events: IEvents, clock: IReactorTime) -> None:
        self._table: Admission[ISession] = Admission(limits)
        self._limits = limits
        self._events = events
        self._clock = clock
        self._leaving: OrderedDict[ISession, None] = OrderedDict()
        self._stopping = False
        self._emptied: Deferred[None] | None = None
        self._timer: IDelayedCall | None = None

    def sessions(self) -> dict[ISession, Connected]:
        """Everybody who is connected and was not told to go."""
        return self._table.connected()

    def kick(self, user: str, text: str) -> int:
        """Tell every session of ``user`` to go; how many there were."""
        told = [session for session, connected in self.sessions().items() if connected.user == user]
        for session in told:
            self._table.leave(session)
            self._dismiss(session, None, text)
        return len(told)

    # -- IGate

    def opened(self, session: ISession) -> None:
        """A connection was made. ``ClientError`` when it must be refused: the session says so and closes."""
        try:
            if self._stopping:
                raise ClientError(Code.UNAVAILABLE, "The server is stopping")
            gone = self._table.enter(session, network_of(session.peer.host), self._clock.seconds())
        except ClientError as refusal:
            self._events.event("refused", address=session.peer.host, reason=refusal.text)
            self._await_end(session)
            raise
        if gone is not None:
            self._events.event("login_pushed_out", address=gone.peer.host, by=session.peer.host)
            self._dismiss(gone, Code.LIMIT, "Too many connections wait for their login")
        self._set_timer()

    def authenticated(self, session: ISession, user: str) -> None:
        """The session logged in. ``ClientError`` when it may not: it waits for its login as before."""
        self._table.log_in(session, user)

    def closed(self, session: ISession) -> None:
        """The connection is gone. Harmless when it was never opened, or twice."""
        self._table.leave(session)
        self._leaving.pop(session, None)
        if self._emptied is not None and not self._leaving:
            emptied, self._emptied = self._emptied, None
            emptied.callback(None)

    # -- stopping

    async def drain(self, seconds: float = DRAIN_SECONDS) -> int:
        """Refuse who comes, tell everybody to go and wait for them; how many had to be cut off after ``seconds``."""
        self._stopping = True
        for session in self.sessions():
            self._table.leave(session)
            self._dismiss(session, Code.UNAVAILABLE, "The server is stopping")
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        await self._until_empty(seconds)
        rest = list(self._leaving)
        for session in rest:
            session.abort()
        await self._until_empty(ABORT_SECONDS)
        return len(rest)

    async def _until_empty(self, seconds: float) -> None:
        if not self._leaving:
            return
        emptied: Deferred[None] = Deferred()
        self._emptied = emptied
        timer = self._clock.callLater(seconds, self._give_up)
        await emptied
        if timer.active():
            timer.cancel()

    def _give_up(self) -> None:
        assert self._emptied is not None  # else the timer had been cancelled
        emptied, self._emptied = self._emptied, None
        emptied.callback(None)

    # -- those who must go

    def _dismiss(self, session: ISession, code: Code | None, text: str) -> None:
        self._await_end(session)
        session.say_goodbye(code, text)

    def _await_end(self, session: ISession) -> None:
        """Remember one that was told to go. Too many of them at once are a flood: the oldest is cut off."""
        self._leaving[session] = None
        if len(self._leaving) > self._limits.unauthenticated_connections and not self._stopping:
            oldest, _ = self._leaving.popitem(last=False)
            oldest.abort()

    def _set_timer(self) -> None:
        """One timer for all: whoever came first is late first."""
        deadline = self._table.next_deadline()
        if self._timer is None and deadline is not None:
            self._timer = self._clock.callLater(max(0.0, deadline - self._clock.seconds()), self._end_waits)

    def _end_waits(self) -> None:
        self._timer = None
        for session in self._table.overdue(self._clock.seconds()):
            self._events.event("login_timed_out", address=session.peer.host)
            self._dismiss(session, None, "No login within the time allowed")
        self._set_timer()
