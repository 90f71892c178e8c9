"""What can be done to the messages of one folder. Blocking; one thread at a time.

Every method brings the folder up to date where it must, and hands the changes that it causes, or finds, to
``announce``. A file that is not where it should be was renamed or removed by somebody else: the folder is looked at
again, once.
"""

import os
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TypeVar

from mailaccess.changes import Change, Reset
from mailaccess.errors import ClientError, NoSuchMailbox
from mailaccess.interfaces import IContent, Upload
from mailaccess.store import files
from mailaccess.store.content import FileContent, LargeContents
from mailaccess.store.filenames import FileName, parse, sizes, with_flags
from mailaccess.store.frequent import FrequentFields
from mailaccess.store.maildir import CUR, Incoming
from mailaccess.store.sync import Folder
from mailaccess.values import (
    DELETED,
    SEEN,
    UID,
    Appended,
    Copied,
    Flag,
    FlagChange,
    Flags,
    MailboxName,
    MailboxStatus,
    MessageRow,
    ModSeq,
    NumberSet,
    Stored,
    flags,
)

T = TypeVar("T")
Arrival = tuple[Incoming, Flags]


class MaildirMailbox:
    """A folder's messages. ``announce`` is given each change; ``name`` follows renames."""

    def __init__(self, name: MailboxName, folder: Folder, announce: Callable[["MaildirMailbox", Change], None]) -> None:
        self.name = name
        self.folder = folder
        self.unsynced = False
        """Whether flags changed since the directory was last made durable."""
        self._announce = announce
        self._large = LargeContents()
        self._status: tuple[object, MailboxStatus] | None = None
        """The last answer to STATUS, behind all that it depends on: clients ask for many mailboxes, every minute."""

    # -- looking

    def refresh(self, *, take_new: bool = False, wait_seconds: float = 0.0) -> None:
        """Announce what other programs did; ``NoSuchMailbox``."""
        try:
            self._tell(self.folder.sync(take_new=take_new, wait_seconds=wait_seconds))
        except NoSuchMailbox:
            if not self.name.is_inbox and (self.folder.path.parent / CUR).is_dir():  # else the whole account is away
                self._announce(self, Reset("The mailbox was removed"))
            raise

    def status(self, size: bool) -> MailboxStatus:
        """The numbers of STATUS, up to date."""
        self.refresh()
        if size:
            self.measure(list(self.folder.rows))
        folder = self.folder
        state = (folder.uid_list.validity, folder.uid_list.next_uid, folder.highest_modseq, folder.recent, size)
        if self._status is None or self._status[0] != state:
            self._status = state, self._count(size)
        return self._status[1]

    def _count(self, size: bool) -> MailboxStatus:
        folder = self.folder
        kinds = Counter(row.flags for row in folder.rows.values())
        return MailboxStatus(
            messages=len(folder.rows),
            unseen=sum(number for kind, number in kinds.items() if SEEN not in kind),
            deleted=sum(number for kind, number in kinds.items() if DELETED in kind),
            recent=sum(uid >= folder.recent for uid in folder.rows),
            uid_next=folder.uid_list.next_uid,
            uid_validity=folder.uid_list.validity,
            highest_modseq=folder.highest_modseq,
            size=sum(max(row.size, 0) for row in folder.rows.values()) if size else -1,
        )

    def claim_recent(self, below: UID) -> None:
        r"""A session was told of all messages below a UID: none of them is \Recent to the next one."""
        self.folder.recent = below
        self.folder.index.claim_recent(self.folder.index_key, self.folder.recent)

    def measure(self, uids: Sequence[UID]) -> list[tuple[UID, int, int]]:
        """``(uid, size, date)`` of the messages that are there; what had to be looked up is kept in the index."""
        found: list[tuple[UID, int, int]] = []
        learned: list[MessageRow] = []
        for uid in uids:
            row = self.folder.rows.get(uid)
            if row is not None and (row.size < 0 or row.internal_date < 0):
                row = self._found(uid, self._measured)
                if row is not None:
                    learned.append(row)
            if row is not None:
                found.append((uid, row.size, row.internal_date))
        if learned:
            for row in learned:
                self.folder.rows[row.uid] = row
            self.folder.index.save(self.folder.index_key, self.folder.highest_modseq, learned)
        return found

    def _measured(self, uid: UID) -> MessageRow:
        """What the file says; its name is believed about the wire where it is right about the disk."""
        row = self.folder.rows[uid]
        size, wire_size = sizes(self.folder.bases[uid])
        content = FileContent(partial(self.folder.files.open, self._place(uid)))
        try:
            if row.size >= 0:
                wire_size = row.size
            elif size != content.file.size or not size <= wire_size <= 2 * size:
                wire_size = content.size()
            return MessageRow(uid, row.flags, row.modseq, wire_size, max(content.file.mtime, 0))
        finally:
            content.close()

    # -- reading

    def read(self, uids: Sequence[UID], function: Callable[[IContent], T]) -> list[tuple[UID, T | None]]:
        """Apply ``function`` to each message; None for those that are gone."""
        frequent = FrequentFields(self.folder.index, self.folder.index_key, uids)
        act = partial(self._read, function=function, frequent=frequent)
        with files.told_to_client():
            found = [(uid, self._found(uid, act)) for uid in uids]
        frequent.keep()
        return found

    def _read(self, uid: UID, function: Callable[[IContent], T], frequent: FrequentFields) -> T:
        large = self._large.get(uid)
        if large is not None:
            return function(large)
        content = FileContent(partial(self.folder.files.open, self._place(uid)), partial(frequent.of, uid))
        try:
            return function(content)
        finally:
            if content.is_large:
                self._large.keep(uid, content)
            else:
                content.close()

    def structures(self, uids: Sequence[UID]) -> list[tuple[UID, bytes, bytes] | None]:
        """ENVELOPE and BODYSTRUCTURE, from the index where it has them; None where a message is gone."""
        kept = self.folder.index.structures(self.folder.index_key, uids)
        missing = [uid for uid in uids if uid not in kept]
        if missing:
            read = self.read(missing, _structures)
            made = [(uid, *pair) for uid, pair in read if pair is not None]
            self.folder.index.keep_structures(self.folder.index_key, made)
            kept.update((uid, (envelope, body)) for uid, envelope, body in made)
        return [(uid, *kept[uid]) if uid in kept else None for uid in uids]

    def uidls(self, uids: Sequence[UID]) -> list[bytes]:
        """POP3's unique-ids: those that another server gave, else in Dovecot's default format."""
        uid_list = self.folder.uid_list
        return [
            (uid_list.pop3_uidl(uid) or f"{uid:08x}{uid_list.validity:08x}").encode("utf-8", "surrogateescape")
            for uid in uids
        ]

    def close(self) -> None:
        """Let go of open files, and make flags durable."""
        self._large.close()
        self.sync_flags()

    # -- changing

    def store(
        self, uids: Sequence[UID], change: FlagChange, named: Flags, unchanged_since: ModSeq | None = None
    ) -> Stored:
        """Change flags: each a rename."""
        self.refresh()
        with files.told_to_client():
            if change is not FlagChange.REMOVE:
                self._make_keywords(self.folder, named)
            before = self.folder.stamps()
            altered: list[UID] = []
            touched: list[UID] = []
            modified: list[UID] = []
            try:
                for uid in uids:
                    after = self._found(uid, partial(self._reflag, change, named, unchanged_since))
                    if after is None:
                        if unchanged_since is not None and uid in self.folder.rows:
                            modified.append(uid)
                        continue
                    touched.append(uid)
                    if after != self.folder.rows[uid].flags:
                        altered.append(uid)
            finally:
                if altered:
                    self.unsynced = True
                    self._tell(self.folder.apply([], self._reflagged(altered), []))
                    self.folder.touched(before)
        rows = self.folder.rows
        return Stored(tuple(rows[uid] for uid in touched if uid in rows), NumberSet.of(modified))

    def _reflagged(self, uids: Iterable[UID]) -> list[MessageRow]:
        """The rows of renamed files with the flags of their names; those are left out that a later look found gone."""
        folder = self.folder
        modseq = folder.next_modseq()
        rows = [folder.rows[uid] for uid in uids if uid in folder.rows]
        named = [(row, folder.keywords.flags_at(folder.places[row.uid])) for row in rows]
        return [replace(row, flags=kept, modseq=modseq) for row, kept in named if kept != row.flags]

    def _reflag(self, change: FlagChange, named: Flags, unchanged_since: ModSeq | None, uid: UID) -> Flags | None:
        """Rename a message's file for the flags that it has after ``change``; None where UNCHANGEDSINCE forbids it.

        They follow from what the row says now: a second look may have found what another program set.
        """
        row = self.folder.rows[uid]
        if unchanged_since is not None and row.modseq > unchanged_since:
            return None
        after = change.apply(row.flags, named)
        if after != row.flags:
            self._rename(uid, after)
        return after

    def _rename(self, uid: UID, after: Flags) -> None:
        place = self._place(uid)
        name = with_flags(parse(place.partition("/")[2]), after, self.folder.keywords.letters)
        target = f"{CUR}/{name}"
        if target != place:
            self.folder.files.rename(place, target)
            self.folder.places[uid] = target

    def sync_flags(self) -> None:
        """Make the flag changes so far survive a power cut."""
        if self.unsynced:
            self.unsynced = False
            with files.told_to_client():
                try:
                    self.folder.files.sync()
                except FileNotFoundError:
                    return  # the folder was deleted

    def expunge(self, uids: Sequence[UID], deleted_only: bool = False) -> NumberSet:
        r"""Remove messages for ever: all, or those that have \Deleted now."""
        self.refresh()
        return self._remove(uids, self._unlink_deleted if deleted_only else self._unlink)

    def _remove(self, uids: Sequence[UID], unlink: Callable[[UID], bool]) -> NumberSet:
        """Remove messages one after the other, once it is known that the folder lets go of files.

        Where a disk fails in the middle, what is gone is announced, and the rest is there as before.
        """
        gone: list[UID] = []
        with files.told_to_client():
            self.folder.files.check_removable()
            before = self.folder.stamps()
            try:
                for uid in uids:
                    if self._found(uid, unlink):
                        gone.append(uid)
                if gone:
                    self.folder.files.sync()
            finally:
                if gone:
                    self._large.close()
                    self._tell(self.folder.apply([], [], gone))
                    self.folder.touched(before)
        return NumberSet.of(gone)

    def _unlink(self, uid: UID) -> bool:
        self.folder.files.remove(self._place(uid))
        return True

    def _unlink_deleted(self, uid: UID) -> bool:
        """The flags are those of the file that is removed: a second look may find that somebody took \\Deleted back."""
        return DELETED in self.folder.rows[uid].flags and self._unlink(uid)

    def copy(self, uids: Sequence[UID], target: "MaildirMailbox") -> Copied:
        """Copy with flags and dates, all or nothing."""
        self.refresh()
        waiting: list[Arrival] = []
        source: list[UID] = []
        with files.told_to_client():
            try:
                for uid in uids:
                    incoming = self._found(uid, lambda uid: target.folder.files.link(self._path(uid)))
                    if incoming is not None:
                        row = self.folder.rows[uid]
                        waiting.append((incoming._replace(wire_size=row.size, mtime=row.internal_date), row.flags))
                        source.append(uid)
                placed = target.place(waiting)
            except BaseException:
                target.folder.files.drop(incoming for incoming, _ in waiting)
                raise
        return Copied(target.folder.uid_list.validity, tuple(source), tuple(placed))

    def move(self, uids: Sequence[UID], target: "MaildirMailbox") -> Copied:
        """Copy, durably, and then remove: at no time is a message in neither mailbox."""
        with files.told_to_client():
            self.folder.files.check_removable()
        copied = self.copy(uids, target)
        try:
            self._remove(copied.source, self._unlink)
        except ClientError:
            pairs = zip(copied.source, copied.target, strict=True)
            target.expunge([copy for source, copy in pairs if source in self.folder.rows])
            raise
        return copied

    def append(self, uploads: Iterable[Upload]) -> Appended:
        """Store messages, all or nothing."""
        self.refresh()
        waiting: list[Arrival] = []
        with files.told_to_client():
            try:
                for upload in uploads:
                    upload.file.seek(0)
                    incoming = self.folder.files.receive(upload.file, upload.internal_date)
                    waiting.append((incoming, upload.flags))
                placed = self.place(waiting)
            except BaseException:
                self.folder.files.drop(incoming for incoming, _ in waiting)
                raise
        return Appended(self.folder.uid_list.validity, tuple(placed))

    def place(self, waiting: Sequence[Arrival]) -> list[UID]:
        """Give messages that wait in ``tmp/`` their UIDs and names: all, durably, or none.

        The UIDs come first: a crash in between leaves a line without a message, and not a message that nobody was told
        of, which a client that tries again would have twice.
        """
        folder = self.folder
        named = flags(flag for _, kept in waiting for flag in kept)
        with suppress(ClientError):  # keywords for which there is no room are not kept (RFC 9051 §6.4.7: SHOULD)
            self._make_keywords(folder, named)
        placed: list[str] = []
        with ExitStack() as undo, folder.lock():
            self._tell(folder.sync(take_new=False))
            before = folder.stamps()
            uids = folder.number(incoming.base for incoming, _ in waiting)
            for incoming, kept in waiting:
                place = f"{CUR}/{with_flags(FileName(incoming.base), kept, folder.keywords.letters)}"
                folder.files.rename(incoming.temporary, place)
                undo.callback(_unlink, f"{folder.path}/{place}")
                placed.append(place)
            if placed:
                folder.files.sync()
            undo.pop_all()
            modseq = folder.next_modseq()
            rows = [
                MessageRow(
                    uid, folder.keywords.flags_of(parse(place).letters), modseq, incoming.wire_size, incoming.mtime
                )
                for uid, place, (incoming, _) in zip(uids, placed, waiting, strict=True)
            ]
            for uid, place, (incoming, _) in zip(uids, placed, waiting, strict=True):
                folder.places[uid] = place
                folder.bases[uid] = incoming.base
            self._tell(folder.apply(rows, [], []))
            folder.touched(before)
        return uids

    def move_to(self, name: MailboxName, path: Path) -> None:
        """The mailbox was renamed."""
        self.name = name
        self.folder.move_to(path)

    # -- what they share

    def _make_keywords(self, folder: Folder, named: Flags) -> None:
        """Give letters to the keywords among ``named`` that have none."""
        missing = [flag for flag in named if not flag.is_system and flag not in folder.keywords.letters]
        if missing:
            with folder.lock():
                for keyword in sorted(missing):
                    folder.make_keywords([keyword])

    def _found(self, uid: UID, act: Callable[[UID], T]) -> T | None:
        """What ``act`` does with a message's file; looks again, once, where it is not there; None where it is gone."""
        for attempt in range(2):
            if uid not in self.folder.rows:
                return None
            try:
                return act(uid)
            except FileNotFoundError as error:
                if not self.folder.files.exists():
                    raise NoSuchMailbox from error
                if attempt == 0:
                    self._tell(self.folder.look_again())
        return None

    def _place(self, uid: UID) -> str:
        return self.folder.places[uid]

    def _path(self, uid: UID) -> str:
        return f"{self.folder.path}/{self._place(uid)}"

    def _tell(self, changes: Iterable[Change]) -> None:
        for change in changes:
            self._announce(self, change)

    @property
    def keywords(self) -> tuple[Flag, ...]:
        """The keywords of this folder."""
        return tuple(self.folder.keywords.by_letter.values())


def _unlink(path: str) -> None:
    with suppress(FileNotFoundError):
        os.unlink(path)


def _structures(content: IContent) -> tuple[bytes, bytes]:
    """ENVELOPE and BODYSTRUCTURE. The latter needs the whole message, and then its header is at hand."""
    body = content.body(True)
    return content.envelope(), body
