"""A TCP or UNIX socket as a stream: Twisted's transport below, ``read`` and ``write`` above.

Nothing is lost at close: ``end`` returns when everything was handed to the kernel, and ``abort`` after that closes in
order instead of with a reset, which would take back what the kernel has not sent yet.
"""

from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IHalfCloseableProtocol, IPushProducer, ITCPTransport
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer

from mailaccess.ops.transport import send_now, unsent_octets
from mailaccess.tunnel.faults import StreamLost

T = TypeVar("T")

HELD_BYTES = 64 * 1024
"""What may come in while nobody reads, before the kernel's buffers are left to fill: a read of the reactor."""

RESET = "the other side has reset the connection"


@implementer(IHalfCloseableProtocol, IPushProducer)
class SocketStream(Protocol):
    """See :class:`~mailaccess.tunnel.stream.Stream`. ``connected_to`` is called when there is a connection."""

    transport: Any

    def __init__(self, connected_to: Callable[["SocketStream"], None] | None = None) -> None:
        self._connected_to = connected_to
        self._held: list[bytes] = []
        self._held_bytes = 0
        self._reader: Deferred[bytes] | None = None
        self._writers: list[Deferred[None]] = []
        self._read_ended = False
        self._write_ended = False
        self._write_ending = False
        self._full = False
        self._reading_paused = False
        self._lost: str | None = None
        self._was_reset = False
        self._work: Deferred[Any] | None = None

    # -- Stream

    async def read(self) -> bytes:
        """The next octets; ``b""`` at their end."""
        if self._held:
            return self._take()
        if self._read_ended:
            return b""
        if self._lost is not None:
            raise StreamLost(self._lost)
        if self._reading_paused:
            self._reading_paused = False
            self.transport.resumeProducing()
        self._reader = Deferred()
        return await self._reader

    def _take(self) -> bytes:
        data = self._held[0] if len(self._held) == 1 else b"".join(self._held)
        self._held.clear()
        self._held_bytes = 0
        return data

    def unread(self, data: bytes) -> None:
        """Put back what was read too far."""
        self._held.insert(0, data)
        self._held_bytes += len(data)

    async def write(self, data: bytes) -> None:
        """Send, and wait for room."""
        if self._lost is not None:
            raise StreamLost(self._lost)
        if self._was_reset or not send_now(self.transport, data):
            self._was_reset = True
            raise StreamLost(RESET)
        if self._full:
            await self._change()

    async def end(self) -> None:
        """Send FIN after what was written; returns when the kernel has it all."""
        if self._lost is not None:
            raise StreamLost(self._lost)
        if not self._write_ending:
            self._write_ending = True
            self.transport.unregisterProducer()
            self._full = False  # nobody says any more when there is room; TLS may still have a few octets to answer
            self.transport.loseWriteConnection()
        while not self._write_ended:
            await self._change()

    def unsent(self) -> int:
        """How many octets Twisted and the kernel still hold."""
        return unsent_octets(self.transport) if self._lost is None else 0

    def abort(self, reason: str) -> None:
        """Cut both directions, or let go in order where everything was said."""
        if self._lost is not None:
            return
        cut = self.transport.loseConnection if self._write_ended else self.transport.abortConnection
        self._lose(reason)  # before Twisted has a reason of its own
        cut()

    async def while_connected(self, work: Coroutine[Any, Any, T]) -> T:
        """What ``work`` comes to. It is cancelled where the connection is lost before, and ``StreamLost`` raised.

        A client that has only ended what it says is still there.
        """
        if self._lost is not None:
            work.close()
            raise StreamLost(self._lost)
        running: Deferred[T] = Deferred.fromCoroutine(work)
        self._work = running
        try:
            return await running
        except CancelledError:
            if self._lost is None:
                raise
            raise StreamLost(self._lost) from None
        finally:
            self._work = None

    # -- Twisted's side

    def connectionMade(self) -> None:  # noqa: N802
        """There is a connection."""
        self.transport.registerProducer(self, True)
        if ITCPTransport.providedBy(self.transport):
            self.transport.setTcpNoDelay(True)  # what is written here is whole
            self.transport.setTcpKeepAlive(True)  # a peer that lost its power says nothing
        if self._connected_to is not None:
            self._connected_to(self)

    def dataReceived(self, data: bytes) -> None:  # noqa: N802
        """Octets came."""
        if self._reader is not None:
            reader, self._reader = self._reader, None
            reader.callback(data)
            return
        self._held.append(data)
        self._held_bytes += len(data)
        if self._held_bytes >= HELD_BYTES:
            self._reading_paused = True
            self.transport.pauseProducing()

    def readConnectionLost(self) -> None:  # noqa: N802
        """The other side has said everything; or so it seems, where writing was told of a reset."""
        if self._was_reset:
            self.abort(RESET)
            return
        self._read_ended = True
        if self._reader is not None:
            reader, self._reader = self._reader, None
            reader.callback(b"")

    def writeConnectionLost(self) -> None:  # noqa: N802
        """Our FIN is out."""
        self._write_ended = True
        self._changed()

    def connectionLost(self, reason: Failure = connectionDone) -> None:  # noqa: N802
        """The connection is gone."""
        self._lose(_words(reason))

    def pauseProducing(self) -> None:  # noqa: N802
        """The transport holds enough."""
        self._full = True

    def resumeProducing(self) -> None:  # noqa: N802
        """The transport has room again."""
        self._full = False
        self._changed()

    def stopProducing(self) -> None:  # noqa: N802
        """``connectionLost`` follows."""

    # -- waiting

    def _lose(self, reason: str) -> None:
        if self._lost is not None:
            return
        self._lost = reason
        if self._reader is not None:
            reader, self._reader = self._reader, None
            reader.errback(StreamLost(reason))
        if self._work is not None:
            self._work.cancel()
        self._changed()

    async def _change(self) -> None:
        """Wait until there is room, or the end is out; ``StreamLost``."""
        waiting: Deferred[None] = Deferred()
        self._writers.append(waiting)
        await waiting

    def _changed(self) -> None:
        writers, self._writers = self._writers, []
        for waiting in writers:
            if self._lost is None:
                waiting.callback(None)
            else:
                waiting.errback(StreamLost(self._lost))


def _words(reason: Failure) -> str:
    """Why a connection is gone, for the log: Twisted's sentence without its full stop."""
    return str(reason.value).rstrip(".") or type(reason.value).__name__
