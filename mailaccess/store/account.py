"""One user's mail on disk: his folders, subscriptions and special uses, and the mailboxes that are in use. Blocking.

Everything here runs in the account's lane, one call at a time (``store.worker``). Changes are collected in ``outbox``
in the order in which they happened, and the lane announces them when the call has ended.
"""

import os
import shutil
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

from mailaccess.changes import Change, Renamed, Reset
from mailaccess.errors import ClientError, Code, NoSuchMailbox
from mailaccess.interfaces import Upload
from mailaccess.store import files, specialuse
from mailaccess.store.filenames import UniqueNames
from mailaccess.store.folders import Folders
from mailaccess.store.foreign import courier, subscriptions, uidlist, uidvalidity
from mailaccess.store.foreign.dotlock import dotlock
from mailaccess.store.foreign.subscriptions import Parts
from mailaccess.store.foreign.uidlist import UIDList
from mailaccess.store.index import Index
from mailaccess.store.locks import account_lock, maildrop_lock, uidvalidity_lock
from mailaccess.store.mailbox import MaildirMailbox
from mailaccess.store.maildir import STALE_TMP_SECONDS, MaildirFiles
from mailaccess.store.sync import Folder
from mailaccess.values import INBOX, Appended, MailboxInfo, MailboxName, MailboxStatus, SpecialUse, UIDValidity

GRAVE = "..mailaccess-deleted."
"""Where a deleted folder lies until its files are gone; Dovecot's and our listings pass such names over."""

NURSERY = "..mailaccess-new."
"""Where a folder lies until it is whole."""

KEPT_MAILBOXES = 8
"""Mailboxes that nobody has open any more, and whose rows are kept for the next one."""

OPENING_SECONDS = 1.0
"""How long SELECT, or a POP3 login, waits for a lock before it shows the messages that have their UIDs."""

SUBSCRIPTIONS_STALE_SECONDS = 30
"""Dovecot's figure for this lock."""


@dataclass(frozen=True, slots=True)
class StoreSettings:
    """How mail is kept: ``folder_encoding`` is ``auto``, ``mutf7`` or ``utf8``.

    ``flag_sync_seconds``: at most this long until a flag change survives a power cut; 0: at once.
    """

    folder_encoding: str = "auto"
    flag_sync_seconds: float = 1.0


