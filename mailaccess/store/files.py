"""Small files, read and replaced so that a crash leaves the old or the new one, and an ``OSError`` one clear error."""

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from mailaccess.errors import ClientError, OverQuota, StoreUnavailable

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
READ_ONLY_MODES = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK


def refusal(error: OSError) -> ClientError:
    """What a client may be told of an ``OSError``: no room, or not available now."""
    return OverQuota() if error.errno in _FULL else StoreUnavailable()


@contextmanager
def told_to_client() -> Iterator[None]:
    """Turn an ``OSError`` inside into the ``ClientError`` that a client is told."""
    try:
        yield
    except OSError as error:
        raise refusal(error) from error


def read(path: Path) -> bytes | None:
    """The content of a regular file; None where there is none, or something else has its name."""
    try:
        descriptor = os.open(path, READ_ONLY_MODES)
    except FileNotFoundError:
        return None
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENXIO, errno.ENOTDIR):
            return None
        raise
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        return None
    with os.fdopen(descriptor, "rb") as file:
        return file.read()


def replace(path: Path, content: bytes, beside: str | None = None, mtime_ns: int | None = None) -> None:
    """Write beside, fsync, rename, fsync the directory. ``beside`` is the name of the temporary file."""
    temporary = path.with_name(beside or f"{path.name}.tmp.{os.getpid()}")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            if mtime_ns is not None:
                os.utime(file.fileno(), ns=(mtime_ns, mtime_ns))
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError:
        with suppress(OSError):
            temporary.unlink()
        raise
    sync_directory(path.parent)


def append(path: Path, content: bytes) -> None:
    """Add lines to a file's end and fsync. What could not be written whole is taken back, whoever was cut short."""
    descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW)
    try:
        size = _end_of_lines(descriptor)
        try:
            os.ftruncate(descriptor, size)
            written = os.write(descriptor, content)
            if written != len(content):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            os.fsync(descriptor)
        except OSError:
            with suppress(OSError):
                os.ftruncate(descriptor, size)
            raise
    finally:
        os.close(descriptor)


def _end_of_lines(descriptor: int) -> int:
    """Where the last whole line of a file ends: behind it stands what a power cut left of another."""
    size = os.fstat(descriptor).st_size
    if not size or os.pread(descriptor, 1, size - 1) == b"\n":
        return size
    return os.pread(descriptor, size, 0).rfind(b"\n") + 1


def sync_directory(path: Path) -> None:
    """Make renames and links in a directory survive a power cut."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def stamp(path: Path | str) -> tuple[int, int, int] | None:
    """What changes when a file or directory is written: mtime in ns, size, inode; None where there is none."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
