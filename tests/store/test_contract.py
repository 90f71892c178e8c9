"""One contract, two stores: what front ends rely on holds for mail on disk and for mail in memory."""

from collections.abc import Awaitable, Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any, TypeVar, cast

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.python.threadpool import ThreadPool
from zope.interface.verify import verifyObject

from mailaccess.changes import Arrived, Change, Expunged, FlagsChanged, Renamed, Reset
from mailaccess.errors import ClientError, Code, MailboxInUse, NoSuchMailbox
from mailaccess.interfaces import IContent, IEvents, IMailbox, IMailStore, Upload
from mailaccess.store.account import StoreSettings
from mailaccess.store.memory import MemoryStore
from mailaccess.store.watch import Watcher
from mailaccess.store.worker import open_store
from mailaccess.values import (
    DELETED,
    FLAGGED,
    FORWARDED,
    INBOX,
    SEEN,
    UID,
    Flag,
    FlagChange,
    Flags,
    MailboxName,
    NumberSet,
    SpecialUse,
    flags,
)

T = TypeVar("T")
WORK, LABEL = MailboxName(("Work",)), Flag("$Label1")
DATE = 1_000_000_000
TEXT = b'Subject: hello\nFrom: Joe <joe@example.org>\nContent-Type: text/html; charset="utf-8"\n\nbody\n'
WIRE = TEXT.replace(b"\n", b"\r\n")


class Reactor(Clock):
    """Twisted's clock; its thread and the lane's are one."""

    def addReader(self, reader: object) -> None:
        """Nobody reads."""

    def removeReader(self, reader: object) -> None:
        """Nobody reads."""

    def callFromThread(self, function: Callable[..., object], *arguments: Any) -> None:
        function(*arguments)


class Threads:
    """A pool that works at once."""

    def callInThread(self, function: Callable[[], object]) -> None:
        function()


class Log:
    """Nothing may go wrong."""

    def event(self, name: str, /, **fields: object) -> None:
        raise AssertionError(fields)

    def incident(self, what: str, error: BaseException) -> str:
        raise AssertionError(what) from error


def result(work: Awaitable[T]) -> T:
    """What ends at once came to this."""
    results: list[Any] = []
    Deferred.fromCoroutine(cast(Any, work)).addBoth(results.append)
    if hasattr(results[0], "raiseException"):
        results[0].raiseException()
    return cast(T, results[0])


