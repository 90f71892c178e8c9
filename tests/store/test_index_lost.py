"""The index is a cache: without it, at any time, nothing is lost and no client downloads its mail again."""

import sqlite3
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest

from mailaccess.interfaces import Upload
from mailaccess.store.account import MaildirAccount
from mailaccess.values import FLAGGED, INBOX, SEEN, Flag, FlagChange, flags

Open = Callable[[], MaildirAccount]
Snapshot = tuple[int, int, dict[int, frozenset[Flag]]]
WORK = Flag("Work")


def add(account: MaildirAccount, count: int) -> None:
    account.append(INBOX, [Upload(BytesIO(b"Subject: x\n\ny\n"), 14) for _ in range(count)])


def fill(account: MaildirAccount) -> None:
    """Five messages, one of them expunged, the last."""
    add(account, 5)
    inbox = account.open(INBOX)
    first, second, *_, last = inbox.folder.rows
    inbox.store([first], FlagChange.ADD, flags([SEEN, WORK]))
    inbox.store([second], FlagChange.ADD, flags([FLAGGED]))
    inbox.expunge([last])


def told(account: MaildirAccount) -> Snapshot:
    folder = account.open(INBOX).folder
    return (
        folder.uid_list.validity,
        folder.uid_list.next_uid,
        {uid: row.flags for uid, row in folder.rows.items()},
    )


def delete(index: Path) -> None:
    for path in index.parent.glob(index.name + "*"):
        path.unlink()


def damage(index: Path) -> None:
    index.write_bytes(b"not a database" * 1000)


def truncate(index: Path) -> None:
    index.write_bytes(index.read_bytes()[:5000])


def replace_by_another_program(index: Path) -> None:
    delete(index)
    database = sqlite3.connect(index)
    database.execute("CREATE TABLE messages (x)")
    database.execute("PRAGMA user_version = 77")
    database.commit()
    database.close()


def replace_by_directory(index: Path) -> None:
    delete(index)
    (index / "x").mkdir(parents=True)


LOSSES = [delete, damage, truncate, replace_by_another_program, replace_by_directory]


@pytest.mark.parametrize("lose", LOSSES)
def test_lost_while_stopped(lose: Callable[[Path], None], open_account: Open, index: Path) -> None:
    account = open_account()
    fill(account)
    before, modseq = told(account), account.open(INBOX).folder.highest_modseq
    account.close()
    lose(index)
    again = open_account()
    assert told(again) == before
    assert again.open(INBOX).folder.highest_modseq >= modseq


@pytest.mark.parametrize("lose", LOSSES)
def test_lost_while_open(lose: Callable[[Path], None], open_account: Open, index: Path) -> None:
    account = open_account()
    fill(account)
    before, modseq = told(account), account.open(INBOX).folder.highest_modseq
    account.take_outbox()
    lose(index)
    assert told(account) == before
    assert not account.take_outbox()
    inbox = account.open(INBOX)
    inbox.store(list(inbox.folder.rows)[-1:], FlagChange.ADD, flags([SEEN]))
    add(account, 1)
    after = told(account)
    assert after[1] == before[1] + 1
    assert account.open(INBOX).folder.highest_modseq > modseq
    account.close()
    assert told(open_account()) == after


def test_it_is_said_once_that_it_was_damaged(open_account: Open, index: Path, logged: list[str]) -> None:
    account = open_account()
    fill(account)
    account.close()
    damage(index)
    again = open_account()
    for _ in range(3):
        again.open(INBOX).refresh()
    assert len(logged) == 1


def test_an_index_that_cannot_be_written_is_kept_in_memory(
    open_account: Open, index: Path, tmp_path: Path, logged: list[str]
) -> None:
    (tmp_path / "index").write_bytes(b"a file where the directory should be")
    account = open_account()
    fill(account)
    assert len(told(account)[2]) == 4
