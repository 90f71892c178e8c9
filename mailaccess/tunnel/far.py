"""The far end of a connection, and what opens it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from mailaccess.tunnel.stream import Stream
from mailaccess.tunnel.visitor import Visitor


@dataclass(frozen=True, slots=True)
class Far:
    """A server's end, ready: its first words are read and not told to the client yet."""

    stream: Stream
    name: str
    greeting: bytes = b""
    outcome: Callable[[], Awaitable[str]] | None = None
    """A program's end, and how it ended; None for what is no program."""

    release: Callable[[], None] = lambda: None
    """Call when the connection is over, so that it is not counted any more."""


class Destination(Protocol):
    """What opens the far end."""

    async def open(self, visitor: Visitor) -> Far:
        """The far end for ``visitor``. A ``TunnelFault`` says why there is none."""
