"""An account's index in SQLite: what is slow to find out again, and MODSEQ. It may be deleted at any time.

Nothing here is the truth: whatever goes wrong with the file, the index is made anew, and where even that is not
possible (a full or read-only disk) it lives in memory. So there is no fsync, and no error leaves this module.
"""

import os
import secrets
import sqlite3
from collections.abc import Callable, Container, Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple, TypeVar
from urllib.parse import quote_from_bytes, unquote_to_bytes

from mailaccess.store import files, schema
from mailaccess.store.foreign import uidlist
from mailaccess.values import UID, Flag, Flags, MessageRow, ModSeq, flags

T = TypeVar("T")

_BUSY_SECONDS = 5.0
_ATTEMPTS = 3  # one that fails, one with a new file, one more for another process that is at work
_PLACEHOLDERS = 500  # below SQLite's oldest limit of 999 variables in a statement
_ID_BITS = 62  # a mailbox's id from an index that was deleted names no mailbox of the next one
_CONTENTS = ("structures", "fields")


class Kept(NamedTuple):
    """What the index knows of a mailbox."""

    mailbox: int
    highest_modseq: ModSeq
    recent: UID
    rows: dict[UID, MessageRow]
    expunged: frozenset[UID]
    """Lines of the UID list may still name them."""


