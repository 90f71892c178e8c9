"""Hear of what other programs do to a mailbox: inotify on its ``new/`` and ``cur/``, and polling where there is none.

Twisted's own ``INotify`` is not used: it gives up its descriptor, and so every watch of the process, when one watched
directory is deleted, and it drops the kernel's word that events were lost.

1. One inotify descriptor for each process; a directory that several mailboxes name is watched once.
2. However many events come, ``changed`` is called at most once in ``DEBOUNCE_SECONDS``, and always after the last one.
3. When the kernel lost events (``IN_Q_OVERFLOW``), everybody is told.
4. Where a directory cannot be watched (``fs.inotify.max_user_watches``, no inotify), its mailbox is polled, and the
   operator reads why, once.
"""

import ctypes
import errno
import os
import struct
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from twisted.internet.interfaces import IReadDescriptor
from zope.interface import implementer

from mailaccess.interfaces import IEvents

SETTLE_SECONDS = 0.003
"""A deliverer makes two or three events for a message, a flag change two: they are looked at together."""

DEBOUNCE_SECONDS = 0.02
"""From one look to the next, however much happens: a folder of 10,000 messages takes some 15 ms to list."""

POLL_SECONDS = 1.0
"""How often a mailbox is looked at that cannot be watched; where nothing changed it costs a few ``stat`` calls."""

READ_BYTES = 64 * 1024
"""What is read of the kernel's events at a time: some 1,500 of them."""

READS = 64
"""Reads at once: more than the kernel queues (16,384 events), so that only a flood without end is left for later."""

_IN_MOVED_FROM, _IN_MOVED_TO, _IN_CREATE, _IN_DELETE = 0x40, 0x80, 0x100, 0x200
_IN_DELETE_SELF, _IN_MOVE_SELF = 0x400, 0x800
_IN_ONLYDIR, _IN_DONT_FOLLOW = 0x01000000, 0x02000000
_IN_Q_OVERFLOW, _IN_IGNORED = 0x4000, 0x8000
_MASK = (
    (_IN_MOVED_FROM | _IN_MOVED_TO | _IN_CREATE | _IN_DELETE)
    | (_IN_DELETE_SELF | _IN_MOVE_SELF)
    | (_IN_ONLYDIR | _IN_DONT_FOLLOW)
)
_EVENT = struct.Struct("=iIII")


class Inotify:
    """The three system calls of inotify(7) that are needed. ``OSError`` where they fail, or do not exist."""

    def __init__(self) -> None:
        self._libc = ctypes.CDLL(None, use_errno=True)
        try:
            init = self._libc.inotify_init1
        except AttributeError:
            raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS)) from None
        self.descriptor = self._checked(init(os.O_NONBLOCK | os.O_CLOEXEC))

    def add(self, directory: Path) -> int:
        """Watch a directory; returns the kernel's number for it, the same one for the same directory."""
        return self._checked(self._libc.inotify_add_watch(self.descriptor, os.fsencode(directory), _MASK))

    def remove(self, number: int) -> None:
        """End what ``add`` began. The kernel may have ended it before, with the directory."""
        self._libc.inotify_rm_watch(self.descriptor, number)

    def events(self) -> Iterator[tuple[int, int]]:
        """``(number, mask)`` of all that happened since the last call."""
        for _ in range(READS):
            try:
                data = os.read(self.descriptor, READ_BYTES)
            except BlockingIOError:
                return
            at = 0
            while at < len(data):
                number, mask, _, length = _EVENT.unpack_from(data, at)
                at += _EVENT.size + length
                yield number, mask

    def close(self) -> None:
        """Let go of the descriptor, and of every watch with it."""
        os.close(self.descriptor)

    @staticmethod
    def _checked(result: int) -> int:
        if result < 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))
        return result


