"""The store as front ends see it: when a look needs the lane, and when the kernel's silence is enough."""

import os
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar, cast

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.python.threadpool import ThreadPool

from mailaccess.changes import Arrived, Change, FlagsChanged
from mailaccess.interfaces import IEvents
from mailaccess.store.account import StoreSettings
from mailaccess.store.sync import RACY_NS
from mailaccess.store.watch import Watcher
from mailaccess.store.worker import STILL_SECONDS, LaneMailbox, MaildirStore, open_store
from mailaccess.values import FLAGGED, INBOX, SEEN, FlagChange, flags

T = TypeVar("T")


class Reactor(Clock):
    """Twisted's clock; its thread and the lane's are one."""

    def addReader(self, reader: Any) -> None: ...

    def removeReader(self, reader: Any) -> None: ...

    def callFromThread(self, function: Callable[..., object], *arguments: Any) -> None:
        function(*arguments)


class Threads:
    """A pool that works at once, and counts its work."""

    def __init__(self) -> None:
        self.calls = 0

    def callInThread(self, function: Callable[[], object]) -> None:
        self.calls += 1
        function()


class Silent:
    """A log that nobody reads."""

    def event(self, name: str, /, **fields: object) -> None: ...

    def incident(self, what: str, error: BaseException) -> str:
        raise AssertionError(what) from error


def result(work: Awaitable[T]) -> T:
    """What ends at once came to this."""
    results: list[T] = []
    Deferred.fromCoroutine(cast(Any, work)).addCallback(results.append)
    return results[0]


@pytest.fixture
def reactor() -> Reactor:
    return Reactor()


@pytest.fixture
def threads() -> Threads:
    return Threads()


@pytest.fixture
def store(tmp_path: Path, reactor: Reactor, threads: Threads) -> Iterator[MaildirStore]:
    events = cast(IEvents, Silent())
    watcher = Watcher(reactor, events)
    store = open_store(
        tmp_path / "mail",
        tmp_path / "index.sqlite",
        settings=StoreSettings(),
        reactor=reactor,
        pool=cast(ThreadPool, threads),
        watcher=watcher,
        events=events,
    )
    yield store
    result(store.close())
    watcher.stop()


@pytest.fixture
def heard() -> list[Change]:
    return []


@pytest.fixture
def inbox(store: MaildirStore, heard: list[Change]) -> LaneMailbox:
    """INBOX with one message, in use."""
    mailbox = result(store.open(INBOX))
    mailbox.listen(heard.append)
    deliver(mailbox, "1000.first.host")
    result(mailbox.refresh())
    heard.clear()
    return mailbox


def deliver(mailbox: LaneMailbox, name: str) -> None:
    (mailbox.blocking.folder.path / "new" / name).write_bytes(b"Subject: x\n\n")


def test_a_still_folder_needs_no_lane(inbox: LaneMailbox, threads: Threads, heard: list[Change]) -> None:
    result(inbox.refresh())
    before = threads.calls
    result(inbox.refresh())
    assert (threads.calls, heard) == (before, [])


def test_what_was_delivered_is_told_with_the_next_look(inbox: LaneMailbox, heard: list[Change]) -> None:
    result(inbox.refresh())
    deliver(inbox, "1001.second.host")
    result(inbox.refresh())
    assert [type(change) for change in heard] == [Arrived]


def test_flags_changed_outside_at_once_after_ours_are_told_soon(inbox: LaneMailbox, heard: list[Change]) -> None:
    (uid,) = inbox.blocking.folder.rows
    result(inbox.store([uid], FlagChange.ADD, flags([SEEN])))
    cur = inbox.blocking.folder.path / "cur"
    (name,) = cur.iterdir()
    name.rename(name.with_name(name.name.replace(":2,S", ":2,FS")))
    later_ns = cur.stat().st_mtime_ns + RACY_NS
    os.utime(cur, ns=(later_ns, later_ns))  # on kernels with coarse times as well
    result(inbox.refresh())
    assert isinstance(heard[-1], FlagsChanged)
    assert heard[-1].rows[0].flags == flags([SEEN, FLAGGED])


def test_silence_is_believed_for_a_while_only(inbox: LaneMailbox, reactor: Reactor, threads: Threads) -> None:
    result(inbox.refresh())
    reactor.advance(STILL_SECONDS)
    before = threads.calls
    result(inbox.refresh())
    assert threads.calls == before + 1
