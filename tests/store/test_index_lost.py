"""The index is a cache: without it, at any time, nothing is lost and no client downloads its mail again."""

import sqlite3
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest

from mailaccess.changes import Arrived
from mailaccess.interfaces import Upload
from mailaccess.store.account import MaildirAccount
from mailaccess.values import FLAGGED, INBOX, SEEN, UID, Flag, FlagChange, MailboxName, flags

Open = Callable[[], MaildirAccount]
Snapshot = tuple[int, int, dict[int, frozenset[Flag]]]
WORK = Flag("Work")
ARCHIVE = MailboxName(("Archive",))


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


def envelopes(account: MaildirAccount, name: MailboxName, first: UID) -> list[bytes]:
    """Of two messages, as the mailbox says without another look at the folder."""
    return [found[1] for found in account.mailbox(name).structures([first, UID(first + 1)]) if found is not None]


def test_no_mailbox_is_given_what_another_one_put_into_a_new_index(open_account: Open, index: Path) -> None:
    account = open_account()
    account.create(ARCHIVE)
    for name in (INBOX, ARCHIVE):
        for number in range(2):
            text = f"Subject: {name} {number}\n\n".encode() + bytes(1 if name == INBOX else 100)
            account.append(name, [Upload(BytesIO(text), len(text))])
        account.open(name)
    delete(index)
    account.open(ARCHIVE)
    assert all(b"Archive" in envelope for envelope in envelopes(account, ARCHIVE, UID(1)))
    assert all(b"INBOX" in envelope for envelope in envelopes(account, INBOX, UID(1)))
    account.mailbox(INBOX).claim_recent(UID(3))
    account.mailbox(INBOX).measure([UID(1), UID(2)])
    account.close()
    again = open_account()
    assert again.open(INBOX).folder.recent == 3
    assert again.open(ARCHIVE).folder.recent == 1
    assert {size for _, size, _ in again.open(ARCHIVE).measure([UID(1), UID(2)])} == {122}


def test_what_another_process_put_into_a_new_index_is_announced(open_account: Open, index: Path) -> None:
    ours, theirs = open_account(), open_account()
    inbox = ours.open(INBOX)
    theirs.open(INBOX)
    delete(index)
    add(theirs, 1)
    ours.take_outbox()
    inbox.refresh()
    assert [type(change) for _, change in ours.take_outbox()] == [Arrived]
