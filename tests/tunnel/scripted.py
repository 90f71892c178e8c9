"""A stream that follows a script: what the other side says, and what it was told, without a socket or a clock."""

from collections.abc import Coroutine
from typing import Any, TypeVar

from mailaccess.tunnel.faults import StreamLost, TunnelFault

T = TypeVar("T")


class Scripted:
    """Gives ``said`` piece by piece, then the end; remembers what was written to it.

    ``answers`` are given, one for each write, after ``said`` was read: a server that replies.
    """

    def __init__(self, *said: bytes, answers: list[bytes] | None = None) -> None:
        self._said = [piece for piece in said if piece]
        self._answers = list(answers or [])
        self.written = b""
        self.ended = False
        self.aborted: str | None = None

    async def read(self) -> bytes:
        if self.aborted is not None:
            raise StreamLost(self.aborted)
        return self._said.pop(0) if self._said else b""

    def unread(self, data: bytes) -> None:
        self._said.insert(0, data)

    async def write(self, data: bytes) -> None:
        if self.aborted is not None:
            raise StreamLost(self.aborted)
        self.written += data
        if self._answers:
            self._said.append(self._answers.pop(0))

    async def end(self) -> None:
        self.ended = True

    def unsent(self) -> int:
        return 0

    def abort(self, reason: str) -> None:
        self.aborted = self.aborted or reason


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    """What a coroutine returns that never has to wait."""
    try:
        coroutine.send(None)
    except StopIteration as done:
        result: T = done.value
        return result
    raise AssertionError("it waits for something")


def fault_of(coroutine: Coroutine[Any, Any, object]) -> str:
    """What the log would have of a coroutine that may end in one of the tunnel's faults; empty where it does not."""
    try:
        run(coroutine)
    except TunnelFault as fault:
        return str(fault)
    return ""


def octet_by_octet(data: bytes) -> list[bytes]:
    """The pieces of the slowest sender there is."""
    return [data[place : place + 1] for place in range(len(data))]
