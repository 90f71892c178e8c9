"""How fast output goes: as the client takes it, and never so long that others wait for their turn."""

from collections.abc import Callable

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IPushProducer, IReactorTime
from zope.interface import implementer

from mailaccess.errors import Disconnected

TURN_SECONDS = 0.02
"""How long one session may work before the others have their turn: nobody's NOOP is to wait 50 ms."""


@implementer(IPushProducer)
class Outflow:
    """What the client has not taken yet, as the transport tells it; ends a connection on which nothing moves.

    It is registered with the transport as its streaming producer. ``stalled`` is called when the client took nothing of
    what fills the transport for ``stall_seconds``.
    """

    def __init__(self, clock: IReactorTime, stall_seconds: float, stalled: Callable[[], None]) -> None:
        self._clock = clock
        self._stall_seconds = stall_seconds
        self._stalled = stalled
        self._stall: IDelayedCall | None = None
        self._turn: IDelayedCall | None = None
        self._turn_began = clock.seconds()
        self._waiting: Deferred[None] | None = None
        self._lost = False
        self.paused = False
        """Whether the transport holds enough: the client is slow."""

    @property
    def full(self) -> bool:
        """Whether more output must wait for :meth:`room`."""
        return self.paused or self._lost or self._clock.seconds() - self._turn_began > TURN_SECONDS

    def begin_turn(self) -> None:
        """The reactor calls us: the time that others wait begins."""
        self._turn_began = self._clock.seconds()

    async def room(self) -> None:
        """Wait until the client has taken what was sent, or for a turn of the others; raises ``Disconnected``."""
        if self._lost:
            raise Disconnected
        if not self.paused:
            self._turn = self._clock.callLater(0, self._go_on)
        self._waiting = Deferred()
        await self._waiting

    def pauseProducing(self) -> None:  # noqa: N802  # IPushProducer
        """The transport holds enough."""
        if not self.paused:
            self.paused = True
            self._stall = self._clock.callLater(self._stall_seconds, self._stalled)

    def resumeProducing(self) -> None:  # noqa: N802  # IPushProducer
        """The client has taken everything."""
        self.paused = False
        self._cancel()
        self._go_on()

    def stopProducing(self) -> None:  # noqa: N802  # IPushProducer
        """The connection is gone: whoever waits gets ``Disconnected``. Harmless when repeated."""
        self._lost = True
        self._cancel()
        if self._waiting is not None:
            waiting, self._waiting = self._waiting, None
            waiting.errback(Disconnected())

    def _go_on(self) -> None:
        self._turn = None
        self.begin_turn()
        if self._waiting is not None and not self.paused:
            waiting, self._waiting = self._waiting, None
            waiting.callback(None)

    def _cancel(self) -> None:
        for call in (self._stall, self._turn):
            if call is not None and call.active():
                call.cancel()
        self._stall = self._turn = None
