"""A service of the tunnel as Twisted sees it: a factory whose connections are sessions."""

from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.protocol import ServerFactory
from twisted.python.failure import Failure

from mailaccess.interfaces import IEvents
from mailaccess.ops.addresses import plain_host
from mailaccess.tunnel.plan import Plan
from mailaccess.tunnel.session import Session
from mailaccess.tunnel.sockets import SocketStream
from mailaccess.tunnel.visitor import LOCAL, Visitor


class TunnelFactory(ServerFactory):
    """Runs a session of ``plan`` for each connection. ``clock`` is the reactor."""

    noisy = False

    def __init__(self, plan: Plan, clock: Any, events: IEvents) -> None:
        self.plan = plan
        self._clock = clock
        self._events = events
        self._sessions: set[Session] = set()
        self._emptied: Deferred[None] | None = None

    def __len__(self) -> int:
        return len(self._sessions)

    def buildProtocol(self, addr: object) -> SocketStream:  # noqa: N802
        """A stream that begins a session when it is connected."""
        return SocketStream(self._begin)

    def _begin(self, near: SocketStream) -> None:
        session = Session(self.plan, near, _visitor(near.transport), self._clock, self._events)
        self._sessions.add(session)
        running = Deferred.fromCoroutine(session.run())
        running.addErrback(self._incident)
        running.addCallback(lambda _: self._over(session))

    def _incident(self, failure: Failure) -> None:
        assert failure.value is not None  # Twisted's annotation allows it
        self._events.incident(f"a session of {self.plan.name}", failure.value)

    def _over(self, session: Session) -> None:
        self._sessions.discard(session)
        if self._emptied is not None and not self._sessions:
            emptied, self._emptied = self._emptied, None
            emptied.callback(None)

    async def drain(self, seconds: float) -> None:
        """Let sessions go on for ``seconds``, then end those that are left. The listener accepts no more by now."""
        timer = self._clock.callLater(seconds, self._end_all)
        await self.until_empty()
        if timer.active():
            timer.cancel()

    async def until_empty(self) -> None:
        """Wait for the end of all sessions."""
        if self._sessions:
            self._emptied = self._emptied or Deferred()
            await self._emptied

    def _end_all(self) -> None:
        for session in list(self._sessions):
            session.abort("the service is stopping")


def _visitor(transport: Any) -> Visitor:
    return Visitor(*_end(transport.getPeer()), *_end(transport.getHost()))


def _end(address: Any) -> tuple[str, int]:
    return plain_host(getattr(address, "host", LOCAL)), getattr(address, "port", 0)
