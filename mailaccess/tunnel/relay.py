"""Octets both ways between two streams, until both directions have ended.

1. Each direction ends by itself: what one side ends is ended towards the other, after everything it said.
2. A side that is reset resets the other: its client must not take what it got for the whole (RFC 9293 §3.5.3). What
   it had sent before is delivered as far as the kernel has taken it.
3. Nothing waits for ever: ``idle_seconds`` without an octet in either direction, ``close_seconds`` once one has ended.
   A side that reads slowly is not idle.
4. A side that is lost is noticed also when the other takes nothing more from it: what it says then is dropped.
"""

from contextlib import suppress
from dataclasses import dataclass

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime

from mailaccess.tunnel.faults import StreamLost
from mailaccess.tunnel.stream import Stream

FLUSH_SECONDS = 10.0
"""What a side gets at the least, between two octets, to take what was said before the end."""


@dataclass(slots=True)
class Flow:
    """One direction: how many octets went through, and whether it has ended, with all of them delivered."""

    octets: int = 0
    ended: bool = False


class Relay:
    """Joins ``near`` and ``far``; :meth:`run` once."""

    def __init__(
        self, near: Stream, far: Stream, clock: IReactorTime, *, idle_seconds: float, close_seconds: float
    ) -> None:
        self._near = near
        self._far = far
        self._clock = clock
        self._patience = idle_seconds
        self._close_seconds = close_seconds
        self._last = clock.seconds()
        self._unsent = (0, 0)
        self._timer: IDelayedCall | None = None
        self._over = False
        self._client_gone = False
        self.outward = Flow()
        """From the near side to the far one."""
        self.inward = Flow()
        self.fault = ""
        """Why it ended before both directions had; empty where all is well."""

    async def run(self) -> None:
        """Returns when both directions have ended or one side is lost; the caller lets go of the streams."""
        self._watch()
        outward = Deferred.fromCoroutine(self._carry(self._near, self._far, self.outward))
        try:
            await self._carry(self._far, self._near, self.inward)
            await outward
        finally:
            self._over = True
            if self._timer is not None and self._timer.active():
                self._timer.cancel()

    async def _carry(self, source: Stream, sink: Stream, flow: Flow) -> None:
        """Everything from ``source`` to ``sink``, and its end.

        A sink that is lost is found lost by the other direction too, which first reads what it had still said.
        """
        try:
            while data := await source.read():
                flow.octets += len(data)
                self._last = self._clock.seconds()
                if not await _sent(sink, data):
                    await self._drop(source)
                    return
                self._last = self._clock.seconds()
        except StreamLost as lost:
            self.fault = self.fault or str(lost)
            sink.abort(str(lost))
            return
        self._wait_at_most(max(self._close_seconds, FLUSH_SECONDS))
        await _ended(sink)
        flow.ended = True
        self._leave_server()
        self._wait_at_most(self._close_seconds)

    async def _drop(self, source: Stream) -> None:
        """Read what nobody takes, to its end: a client is to hear a server's last words. ``StreamLost``."""
        if source is self._far:
            self._client_gone = True
            self._leave_server()
        while await source.read():
            pass

    def _leave_server(self) -> None:
        """A server whose client is gone has nobody to tell anything: it goes on only while it takes what that said."""
        if self._client_gone and self.outward.ended:
            self._far.abort("its client is gone")

    # -- patience

    def _wait_at_most(self, seconds: float) -> None:
        self._patience = min(self._patience, seconds)
        self._last = self._clock.seconds()
        self._watch()

    def _watch(self) -> None:
        """Look at the clock when patience may be at its end, and not each time an octet passes."""
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        if self._over:
            return
        now = self._clock.seconds()
        unsent = self._near.unsent(), self._far.unsent()
        if unsent != self._unsent:
            self._unsent, self._last = unsent, now
        left = self._last + self._patience - now
        if left > 0:
            self._timer = self._clock.callLater(left, self._watch)
            return
        self._timer = None
        self.fault = self.fault or f"no octet came for {self._patience:g} s"
        self._cut(self.fault)

    def _cut(self, reason: str) -> None:
        self._near.abort(reason)
        self._far.abort(reason)


async def _sent(sink: Stream, data: bytes) -> bool:
    try:
        await sink.write(data)
    except StreamLost:
        return False
    return True


async def _ended(sink: Stream) -> None:
    with suppress(StreamLost):
        await sink.end()