class Index:
    """The index at ``path``; ``log`` is told when it had to be made anew."""

    def __init__(self, path: Path, log: Callable[[str], None]) -> None:
        self._path = path
        self._log = log
        self._database: sqlite3.Connection | None = None
        self._stamp: int | None = None
        self.generation = 0
        """Rises whenever the file is another one: what was kept must be kept again."""

    def close(self) -> None:
        """Let go of the file."""
        if self._database is not None:
            with suppress(sqlite3.Error):
                self._database.close()
            self._database = None

    def look(self) -> None:
        """Notice that the file was deleted or replaced."""
        if self._database is not None and self._stamp is not None and _inode(self._path) != self._stamp:
            self.close()
            self._attempt(lambda database: None)

    def is_copy(self, guid: str, path: Path) -> bool:
        """Whether a folder other than ``path`` has this GUID too: somebody copied it, list and all (``cp -a``)."""

        def read(database: sqlite3.Connection) -> Path | None:
            known = database.execute("SELECT directory FROM mailboxes WHERE guid = ?", (guid,)).fetchone()
            return Path(os.fsdecode(unquote_to_bytes(known[0]))) if known is not None else None

        other = self._attempt(read)
        if other is None or other == path:
            return False
        try:
            return uidlist.parse(files.read(other / uidlist.FILE) or b"").guid == guid
        except (uidlist.Damaged, OSError):
            return False

    def load(self, guid: str, directory: Path, validity: int, now_modseq: ModSeq) -> Kept:
        """What is known of the mailbox with this GUID, which is in ``directory``; nothing of another UIDVALIDITY."""
        place = quote_from_bytes(os.fsencode(directory))
        return self._attempt(lambda database: _load(database, guid, place, validity, now_modseq))

    def save(self, mailbox: int, highest: ModSeq, rows: Iterable[MessageRow]) -> None:
        """Keep rows, new or changed."""
        values = [(mailbox, r.uid, r.modseq, " ".join(r.flags), r.size, r.internal_date) for r in rows]

        def write(database: sqlite3.Connection) -> None:
            with database:
                database.executemany("INSERT OR REPLACE INTO messages VALUES (?, ?, ?, ?, ?, ?)", values)
                _set_highest(database, mailbox, highest)

        self._attempt(write)

    def forget(self, mailbox: int, highest: ModSeq, uids: Iterable[int]) -> None:
        """Messages are gone, at this MODSEQ."""
        keys = [(mailbox, uid) for uid in uids]

        def write(database: sqlite3.Connection) -> None:
            with database:
                for table in ("messages", *_CONTENTS):
                    database.executemany(f"DELETE FROM {table} WHERE mailbox = ? AND uid = ?", keys)  # noqa: S608
                database.executemany("INSERT OR IGNORE INTO expunged VALUES (?, ?)", keys)
                _set_highest(database, mailbox, highest)

        self._attempt(write)

    def outlive(self, mailbox: int, listed: Container[UID]) -> None:
        """Of the messages that are gone only those need be known that the UID list still has lines of."""

        def write(database: sqlite3.Connection) -> None:
            known = database.execute("SELECT mailbox, uid FROM expunged WHERE mailbox = ?", (mailbox,)).fetchall()
            stale = [key for key in known if key[1] not in listed]
            if stale:
                with database:
                    database.executemany("DELETE FROM expunged WHERE mailbox = ? AND uid = ?", stale)

        self._attempt(write)

    def remove(self, guid: str) -> None:
        """The mailbox with this GUID was deleted."""

        def write(database: sqlite3.Connection) -> None:
            known = database.execute("SELECT id FROM mailboxes WHERE guid = ?", (guid,)).fetchone()
            if known is not None:
                _remove_mailbox(database, known[0])

        self._attempt(write)

    def claim_recent(self, mailbox: int, recent: UID) -> None:
        r"""Messages below this UID are \Recent to nobody any more."""

        def write(database: sqlite3.Connection) -> None:
            with database:
                database.execute("UPDATE mailboxes SET recent = ? WHERE id = ?", (recent, mailbox))

        self._attempt(write)

    def structures(self, mailbox: int, uids: Sequence[UID]) -> dict[int, tuple[bytes, bytes]]:
        """ENVELOPE and BODYSTRUCTURE of those of these messages that have them here."""
        query = "SELECT uid, envelope, body FROM structures"
        return {uid: (envelope, body) for uid, envelope, body in self._of(query, mailbox, uids)}

    def keep_structures(self, mailbox: int, found: Iterable[tuple[UID, bytes, bytes]]) -> None:
        """Keep ENVELOPE and BODYSTRUCTURE."""
        self._keep("INSERT OR REPLACE INTO structures VALUES (?, ?, ?, ?)", mailbox, found)

    def fields(self, mailbox: int, uids: Sequence[UID]) -> dict[int, bytes]:
        """The frequent header fields of those of these messages that have them here."""
        return dict(self._of("SELECT uid, fields FROM fields", mailbox, uids))

    def keep_fields(self, mailbox: int, found: Iterable[tuple[UID, bytes]]) -> None:
        """Keep frequent header fields."""
        self._keep("INSERT OR REPLACE INTO fields VALUES (?, ?, ?)", mailbox, found)

    def _of(self, query: str, mailbox: int, uids: Sequence[UID]) -> list[Any]:
        """The rows that a query finds of these messages, in any order."""

        def read(database: sqlite3.Connection) -> list[Any]:
            found: list[Any] = []
            for start in range(0, len(uids), _PLACEHOLDERS):
                some = uids[start : start + _PLACEHOLDERS]
                marks = ",".join("?" * len(some))
                found += database.execute(f"{query} WHERE mailbox = ? AND uid IN ({marks})", (mailbox, *some))
            return found

        return self._attempt(read)

    def _keep(self, statement: str, mailbox: int, found: Iterable[tuple[object, ...]]) -> None:
        values = [(mailbox, *row) for row in found]

        def write(database: sqlite3.Connection) -> None:
            with database:
                database.executemany(statement, values)

        self._attempt(write)

    def _attempt(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Do ``work``, on a new index where this one fails, and on one in memory where that fails too."""
        for _ in range(_ATTEMPTS):
            try:
                return work(self._database or self._open())
            except (sqlite3.Error, OSError) as error:
                self.close()
                if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_BUSY:
                    continue  # another process works with it
                self._log(f"the index {self._path} is made anew: {error}")
                with suppress(OSError):
                    _remove(self._path)
        self._database = _prepare(sqlite3.connect(":memory:", check_same_thread=False))
        self._stamp = None
        self.generation += 1
        return work(self._database)

    def _open(self) -> sqlite3.Connection:
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        database = sqlite3.connect(self._path, timeout=_BUSY_SECONDS, check_same_thread=False)
        try:
            self._database = _prepare(database)
        except sqlite3.Error:
            database.close()
            raise
        self._path.chmod(0o600)
        self._stamp = _inode(self._path)
        self.generation += 1
        return self._database


def _prepare(database: sqlite3.Connection) -> sqlite3.Connection:
    """Set the connection up, and make the tables where there are none."""
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("PRAGMA synchronous = OFF")  # a power cut may damage it: then it is made anew
    version = database.execute("PRAGMA user_version").fetchone()[0]
    if version == 0:
        with database:
            database.executescript(
                f"BEGIN IMMEDIATE; {schema.TABLES}"
                f"PRAGMA user_version = {schema.VERSION}; PRAGMA application_id = {schema.APPLICATION_ID}; COMMIT"
            )
    elif version != schema.VERSION:
        raise sqlite3.DatabaseError(f"version {version}, where {schema.VERSION} is expected")
    return database


def _load(database: sqlite3.Connection, guid: str, directory: str, validity: int, now_modseq: ModSeq) -> Kept:
    query = "SELECT id, validity, highest_modseq, recent, directory FROM mailboxes WHERE guid = ?"
    known = database.execute(query, (guid,)).fetchone()
    if known is not None and known[1] != validity:
        _remove_mailbox(database, known[0])
        known = None
    if known is None:
        new = (1 + secrets.randbits(_ID_BITS), guid, directory, validity, now_modseq)
        with database:  # another process may be first
            database.execute(
                "INSERT OR IGNORE INTO mailboxes (id, guid, directory, validity, highest_modseq)"
                " VALUES (?, ?, ?, ?, ?)",
                new,
            )
        known = database.execute(query, (guid,)).fetchone()
    if known[4] != directory:
        with database:
            database.execute("UPDATE mailboxes SET directory = ? WHERE id = ?", (directory, known[0]))
    sets: dict[str, Flags] = {}
    rows: dict[UID, MessageRow] = {}
    query = "SELECT uid, modseq, flags, size, date FROM messages WHERE mailbox = ? ORDER BY uid"
    for uid, modseq, names, size, date in database.execute(query, (known[0],)):
        kept = sets.get(names)
        if kept is None:
            kept = sets[names] = flags(map(Flag, names.split()))
        rows[uid] = MessageRow(uid, kept, modseq, size, date)
    expunged = frozenset(uid for (uid,) in database.execute("SELECT uid FROM expunged WHERE mailbox = ?", known[:1]))
    return Kept(known[0], ModSeq(known[2]), UID(known[3]), rows, expunged)


def _remove_mailbox(database: sqlite3.Connection, mailbox: int) -> None:
    with database:
        for table in ("messages", "expunged", *_CONTENTS):
            database.execute(f"DELETE FROM {table} WHERE mailbox = ?", (mailbox,))  # noqa: S608
        database.execute("DELETE FROM mailboxes WHERE id = ?", (mailbox,))


def _set_highest(database: sqlite3.Connection, mailbox: int, highest: ModSeq) -> None:
    database.execute("UPDATE mailboxes SET highest_modseq = max(highest_modseq, ?) WHERE id = ?", (highest, mailbox))


def _inode(path: Path) -> int | None:
    found = files.stamp(path)
    return found[2] if found else None


def _remove(path: Path) -> None:
    for suffix in ("", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
