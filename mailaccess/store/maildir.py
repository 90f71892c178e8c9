"""One Maildir folder's files: found, opened, delivered, renamed, linked and removed.

1. A message is visible only when it is whole: written and fsynced in ``tmp/``, renamed, then the directory fsynced.
2. A rename or unlink that finds nothing means "look again": other programs rename files too.
3. What is not a regular file is no message: a FIFO or a link in ``cur/`` hangs nobody (O_NOFOLLOW, O_NONBLOCK). Nor is
   a file with a control character in its name: lists of UIDs are lines.
4. Files that we did not make are never written, and never renamed but for their flags.
"""

import errno
import os
import stat
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, NamedTuple

from mailaccess.errors import Code, NoSuchMailbox
from mailaccess.message import lines
from mailaccess.store import files
from mailaccess.store.filenames import UniqueNames, base_of, can_be_listed, sizes, with_sizes

NEW, CUR, TMP = "new", "cur", "tmp"
SUBFOLDER_MARK = "maildirfolder"
STALE_TMP_SECONDS = 36 * 60 * 60
"""Dovecot and Courier remove what lies in ``tmp/`` longer than this."""

_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
_COPY_OCTETS = 64 * 1024

Found = dict[str, str]
"""From base to the file's place below the folder: ``cur/…`` or ``new/…``."""


class OpenFile(NamedTuple):
    """A message's file, open for reading: the descriptor is the caller's to close."""

    descriptor: int
    size: int
    mtime: int


class Incoming(NamedTuple):
    """A whole message in ``tmp/``, that waits for its place."""

    temporary: str
    base: str
    wire_size: int
    mtime: int


