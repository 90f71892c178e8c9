"""One user's mail: folders are made, renamed and removed, subscriptions and uses are kept, the maildrop is locked."""

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from io import BytesIO
from pathlib import Path

import pytest

from mailaccess.changes import Renamed, Reset
from mailaccess.errors import ClientError, Code, MailboxInUse, NoSuchMailbox
from mailaccess.interfaces import Upload
from mailaccess.store import specialuse
from mailaccess.store.account import MaildirAccount
from mailaccess.values import INBOX, UID, MailboxName, SpecialUse

Open = Callable[[], MaildirAccount]


def name(text: str) -> MailboxName:
    return MailboxName(tuple(text.split("/")))


def add(account: MaildirAccount, mailbox: MailboxName, count: int = 1) -> None:
    account.append(mailbox, [Upload(BytesIO(b"Subject: x\n\n"), 12) for _ in range(count)])


def listed(account: MaildirAccount) -> dict[str, bool]:
    return {str(info.name): info.selectable for info in account.listing()}


def test_a_missing_account_is_made(account: MaildirAccount, root: Path) -> None:
    assert listed(account) == {"INBOX": True}
    assert {"cur", "new", "tmp"} <= set(os.listdir(root))


def test_folders_and_parents_that_are_only_names(account: MaildirAccount, root: Path) -> None:
    identity = account.create(name("Work/2026/May"))
    assert listed(account) == {"INBOX": True, "Work": False, "Work/2026": False, "Work/2026/May": True}
    assert account.open(name("Work/2026/May")).folder.uid_list.guid == identity
    assert (root / ".Work.2026.May" / "maildirfolder").exists()
    account.create(name("Work"))
    assert listed(account)["Work"]
    with pytest.raises(ClientError) as refused:
        account.create(name("Work"))
    assert refused.value.code is Code.ALREADYEXISTS


def test_each_folder_has_a_uidvalidity_of_its_own(account: MaildirAccount) -> None:
    names = [name(text) for text in ("A", "B", "C")]
    for each in names:
        account.create(each)
    validities = [account.open(each).folder.uid_list.validity for each in names]
    assert sorted(set(validities)) == validities


def test_delete_leaves_children_and_nothing_on_disk(account: MaildirAccount, root: Path) -> None:
    for text in ("A", "A/B"):
        account.create(name(text))
        add(account, name(text))
    gone = account.open(name("A"))
    account.take_outbox()
    account.delete(name("A"))
    ((mailbox, change),) = account.take_outbox()
    assert mailbox is gone
    assert isinstance(change, Reset)
    assert listed(account) == {"INBOX": True, "A": False, "A/B": True}
    assert not [entry for entry in os.listdir(root) if entry.startswith("..")]
    with pytest.raises(NoSuchMailbox):
        account.delete(name("A"))


def test_a_folder_made_anew_has_nothing_of_the_old_one(account: MaildirAccount) -> None:
    account.create(name("A"))
    add(account, name("A"), 3)
    before = account.open(name("A")).folder.uid_list
    account.delete(name("A"))
    account.create(name("A"))
    after = account.open(name("A")).folder
    assert after.uid_list.validity > before.validity
    assert after.uid_list.guid != before.guid
    assert not after.rows


def test_rename_takes_the_children_along(account: MaildirAccount) -> None:
    for text in ("A", "A/B", "A/B/C", "AB"):
        account.create(name(text))
    add(account, name("A/B"), 2)
    mailbox = account.open(name("A/B"))
    account.take_outbox()
    account.rename(name("A"), name("Z/Y"))
    assert listed(account) == {"INBOX": True, "Z": False, "Z/Y": True, "Z/Y/B": True, "Z/Y/B/C": True, "AB": True}
    assert [(change.name, found is mailbox) for found, change in account.take_outbox() if isinstance(change, Renamed)][
        -1
    ] == (name("Z/Y/B"), True)
    assert account.open(name("Z/Y/B")) is mailbox
    assert list(mailbox.folder.rows) == [1, 2]
    with pytest.raises(ClientError) as refused:
        account.rename(name("AB"), name("Z/Y"))
    assert refused.value.code is Code.ALREADYEXISTS
    with pytest.raises(NoSuchMailbox):
        account.rename(name("A"), name("Q"))