class Watch:
    """Who wants to know: calls ``changed`` once for any number of events that come close together.

    ``Watcher.watch`` makes it, :meth:`end` ends it.
    """

    def __init__(self, reactor: Any, watcher: "Watcher", changed: Callable[[], object]) -> None:
        self._reactor = reactor
        self._watcher = watcher
        self._changed = changed
        self._waiting: Any = None
        self._every: float | None = None
        self._still = False
        self._called_at = -DEBOUNCE_SECONDS
        self.numbers: set[int] = set()

    def settle(self) -> None:
        """The directories are about to be looked at: :meth:`is_still` until something happens after this."""
        self._watcher.doRead()
        self._still = True

    def is_still(self) -> bool:
        """Whether surely nothing happened since :meth:`settle`: the kernel is asked. Never True of what is polled."""
        if self._still and self._every is None:
            self._watcher.doRead()
        return self._still and self._every is None

    def poke(self) -> None:
        """Something happened."""
        self._still = False
        if self._waiting is None:
            next_at: float = self._called_at + DEBOUNCE_SECONDS - self._reactor.seconds()
            self._waiting = self._reactor.callLater(max(SETTLE_SECONDS, next_at), self._call)

    def poll(self, seconds: float) -> None:
        """From now on something may have happened at any time."""
        self._every = seconds
        if self._waiting is None:
            self._waiting = self._reactor.callLater(seconds, self._call)

    def end(self) -> None:
        """Call no more. Harmless when repeated."""
        self._every = None
        self._still = False
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None
        self._watcher.forget(self)

    def _call(self) -> None:
        self._waiting = None
        self._called_at = self._reactor.seconds()
        if self._every is not None:
            self.poll(self._every)
        self._changed()


@implementer(IReadDescriptor)
class Watcher:
    """Watches directories for a whole process. ``open_inotify`` gives what talks to the kernel."""

    def __init__(self, reactor: Any, events: IEvents, open_inotify: Callable[[], Inotify] = Inotify) -> None:
        self._reactor = reactor
        self._events = events
        self._open_inotify = open_inotify
        self._inotify: Inotify | None = None
        self._interests: dict[int, list[Watch]] = {}
        self._complained = False

    def watch(self, directories: Iterable[Path], changed: Callable[[], object]) -> Watch:
        """Call ``changed`` in the reactor thread when something in the directories did, until the watch is ended.

        ``changed`` may be called when nothing changed.
        """
        interest = Watch(self._reactor, self, changed)
        try:
            for directory in directories:
                number = self._started().add(directory)
                interest.numbers.add(number)
                self._interests.setdefault(number, []).append(interest)
        except OSError as error:
            interest.poll(POLL_SECONDS)
            self._complain(error)
        return interest

    def stop(self) -> None:
        """End every watch and let go of the descriptor; ``watch`` begins anew."""
        for interest in {interest for interests in self._interests.values() for interest in interests}:
            interest.end()
        if self._inotify is not None:
            self._reactor.removeReader(self)
            self._inotify.close()
            self._inotify = None

    def fileno(self) -> int:
        """The inotify descriptor, -1 where there is none."""
        return -1 if self._inotify is None else self._inotify.descriptor

    def logPrefix(self) -> str:  # noqa: N802 - Twisted calls us
        """How Twisted names us in its log."""
        return "watch"

    def doRead(self) -> None:  # noqa: N802 - Twisted calls us
        """Take what the kernel has to say."""
        if self._inotify is None:
            return
        for number, mask in self._inotify.events():
            told = [*self._interests] if mask & _IN_Q_OVERFLOW else [number]
            for interest in {interest for each in told for interest in self._interests.get(each, ())}:
                interest.poke()
            if mask & _IN_IGNORED:
                self._vanished(number)

    def connectionLost(self, reason: object) -> None:  # noqa: N802 - Twisted calls us
        """The reactor stops, or the descriptor failed."""
        self.stop()

    def _started(self) -> Inotify:
        if self._inotify is None:
            self._inotify = self._open_inotify()
            self._reactor.addReader(self)
        return self._inotify

    def _vanished(self, number: int) -> None:
        """The directory is gone: look from time to time whether it came back, as when a backup was put in its place."""
        for interest in self._interests.pop(number, ()):
            interest.numbers.discard(number)
            interest.poll(POLL_SECONDS)

    def forget(self, interest: Watch) -> None:
        """Watch no more for one that has ended."""
        while interest.numbers:
            number = interest.numbers.pop()
            others = self._interests[number]
            others.remove(interest)
            if not others:
                del self._interests[number]
                if self._inotify is not None:
                    self._inotify.remove(number)

    def _complain(self, error: OSError) -> None:
        if not self._complained:
            self._complained = True
            self._events.event("watch-polling", reason=error.strerror, interval_seconds=POLL_SECONDS)
