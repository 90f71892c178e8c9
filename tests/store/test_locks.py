"""Locks keep others out while they are held, and die with their process."""

import signal
import subprocess
import sys
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest

from mailaccess.errors import StoreUnavailable
from mailaccess.interfaces import Upload
from mailaccess.store import patience
from mailaccess.store.account import MaildirAccount
from mailaccess.values import INBOX, MailboxName

Open = Callable[[], MaildirAccount]
WORK = MailboxName(("Work",))

HOLDER = """
import sys
from pathlib import Path
from mailaccess.store.locks import account_lock, folder_lock, uidvalidity_lock
with {lock}(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "WAIT_SECONDS", 0.0)


def hold(lock: str, root: Path) -> "subprocess.Popen[str]":
    """Another process that holds a lock."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER.format(lock=lock), str(root)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def end(process: "subprocess.Popen[str]") -> None:
    process.send_signal(signal.SIGKILL)
    process.communicate()


def append(account: MaildirAccount) -> None:
    account.append(INBOX, [Upload(BytesIO(b"Subject: x\n\n"), 12)])


def test_no_uid_is_given_while_another_process_holds_the_folder(
    open_account: Open, root: Path, impatient: None
) -> None:
    account = open_account()
    append(account)
    holder = hold("folder_lock", root)
    before = (root / "dovecot-uidlist").read_bytes()
    with pytest.raises(StoreUnavailable):
        append(account)
    (root / "new" / "1.delivered.h").write_bytes(b"Subject: x\n\n")
    assert list(account.open(INBOX).folder.rows) == [1], "what has its UID is served meanwhile"
    assert (root / "dovecot-uidlist").read_bytes() == before
    end(holder)
    append(account)
    assert list(account.open(INBOX).folder.rows) == [1, 2, 3]


def test_no_folder_is_made_while_another_process_makes_one(open_account: Open, root: Path, impatient: None) -> None:
    account = open_account()
    holder = hold("account_lock", root)
    with pytest.raises(StoreUnavailable):
        account.create(WORK)
    end(holder)
    account.create(WORK)


def test_no_uidvalidity_is_taken_while_another_process_takes_one(
    open_account: Open, root: Path, impatient: None
) -> None:
    account = open_account()
    holder = hold("uidvalidity_lock", root)
    with pytest.raises(StoreUnavailable):
        account.open(INBOX)
    end(holder)
    account.open(INBOX)


def test_inbox_may_be_used_while_a_folder_is_made(open_account: Open, root: Path, impatient: None) -> None:
    account = open_account()
    holder = hold("account_lock", root)
    append(account)
    end(holder)
    holder = hold("folder_lock", root)
    account.create(WORK)
    end(holder)


def test_dovecots_lock_counts_too(open_account: Open, root: Path, impatient: None) -> None:
    account = open_account()
    append(account)
    (root / "dovecot-uidlist.lock").write_text("1:another-host.example")
    with pytest.raises(StoreUnavailable):
        append(account)
    (root / "dovecot-uidlist.lock").unlink()
    append(account)
