"""The lane of an account: one call at a time, in order, and changes told before the result of what caused them."""

import shutil
import time
from collections import deque
from collections.abc import Callable, Coroutine, Iterator
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.python.threadpool import ThreadPool

from mailaccess.changes import Arrived, Change, Expunged, FlagsChanged, Reset
from mailaccess.errors import ClientError, NoSuchMailbox, StoreUnavailable
from mailaccess.interfaces import IContent, IEvents, Upload
from mailaccess.store import account, patience, sync, worker
from mailaccess.store.account import StoreSettings
from mailaccess.store.watch import Watcher
from mailaccess.store.worker import Lane, MaildirStore, open_store
from mailaccess.values import INBOX, SEEN, UID, FlagChange, MailboxName, MessageRow, flags

TEXT = b"Subject: x\n\nhello\n"


class Reactor(Clock):
    """Twisted's clock, and what threads handed over."""

    def __init__(self) -> None:
        super().__init__()
        self.handed: deque[tuple[Callable[..., object], tuple[Any, ...]]] = deque()

    def addReader(self, reader: object) -> None:
        """Nobody reads."""

    def removeReader(self, reader: object) -> None:
        """Nobody reads."""

    def callFromThread(self, function: Callable[..., object], *arguments: Any) -> None:
        self.handed.append((function, arguments))


class Pool:
    """Threads that work when the test says so."""

    def __init__(self) -> None:
        self.waiting: deque[Callable[[], object]] = deque()

    def callInThread(self, function: Callable[[], object]) -> None:
        self.waiting.append(function)


class Log:
    """Remembers what went wrong."""

    def __init__(self) -> None:
        self.incidents: list[BaseException] = []

    def event(self, name: str, /, **fields: object) -> None:
        """Nobody reads."""

    def incident(self, what: str, error: BaseException) -> str:
        self.incidents.append(error)
        return "id"


class Machine:
    """A reactor thread and a thread of the pool, in turn."""

    def __init__(self) -> None:
        self.reactor = Reactor()
        self.pool = Pool()

    def turn(self) -> bool:
        """One piece of work in the pool, and what it handed over; whether there was one."""
        if not self.pool.waiting:
            return False
        self.pool.waiting.popleft()()
        while self.reactor.handed:
            function, arguments = self.reactor.handed.popleft()
            function(*arguments)
        return True

    def run(self, work: Coroutine[Deferred[Any], Any, Any]) -> Any:
        """The result of ``work``, after as many turns as it takes."""
        results: list[Any] = []
        Deferred.fromCoroutine(work).addBoth(results.append)
        while not results and self.turn():
            pass
        if results and hasattr(results[0], "raiseException"):
            results[0].raiseException()
        return results[0]


@pytest.fixture
def machine() -> Machine:
    return Machine()


@pytest.fixture
def log() -> Log:
    return Log()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "mail"


@pytest.fixture
def store(machine: Machine, log: Log, root: Path, tmp_path: Path) -> Iterator[MaildirStore]:
    events = cast(IEvents, log)
    watcher = Watcher(machine.reactor, events)
    pool = cast(ThreadPool, machine.pool)
    store = open_store(
        root,
        tmp_path / "index.sqlite",
        settings=StoreSettings(),
        reactor=machine.reactor,
        pool=pool,
        watcher=watcher,
        events=events,
    )
    yield store
    machine.run(store.close())
    watcher.stop()
    assert not log.incidents
    assert not machine.reactor.getDelayedCalls()


def append(machine: Machine, store: MaildirStore, count: int = 1) -> list[UID]:
    uploads = [Upload(BytesIO(TEXT), len(TEXT)) for _ in range(count)]
    return list(machine.run(store.append(INBOX, uploads)).uids)


def test_calls_run_one_at_a_time_and_in_order(machine: Machine) -> None:
    lane = Lane(machine.reactor, cast(ThreadPool, machine.pool), lambda: None)
    done: list[int] = []
    for number in range(3):
        lane.run(lambda number=number: done.append(number))  # type: ignore[misc]
    assert len(machine.pool.waiting) == 1
    while machine.turn():
        assert len(machine.pool.waiting) <= 1
    assert done == [0, 1, 2]