class MaildirFiles:
    """The files of the folder at ``path``; ``log`` is told, once, of each file that cannot be served."""

    def __init__(self, path: Path, names: UniqueNames, log: Callable[[str], None]) -> None:
        self.path = path
        self._names = names
        self._log = log
        self._told: set[str] = set()

    def exists(self) -> bool:
        """Whether there is a Maildir here."""
        return (self.path / CUR).is_dir()

    def make(self, *, subfolder: bool) -> None:
        """Make the folder and what it lacks."""
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        for part in (TMP, NEW, CUR):  # cur last: it is what makes a folder one
            (self.path / part).mkdir(mode=0o700, exist_ok=True)
        if subfolder:
            (self.path / SUBFOLDER_MARK).touch(0o600)
        files.sync_directory(self.path)

    def mend(self) -> bool:
        """Make ``new/`` and ``tmp/`` where they are missing, and whether they were: rsync and git leave empty ones out.

        ``FileNotFoundError`` where there is no Maildir here any more.
        """
        missing = [part for part in (NEW, TMP) if not (self.path / part).is_dir()]
        if missing and not self.exists():
            raise FileNotFoundError(errno.ENOENT, os.fspath(self.path))
        for part in missing:
            (self.path / part).mkdir(mode=0o700, exist_ok=True)
        return bool(missing)

    def stamps(self) -> tuple[tuple[int, int], tuple[int, int]]:
        """What changes when a file comes, goes or is renamed. ``OSError`` where the folder is gone."""
        new, cur = os.stat(f"{self.path}/{NEW}"), os.stat(f"{self.path}/{CUR}")
        return (new.st_mtime_ns, new.st_ino), (cur.st_mtime_ns, cur.st_ino)

    def scan(self) -> Found:
        """Every message file. Where a base lies in both directories, ``cur`` counts."""
        found: Found = {}
        for directory in (NEW, CUR):
            prefix = directory + "/"
            with os.scandir(self.path / directory) as entries:
                for entry in entries:
                    name = entry.name
                    if name[0] == ".":
                        continue
                    if not entry.is_file(follow_symlinks=False):
                        self.cannot_serve(prefix + name, "not a regular file")
                        continue
                    if not can_be_listed(name):
                        self.cannot_serve(prefix + ascii(name), "no line of a UID list can name it")
                        continue
                    found[base_of(name)] = prefix + name
        return found

    def open(self, place: str) -> OpenFile:
        """A message's file. ``FileNotFoundError`` where it is not there, or not to be served."""
        try:
            descriptor = os.open(f"{self.path}/{place}", files.READ_ONLY_MODES)
        except PermissionError as error:
            self.cannot_serve(place, "not readable")
            raise FileNotFoundError(errno.ENOENT, place) from error
        except OSError as error:
            if error.errno in (errno.ELOOP, errno.ENXIO):
                raise FileNotFoundError(errno.ENOENT, place) from error
            raise
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            os.close(descriptor)
            raise FileNotFoundError(errno.ENOENT, place)
        return OpenFile(descriptor, found.st_size, int(found.st_mtime))

    def cannot_serve(self, place: str, reason: str) -> None:
        """Log a file that no client will see."""
        if place not in self._told and len(self._told) < 1000:
            self._told.add(place)
            self._log(f"{self.path / place}: {reason}")

    def receive(self, source: BinaryIO, mtime: int | None) -> Incoming:
        """Write a message into ``tmp/``, with LF line ends as on every Maildir, and fsync it.

        On any error nothing is left.
        """
        base = self._names()
        temporary = f"{TMP}/{base}"
        path = self.path / temporary
        when = int(time.time()) if mtime is None else mtime
        try:
            descriptor = self._made(path)
            with os.fdopen(descriptor, "wb") as file:
                size, wire_size = _copy(source, file)
                file.flush()
                os.utime(file.fileno(), (when, when))
                os.fsync(file.fileno())
        except OSError:
            with suppress(OSError):
                path.unlink()
            raise
        return Incoming(temporary, with_sizes(base, size, wire_size), wire_size, when)

    def _made(self, path: Path) -> int:
        """A new file in ``tmp/``. ``NoSuchMailbox`` where the folder is gone."""
        try:
            return os.open(path, _NEW_FILE, 0o600)
        except FileNotFoundError:
            self._mend_target()
            return os.open(path, _NEW_FILE, 0o600)

    def _mend_target(self) -> bool:
        """Whether what was missing for a copy to come here is there now. ``NoSuchMailbox`` where the folder is gone."""
        try:
            return self.mend()
        except FileNotFoundError as error:
            raise NoSuchMailbox(code=Code.TRYCREATE) from error

    def link(self, source: str) -> Incoming:
        """A copy of another folder's file in ``tmp/``: a hard link where the file system allows one.

        ``FileNotFoundError`` where the source is gone, ``NoSuchMailbox`` where this folder is.
        """
        base = self._names()
        temporary = f"{TMP}/{base}"
        try:
            os.link(source, f"{self.path}/{temporary}", follow_symlinks=False)
        except FileNotFoundError:
            if not self._mend_target():
                raise
            return self.link(source)
        except OSError as error:
            if error.errno not in (errno.EXDEV, errno.EMLINK, errno.EPERM, errno.EOPNOTSUPP):
                raise
            with os.fdopen(os.open(source, files.READ_ONLY_MODES), "rb") as file:
                return self.receive(file, int(os.fstat(file.fileno()).st_mtime))
        size, wire_size = sizes(base_of(source.rpartition("/")[2]))
        return Incoming(temporary, with_sizes(base, size, wire_size), wire_size, -1)

    def drop(self, incoming: Iterable[Incoming]) -> None:
        """Take back what waits in ``tmp/``."""
        for message in incoming:
            with suppress(OSError):
                (self.path / message.temporary).unlink()

    def rename(self, place: str, after: str) -> None:
        """Move a file within the folder. ``FileNotFoundError``: look again."""
        try:
            os.rename(f"{self.path}/{place}", f"{self.path}/{after}")
        except FileNotFoundError:
            if not self.mend():
                raise
            os.rename(f"{self.path}/{place}", f"{self.path}/{after}")

    def check_removable(self) -> None:
        """``OSError`` where no file can be removed here: asked before the first of several goes."""
        path = self.path / CUR
        if os.statvfs(path).f_flag & os.ST_RDONLY:
            raise OSError(errno.EROFS, os.strerror(errno.EROFS))
        if not os.access(path, os.W_OK | os.X_OK):
            raise OSError(errno.EACCES, os.strerror(errno.EACCES))

    def remove(self, place: str) -> None:
        """Unlink a message's file. ``FileNotFoundError``: look again."""
        os.unlink(f"{self.path}/{place}")

    def sync(self) -> None:
        """Make what happened in ``cur/`` survive a power cut."""
        files.sync_directory(self.path / CUR)

    def purge_tmp(self, now: float) -> None:
        """Remove what deliveries that died left in ``tmp/``."""
        with os.scandir(self.path / TMP) as entries:
            for entry in entries:
                with suppress(OSError):
                    if entry.stat(follow_symlinks=False).st_ctime < now - STALE_TMP_SECONDS:
                        os.unlink(entry.path)


def _copy(source: BinaryIO, target: BinaryIO) -> tuple[int, int]:
    """Copy with CRLF turned into LF; ``(octets written, octets on the wire)``."""
    size = wire_size = 0
    held = b""
    while chunk := source.read(_COPY_OCTETS):
        chunk = held + chunk
        held = b"\r" if chunk.endswith(b"\r") else b""
        data = lines.to_lf(chunk[: len(chunk) - len(held)])
        size += target.write(data)
        wire_size += lines.crlf_size(data)
    target.write(held)
    return size + len(held), wire_size + len(held)