class MaildirAccount:
    """The Maildir++ at ``root``, made where it is missing, and its index; ``log`` is told what is wrong."""

    def __init__(self, root: Path, index: Path, settings: StoreSettings, log: Callable[[str], None]) -> None:
        self.root = root
        self.settings = settings
        self.outbox: list[tuple[MaildirMailbox, Change]] = []
        self.in_use: Callable[[MaildirMailbox], bool] = lambda mailbox: False
        self._log = log
        self._names = UniqueNames()
        self._index = Index(index, log)
        self._folders = Folders(root, settings.folder_encoding)
        self._mailboxes: dict[MailboxName, MaildirMailbox] = {}
        with files.told_to_client():
            inbox = MaildirFiles(root, self._names, log)
            if not inbox.exists():
                inbox.make(subfolder=False)
            for name in self._folders.names():
                with suppress(OSError):
                    folder = MaildirFiles(self._folders.path(name), self._names, log)
                    folder.mend()
                    folder.purge_tmp(time.time())
            with suppress(OSError):
                self._bury()

    # -- mailboxes

    def mailbox(self, name: MailboxName, code: Code = Code.NONEXISTENT) -> MaildirMailbox:
        """The mailbox; ``NoSuchMailbox`` with ``code``."""
        known = self._mailboxes.pop(name, None)
        if known is None:
            if not self._folders.exists(name) and name not in self._folders.names():
                raise NoSuchMailbox(code=code)
            folder = Folder(self._folders.path(name), self._index, self._names, self._take_validity, self._log)
            known = MaildirMailbox(name, folder, self._announce)
        self._mailboxes[name] = known
        self._put_away()
        return known

    def open(self, name: MailboxName) -> MaildirMailbox:
        """The mailbox, up to date, its new messages taken out of ``new/``."""
        mailbox = self.mailbox(name)
        mailbox.refresh(take_new=True, wait_seconds=OPENING_SECONDS)
        return mailbox

    def status(self, name: MailboxName, size: bool) -> MailboxStatus:
        """The mailbox's numbers."""
        return self.mailbox(name).status(size)

    def append(self, name: MailboxName, uploads: Iterable[Upload]) -> Appended:
        """Store messages."""
        return self.mailbox(name, Code.TRYCREATE).append(uploads)

    def listing(self) -> list[MailboxInfo]:
        """Every mailbox, and the names that are only parents of others."""
        with files.told_to_client():
            names = self._folders.names()
            uses = specialuse.of(names, specialuse.read(self.root))
        found = {name: MailboxInfo(name, True, uses.get(name)) for name in names}
        for name in names:
            parent = name.parent
            while parent is not None and parent not in found:
                found[parent] = MailboxInfo(parent, selectable=False)
                parent = parent.parent
        return list(found.values())

    def create(self, name: MailboxName, special_use: SpecialUse | None = None) -> str:
        """Make a mailbox; returns its id."""
        with files.told_to_client(), account_lock(self.root):
            self._must_be_free(name)
            uses = specialuse.read(self.root)
            if special_use is not None and special_use in uses.values():
                raise ClientError(Code.USEATTR, "Another mailbox has this use")
            path, nursery = self._folders.path(name), self.root / f"{NURSERY}{self._names()}"
            with ExitStack() as undo:
                undo.callback(shutil.rmtree, nursery, ignore_errors=True)
                MaildirFiles(nursery, self._names, self._log).make(subfolder=True)
                uids = UIDList.new(self._take_validity())
                files.replace(nursery / uidlist.FILE, uids.serialise(), uidlist.TEMPORARY)
                os.rename(nursery, path)
                undo.callback(os.rename, path, nursery)
                files.sync_directory(self.root)
                if special_use is not None:
                    specialuse.write(self.root, {**uses, name: special_use})
                undo.pop_all()
        return uids.guid

    def delete(self, name: MailboxName) -> None:
        """Remove a mailbox: its folder goes out of sight in one step, then its files go."""
        with files.told_to_client(), account_lock(self.root):
            mailbox = self.mailbox(name)
            path, grave = self._folders.path(name), self.root / f"{GRAVE}{self._names()}"
            with ExitStack() as undo:
                os.rename(path, grave)
                undo.callback(os.rename, grave, path)
                files.sync_directory(self.root)
                uses = specialuse.read(self.root)
                if uses.pop(name, None) is not None:
                    specialuse.write(self.root, uses)
                undo.pop_all()
            self._lose(mailbox, "The mailbox was deleted")
            self._forget(grave)
            self._bury()

    def _forget(self, grave: Path) -> None:
        """Take a deleted folder out of the index."""
        with suppress(uidlist.Damaged):
            self._index.remove(uidlist.parse(files.read(grave / uidlist.FILE) or b"").guid)

    def rename(self, old: MailboxName, new: MailboxName) -> None:
        """Rename a mailbox and those below it, all or none; of INBOX only the messages move."""
        if old.is_inbox:
            self.create(new)
            inbox = self.open(INBOX)
            inbox.move(list(inbox.folder.rows), self.mailbox(new))
            return
        with files.told_to_client(), account_lock(self.root):
            moving = {name: name.moved(old, new) for name in self._folders.names() if name == old or name.is_below(old)}
            if not moving:
                raise NoSuchMailbox
            for after in moving.values():
                self._must_be_free(after)
            with ExitStack() as undo:
                for before, after in moving.items():
                    source, target = self._folders.path(before), self._folders.path(after)
                    os.rename(source, target)
                    undo.callback(os.rename, target, source)
                files.sync_directory(self.root)
                uses = specialuse.read(self.root)
                if uses.keys() & moving.keys():
                    specialuse.write(self.root, {moving.get(name, name): use for name, use in uses.items()})
                undo.pop_all()
            for before, after in moving.items():
                self._renamed(before, after)

    def _renamed(self, old: MailboxName, new: MailboxName) -> None:
        mailbox = self._mailboxes.pop(old, None)
        if mailbox is not None:
            mailbox.move_to(new, self._folders.path(new))
            self._mailboxes[new] = mailbox
            self._announce(mailbox, Renamed(new))

    def _must_be_free(self, name: MailboxName) -> None:
        if self._folders.exists(name):
            raise ClientError(Code.ALREADYEXISTS, "The mailbox already exists")

    # -- subscriptions

    def subscriptions(self) -> frozenset[MailboxName]:
        """The subscribed names."""
        with files.told_to_client():
            return frozenset(name for parts in self._subscribed()[1] if (name := self._decoded(parts)) is not None)

    def subscribe(self, name: MailboxName, subscribed: bool) -> None:
        """Add a name, or take it out; lines that we cannot read stay."""
        with files.told_to_client(), dotlock(self.root / subscriptions.FILE, SUBSCRIPTIONS_STALE_SECONDS):
            version, lines = self._subscribed()
            kept = [parts for parts in lines if self._decoded(parts) != name]
            if subscribed:
                kept.append(tuple(map(self._folders.encoding.encode, name.parts)))
            if kept != lines:
                files.replace(self.root / subscriptions.FILE, subscriptions.serialise(version, kept))

    def _subscribed(self) -> tuple[int, list[Parts]]:
        data = files.read(self.root / subscriptions.FILE)
        version, lines = subscriptions.parse(data)
        return version, lines if data is not None else courier.read_subscriptions(self.root)

    def _decoded(self, parts: Parts) -> MailboxName | None:
        try:
            return MailboxName(tuple(map(self._folders.encoding.decode, parts)))
        except ValueError:
            return None

    # -- the rest

    def lock_maildrop(self) -> Callable[[], None]:
        """POP3's lock; returns what releases it."""
        with files.told_to_client():
            descriptor = maildrop_lock(self.root)
        held = [descriptor]

        def release() -> None:
            if held:
                os.close(held.pop())

        return release

    def sync_flags(self) -> None:
        """Make the flag changes so far survive a power cut."""
        for mailbox in self._mailboxes.values():
            mailbox.sync_flags()

    def close(self) -> None:
        """Finish, and let go of everything. ``ClientError`` where flags could not be made durable."""
        try:
            for mailbox in self._mailboxes.values():
                mailbox.close()
        finally:
            self._mailboxes.clear()
            self._index.close()

    def take_outbox(self) -> Sequence[tuple[MaildirMailbox, Change]]:
        """The changes since the last time."""
        taken, self.outbox = self.outbox, []
        return taken

    def _announce(self, mailbox: MaildirMailbox, change: Change) -> None:
        self.outbox.append((mailbox, change))

    def _lose(self, mailbox: MaildirMailbox, reason: str) -> None:
        self._mailboxes.pop(mailbox.name, None)
        mailbox.close()
        self._announce(mailbox, Reset(reason))

    def _put_away(self) -> None:
        idle = [name for name, mailbox in self._mailboxes.items() if not self.in_use(mailbox)]
        for name in idle[: max(0, len(idle) - KEPT_MAILBOXES)]:
            self._mailboxes.pop(name).close()

    def _take_validity(self) -> UIDValidity:
        with uidvalidity_lock(self.root):
            return uidvalidity.take(self.root, time.time())

    def _bury(self) -> None:
        """Remove the files of deleted folders; what cannot be removed now is tried again at the next start."""
        for grave in self.root.glob(f"{GRAVE}*"):
            shutil.rmtree(grave, ignore_errors=True)
        for nursery in self.root.glob(f"{NURSERY}*"):
            if nursery.stat().st_mtime < time.time() - STALE_TMP_SECONDS:
                shutil.rmtree(nursery, ignore_errors=True)
