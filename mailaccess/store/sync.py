"""A folder's messages as the disk has them: files, UID list, keywords and index brought together.

The trouble. Other programs deliver into ``new/``, rename files in ``cur/`` to change flags, and remove files, without
a lock and while we look. ``readdir`` is no snapshot: a file that is renamed while we list may be seen twice or not at
all. Other processes give UIDs too. So:

1. A message is its base name. A file under another name with the same base is the same message with other flags.
2. A UID is given under the folder's lock only, after the UID list was read again and the directories were listed again;
   its line is fsynced before anybody hears of it. UIDs never go back and are never given twice: the list's header and
   last line count, whichever says more, and what we gave in this process.
3. A message whose file was not seen is gone only when a second listing does not show it either.
4. UIDs are told in ascending order, by every process. A line is written before its file takes its place, both under
   the lock: where a line above what was told has no file, the lock is taken for another listing. Then all up to the
   last line is settled, and a base that comes later, or comes back after it was expunged, gets a new UID, as with
   Dovecot: ``uid_list.uids`` holds no settled UID but those of ``rows``.
5. UIDVALIDITY changes only where the UID list is lost or cannot be believed. Then what it said is set aside, not lost.
6. MODSEQ is the time, in 2**-20 s, or one more than the last: an index that was deleted never makes it go back. Where
   the clock went back, the mtimes of directory and list say what time it was before.
7. Nothing is announced before it is durable; for flags, which are file names, the rename is the fact.

Cost: a look at two mtimes when nothing happened; one listing otherwise. Times are those of the file system, in ns. A
directory whose mtime is younger than ``RACY_NS`` at the time of listing may change again without its mtime moving, so
it is listed once more at the next look.

Considered and not done: inotify as the only source (events overflow, and say nothing of what happened before we ran),
and trusting the index alone when opening (it is a cache; a listing of 10,000 names takes 4 ms).
"""

import errno
import itertools
import secrets
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

from mailaccess.changes import Arrived, Change, Expunged, FlagsChanged, Reset
from mailaccess.errors import NoSuchMailbox, StoreUnavailable
from mailaccess.store import files, modseqs
from mailaccess.store.adoption import Adoption
from mailaccess.store.filenames import FileName, UniqueNames, order
from mailaccess.store.foreign import uidlist
from mailaccess.store.foreign.keywords import FILE as KEYWORDS
from mailaccess.store.foreign.keywords import KeywordLetters
from mailaccess.store.foreign.uidlist import UIDList
from mailaccess.store.index import Index, Kept
from mailaccess.store.locks import FolderLock
from mailaccess.store.maildir import CUR, NEW, Found, MaildirFiles
from mailaccess.values import UID, Flag, MessageRow, ModSeq, NumberSet, UIDValidity

RACY_NS = 20_000_000
"""Kernels move mtimes in steps of up to 10 ms: two changes in one step look like one."""

HELD_UP_SECONDS, REFUSED_SECONDS = 0.5, 5.0
"""How soon a folder is looked at again whose lock somebody held, and one whose disk refused to take messages in."""

SUSPECT_SECONDS = 1.0
"""After a change of our own we know the directories but for what others did in the same instant: list them then."""


class _Stamps(NamedTuple):
    """What changes with a folder; the mtimes of its directories, in ns, come first in theirs."""

    new: tuple[int, int]
    cur: tuple[int, int]
    uid_list: tuple[int, int, int] | None
    keywords: tuple[int, int, int] | None


