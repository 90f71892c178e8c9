"""The store as the front ends see it: blocking work in an ordered lane for each account, over a pool of threads.

1. The calls of one account run one at a time and in order, in some thread of the pool; accounts do not wait for each
   other as long as threads are left.
2. Changes are announced in the reactor thread, in the order in which they happened, and before the call's result:
   commit before announcing. No lock is held while anybody is told.
3. What a mailbox tells without waiting (``uid_next``, ``keywords`` …) is what was announced last.
4. Long reads are cut: after ``SLICE_SECONDS`` the lane lets others of the same account go first.
"""

import time
from collections import deque
from collections.abc import Callable, Coroutine, Iterable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from twisted.internet.defer import Deferred, ensureDeferred
from twisted.internet.interfaces import IDelayedCall
from twisted.python.failure import Failure
from twisted.python.threadpool import ThreadPool
from zope.interface import implementer

from mailaccess.changes import Arrived, Change, Expunged, FlagsChanged, Renamed, Reset
from mailaccess.errors import ClientError, Code, OperatorFault, StoreUnavailable
from mailaccess.interfaces import IContent, IEvents, IMailbox, IMailStore, Listener, Upload
from mailaccess.store.account import MaildirAccount, StoreSettings
from mailaccess.store.mailbox import MaildirMailbox
from mailaccess.store.maildir import CUR, NEW
from mailaccess.store.watch import Watch, Watcher
from mailaccess.values import (
    UID,
    Appended,
    Copied,
    Flag,
    FlagChange,
    Flags,
    MailboxInfo,
    MailboxName,
    MailboxStatus,
    MessageRow,
    ModSeq,
    NumberSet,
    SpecialUse,
    Stored,
    UIDValidity,
)

T = TypeVar("T")

SLICE_SECONDS = 0.01
"""How long a read keeps its account's lane before others have a turn."""

READ_TOGETHER = 64
"""Messages that are read before anybody looks at the time: some 20 us each, or 150 where their text is searched."""

STILL_SECONDS = 1.0
"""How long the kernel's silence about a folder is believed: it says nothing of what other hosts do on a shared disk."""


SLOW_LOOK_SECONDS = 30.0
"""How often a mailbox that somebody has open is looked at though nothing was heard: a folder that is renamed by another
program, or lies on a network disk, says nothing."""


class Lane:
    """Runs calls in threads of ``pool``, one at a time and in order; ``ended`` is called in the reactor thread."""

    def __init__(self, reactor: Any, pool: ThreadPool, ended: Callable[[], None]) -> None:
        self._reactor = reactor
        self._pool = pool
        self._ended = ended
        self._waiting: deque[tuple[Callable[[], Any], Deferred[Any]]] = deque()
        self._busy = False

    def run(self, work: Callable[[], T]) -> Deferred[T]:
        """The result of ``work``, when its turn has come and it is done."""
        result: Deferred[T] = Deferred()
        self._waiting.append((work, result))
        self._next()
        return result

    def _next(self) -> None:
        if self._busy or not self._waiting:
            return
        self._busy = True
        work, result = self._waiting.popleft()

        def in_thread() -> None:
            try:
                outcome: Any = work()
            except BaseException:  # it is handed to whoever awaits the call
                outcome = Failure()  # type: ignore[no-untyped-call]
            self._reactor.callFromThread(self._finish, outcome, result)

        self._pool.callInThread(in_thread)

    def _finish(self, outcome: Any, result: Deferred[Any]) -> None:
        try:
            self._ended()  # while nothing runs: what it tells is what this call left
        finally:
            self._busy = False
            if not result.called:
                result.callback(outcome)
            self._next()


