"""UIDs are told in ascending order, whatever comes back and whoever else gives them: each of one message only."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from mailaccess.changes import Arrived, Change, Expunged
from mailaccess.interfaces import Upload
from mailaccess.store import account as account_module
from mailaccess.store import patience
from mailaccess.store.account import MaildirAccount
from mailaccess.store.foreign import uidlist
from mailaccess.store.index import Index, Kept
from mailaccess.store.maildir import Found
from mailaccess.values import INBOX, UID, NumberSet

Open = Callable[[], MaildirAccount]
TEXT = b"Subject: x\n\n"


def append(account: MaildirAccount, count: int) -> None:
    account.append(INBOX, [Upload(BytesIO(TEXT), len(TEXT)) for _ in range(count)])


def file_of(account: MaildirAccount, uid: int) -> Path:
    folder = account.open(INBOX).folder
    return folder.path / folder.places[UID(uid)]


def look(account: MaildirAccount) -> list[Change]:
    """What a look at INBOX announces."""
    account.take_outbox()
    account.open(INBOX)
    return [change for _, change in account.take_outbox()]


def arrived(changes: list[Change]) -> list[int]:
    return [row.uid for change in changes if isinstance(change, Arrived) for row in change.rows]


@pytest.mark.parametrize("gone", [1, 2, 3])
def test_what_comes_back_after_a_restart_is_a_new_message(gone: int, open_account: Open) -> None:
    account = open_account()
    append(account, 3)
    file = file_of(account, gone)
    file.unlink()
    assert look(account)
    account.close()
    again = open_account()
    again.open(INBOX)
    file.write_bytes(TEXT)
    assert arrived(look(again)) == [4]
    append(again, 1)
    assert list(again.open(INBOX).folder.rows) == sorted({1, 2, 3, 4, 5} - {gone})


@pytest.mark.parametrize("listings", [1, 2])
def test_a_message_that_a_listing_does_not_show_keeps_its_turn(
    listings: int, open_account: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, theirs = open_account(), open_account()
    append(ours, 1)
    files = ours.open(INBOX).folder.files
    append(theirs, 2)
    hidden = file_of(theirs, 2).name
    scan = files.scan
    scanned: list[None] = []

    def scan_without() -> Found:
        scanned.append(None)
        if len(scanned) == listings:
            monkeypatch.undo()
        return {base: place for base, place in scan().items() if not place.endswith(hidden)}

    monkeypatch.setattr(files, "scan", scan_without)
    assert arrived(look(ours)) == [2, 3]


def test_what_another_process_has_not_finished_is_waited_for(
    open_account: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patience, "WAIT_SECONDS", 0.0)
    ours, theirs = open_account(), open_account()
    append(ours, 1)
    files = theirs.open(INBOX).folder.files
    ours.open(INBOX)
    rename = files.rename
    waiting: list[tuple[str, str]] = []

    def rename_backwards(place: str, after: str) -> None:
        waiting.append((place, after))
        if len(waiting) == 2:
            rename(*waiting.pop())
            assert not look(ours), "UID 3 has its file, and UID 2 has not"
            rename(*waiting.pop())

    monkeypatch.setattr(files, "rename", rename_backwards)
    append(theirs, 2)
    assert arrived(look(ours)) == [2, 3]


def test_who_comes_while_another_process_is_at_work_leaves_it_its_uids(
    open_account: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(account_module, "OPENING_SECONDS", 0.0)
    theirs = open_account()
    files = theirs.open(INBOX).folder.files
    rename = files.rename
    came: list[MaildirAccount] = []

    def slow_rename(place: str, after: str) -> None:
        if not came:
            came.append(open_account())
            assert not came[0].open(INBOX).folder.rows
        rename(place, after)

    monkeypatch.setattr(files, "rename", slow_rename)
    append(theirs, 2)
    assert arrived(look(came[0])) == [1, 2]
    assert not [change for change in look(theirs) if isinstance(change, Expunged)]


def test_the_index_remembers_expunged_messages_while_the_list_names_them(open_account: Open, index: Path) -> None:
    def remembered() -> list[int]:
        with closing(sqlite3.connect(index)) as database:
            return [uid for (uid,) in database.execute("SELECT uid FROM expunged ORDER BY uid")]

    account = open_account()
    append(account, 30)
    inbox = account.open(INBOX)
    inbox.expunge([UID(7), UID(30)])
    assert remembered() == [7, 30]
    inbox.expunge(list(inbox.folder.rows)[:20])
    assert not remembered(), "the list was made shorter"


def test_a_line_whose_file_never_came_holds_nobody_up(open_account: Open, root: Path) -> None:
    account = open_account()
    append(account, 1)
    with (root / uidlist.FILE).open("ab") as file:
        file.write(b"2 :1.never.came\n")
    append(account, 1)
    assert list(account.open(INBOX).folder.rows) == [1, 3]
    (root / "cur" / "1.never.came:2,").write_bytes(TEXT)
    assert arrived(look(account)) == [4]


def test_a_message_that_another_program_gave_a_new_uid_is_a_new_one(open_account: Open, root: Path) -> None:
    account = open_account()
    append(account, 2)
    base = account.open(INBOX).folder.bases[UID(1)]
    with (root / uidlist.FILE).open("ab") as file:
        file.write(f"3 :{base}\n".encode())
    changes = look(account)
    assert arrived(changes) == [3]
    assert [change.uids for change in changes if isinstance(change, Expunged)] == [NumberSet.of([1])]


def test_a_list_that_is_made_shorter_keeps_what_others_wrote_meanwhile(
    open_account: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, theirs = open_account(), open_account()
    append(ours, 30)
    inbox = ours.open(INBOX)
    theirs.open(INBOX)
    sync = inbox.folder.files.sync

    def slow_sync() -> None:
        monkeypatch.undo()
        append(theirs, 1)
        sync()

    monkeypatch.setattr(inbox.folder.files, "sync", slow_sync)
    inbox.expunge(list(inbox.folder.rows)[:20])
    assert arrived(look(ours)) == [31]
    assert list(open_account().open(INBOX).folder.rows) == list(range(21, 32))


def test_what_the_index_knows_may_be_younger_than_the_list_that_was_read(
    open_account: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs = open_account()
    append(theirs, 1)
    load = Index.load

    def late_load(self: Index, *arguments: Any) -> Kept:
        monkeypatch.undo()
        append(theirs, 1)
        return load(self, *arguments)

    monkeypatch.setattr(Index, "load", late_load)
    ours = open_account()
    ours.open(INBOX)
    append(ours, 1)
    assert list(ours.open(INBOX).folder.rows) == [1, 2, 3]
    assert not [change for change in look(theirs) if isinstance(change, Expunged)]
