"""Dovecot's dotlock: a file ``NAME.lock`` with ``pid:host``. Ours is held for milliseconds; a dead owner's is broken.

Dovecot waits 120 s for the lock of a process that was killed. Where the owner ran on this host and is gone, it is
broken at once.
"""

import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from mailaccess.errors import StoreUnavailable
from mailaccess.store import patience

STALE_SECONDS = 120
"""Dovecot's own figure for the UID list; its holder touches the file every 10 s."""

UNSIGNED_SECONDS = 2.0
"""An owner writes its name in the moment in which it makes the lock: one without a name was killed in between."""

TOUCHED_SECONDS = 10.0
"""A process that began longer than this after its lock was last touched has only inherited the number of its owner."""

_POLL_SECONDS = 0.01


@contextmanager
def dotlock(path: Path, stale_seconds: float = STALE_SECONDS, wait_seconds: float | None = None) -> Iterator[None]:
    """Hold ``path`` + ``.lock``. ``StoreUnavailable`` when nobody lets go for ``patience.WAIT_SECONDS``."""
    lock = path.with_name(path.name + ".lock")
    seconds = patience.WAIT_SECONDS if wait_seconds is None else wait_seconds
    with patience.attempts(seconds, _POLL_SECONDS) as attempts:
        if not any(_taken(lock, stale_seconds) for _ in attempts):
            raise StoreUnavailable("Another program holds the mailbox's lock")
    try:
        yield
    finally:
        with suppress(FileNotFoundError):
            lock.unlink()


def _taken(lock: Path, stale_seconds: float) -> bool:
    """Whether the lock is ours now; one that its owner left behind is broken."""
    try:
        descriptor = _make(lock)
    except FileExistsError:
        if not _is_abandoned(lock, stale_seconds):
            return False
        with suppress(FileNotFoundError):
            lock.unlink()
        try:
            descriptor = _make(lock)
        except FileExistsError:
            return False
    try:
        os.write(descriptor, f"{os.getpid()}:{socket.gethostname()}".encode())
    except OSError:  # the disk is full: a lock without an owner would stand for STALE_SECONDS
        lock.unlink()
        raise
    finally:
        os.close(descriptor)
    return True


def _make(lock: Path) -> int:
    return os.open(lock, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)


def _is_abandoned(lock: Path, stale_seconds: float) -> bool:
    """Whether the owner is a dead process of this host, or has not touched the lock for long."""
    try:
        content = lock.read_bytes()
        touched = lock.lstat().st_mtime
    except OSError:
        return False
    if not content:
        return time.time() - touched > UNSIGNED_SECONDS
    pid, colon, host = content.partition(b":")
    if colon and pid.isdigit() and host.decode("utf-8", "replace").strip() == socket.gethostname():
        return not _is_alive(int(pid)) or _began(int(pid)) > touched + TOUCHED_SECONDS
    return time.time() - touched > stale_seconds


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True


def _began(pid: int) -> float:
    """When a process began, in seconds since the epoch; 0.0 where the system does not tell (proc(5), starttime).

    In a container the server has the same process number after each start: the number alone says little.
    """
    try:
        ticks = int(Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[19])
        uptime = float(Path("/proc/uptime").read_text().split()[0])
    except (OSError, ValueError, IndexError):
        return 0.0
    return time.time() - uptime + ticks / os.sysconf("SC_CLK_TCK")
