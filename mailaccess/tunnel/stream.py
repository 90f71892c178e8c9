"""One end of a tunnel, whatever is behind it: a socket, TLS on a socket, a program.

Invariants:

1. Octets come in order and each once; the two directions end each by itself (half-close).
2. Nobody reads faster than the other end writes: where ``read`` is not called the kernel's buffers fill up, and
   ``write`` returns when there is room again.
3. A stream that is lost says so, with :class:`~mailaccess.tunnel.faults.StreamLost`, to whoever reads or writes.
4. One coroutine at a time reads, and one writes; they need not be the same. TLS writes to the stream below it for
   either of them.
"""

from typing import Protocol


class Stream(Protocol):
    """What the tunnel needs of an end. ``tests/tunnel/scripted.py`` has one that follows a script."""

    async def read(self) -> bytes:
        """The next octets, at least one; ``b""`` at their end, and again whenever asked. Raises ``StreamLost``."""

    def unread(self, data: bytes) -> None:
        """Put back what was read too far: the next ``read`` begins with it. Nobody may be reading."""

    async def write(self, data: bytes) -> None:
        """Send ``data``, and wait until there is room for more. Raises ``StreamLost``."""

    async def end(self) -> None:
        """Say that nothing more will be written, after what was. Harmless twice."""

    def unsent(self) -> int:
        """How many octets were written that the other side has not taken yet: while it changes, somebody reads."""

    def abort(self, reason: str) -> None:
        """Cut both directions at once: whoever reads or writes gets ``StreamLost(reason)``. Harmless twice."""
