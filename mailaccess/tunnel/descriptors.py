"""One direction each on a descriptor of our own: a pipe, a terminal, or one half of a duplicated socket.

Invariants:

1. Nothing is read that nobody asked for, and ``write`` returns when the kernel has all: it alone holds octets.
2. Each direction has a descriptor of its own (``os.dup`` where there is one), since a reactor knows one object for it.
3. A reactor that tells of a hang-up (EPOLLHUP) instead of readiness is not believed: the descriptor itself is asked,
   so that what is still in it is read first.
"""

import errno
import os
from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReadDescriptor, IWriteDescriptor
from twisted.python.failure import Failure
from zope.interface import implementer

from mailaccess.tunnel.faults import StreamLost

READ_BYTES = 65_536  # what a pipe of Linux holds: one call empties it

_END_OF_PROGRAM = (errno.EIO, errno.ECONNRESET)
"""A terminal says EIO when nobody has its other side open, a UNIX socket ECONNRESET where the program left something
unread: both after all that was said."""


def _nothing() -> None:
    """What happens at the end of a direction where nothing need happen."""


@implementer(IReadDescriptor)
class Inflow:
    """Reads a non-blocking descriptor, which it owns; ``at_end`` is called once, when it is closed."""

    def __init__(self, reactor: Any, descriptor: int, at_end: Callable[[], None] = _nothing) -> None:
        self._reactor = reactor
        self._descriptor = descriptor
        self._at_end = at_end
        self._held = b""
        self._lost: str | None = None
        self._asking: Deferred[bytes] | None = None

    @property
    def closed(self) -> bool:
        """Whether it was read to its end, or cut."""
        return self._descriptor == -1

    async def read(self) -> bytes:
        """The next octets; ``b""`` at their end. Raises ``StreamLost``. Nothing is lost where it is cancelled."""
        if self._lost is not None:
            raise StreamLost(self._lost)
        if self._held:
            data, self._held = self._held, b""
            return data
        if self.closed:
            return b""
        self._asking = Deferred(self._forget)
        self._reactor.addReader(self)
        return await self._asking

    def unread(self, data: bytes) -> None:
        """Put back what was read too far."""
        self._held = data + self._held

    def abort(self, reason: str) -> None:
        """Close it now; whoever reads gets ``StreamLost(reason)``, also where it had ended."""
        if self._lost is None:
            self._lost = reason
            self._close()
            asking, self._asking = self._asking, None
            if asking is not None:
                asking.errback(StreamLost(reason))

    def doRead(self) -> None:  # noqa: N802
        """Read once, for whoever asked."""
        try:
            data = os.read(self._descriptor, READ_BYTES)
        except BlockingIOError:
            return
        except OSError as error:
            if error.errno not in _END_OF_PROGRAM:
                self.abort(os.strerror(error.errno or 0))
                return
            data = b""
        asking, self._asking = self._asking, None
        if not data:
            self._close()
        if asking is not None:
            asking.callback(data)
        if self._asking is None:  # whoever asked has not asked again
            self._reactor.removeReader(self)

    def connectionLost(self, reason: Failure) -> None:  # noqa: N802
        """The reactor saw a hang-up, and there is something to read, or the end; or it stops, and there is nothing."""
        asking = self._asking
        if not self.closed:
            self.doRead()
        if asking is not None and self._asking is asking:
            self.abort("nobody is there any more")
        elif self._asking is not None:
            self._reactor.addReader(self)

    def fileno(self) -> int:
        """The descriptor; -1 when it is closed."""
        return self._descriptor

    def logPrefix(self) -> str:  # noqa: N802
        """What a failure inside the reactor is logged with."""
        return "program"

    def _forget(self, _: Deferred[bytes]) -> None:
        self._asking = None
        self._reactor.removeReader(self)

    def _close(self) -> None:
        if not self.closed:
            self._reactor.removeReader(self)
            os.close(self._descriptor)
            self._descriptor = -1
            self._at_end()


@implementer(IWriteDescriptor)
class Outflow:
    """Writes to a non-blocking descriptor, which it owns; ``finish`` gets it before it is closed by ``end``."""

    def __init__(self, reactor: Any, descriptor: int, finish: Callable[[int], None]) -> None:
        self._reactor = reactor
        self._descriptor = descriptor
        self._finish = finish
        self._rest = memoryview(b"")
        self._lost: str | None = None
        self._ending = False
        self._waiting: Deferred[None] | None = None

    async def write(self, data: bytes) -> None:
        """Return when the kernel has taken all of ``data``. Raises ``StreamLost``."""
        if self._lost is not None or self._ending:
            raise StreamLost(self._lost or "nothing is written after the end")
        self._rest = memoryview(data)
        self._send()
        if self._rest and self._lost is None:
            self._waiting = Deferred(self._forget)
            self._reactor.addWriter(self)
            await self._waiting
        if self._lost is not None:
            raise StreamLost(self._lost)

    def unsent(self) -> int:
        """How many octets the kernel has not taken yet."""
        return len(self._rest)

    def end(self) -> None:
        """Close it after what was written."""
        if not self._ending:
            self._ending = True
            if self._waiting is None:
                self._end()

    def abort(self, reason: str) -> None:
        """Close it now; whoever writes gets ``StreamLost(reason)``."""
        if self._lost is None:
            self._lost = reason
            self._rest = memoryview(b"")
            self._close()
            self._answer()

    def doWrite(self) -> None:  # noqa: N802
        """Write what is left, as far as there is room."""
        self._send()
        if not self._rest and self._lost is None:
            self._reactor.removeWriter(self)
            self._answer()
            if self._ending:
                self._end()

    def connectionLost(self, reason: Failure) -> None:  # noqa: N802
        """The reactor saw that nobody reads any more, as writing says too; or it stops."""
        waiting = self._waiting
        if self._descriptor != -1:
            self.doWrite()
        if waiting is not None and self._waiting is waiting:
            self.abort("nobody is there any more")
        elif self._waiting is not None:
            self._reactor.addWriter(self)

    def fileno(self) -> int:
        """The descriptor; -1 when it is closed."""
        return self._descriptor

    def logPrefix(self) -> str:  # noqa: N802
        """What a failure inside the reactor is logged with."""
        return "program"

    def _send(self) -> None:
        try:
            while self._rest:
                self._rest = self._rest[os.write(self._descriptor, self._rest) :]
        except BlockingIOError:
            return
        except OSError as error:
            self.abort(f"the program reads no more: {error.strerror}")

    def _answer(self) -> None:
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            waiting.callback(None)

    def _forget(self, _: Deferred[None]) -> None:
        self._waiting = None
        self.abort("a write was broken off")

    def _end(self) -> None:
        if self._descriptor != -1:
            self._finish(self._descriptor)
            self._close()

    def _close(self) -> None:
        if self._descriptor != -1:
            self._reactor.removeWriter(self)
            os.close(self._descriptor)
            self._descriptor = -1
