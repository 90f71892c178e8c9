"""Locks that die with their process: ``flock`` on a file of ours, and Dovecot's dotlock where it counts.

Order, so that no two ever wait for each other: the account's lock, then a folder's, folders by their path.
"""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mailaccess.errors import MailboxInUse, StoreUnavailable
from mailaccess.store.foreign import uidlist
from mailaccess.store.foreign.dotlock import WAIT_SECONDS, dotlock

FILE = "mailaccess.lock"
MAILDROP_FILE = "mailaccess-pop3.lock"
_POLL_SECONDS = 0.005


@contextmanager
def account_lock(root: Path) -> Iterator[None]:
    """While folders are made, renamed and removed, or a UIDVALIDITY is taken."""
    with _flock(root / FILE):
        yield


@contextmanager
def folder_lock(folder: Path) -> Iterator[None]:
    """While UIDs are given and files take their places: ours, and Dovecot's of the UID list."""
    with _flock(folder / FILE), dotlock(folder / uidlist.LOCKED_BY):
        yield


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
def _flock(path: Path) -> Iterator[None]:
    descriptor = _open(path)
    try:
        deadline = time.monotonic() + WAIT_SECONDS
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise StoreUnavailable("Another process holds the mailbox's lock") from None
                time.sleep(_POLL_SECONDS)
        yield
    finally:
        os.close(descriptor)


def _open(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
