"""Changes by other programs are heard of: the kernel is real, time is not."""

import errno
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.task import Clock
from zope.interface import implementer

from mailaccess.interfaces import IEvents
from mailaccess.store.watch import DEBOUNCE_SECONDS, POLL_SECONDS, SETTLE_SECONDS, Inotify, Watcher


class Reactor(Clock):
    """Twisted's clock, with readers that the test reads."""

    def __init__(self) -> None:
        super().__init__()
        self.readers: list[Any] = []

    def addReader(self, reader: Any) -> None:
        self.readers.append(reader)

    def removeReader(self, reader: Any) -> None:
        self.readers.remove(reader)

    def turn(self, seconds: float = DEBOUNCE_SECONDS) -> None:
        """The kernel's events come in, and then time passes."""
        for reader in tuple(self.readers):
            reader.doRead()
        self.advance(seconds)


@implementer(IEvents)
class Log:
    """Remembers events."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def event(self, name: str, /, **fields: object) -> None:
        self.lines.append(name)

    def incident(self, what: str, error: BaseException) -> str:
        raise AssertionError(what) from error


class Calls:
    """Counts."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self) -> None:
        self.count += 1


@pytest.fixture
def reactor() -> Reactor:
    return Reactor()


@pytest.fixture
def log() -> Log:
    return Log()


@pytest.fixture
def watcher(reactor: Reactor, log: Log) -> Iterator[Watcher]:
    watcher = Watcher(reactor, log)
    yield watcher
    watcher.stop()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("new", "cur", "tmp"):
        (tmp_path / name).mkdir()
    return tmp_path


def deliver(folder: Path, name: str = "1.a.b") -> Path:
    (folder / "tmp" / name).write_bytes(b"Subject: x\n\n")
    return (folder / "tmp" / name).rename(folder / "new" / name)


def change_flags(folder: Path) -> None:
    deliver(folder).rename(folder / "cur" / "1.a.b:2,S")


def expunge(folder: Path) -> None:
    deliver(folder).unlink()


def link(folder: Path) -> None:
    (folder / "tmp" / "x").write_bytes(b"")
    os.link(folder / "tmp" / "x", folder / "cur" / "x:2,")


@pytest.mark.parametrize("act", [deliver, change_flags, expunge, link])
def test_what_others_do_is_heard_of_once(
    act: Callable[[Path], object], watcher: Watcher, reactor: Reactor, folder: Path
) -> None:
    calls = Calls()
    watcher.watch([folder / "new", folder / "cur"], calls)
    reactor.turn()
    assert calls.count == 0
    act(folder)
    reactor.turn()
    assert calls.count == 1
    reactor.turn()
    assert calls.count == 1


def test_an_event_after_a_call_makes_another(watcher: Watcher, reactor: Reactor, folder: Path) -> None:
    calls = Calls()
    watcher.watch([folder / "new"], calls)
    deliver(folder, "1")
    reactor.turn()
    deliver(folder, "2")
    reactor.turn()
    assert calls.count == 2


def test_the_first_event_is_told_soon_and_many_are_told_seldom(
    watcher: Watcher, reactor: Reactor, folder: Path
) -> None:
    calls = Calls()
    watcher.watch([folder / "new"], calls)
    counts = []
    for number in range(1, 22):
        deliver(folder, str(number))
        reactor.turn(SETTLE_SECONDS)
        counts.append(calls.count)
    assert counts[0] == 1
    assert calls.count <= 1 + 21 * SETTLE_SECONDS / DEBOUNCE_SECONDS
    reactor.turn(DEBOUNCE_SECONDS)
    assert calls.count > counts[-1], "the last one is told too"


def test_reading_a_message_is_no_event(watcher: Watcher, reactor: Reactor, folder: Path) -> None:
    message = deliver(folder)
    calls = Calls()
    watcher.watch([folder / "new"], calls)
    message.read_bytes()
    os.utime(message, (1, 1))
    reactor.turn()
    assert calls.count == 0


def test_the_end_is_the_end_and_may_come_twice(watcher: Watcher, reactor: Reactor, folder: Path) -> None:
    calls = Calls()
    watch = watcher.watch([folder / "new"], calls)
    deliver(folder, "1")
    for reader in reactor.readers:
        reader.doRead()
    watch.end()
    watch.end()
    deliver(folder, "2")
    reactor.turn()
    assert calls.count == 0
    assert not reactor.getDelayedCalls()