def test_rename_of_inbox_moves_its_messages(account: MaildirAccount) -> None:
    account.create(name("INBOX/Below"))
    add(account, INBOX, 3)
    account.rename(INBOX, name("Old"))
    assert not account.open(INBOX).folder.rows
    assert list(account.open(name("Old")).folder.rows) == [1, 2, 3]
    assert listed(account) == {"INBOX": True, "Old": True, "INBOX/Below": True}
    add(account, INBOX)
    assert list(account.open(INBOX).folder.rows) == [4]


def test_append_and_copy_to_nowhere(account: MaildirAccount) -> None:
    with pytest.raises(NoSuchMailbox) as refused:
        add(account, name("Nowhere"))
    assert refused.value.code is Code.TRYCREATE


def test_subscriptions_survive_and_need_no_folder(open_account: Open, root: Path) -> None:
    account = open_account()
    for text in ("Entwürfe/日本", "Gone", "INBOX"):
        account.subscribe(name(text), subscribed=True)
        account.subscribe(name(text), subscribed=True)
    account.subscribe(name("Gone"), subscribed=False)
    account.subscribe(name("Never"), subscribed=False)
    assert open_account().subscriptions() == {name("Entwürfe/日本"), INBOX}
    assert (root / "subscriptions").read_bytes() == b"V\t2\n\nEntw&APw-rfe\t&ZeVnLA-\nINBOX\n"


def test_subscriptions_that_cannot_be_read_are_kept(account: MaildirAccount, root: Path) -> None:
    (root / "subscriptions").write_bytes(b"Sent\nbroken&\n\xff\n")
    account.subscribe(name("Work"), subscribed=True)
    assert (root / "subscriptions").read_bytes() == b"Sent\nbroken&\n\xff\nWork\n"
    assert account.subscriptions() == {name("Sent"), name("Work")}


def test_special_uses(open_account: Open) -> None:
    account = open_account()
    for text in ("Sent", "Trash", "Work/Sent"):
        account.create(name(text))
    account.create(name("Bin"), SpecialUse.TRASH)
    with pytest.raises(ClientError) as refused:
        account.create(name("Other"), SpecialUse.TRASH)
    assert refused.value.code is Code.USEATTR
    account.rename(name("Bin"), name("Papierkorb"))
    uses = {str(info.name): info.special_use for info in open_account().listing() if info.special_use}
    assert uses == {"Sent": SpecialUse.SENT, "Papierkorb": SpecialUse.TRASH}
    account.delete(name("Papierkorb"))
    assert {str(info.name) for info in account.listing() if info.special_use is SpecialUse.TRASH} == {"Trash"}


def test_lines_of_uses_that_are_none_are_passed_over(tmp_path: Path) -> None:
    (tmp_path / specialuse.FILE).write_text("\\Sent\tA\tB\n\\Nonsense\tC\nx\n\\Junk\n\\Junk\t\n")
    assert specialuse.read(tmp_path) == {name("A/B"): SpecialUse.SENT}


def test_the_maildrop_is_locked_for_one(open_account: Open) -> None:
    first, second = open_account(), open_account()
    release = first.lock_maildrop()
    for account in (first, second):
        with pytest.raises(MailboxInUse):
            account.lock_maildrop()
    release()
    release()
    second.lock_maildrop()()


def test_what_deliveries_left_long_ago_is_removed(open_account: Open, root: Path) -> None:
    open_account()
    (root / "tmp" / "young").write_bytes(b"")
    grave = root / "..mailaccess-deleted.1.x"
    (grave / "cur").mkdir(parents=True)
    open_account()
    assert os.listdir(root / "tmp") == ["young"]
    assert not grave.exists()
    (root / "tmp" / "young").unlink()


def test_what_died_deliveries_left_is_removed_from_every_folder(
    open_account: Callable[[], MaildirAccount], root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = open_account()
    account.create(MailboxName(("Work",)))
    account.close()
    left = [folder / "tmp" / "1.died.h" for folder in (root, root / ".Work")]
    for file in left:
        file.write_bytes(b"half")
    monkeypatch.setattr("mailaccess.store.maildir.STALE_TMP_SECONDS", -60)
    open_account()
    assert not any(file.exists() for file in left)


def test_a_deleted_mailbox_leaves_nothing_in_the_index(account: MaildirAccount, index: Path) -> None:
    work = MailboxName(("Work",))
    account.create(work)
    text = b"Subject: x\n\n"
    account.append(work, [Upload(BytesIO(text), len(text))])
    account.open(work).structures([UID(1)])
    account.delete(work)
    with closing(sqlite3.connect(index)) as database:
        tables = [name for (name,) in database.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
        assert len(tables) == 5
        assert {
            name: database.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in tables
        } == dict.fromkeys(tables, 0)