@pytest.fixture(params=["memory", "disk"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Any]:
    """An IMailStore of either kind."""
    if request.param == "memory":
        yield MemoryStore(clock=lambda: 1_795_000_000.0)
        return
    reactor, events = Reactor(), cast(IEvents, Log())
    watcher = Watcher(reactor, events)
    disk = open_store(
        tmp_path / "mail",
        tmp_path / "index.sqlite",
        settings=StoreSettings(flag_sync_seconds=0),
        reactor=reactor,
        pool=cast(ThreadPool, Threads()),
        watcher=watcher,
        events=events,
    )
    yield disk
    result(disk.close())
    watcher.stop()


@pytest.fixture
def heard() -> list[Change]:
    return []


@pytest.fixture
def inbox(store: Any, heard: list[Change]) -> Any:
    """INBOX, in use."""
    mailbox = result(store.open(INBOX))
    mailbox.listen(heard.append)
    return mailbox


def append(store: Any, *kept: Flags, name: MailboxName = INBOX, date: int | None = DATE) -> list[UID]:
    uploads = [Upload(BytesIO(WIRE), len(WIRE), each, date) for each in kept]
    return list(result(store.append(name, uploads)).uids)


def test_they_provide_what_they_say(store: Any, inbox: Any) -> None:
    assert verifyObject(IMailStore, store)
    assert verifyObject(IMailbox, inbox)


def test_append(store: Any, inbox: Any, heard: list[Change]) -> None:
    appended = result(store.append(INBOX, [Upload(BytesIO(WIRE), len(WIRE), flags([SEEN, LABEL]), DATE)]))
    assert (appended.uid_validity, appended.uids) == (inbox.uid_validity, (1,))
    (arrived,) = heard
    assert isinstance(arrived, Arrived)
    (row,) = arrived.rows
    assert row.uid == 1
    assert row.flags == {SEEN, LABEL}
    assert (inbox.uid_next, inbox.highest_modseq) == (2, row.modseq)
    assert LABEL in inbox.keywords
    assert result(inbox.measure([UID(1)])) == [(1, len(WIRE), DATE)]


def test_contents(store: Any, inbox: Any) -> None:
    append(store, flags([]))

    def look(content: IContent) -> tuple[object, ...]:
        return content.whole(), content.size(), content.header(), content.octets(5, 7), content.octets(10_000, 5)

    ((_, found), (_, nothing)) = result(inbox.read([UID(1), UID(9)], look))
    assert found == (WIRE, len(WIRE), WIRE[: WIRE.index(b"\r\n\r\n") + 4], WIRE[5:12], b"")
    assert nothing is None
    for _ in range(2):  # made, and from the cache
        row, gone = result(inbox.read_envelopes([UID(1), UID(9)], structure=True))
        assert row[1] == (
            b'(NIL "hello" (("Joe" NIL "joe" "example.org")) (("Joe" NIL "joe" "example.org"))'
            b' (("Joe" NIL "joe" "example.org")) NIL NIL NIL NIL NIL)'
        )
        assert row[2].startswith(b'("text" "html" ("charset" "utf-8")')
        assert gone is None


def test_store_changes_flags_and_says_what_it_did(store: Any, inbox: Any, heard: list[Change]) -> None:
    append(store, flags([SEEN]), flags([]), flags([FLAGGED]))
    heard.clear()
    before = inbox.highest_modseq
    stored = result(inbox.store([UID(1), UID(2), UID(7)], FlagChange.ADD, flags([SEEN, FORWARDED, Flag("Neu")])))
    assert [(row.uid, row.flags) for row in stored.changed] == [
        (1, {SEEN, FORWARDED, Flag("neu")}),
        (2, {SEEN, FORWARDED, Flag("neu")}),
    ]
    (change,) = heard
    assert isinstance(change, FlagsChanged)
    assert inbox.highest_modseq > before
    assert {row.modseq for row in change.rows} == {inbox.highest_modseq}
    heard.clear()
    result(inbox.store([UID(1)], FlagChange.REMOVE, flags([FORWARDED, Flag("NEU")])))
    result(inbox.store([UID(3)], FlagChange.REPLACE, flags([DELETED])))
    assert [row.flags for change in heard for row in change.rows] == [{SEEN}, {DELETED}]  # type: ignore[union-attr]
    heard.clear()
    assert len(result(inbox.store([UID(1)], FlagChange.ADD, flags([SEEN]))).changed) == 1
    assert not heard


def test_unchanged_since(store: Any, inbox: Any) -> None:
    append(store, flags([]), flags([]))
    then = inbox.highest_modseq
    result(inbox.store([UID(1)], FlagChange.ADD, flags([SEEN])))
    stored = result(inbox.store([UID(1), UID(2)], FlagChange.ADD, flags([FLAGGED]), then))
    assert [row.uid for row in stored.changed] == [2]
    assert stored.modified == NumberSet.of([1])


def test_expunge(store: Any, inbox: Any, heard: list[Change]) -> None:
    append(store, flags([]), flags([]), flags([]))
    heard.clear()
    assert result(inbox.expunge([UID(1), UID(3), UID(5)])) == NumberSet.of([1, 3])
    (change,) = heard
    assert isinstance(change, Expunged)
    assert (change.uids, change.modseq) == (NumberSet.of([1, 3]), inbox.highest_modseq)
    assert append(store, flags([])) == [4], "the highest UID is not given again"


@pytest.mark.parametrize("way", ["copy", "move"])
def test_copy_and_move(way: str, store: Any, inbox: Any, heard: list[Change]) -> None:
    append(store, flags([SEEN, LABEL]), flags([FLAGGED]), flags([]))
    result(store.create(WORK))
    append(store, flags([]), name=WORK)
    work = result(store.open(WORK))
    told: list[Change] = []
    work.listen(told.append)
    heard.clear()
    copied = result(getattr(inbox, way)([UID(2), UID(1), UID(8)], WORK))
    assert copied.uid_validity == work.uid_validity
    assert dict(zip(copied.source, copied.target, strict=True)) == {2: 2, 1: 3}
    (arrived,) = told
    assert isinstance(arrived, Arrived)
    assert [row.uid for row in arrived.rows] == [2, 3]
    assert [row.flags for row in arrived.rows] == [{FLAGGED}, {SEEN, LABEL}]
    assert result(work.measure([UID(2)])) == [(2, len(WIRE), DATE)]
    assert [type(change) for change in heard] == ([Expunged] if way == "move" else [])
    with pytest.raises(NoSuchMailbox) as refused:
        result(getattr(inbox, way)([UID(3)], MailboxName(("Nowhere",))))
    assert refused.value.code is Code.TRYCREATE


def test_copy_into_itself(store: Any, inbox: Any, heard: list[Change]) -> None:
    append(store, flags([SEEN]))
    copied = result(inbox.copy([UID(1)], INBOX))
    assert (copied.source, copied.target) == ((1,), (2,))
    assert len(heard) == 2


def test_status(store: Any, inbox: Any) -> None:
    append(store, flags([SEEN]), flags([DELETED]), flags([]))
    status = result(store.status(INBOX, size=True))
    assert (status.messages, status.unseen, status.deleted, status.size) == (3, 2, 1, 3 * len(WIRE))
    assert (status.uid_next, status.uid_validity) == (4, inbox.uid_validity)
    assert status.highest_modseq == inbox.highest_modseq
    assert result(store.status(INBOX, size=False)).size == -1
    with pytest.raises(NoSuchMailbox):
        result(store.status(WORK, size=False))


def test_recent_is_claimed_once(store: Any, inbox: Any) -> None:
    append(store, flags([]), flags([]))
    assert inbox.recent_from(claim=False) == 1
    assert inbox.recent_from(claim=True) == 1
    append(store, flags([]))
    assert inbox.recent_from(claim=True) == 3
    assert inbox.recent_from(claim=False) == 4


def test_unique_ids(store: Any, inbox: Any) -> None:
    append(store, flags([]), flags([]))
    validity = inbox.uid_validity
    assert result(inbox.uidls([UID(1), UID(2)])) == [b"%08x%08x" % (uid, validity) for uid in (1, 2)]


def test_the_same_mailbox_while_anybody_listens(store: Any, inbox: Any) -> None:
    assert result(store.open(INBOX)) is inbox


def test_rename_and_delete_are_told(store: Any) -> None:
    identity = result(store.create(WORK, SpecialUse.ARCHIVE))
    work = result(store.open(WORK))
    heard: list[Change] = []
    work.listen(heard.append)
    new = MailboxName(("Play", "More"))
    result(store.rename(WORK, new))
    assert heard == [Renamed(new)]
    assert (work.name, work.mailbox_id) == (new, identity)
    infos = {info.name: info for info in result(store.mailboxes())}
    assert {str(name): info.selectable for name, info in infos.items()} == {
        "INBOX": True,
        "Play": False,
        "Play/More": True,
    }
    assert infos[new].special_use is SpecialUse.ARCHIVE
    result(store.delete(new))
    assert [type(change) for change in heard] == [Renamed, Reset]
    with pytest.raises(NoSuchMailbox):
        result(store.open(new))


def test_create_refuses_what_is_there(store: Any) -> None:
    result(store.create(WORK))
    with pytest.raises(ClientError) as refused:
        result(store.create(WORK))
    assert refused.value.code is Code.ALREADYEXISTS


def test_rename_of_inbox(store: Any, inbox: Any, heard: list[Change]) -> None:
    append(store, flags([SEEN]), flags([]))
    heard.clear()
    result(store.rename(INBOX, WORK))
    assert [type(change) for change in heard] == [Expunged]
    assert result(store.status(WORK, size=False)).messages == 2


def test_subscriptions(store: Any) -> None:
    result(store.subscribe(WORK, subscribed=True))
    result(store.subscribe(INBOX, subscribed=True))
    result(store.subscribe(WORK, subscribed=False))
    assert result(store.subscriptions()) == {INBOX}


def test_the_maildrop_is_locked(store: Any) -> None:
    release = result(store.lock_maildrop())
    with pytest.raises(MailboxInUse):
        result(store.lock_maildrop())
    release()
    result(store.lock_maildrop())()