def test_two_watches_of_one_directory_live_apart(watcher: Watcher, reactor: Reactor, folder: Path) -> None:
    first, second = Calls(), Calls()
    watch = watcher.watch([folder / "new"], first)
    watcher.watch([folder / "new"], second)
    watch.end()
    deliver(folder)
    reactor.turn()
    assert (first.count, second.count) == (0, 1)
    assert len(reactor.readers) == 1


def test_one_deleted_directory_does_not_end_the_others(watcher: Watcher, reactor: Reactor, tmp_path: Path) -> None:
    gone, kept = tmp_path / "gone", tmp_path / "kept"
    gone.mkdir()
    kept.mkdir()
    of_gone, of_kept = Calls(), Calls()
    watch = watcher.watch([gone], of_gone)
    watcher.watch([kept], of_kept)
    gone.rmdir()
    reactor.turn()
    assert of_gone.count == 1
    reactor.turn(POLL_SECONDS)
    assert of_gone.count == 2, "it is polled now"
    watch.end()
    (kept / "x").touch()
    reactor.turn()
    assert of_kept.count == 1


def test_after_an_overflow_everybody_looks(reactor: Reactor, log: Log, folder: Path) -> None:
    class Overflowing(Inotify):
        def events(self) -> Iterator[tuple[int, int]]:
            yield -1, 0x4000

    watcher = Watcher(reactor, log, Overflowing)
    first, second = Calls(), Calls()
    watcher.watch([folder / "new", folder / "cur"], first)
    watcher.watch([folder / "cur"], second)
    reactor.turn()
    watcher.stop()
    assert (first.count, second.count) == (1, 1)


class NoMoreWatches(Inotify):
    """The kernel's limit is reached at the second directory."""

    added = 0

    def add(self, directory: Path) -> int:
        self.added += 1
        if self.added > 1:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return super().add(directory)


def no_inotify() -> Inotify:
    raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))


@pytest.mark.parametrize("kernel", [NoMoreWatches, no_inotify])
def test_what_cannot_be_watched_is_polled_and_logged_once(
    kernel: Callable[[], Inotify], reactor: Reactor, log: Log, folder: Path
) -> None:
    watcher = Watcher(reactor, log, kernel)
    calls = Calls()
    watches = [watcher.watch([folder / "new", folder / "cur"], calls) for _ in range(2)]
    assert log.lines == ["watch-polling"]
    reactor.advance(POLL_SECONDS)
    reactor.advance(POLL_SECONDS)
    assert calls.count == 4
    for watch in watches:
        watch.end()
    assert not reactor.getDelayedCalls()
    watcher.stop()


def test_a_missing_directory_is_polled(watcher: Watcher, reactor: Reactor, tmp_path: Path) -> None:
    calls = Calls()
    watcher.watch([tmp_path / "none"], calls)
    reactor.advance(POLL_SECONDS)
    assert calls.count == 1


def test_it_begins_anew_after_it_stopped(watcher: Watcher, reactor: Reactor, folder: Path) -> None:
    watcher.watch([folder / "new"], Calls())
    watcher.stop()
    assert not reactor.readers
    assert watcher.fileno() == -1
    calls = Calls()
    watcher.watch([folder / "new"], calls)
    deliver(folder)
    reactor.turn()
    assert calls.count == 1


def test_a_still_directory_is_known_to_be_still_until_something_happens(
    watcher: Watcher, reactor: Reactor, folder: Path
) -> None:
    watch = watcher.watch([folder / "new", folder / "cur"], Calls())
    assert not watch.is_still(), "nobody looked yet"
    watch.settle()
    assert watch.is_still()
    deliver(folder)
    assert not watch.is_still(), "the kernel is asked, not only what it told"
    watch.settle()
    assert watch.is_still()
    watch.end()
    assert not watch.is_still()


def test_what_is_polled_is_never_still(reactor: Reactor, log: Log, folder: Path) -> None:
    watch = Watcher(reactor, log, no_inotify).watch([folder / "new"], Calls())
    watch.settle()
    assert not watch.is_still()
    watch.end()


def test_a_directory_that_vanished_is_never_still(watcher: Watcher, tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    watch = watcher.watch([tmp_path / "new"], Calls())
    (tmp_path / "new").rmdir()
    watch.settle()
    assert not watch.is_still()
    watch.end()
