"""Locks that die with their process: ``flock`` on a file of ours, and Dovecot's dotlock where it counts.

Order, so that no two ever wait for each other: the account's lock, then a folder's, folders by their path, then that of
the UIDVALIDITY. Each has a file of its own: INBOX is the account's root, and a folder.
"""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from mailaccess.errors import MailboxInUse, StoreUnavailable
from mailaccess.store import patience
from mailaccess.store.foreign import uidlist
from mailaccess.store.foreign.dotlock import dotlock

ACCOUNT_FILE = "mailaccess-account.lock"
FOLDER_FILE = "mailaccess.lock"
UIDVALIDITY_FILE = "mailaccess-uidvalidity.lock"
MAILDROP_FILE = "mailaccess-pop3.lock"
_POLL_SECONDS = 0.005


@contextmanager
def account_lock(root: Path) -> Iterator[None]:
    """While folders are made, renamed and removed."""
    with _flock(root / ACCOUNT_FILE, patience.WAIT_SECONDS):
        yield


@contextmanager
def uidvalidity_lock(root: Path) -> Iterator[None]:
    """While a UIDVALIDITY is taken: no two folders get the same one."""
    with _flock(root / UIDVALIDITY_FILE, patience.WAIT_SECONDS):
        yield


@contextmanager
def folder_lock(folder: Path, wait_seconds: float | None = None) -> Iterator[None]:
    """While UIDs are given and files take their places: ours, and Dovecot's of the UID list. ``WAIT_SECONDS`` at most.

    ``StoreUnavailable`` where somebody else has it for longer.
    """
    seconds = patience.WAIT_SECONDS if wait_seconds is None else wait_seconds
    with _flock(folder / FOLDER_FILE, seconds), dotlock(folder / uidlist.LOCKED_BY, wait_seconds=seconds):
        yield


class FolderLock:
    """The lock of the folder at ``path``, for one thread at a time; who holds it may take it again."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._is_held = False
        self._refused_at: float | None = None

    @contextmanager
    def __call__(self, wait_seconds: float | None = None) -> Iterator[None]:
        """Hold it. ``StoreUnavailable`` where somebody else has it for longer than this, or ``WAIT_SECONDS``."""
        if self._is_held:
            yield
            return
        with ExitStack() as held:
            try:
                held.enter_context(folder_lock(self.path, wait_seconds))
            except StoreUnavailable:
                self._refused_at = self._refused_at or time.monotonic()
                raise
            self._refused_at, self._is_held = None, True
            try:
                yield
            finally:
                self._is_held = False

    @property
    def is_stuck(self) -> bool:
        """Whether it could not be had for longer than anybody works with it."""
        return self._refused_at is not None and time.monotonic() - self._refused_at > patience.WAIT_SECONDS


def maildrop_lock(root: Path) -> int:
    """POP3's exclusive lock: the descriptor that holds it; closing it lets go. ``MailboxInUse``."""
    descriptor = _open(root / MAILDROP_FILE)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise MailboxInUse from None
    return descriptor


@contextmanager
def _flock(path: Path, wait_seconds: float) -> Iterator[None]:
    descriptor = _open(path)
    try:
        with patience.attempts(wait_seconds, _POLL_SECONDS) as attempts:
            if not any(_taken(descriptor) for _ in attempts):
                raise StoreUnavailable("Another process holds the mailbox's lock")
        yield
    finally:
        os.close(descriptor)


def _taken(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _open(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