def test_a_call_that_fails_does_not_stop_the_lane(machine: Machine) -> None:
    lane = Lane(machine.reactor, cast(ThreadPool, machine.pool), lambda: None)
    failed: list[Any] = []
    lane.run(lambda: 1 // 0).addErrback(failed.append)
    after = lane.run(lambda: 5)
    while machine.turn():
        pass
    assert failed[0].check(ZeroDivisionError)
    assert after.result == 5


def test_nothing_runs_while_it_is_told_what_ended(machine: Machine) -> None:
    def ended() -> None:
        if not asked:
            asked.append(lane.run(lambda: 5))
        seen.append(len(machine.pool.waiting))

    asked: list[Deferred[int]] = []
    seen: list[int] = []
    lane = Lane(machine.reactor, cast(ThreadPool, machine.pool), ended)
    lane.run(lambda: None)
    while machine.turn():
        pass
    assert seen == [0, 0]
    assert asked[0].result == 5


def test_what_ended_is_told_before_the_result(machine: Machine) -> None:
    order: list[str] = []
    lane = Lane(machine.reactor, cast(ThreadPool, machine.pool), lambda: order.append("told"))
    lane.run(lambda: order.append("done")).addCallback(lambda _: order.append("result"))
    machine.turn()
    assert order == ["done", "told", "result"]


def test_changes_come_before_the_results_of_what_caused_them(machine: Machine, store: MaildirStore) -> None:
    mailbox = machine.run(store.open(INBOX))
    order: list[object] = []
    assert mailbox.listen(lambda change: order.append(type(change))) == []
    order.append(append(machine, store, 2))
    order.append(machine.run(mailbox.store([UID(1)], FlagChange.ADD, flags([SEEN]))).modified.ranges)
    order.append(machine.run(mailbox.expunge([UID(2)])).ranges)
    assert order == [Arrived, [1, 2], FlagsChanged, (), Expunged, ((2, 2),)]
    mailbox.ignore(mailbox._listeners[0])


def test_rows_and_changes_together_are_the_mailbox(machine: Machine, store: MaildirStore) -> None:
    mailbox = machine.run(store.open(INBOX))
    append(machine, store, 3)
    heard: list[Change] = []
    rows: list[MessageRow] = list(mailbox.listen(heard.append))
    assert [row.uid for row in rows] == [1, 2, 3]
    assert mailbox.uid_next == 4
    assert mailbox.highest_modseq >= max(row.modseq for row in rows)
    append(machine, store)
    assert mailbox.uid_next == 5
    assert [row.uid for row in heard[0].rows] == [4]  # type: ignore[union-attr]
    mailbox.ignore(heard.append)


def test_a_long_read_lets_others_of_the_account_go_first(
    machine: Machine, store: MaildirStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "SLICE_SECONDS", 0.0)
    monkeypatch.setattr(worker, "READ_TOGETHER", 1)
    mailbox = machine.run(store.open(INBOX))
    uids = append(machine, store, 5)
    order: list[object] = []

    def look(content: IContent) -> int:
        order.append("read")
        return content.size()

    reading = Deferred.fromCoroutine(mailbox.read(uids, look))
    other = Deferred.fromCoroutine(store.status(INBOX, size=False)).addCallback(lambda _: order.append("status"))
    while machine.turn():
        pass
    assert order.index("status") < 3
    assert reading.result == [(uid, 21) for uid in uids]
    assert other.called


def test_what_is_gone_is_left_out_or_none(machine: Machine, store: MaildirStore) -> None:
    mailbox = machine.run(store.open(INBOX))
    uids = append(machine, store, 3)
    machine.run(mailbox.expunge(uids[1:]))
    assert [row[:2] for row in machine.run(mailbox.measure(uids))] == [(1, 21)]
    assert machine.run(mailbox.read(uids, lambda content: content.size())) == [(1, 21), (2, None), (3, None)]
    assert machine.run(mailbox.read_envelopes(uids, structure=True))[1:] == [None, None]
    assert machine.run(mailbox.measure([])) == []
    assert machine.run(mailbox.store(uids, FlagChange.ADD, flags([SEEN]))).changed[0].uid == 1


def test_a_new_uidvalidity_is_told_to_who_opens_anew(machine: Machine, store: MaildirStore, root: Path) -> None:
    append(machine, store, 2)
    mailbox = machine.run(store.open(INBOX))
    heard: list[Change] = []
    mailbox.listen(heard.append)
    before = mailbox.uid_validity
    (root / "dovecot-uidlist").write_bytes(b"3 V77 N9 G%032x\n" % 5)
    machine.run(mailbox.refresh())
    assert isinstance(heard[0], Reset)
    again = machine.run(store.open(INBOX))
    assert (before != 77, again.uid_validity, again.uid_next) == (True, 77, 11)
    assert again.mailbox_id == f"{5:032x}"
    assert [row.uid for row in again.listen(heard.append)] == [9, 10]
    machine.run(store.close())


def test_a_deleted_mailbox_is_let_go_of(machine: Machine, store: MaildirStore) -> None:
    work = MailboxName(("Work",))
    machine.run(store.create(work))
    mailbox = machine.run(store.open(work))
    heard: list[Change] = []
    mailbox.listen(heard.append)
    machine.run(store.delete(work))
    assert [type(change) for change in heard] == [Reset]
    with pytest.raises(NoSuchMailbox):
        machine.run(store.open(work))
    machine.run(store.create(work))
    assert machine.run(store.open(work)).mailbox_id != mailbox.mailbox_id
    mailbox.ignore(heard.append)


def test_a_look_waits_for_no_lock_and_comes_again(machine: Machine, store: MaildirStore, root: Path) -> None:
    append(machine, store)
    mailbox = machine.run(store.open(INBOX))
    heard: list[Change] = []
    mailbox.listen(heard.append)
    lock = root / "dovecot-uidlist.lock"
    lock.write_text("1:another-host.example")
    (root / "new" / "1.delivered.h").write_bytes(TEXT)
    began = time.monotonic()
    machine.run(mailbox.refresh())
    for _ in range(3):
        machine.reactor.advance(sync.HELD_UP_SECONDS)
        machine.turn()
    assert time.monotonic() - began < patience.CROWDED_SECONDS, "a thread waited"
    assert not heard
    lock.unlink()
    machine.reactor.advance(sync.HELD_UP_SECONDS)
    machine.turn()
    assert [type(change) for change in heard] == [Arrived]
    assert not machine.pool.waiting
    mailbox.ignore(heard.append)


def test_who_opens_a_mailbox_whose_lock_is_held_hears_of_the_rest_later(
    machine: Machine, store: MaildirStore, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(account, "OPENING_SECONDS", 0.0)
    append(machine, store)
    lock = root / "dovecot-uidlist.lock"
    lock.write_text("1:another-host.example")
    (root / "new" / "1.delivered.h").write_bytes(TEXT)
    mailbox = machine.run(store.open(INBOX))
    heard: list[Change] = []
    assert len(mailbox.listen(heard.append)) == 1
    lock.unlink()
    machine.reactor.advance(sync.HELD_UP_SECONDS)
    machine.turn()
    assert [type(change) for change in heard] == [Arrived]
    mailbox.ignore(heard.append)


def test_a_folder_that_another_program_removed_is_told(machine: Machine, store: MaildirStore, root: Path) -> None:
    work = MailboxName(("Work",))
    machine.run(store.create(work))
    mailbox = machine.run(store.open(work))
    heard: list[Change] = []
    mailbox.listen(heard.append)
    shutil.rmtree(root / ".Work")
    with pytest.raises(NoSuchMailbox):
        machine.run(mailbox.refresh())
    assert [type(change) for change in heard] == [Reset]
    machine.run(store.create(work))
    again = machine.run(store.open(work))
    assert again is not mailbox
    mailbox.ignore(heard.append)
    assert machine.run(store.open(work)) is again, "who left the old one did not take the new one with him"


def test_an_account_that_is_away_for_a_while_ends_no_session(machine: Machine, store: MaildirStore, root: Path) -> None:
    work = MailboxName(("Work",))
    machine.run(store.create(work))
    mailbox = machine.run(store.open(work))
    heard: list[Change] = []
    mailbox.listen(heard.append)
    root.rename(root.with_name("away"))
    with pytest.raises(ClientError):
        machine.run(mailbox.refresh())
    root.with_name("away").rename(root)
    machine.run(mailbox.refresh())
    assert not heard
    mailbox.ignore(heard.append)


def test_nothing_is_done_after_the_end(machine: Machine, store: MaildirStore) -> None:
    machine.run(store.open(INBOX))
    machine.run(store.close())
    with pytest.raises(StoreUnavailable):
        machine.run(store.open(INBOX))


def test_what_came_in_the_instant_of_a_change_of_our_own_is_looked_for(
    machine: Machine, store: MaildirStore, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    append(machine, store)
    mailbox = machine.run(store.open(INBOX))
    heard: list[Change] = []
    mailbox.listen(heard.append)
    machine.run(mailbox.refresh())
    folder = mailbox.blocking.folder
    before = folder.stamps()
    (root / "cur" / "1.delivered.h:2,").write_bytes(TEXT)
    folder.touched(before)
    machine.run(mailbox.refresh())
    machine.reactor.advance(0.1)  # what the kernel told is looked at, too early
    while machine.turn():
        pass
    assert not heard, "the folder looks as our own change left it"
    later = time.monotonic() + sync.SUSPECT_SECONDS
    monkeypatch.setattr(sync, "time", SimpleNamespace(monotonic=lambda: later, time_ns=time.time_ns))
    machine.reactor.advance(sync.SUSPECT_SECONDS + 0.1)
    while machine.turn():
        pass
    assert [type(change) for change in heard] == [Arrived]
    mailbox.ignore(heard.append)