@implementer(IMailbox)
class LaneMailbox:
    """An open mailbox of a :class:`MaildirStore`: the contract's methods, each a call in the lane."""

    def __init__(self, store: "MaildirStore", blocking: MaildirMailbox, rows: Sequence[MessageRow]) -> None:
        self._store = store
        self.blocking = blocking
        self._rows = {row.uid: row for row in rows}
        self._listeners: list[Listener] = []
        self._watch: Watch | None = None
        self._soon: IDelayedCall | None = None
        self._watched: tuple[int, int] | None = None
        self._look_waits = False
        self._looks = 0
        self._believed_until = 0.0
        self.name = blocking.name
        self.writable = True
        self._recent = blocking.folder.recent
        self.take_over()

    def take_over(self) -> None:
        """Tell from now on what the folder knows; in the reactor thread, after its changes were announced."""
        folder = self.blocking.folder
        self.mailbox_id: str = folder.uid_list.guid
        self.uid_validity: UIDValidity = folder.uid_list.validity
        self.uid_next: UID = folder.uid_list.next_uid
        self.highest_modseq: ModSeq = folder.highest_modseq
        self.keywords: Sequence[Flag] = self.blocking.keywords
        self.new_keywords: bool = not folder.keywords.full

    def announce(self, change: Change) -> None:
        """Take over a change, and tell everybody who listens."""
        match change:
            case Arrived(rows) | FlagsChanged(rows):
                self._rows.update((row.uid, row) for row in rows)
            case Expunged(uids):
                for uid in uids:
                    self._rows.pop(UID(uid), None)
            case Renamed(name):
                self.name = name
                self._watch_again()
            case Reset():
                self._rows.clear()
                self.unwatch()
        for listener in tuple(self._listeners):
            listener(change)

    def listen(self, listener: Listener) -> Sequence[MessageRow]:
        """The rows now; ``listener`` hears of what comes after."""
        if not self._listeners:
            self._watch_again()
        self._listeners.append(listener)
        return list(self._rows.values())

    def ignore(self, listener: Listener) -> None:
        """End what ``listen`` began."""
        self._listeners.remove(listener)
        if not self._listeners:
            self.unwatch()
            self._store.put_away(self)

    def unwatch(self) -> None:
        """End watching the directories."""
        if self._watch is not None:
            self._watch.end()
            self._watch = None
        if self._soon is not None and self._soon.active():
            self._soon.cancel()

    def _watch_again(self) -> None:
        self.unwatch()
        path = self.blocking.folder.path
        self._watch = self._store.watcher.watch([path / NEW, path / CUR], self._changed_outside)
        self._look_soon()

    def _changed_outside(self) -> None:
        if not self._look_waits:
            self._look_waits = True
            self._store.quietly(self._store.run(self._look).addCallback(lambda _: self._look_soon()))

    def _look_soon(self) -> None:
        """After a look: watch the directories that it saw, and look again when it may find more, or in any case later.

        Directories that were moved away and put back have others in their places, and say nothing of it.
        """
        if self._watch is None:
            return
        folder = self.blocking.folder
        if folder.inodes != self._watched and folder.inodes is not None:
            watched, self._watched = self._watched, folder.inodes
            if watched is not None:
                self._watch_again()
        seconds = SLOW_LOOK_SECONDS if folder.look_again_in is None else folder.look_again_in
        if not (self._soon and self._soon.active()):
            self._soon = self._store.call_later(seconds, self._changed_outside)
        elif self._soon.getTime() > self._store.seconds() + seconds:
            self._soon.reset(seconds)

    def _look(self) -> None:
        self._look_waits = False  # what happens from now on needs another look
        self.blocking.refresh(take_new=True)

    def recent_from(self, claim: bool) -> UID:
        r"""The first UID that is \Recent."""
        recent = self._recent
        if claim and recent != self.uid_next:
            claimed = self._recent = self.uid_next
            self._store.quietly(self._store.run(lambda: self.blocking.claim_recent(claimed)))
        return recent

    async def refresh(self) -> None:
        """Look for what other programs did: at once where the kernel says that there is nothing."""
        if self._watch is None or not (self._is_settled() and self._watch.is_still()):
            if self._watch is not None:
                self._watch.settle()
            self._looks += 1
            look, self._believed_until = self._looks, 0.0
            believed_until = self._store.seconds() + STILL_SECONDS
            await self._store.run(lambda: self.blocking.refresh(take_new=True))
            self._look_soon()
            if look == self._looks:  # else a later one, that is under way, took what the kernel said meanwhile
                self._believed_until = believed_until

    def _is_settled(self) -> bool:
        """Whether a look lately showed all there was."""
        return self._store.seconds() < self._believed_until and self.blocking.folder.is_settled

    async def measure(self, uids: Sequence[UID]) -> Sequence[tuple[UID, int, int]]:
        """Sizes and dates."""
        return await self._sliced(uids, self.blocking.measure)

    async def read(self, uids: Sequence[UID], function: Callable[[IContent], T]) -> Sequence[tuple[UID, T | None]]:
        """Apply a function to each message."""
        return await self._sliced(uids, lambda some: self.blocking.read(some, function), READ_TOGETHER)

    async def read_envelopes(self, uids: Sequence[UID], structure: bool) -> Sequence[tuple[UID, bytes, bytes] | None]:
        """ENVELOPE and BODYSTRUCTURE."""
        return await self._sliced(uids, self.blocking.structures)

    async def _sliced(
        self, uids: Sequence[UID], work: Callable[[Sequence[UID]], Iterable[T]], step: int = 64
    ) -> list[T]:
        """``work`` on all messages, ``step`` at once, in as many turns of the lane as it takes."""
        results: list[T] = []
        waiting = deque(range(0, len(uids), step))

        def some() -> None:
            deadline = time.monotonic() + SLICE_SECONDS
            while waiting:
                start = waiting.popleft()
                results.extend(work(uids[start : start + step]))
                if time.monotonic() >= deadline:
                    break

        while waiting:
            await self._store.run(some)
        return results

    async def store(
        self, uids: Sequence[UID], change: FlagChange, named: Flags, unchanged_since: ModSeq | None = None
    ) -> Stored:
        """Change flags."""
        stored = await self._store.run(lambda: self.blocking.store(uids, change, named, unchanged_since))
        await self._store.flags_changed()
        return stored

    async def expunge(self, uids: Sequence[UID], deleted_only: bool = False) -> NumberSet:
        """Remove messages."""
        return await self._store.run(lambda: self.blocking.expunge(uids, deleted_only))

    async def copy(self, uids: Sequence[UID], target: MailboxName) -> Copied:
        """Copy messages."""
        return await self._store.run(lambda: self.blocking.copy(uids, self._store.target(target)))

    async def move(self, uids: Sequence[UID], target: MailboxName) -> Copied:
        """Move messages."""
        return await self._store.run(lambda: self.blocking.move(uids, self._store.target(target)))

    async def uidls(self, uids: Sequence[UID]) -> Sequence[bytes]:
        """POP3's unique-ids."""
        return await self._store.run(lambda: self.blocking.uidls(uids))


