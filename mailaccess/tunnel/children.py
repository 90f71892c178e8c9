"""A process of ours, from its start until it is reaped, without SIGCHLD.

Its end is seen through a descriptor (``pidfd_open``), and only its own pid is waited for: neither the reactor's signal
handlers nor an embedder's other children come into it.
"""

import os
import signal
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReadDescriptor
from twisted.python.failure import Failure
from zope.interface import implementer

GRACE_SECONDS = 5.0  # between SIGTERM and SIGKILL: long enough to write a mailbox back, short enough for a stop
POLL_SECONDS = 0.25  # where the kernel has no pidfd_open (before Linux 5.3), or no descriptor is left
UNKNOWN = "unknown"

FileAction = tuple[Any, ...]
"""One of ``os.posix_spawn``'s: ``(os.POSIX_SPAWN_DUP2, 7, 0)``."""


def spawn(path: str, arguments: Sequence[str], environment: Mapping[str, str], actions: Sequence[FileAction]) -> int:
    """Start a program, and return its pid; ``OSError`` where it cannot be started.

    It has a session and process group of its own, all signals at their default and none blocked, and no descriptor
    of ours but those that ``actions`` give it. Its working directory is ours.
    """
    return os.posix_spawnp(
        path,
        list(arguments),
        environment,
        file_actions=[*((os.POSIX_SPAWN_CLOSE, descriptor) for descriptor in _inheritable()), *actions],
        setsid=True,
        setsigmask=(),
        setsigdef=signal.valid_signals(),
    )


def _inheritable() -> list[int]:
    """Descriptors that a program would get: those we were started with ourselves (LISTEN_FDS); Python makes none.

    Looked up each time, for an embedder may make some: a millisecond for a thousand descriptors.
    """
    return [number for number in map(int, os.listdir("/dev/fd")) if number > 2 and _is_inheritable(number)]


def _is_inheritable(descriptor: int) -> bool:
    try:
        return os.get_inheritable(descriptor)
    except OSError:  # the listing's own, which is closed by now
        return False


@implementer(IReadDescriptor)
class Child:
    """A process that ``spawn`` started, and its group."""

    def __init__(self, reactor: Any, pid: int) -> None:
        self._reactor = reactor
        self.pid = pid
        self._status: str | None = None
        self._waiting: list[Deferred[None]] = []
        self._kill: Any = None
        self._put_down = False
        self._descriptor = _watch(pid)
        if self._descriptor == -1:
            self._look()
        else:
            reactor.addReader(self)

    async def ended(self) -> str:
        """Wait for its end: its exit status in decimal digits, the name of the signal that ended it, or ``unknown``.

        Unknown where the process ignores SIGCHLD, so that the kernel tells nobody.
        """
        if self._status is None:
            waiting: Deferred[None] = Deferred()
            self._waiting.append(waiting)
            await waiting
        assert self._status is not None
        return self._status

    def signal_group(self, number: int) -> None:
        """Send a signal to it and its children; nothing where it is gone."""
        if self._status is None:
            with suppress(ProcessLookupError, PermissionError):  # gone this moment; or now another user's
                os.killpg(self.pid, number)

    def put_down(self, first: int) -> None:
        """Send ``first``, and SIGKILL after ``GRACE_SECONDS`` where that did not help. What is left of its group when
        it has ended is killed. Harmless twice."""
        if self._status is None and not self._put_down:
            self._put_down = True
            self._kill = self._reactor.callLater(GRACE_SECONDS, self.signal_group, signal.SIGKILL)
            self.signal_group(first)

    def doRead(self) -> None:  # noqa: N802
        """The kernel says that it has ended."""
        self._look()

    def connectionLost(self, reason: Failure) -> None:  # noqa: N802
        """The same, from a reactor that calls it a hang-up."""
        self._look()

    def fileno(self) -> int:
        """The descriptor that stands for the process; -1 for none."""
        return self._descriptor

    def logPrefix(self) -> str:  # noqa: N802
        """What a failure inside the reactor is logged with."""
        return "program"

    def _look(self) -> None:
        """Reap it if it has ended, but the rest of its group first: from then on its pid may be another's."""
        if self._status is not None:
            return
        try:
            if os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
                if self._descriptor == -1:
                    self._reactor.callLater(POLL_SECONDS, self._look)
                return
            if self._put_down:
                self.signal_group(signal.SIGKILL)
            self._over(_words(os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])))
        except ChildProcessError:
            self._over(UNKNOWN)

    def _over(self, status: str) -> None:
        self._status = status
        if self._descriptor != -1:
            self._reactor.removeReader(self)
            os.close(self._descriptor)
            self._descriptor = -1
        if self._kill is not None and self._kill.active():
            self._kill.cancel()
        waiting, self._waiting = self._waiting, []
        for each in waiting:
            each.callback(None)


def _watch(pid: int) -> int:
    """A descriptor that is readable when ``pid`` has ended; -1 where there is none to be had."""
    try:
        return os.pidfd_open(pid)
    except OSError:
        return -1


def _words(code: int) -> str:
    if code >= 0:
        return str(code)
    try:
        return signal.Signals(-code).name
    except ValueError:  # a real-time signal
        return f"signal {-code}"
