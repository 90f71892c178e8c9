"""Dovecot's dotlock: respected while its owner lives, and not a moment longer."""

import errno
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from mailaccess.errors import StoreUnavailable
from mailaccess.store import patience
from mailaccess.store.foreign import dotlock as module
from mailaccess.store.foreign.dotlock import dotlock

HOST = socket.gethostname()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "dovecot-uidlist"


@pytest.fixture
def lock(path: Path) -> Path:
    return path.with_name("dovecot-uidlist.lock")


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "WAIT_SECONDS", 0.0)


def a_dead_process() -> int:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_it_says_who_holds_it_and_goes_away(path: Path, lock: Path) -> None:
    with dotlock(path):
        assert lock.read_text() == f"{os.getpid()}:{HOST}"
    assert not lock.exists()


def test_a_living_owner_is_waited_for(path: Path, lock: Path, impatient: None) -> None:
    lock.write_text(f"{os.getppid()}:{HOST}")
    with pytest.raises(StoreUnavailable), dotlock(path):
        pass
    assert lock.exists()


def test_a_dead_owners_lock_is_broken_at_once(path: Path, lock: Path, impatient: None) -> None:
    lock.write_text(f"{a_dead_process()}:{HOST}")
    with dotlock(path):
        assert lock.read_text() == f"{os.getpid()}:{HOST}"


@pytest.mark.parametrize("content", ["1:another-host.example", "nonsense"])
def test_an_owner_elsewhere_is_believed_until_the_lock_is_stale(
    content: str, path: Path, lock: Path, impatient: None
) -> None:
    lock.write_text(content)
    with pytest.raises(StoreUnavailable), dotlock(path, stale_seconds=30):
        pass
    old = lock.stat().st_mtime - 31
    os.utime(lock, (old, old))
    with dotlock(path, stale_seconds=30):
        pass


def test_a_living_process_with_a_dead_ones_number_is_no_owner(path: Path, lock: Path, impatient: None) -> None:
    """In a container the server has the same process number after each start."""
    lock.write_text(f"{os.getpid()}:{HOST}")
    os.utime(lock, (1_000_000_000, 1_000_000_000))
    with dotlock(path):
        pass


def test_an_error_inside_lets_go(path: Path, lock: Path) -> None:
    with pytest.raises(KeyError), dotlock(path):
        raise KeyError
    assert not lock.exists()


def test_an_owner_that_was_killed_before_it_wrote_its_name(path: Path, lock: Path, impatient: None) -> None:
    lock.touch()
    with pytest.raises(StoreUnavailable), dotlock(path):
        pass
    before = lock.stat().st_mtime - module.UNSIGNED_SECONDS - 1
    os.utime(lock, (before, before))
    with dotlock(path):
        assert lock.read_text() == f"{os.getpid()}:{HOST}"


def test_a_lock_that_cannot_be_written_is_not_left(path: Path, lock: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(OSError, match="space"), dotlock(path):
        pass
    assert not lock.exists()