@implementer(IMailStore)
class MaildirStore:
    """One account's mail in a Maildir. ``open_account`` makes the blocking account, in the lane."""

    def __init__(
        self,
        open_account: Callable[[], MaildirAccount],
        *,
        settings: StoreSettings,
        reactor: Any,
        pool: ThreadPool,
        watcher: Watcher,
        events: IEvents,
    ) -> None:
        self.watcher = watcher
        self._open_account = open_account
        self._settings = settings
        self._reactor = reactor
        self._events = events
        self._lane = Lane(reactor, pool, self._announce)
        self._account: MaildirAccount | None = None
        self._open: dict[MaildirMailbox, LaneMailbox] = {}
        self._flag_sync: IDelayedCall | None = None
        self._closed = False

    # -- the lane

    def run(self, work: Callable[[], T]) -> Deferred[T]:
        """The result of ``work`` in the lane."""
        if self._closed:
            raise StoreUnavailable
        return self._lane.run(work)

    def seconds(self) -> float:
        """The reactor's time."""
        seconds: float = self._reactor.seconds()
        return seconds

    def call_later(self, seconds: float, act: Callable[[], None]) -> IDelayedCall:
        """Act in the reactor thread, later."""
        call: IDelayedCall = self._reactor.callLater(seconds, act)
        return call

    def quietly(self, work: Deferred[Any] | Coroutine[Deferred[Any], Any, Any]) -> None:
        """Do what nobody awaits; what goes wrong is logged."""
        ensureDeferred(work).addErrback(self._log_failure)

    def _log_failure(self, failure: Failure) -> None:
        if not self._closed and not isinstance(failure.value, ClientError):
            self._events.incident("looking after a mailbox", failure.value or OperatorFault("no reason"))

    def _blocking(self) -> MaildirAccount:
        """The account; in the lane only."""
        if self._account is None:
            self._account = self._open_account()
            self._account.in_use = lambda mailbox: mailbox in self._open
        return self._account

    def target(self, name: MailboxName) -> MaildirMailbox:
        """The mailbox that a copy goes to; in the lane only."""
        return self._blocking().mailbox(name, Code.TRYCREATE)

    def _announce(self) -> None:
        """After a call: tell what it changed."""
        if self._account is None:
            return
        for blocking, change in self._account.take_outbox():
            mailbox = self._open.get(blocking)
            if mailbox is not None:
                if isinstance(change, Reset):
                    self.put_away(mailbox)
                mailbox.take_over()
                mailbox.announce(change)

    def put_away(self, mailbox: LaneMailbox) -> None:
        """Nobody listens to this mailbox any more, or nobody may: who opens it anew gets another one."""
        if self._open.get(mailbox.blocking) is mailbox:
            del self._open[mailbox.blocking]

    async def flags_changed(self) -> None:
        """Make flag changes durable: now, or within ``flag_sync_seconds``."""
        if self._settings.flag_sync_seconds == 0:
            await self.run(lambda: self._blocking().sync_flags())
        elif self._flag_sync is None or not self._flag_sync.active():
            self._flag_sync = self._reactor.callLater(self._settings.flag_sync_seconds, self._sync_flags)

    def _sync_flags(self) -> None:
        if not self._closed:
            self.quietly(self.run(lambda: self._blocking().sync_flags()))

    # -- the contract

    async def mailboxes(self) -> Sequence[MailboxInfo]:
        """Every mailbox, and the names that are only parents."""
        return await self.run(lambda: self._blocking().listing())

    async def subscriptions(self) -> frozenset[MailboxName]:
        """The subscribed names."""
        return await self.run(lambda: self._blocking().subscriptions())

    async def subscribe(self, name: MailboxName, subscribed: bool) -> None:
        """Add or take out a name."""
        await self.run(lambda: self._blocking().subscribe(name, subscribed))

    async def create(self, name: MailboxName, special_use: SpecialUse | None = None) -> str:
        """Make a mailbox."""
        return await self.run(lambda: self._blocking().create(name, special_use))

    async def delete(self, name: MailboxName) -> None:
        """Remove a mailbox."""
        await self.run(lambda: self._blocking().delete(name))

    async def rename(self, old: MailboxName, new: MailboxName) -> None:
        """Rename a mailbox."""
        await self.run(lambda: self._blocking().rename(old, new))

    async def open(self, name: MailboxName) -> LaneMailbox:
        """The mailbox, up to date. Its rows are copied only for the first who opens it."""

        def work() -> tuple[MaildirMailbox, list[MessageRow] | None]:
            blocking = self._blocking().open(name)
            return blocking, None if blocking in self._open else list(blocking.folder.rows.values())

        while True:
            blocking, rows = await self.run(work)
            mailbox = self._open.get(blocking)
            if mailbox is None and rows is not None:
                mailbox = self._open[blocking] = LaneMailbox(self, blocking, rows)
            if mailbox is not None:  # else it was put away while the lane looked: once more
                return mailbox

    async def status(self, name: MailboxName, size: bool) -> MailboxStatus:
        """The mailbox's numbers."""
        return await self.run(lambda: self._blocking().status(name, size))

    async def append(self, name: MailboxName, uploads: Iterable[Upload]) -> Appended:
        """Store messages."""
        return await self.run(lambda: self._blocking().append(name, uploads))

    async def lock_maildrop(self) -> Callable[[], None]:
        """POP3's lock."""
        return await self.run(lambda: self._blocking().lock_maildrop())

    async def close(self) -> None:
        """Finish what was begun, and let go of everything."""
        if self._closed:
            return
        if self._flag_sync is not None and self._flag_sync.active():
            self._flag_sync.cancel()
        for mailbox in self._open.values():
            mailbox.unwatch()
        closing = self.run(lambda: self._account.close() if self._account is not None else None)
        self._closed = True
        await closing


def open_store(
    root: Path,
    index: Path,
    *,
    settings: StoreSettings,
    reactor: Any,
    pool: ThreadPool,
    watcher: Watcher,
    events: IEvents,
) -> MaildirStore:
    """The store of the Maildir at ``root``; its index lies at ``index``. Opened at the first call."""

    def log(text: str) -> None:
        reactor.callFromThread(events.event, "store", problem=text)

    return MaildirStore(
        lambda: MaildirAccount(root, index, settings, log),
        settings=settings,
        reactor=reactor,
        pool=pool,
        watcher=watcher,
        events=events,
    )