class Folder:
    """One folder: its files, and what is known of its messages. Used by one thread at a time.

    ``take_validity`` gives a UIDVALIDITY for a folder that has none.
    """

    def __init__(
        self,
        path: Path,
        index: Index,
        names: UniqueNames,
        take_validity: Callable[[], UIDValidity],
        log: Callable[[str], None],
    ) -> None:
        self.path = path
        self.lock = FolderLock(path)
        self.files = MaildirFiles(path, names, log)
        self.keywords = KeywordLetters(path / KEYWORDS)
        self.rows: dict[UID, MessageRow] = {}
        """In ascending order of UID."""
        self.places: dict[UID, str] = {}
        self.bases: dict[UID, str] = {}
        self.highest_modseq = ModSeq(0)
        self.recent = UID(1)
        self.index = index
        self._index_key = 0
        self._index_generation = -1
        self._take_validity = take_validity
        self._log = log
        self._list: UIDList | None = None
        self._list_stamp: object = None
        self._told = UID(0)
        self._has_new = False
        self._clean: _Stamps | None = None
        self._listed_ns = 0
        self._adoption = Adoption()
        self._suspect_at: float | None = None
        self.is_held_up = self.is_refused = False
        """Whether messages had to be left because somebody else held the lock: soon he may not."""

    # -- what is known

    @property
    def uid_list(self) -> UIDList:
        """The UID list, after the first :meth:`sync`."""
        assert self._list is not None
        return self._list

    @property
    def index_key(self) -> int:
        """This mailbox in the index as it is now: after the first :meth:`sync`."""
        self._join_index()
        return self._index_key

    def next_modseq(self) -> ModSeq:
        """The MODSEQ of the change that happens now."""
        self.highest_modseq = ModSeq(max(self.highest_modseq + 1, modseqs.at(time.time_ns())))
        return self.highest_modseq

    def move_to(self, path: Path) -> None:
        """The directory has another name now."""
        self.path = self.files.path = self.lock.path = path
        self.keywords.move_to(path / KEYWORDS)
        self._clean = None

    # -- looking

    def sync(self, *, take_new: bool, wait_seconds: float = 0.0) -> list[Change]:
        """Look at the disk, and return what changed. With ``take_new`` messages move from ``new/`` to ``cur/``.

        Where somebody holds the lock for longer than ``wait_seconds`` those without UIDs are left (``is_held_up``).
        ``NoSuchMailbox`` where the folder is gone.
        """
        with files.told_to_client():
            self.index.look()
            try:
                if not self._may_have_changed(take_new) and self.index.generation == self._index_generation:
                    return []
                return self._look(take_new, wait_seconds)
            except (FileNotFoundError, NotADirectoryError) as error:
                self._clean = None
                if not self.files.exists():
                    raise NoSuchMailbox from error
                if not self.files.mend():
                    raise
                return self._look(take_new, wait_seconds)

    def look_again(self) -> list[Change]:
        """List the directories although nothing seems to have changed: a file was not where it should be."""
        self._clean = None
        return self.sync(take_new=False)

    def touched(self, before: object) -> None:
        """We changed the directories ourselves: what we know is what they hold, if it was so before."""
        if self._clean is not None and before == self._clean:
            self._clean = self.stamps()
            self._listed_ns = time.time_ns() + RACY_NS
            self._suspect_at = time.monotonic() + SUSPECT_SECONDS

    @property
    def is_settled(self) -> bool:
        """Whether the last look left nothing that is to be looked at now."""
        return self._clean is not None and (self._suspect_at is None or time.monotonic() < self._suspect_at)

    @property
    def look_again_in(self) -> float | None:
        """Seconds after which another look may find what the last one could not; None where it found everything."""
        if self.is_refused:
            return HELD_UP_SECONDS if self.is_held_up else REFUSED_SECONDS
        return None if self._suspect_at is None else SUSPECT_SECONDS + 0.1

    @property
    def inodes(self) -> tuple[int, int] | None:
        """Which directories were looked at last."""
        return None if self._clean is None else (self._clean.new[1], self._clean.cur[1])

    def stamps(self) -> _Stamps:
        """The state to give to :meth:`touched`."""
        new, cur = self.files.stamps()
        return _Stamps(new, cur, files.stamp(f"{self.path}/{uidlist.FILE}"), files.stamp(f"{self.path}/{KEYWORDS}"))

    def _may_have_changed(self, take_new: bool) -> bool:
        stamps = self.stamps()
        if stamps != self._clean or stamps.uid_list != self._list_stamp:
            return True
        if self._suspect_at is not None and time.monotonic() > self._suspect_at:
            return True
        if max(stamps.new[0], stamps.cur[0]) > self._listed_ns - RACY_NS:
            return True
        return take_new and self._has_new

    def _look(self, take_new: bool, wait_seconds: float) -> list[Change]:
        changes: list[Change] = []
        self._listed_ns = time.time_ns()
        self._suspect_at = None
        before = self.stamps()
        found = self.files.scan()
        changes += self._read_list()
        letters_changed = self.keywords.refresh()
        self._join_index()
        refused = busy = False
        if (
            self._adoption.keywords
            or self._expected(found)
            or self._unnumbered(found)
            or (take_new and _has_new(found))
        ):
            try:
                found = self._take_in(take_new, wait_seconds, changes)
                before = self.stamps()
            except (OSError, StoreUnavailable) as error:
                if isinstance(error, FileNotFoundError | NotADirectoryError):
                    raise
                refused, busy = True, isinstance(error, StoreUnavailable)
                if not busy or self.lock.is_stuck:
                    self.files.cannot_serve(NEW, f"messages cannot be taken in now: {error}")
                found = self.files.scan()
        missing = {*self.bases.values(), *self._expected(found)} - found.keys()
        if missing:
            again = self.files.scan()
            found.update({base: again[base] for base in missing if base in again})
        self.is_held_up, self.is_refused = busy, refused
        self._has_new = _has_new(found)
        awaited = self._expected(found) if busy else []
        if awaited:
            uids, first, known = self.uid_list.uids, self.uid_list.uids[awaited[-1]], set(self.bases.values())
            found = {base: place for base, place in found.items() if uids.get(base, first) < first or base in known}
        changes += self._compare(found, letters_changed)
        self._settle(next(reversed(self.rows), UID(0)) if awaited else UID(self.uid_list.next_uid - 1))
        self._clean = None if refused else before
        return changes

    def _take_in(self, take_new: bool, wait_seconds: float, changes: list[Change]) -> Found:
        """Give what was found its UIDs, and Courier's keywords; with ``take_new`` it moves to ``cur/``.

        On a disk that is full or may only be read this fails, and the messages that have their UIDs are served.
        """
        with self.lock(wait_seconds):
            self._listed_ns = time.time_ns()
            found = self.files.scan()
            if take_new:
                found = self._take_new(found)
            changes += self._read_list()
            self._number(found)
            if self._adoption.keywords:
                self._adoption.rename(found, self.files, self.keywords, self.make_keywords)
        return found

    def _unnumbered(self, found: Found) -> set[str]:
        """Files that need a UID."""
        return found.keys() - self.uid_list.uids.keys()

    def _expected(self, found: Found) -> list[str]:
        """Bases with UIDs above those told, whose files are not to be seen, in descending order of UID."""
        uids = self.uid_list.uids
        above = itertools.takewhile(lambda base: uids[base] > self._told, reversed(uids))
        return [base for base in above if base not in found]

    def _settle(self, told: UID) -> None:
        """Up to this UID there are no other messages than those of ``rows``, and there never will be."""
        self._told = UID(max(told, self._told))
        uids = self.uid_list.uids
        if len(uids) > len(self.rows):
            for base in [base for base, uid in uids.items() if uid <= self._told and uid not in self.rows]:
                self.uid_list.fields.pop(uids.pop(base), None)

    # -- the UID list

    def _read_list(self) -> list[Change]:
        """Read the UID list where it changed; make one where there is none. ``Reset`` where it is another one."""
        stamp = files.stamp(self.path / uidlist.FILE)
        if self._list is not None and stamp == self._list_stamp:
            return []
        data = files.read(self.path / uidlist.FILE)
        found = self._believe(data) if data is not None else None
        if found is not None and found.version == 3:
            self._list_stamp = stamp  # of before: what was written since the reading is read the next time
            found.guid = found.guid or uidlist.guid_of(self.path, found.validity)
        else:
            found = self._make_list(found)
        old, self._list = self._list, found
        if old is None:
            return []
        if old.validity != found.validity:
            self._forget_everything()
            return [Reset("The mailbox's UIDVALIDITY changed")]
        found.next_uid = UID(max(found.next_uid, old.next_uid))
        self._settle(self._told)
        return []

    def _believe(self, data: bytes) -> UIDList | None:
        try:
            return uidlist.parse(data)
        except uidlist.Damaged as error:
            aside = self.path / f"{uidlist.FILE}.damaged"
            self._log(f"{self.path / uidlist.FILE}: {error}; it is set aside as {aside.name}")
            files.replace(aside, data)
            return None

    def _make_list(self, known: UIDList | None) -> UIDList:
        """Write a version 3 list: from an older one, from Courier's, or from what we know, else a new one."""
        with self.lock():
            data = files.read(self.path / uidlist.FILE)
            if data is not None and known is None and self._list is None:
                try:
                    return uidlist.parse(data)  # somebody else was first
                except uidlist.Damaged:
                    pass
            made = known or self._list or self._adoption.uid_list(self.path) or UIDList.new(self._take_validity())
            made.version = 3
            self._write_list(made)
            return made

    def _write_list(self, made: UIDList) -> None:
        files.replace(self.path / uidlist.FILE, made.serialise(), uidlist.TEMPORARY)
        made.lines = len(made.uids)
        self._list_stamp = files.stamp(self.path / uidlist.FILE)

    def _number(self, found: Found) -> None:
        """Give UIDs to the files that have none, durably. Under the lock, with the list just read."""
        self.number(sorted(self._unnumbered(found), key=order))

    def make_keywords(self, keywords: Iterable[Flag]) -> None:
        """Give letters to keywords. Under the lock. ``ClientError(LIMIT)`` when there are no more."""
        keywords = [keyword for keyword in keywords if keyword not in self.keywords.letters]
        if keywords:
            self.keywords.make_room(keywords, {place.rpartition(":")[2] for place in self.files.scan().values()})

    def number(self, bases: Iterable[str]) -> list[UID]:
        """Give the next UIDs to these bases, durably, and return them. Under the lock, with the list just read."""
        bases = list(bases)
        if bases:
            lines = self.uid_list.allocate(bases)
            try:
                files.append(self.path / uidlist.FILE, lines)
            except OSError:
                for base in bases:
                    self.uid_list.uids.pop(base, None)
                raise
            self._list_stamp = files.stamp(self.path / uidlist.FILE)
        return [self.uid_list.uids[base] for base in bases]

    def shrink_list(self) -> None:
        """Write the list anew where many of its lines name messages that are gone (Dovecot's rule)."""
        if len(self.rows) >= self.uid_list.lines * uidlist.REWRITE_BELOW or self.uid_list.lines < 20:
            return
        with self.lock(0.0):
            if files.stamp(self.path / uidlist.FILE) == self._list_stamp:  # else it is read first, and has time
                self._write_list(self.uid_list)
                self.index.outlive(self.index_key, ())

    # -- files and rows

    def _take_new(self, found: Found) -> Found:
        """Move messages from ``new/`` to ``cur/``; one that somebody else moved is found at the next look.

        One whose name has no room for flags stays, and is served where it lies.
        """
        for base, place in found.items():
            if place.startswith(NEW):
                name = place.removeprefix(NEW + "/")
                after = f"{CUR}/{name}" if ":2," in name else f"{CUR}/{FileName(base)}"
                try:
                    self.files.rename(place, after)
                except FileNotFoundError:
                    continue
                except OSError as error:
                    if error.errno != errno.ENAMETOOLONG:
                        raise
                    continue
                found[base] = after
        return found

    def _join_index(self) -> None:
        """Take over what the index knows, once; keep everything there again where it is a new file."""
        if self.index.generation == self._index_generation and self._index_key:
            return
        if self.index.is_copy(self.uid_list.guid, self.path):
            with self.lock():
                self._read_list()
                self.uid_list.guid = secrets.token_hex(16)
                self._write_list(self.uid_list)
        kept = self.index.load(
            self.uid_list.guid,
            self.path,
            self.uid_list.validity,
            modseqs.first(self.path / CUR, self.path / uidlist.FILE),
        )
        known = self._index_key != 0
        if not known and self._read_list():  # the rows may be younger than the list; and this is another list
            self._join_index()
            return
        self._index_generation = self.index.generation
        self._index_key = kept.mailbox
        self.highest_modseq = ModSeq(max(self.highest_modseq, kept.highest_modseq))
        self.recent = UID(max(self.recent, kept.recent))
        if known:
            self.index.save(self._index_key, self.highest_modseq, self.rows.values())
            self.index.claim_recent(self._index_key, self.recent)
        else:
            self._take_rows(kept)

    def _take_rows(self, kept: Kept) -> None:
        """What the index knows of messages that the UID list has."""
        by_uid = {uid: base for base, uid in self.uid_list.uids.items()}
        self.rows = {uid: row for uid, row in kept.rows.items() if uid in by_uid}
        self.bases = {uid: by_uid[uid] for uid in self.rows}
        self.places = {}
        given = max((*kept.rows, *kept.expunged), default=0)  # the list may be an older one, from a backup
        self.uid_list.next_uid = UID(max(self.uid_list.next_uid, given + 1))
        self.index.forget(self._index_key, self.highest_modseq, kept.rows.keys() - by_uid.keys())
        for base in [base for base, uid in self.uid_list.uids.items() if uid in kept.expunged]:
            del self.uid_list.uids[base]
        self.index.outlive(self._index_key, by_uid)

    def _compare(self, found: Found, letters_changed: bool) -> list[Change]:
        """Bring the rows to what was found, and say what that changed."""
        uids = self.uid_list.uids
        arrived: list[MessageRow] = []
        changed: list[MessageRow] = []
        modseq: ModSeq | None = None
        present = 0
        for base, place in found.items():
            uid = uids.get(base)
            if uid is None:
                continue
            present += 1
            if self.places.get(uid) == place and not letters_changed:
                continue
            self.places[uid] = place
            known = self.rows.get(uid)
            after = self.keywords.flags_at(place)
            if known is not None and known.flags == after:
                continue
            modseq = modseq or self.next_modseq()
            if known is None:
                self.bases[uid] = base
                arrived.append(MessageRow(uid, after, modseq))
            else:
                changed.append(MessageRow(uid, after, modseq, known.size, known.internal_date))
        gone: list[UID] = []
        if present != len(self.bases):  # a file is gone, or has got another UID
            gone = [uid for uid, base in self.bases.items() if base not in found or uids.get(base) != uid]
        return self.apply(arrived, changed, gone)

    def apply(self, arrived: list[MessageRow], changed: list[MessageRow], gone: Iterable[UID]) -> list[Change]:
        """Take over rows that are new, changed or gone; returns the changes to announce."""
        changes: list[Change] = []
        arrived.sort(key=lambda row: row.uid)
        above = not self.rows or not arrived or arrived[0].uid > next(reversed(self.rows))
        for row in (*arrived, *changed):
            self.rows[row.uid] = row
        if not above:
            self.rows = dict(sorted(self.rows.items()))
        if arrived or changed:
            self.index.save(self.index_key, self.highest_modseq, (*arrived, *changed))
        if arrived:
            self._told = UID(max(self._told, arrived[-1].uid))
            changes.append(Arrived(tuple(arrived)))
        if changed:
            changes.append(FlagsChanged(tuple(changed)))
        gone = list(gone)
        if gone:
            modseq = self.next_modseq()
            for uid in gone:
                self.rows.pop(uid, None)
                self.places.pop(uid, None)
                base = self.bases.pop(uid, "")
                if self.uid_list.uids.get(base) == uid:
                    del self.uid_list.uids[base]
            self.index.forget(self.index_key, modseq, gone)
            changes.append(Expunged(NumberSet.of(gone), modseq))
            self._shrink_list_if_possible()
        return changes

    def _shrink_list_if_possible(self) -> None:
        """What cannot be made smaller now stays as it is: nobody needs it for what was done."""
        try:
            self.shrink_list()
        except StoreUnavailable:
            return  # somebody works with it: the next time
        except OSError as error:
            self._log(f"{self.path}: the UID list stays long: {error}")

    def _forget_everything(self) -> None:
        self.rows, self.places, self.bases, self._told = {}, {}, {}, UID(0)
        self._index_key = 0


def _has_new(found: Found) -> bool:
    return any(place.startswith(NEW) for place in found.values())
