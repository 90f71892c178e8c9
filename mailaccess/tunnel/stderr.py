"""What a program says on its standard error: for the log, never for the client."""

import os
from typing import Any

from twisted.internet.interfaces import IReadDescriptor
from twisted.python.failure import Failure
from zope.interface import implementer

from mailaccess.interfaces import IEvents

LINE_BYTES = 1000  # of one line; the rest of it is left out
LINES = 60  # of one program in WINDOW_SECONDS; the others are counted
WINDOW_SECONDS = 60.0
_READ_BYTES = 4096
_LAST_READS = 16  # when all is over: a pipe holds no more, and a grandchild may go on for ever


@implementer(IReadDescriptor)
class StandardError:
    """Makes an event ``program_says`` of each line from a non-blocking descriptor, which it owns."""

    def __init__(self, reactor: Any, descriptor: int, events: IEvents, service: str, pid: int) -> None:
        self._reactor = reactor
        self._descriptor = descriptor
        self._events = events
        self._who = {"service": service, "pid": pid}
        self._line = b""
        self._said = self._left_out = 0
        self._window = reactor.seconds()
        reactor.addReader(self)

    def close(self) -> None:
        """Read what is there, and no more."""
        for _ in range(_LAST_READS):
            if not self._read():
                break
        self._close()

    def doRead(self) -> None:  # noqa: N802
        """Read once."""
        self._read()

    def connectionLost(self, reason: Failure) -> None:  # noqa: N802
        """The reactor saw that nobody has the other side any more."""
        self.close()

    def fileno(self) -> int:
        """The descriptor; -1 when it is closed."""
        return self._descriptor

    def logPrefix(self) -> str:  # noqa: N802
        """What a failure inside the reactor is logged with."""
        return "program"

    def _read(self) -> bool:
        """Whether there may be more."""
        if self._descriptor == -1:
            return False
        try:
            data = os.read(self._descriptor, _READ_BYTES)
        except BlockingIOError:
            return False
        if not data:
            self._close()
            return False
        first, *others = data.split(b"\n")
        self._more(first)
        for piece in others:
            self._say()
            self._more(piece)
        return True

    def _more(self, piece: bytes) -> None:
        self._line += piece[: LINE_BYTES - len(self._line)]

    def _say(self) -> None:
        text, self._line = self._line.decode("utf-8", "backslashreplace").strip(), b""
        if not text:
            return
        if self._reactor.seconds() - self._window >= WINDOW_SECONDS:
            self._count()
        if self._said < LINES:
            self._said += 1
            self._events.event("program_says", **self._who, line=text)
        else:
            self._left_out += 1

    def _count(self) -> None:
        """Tell how many lines were left out, and begin anew."""
        if self._left_out:
            self._events.event("program_says_more", **self._who, lines=self._left_out)
        self._said = self._left_out = 0
        self._window = self._reactor.seconds()

    def _close(self) -> None:
        if self._descriptor != -1:
            self._reactor.removeReader(self)
            os.close(self._descriptor)
            self._descriptor = -1
            self._say()
            self._count()
