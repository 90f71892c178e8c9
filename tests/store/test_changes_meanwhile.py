"""What another program does between our look and our deed is what counts; a deed that fails changes nothing more."""

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from mailaccess.errors import ClientError
from mailaccess.store.account import MaildirAccount
from mailaccess.store.mailbox import MaildirMailbox
from mailaccess.store.maildir import MaildirFiles
from mailaccess.values import DELETED, FLAGGED, INBOX, SEEN, UID, Flag, FlagChange, MailboxName, NumberSet, flags

OTHER = MailboxName(("Other",))


def fill(root: Path, count: int, letters: str = "") -> None:
    for number in range(1, count + 1):
        (root / "cur" / f"{1_700_000_000 + number}.M1P1.host:2,{letters}").write_bytes(b"Subject: x\n\nbody\n")


def names(folder: Path) -> list[str]:
    return sorted(os.listdir(folder / "cur"))


def uids(mailbox: MaildirMailbox) -> list[UID]:
    return list(mailbox.folder.rows)


def before(monkeypatch: pytest.MonkeyPatch, method: str, act: Callable[[], object]) -> None:
    """Let ``act`` happen once, right before the folder's files see ``method`` called for the first time."""
    real = getattr(MaildirFiles, method)
    pending = [act]

    def first_that(self: MaildirFiles, *arguments: str) -> object:
        if pending:
            pending.pop()()
        return real(self, *arguments)

    monkeypatch.setattr(MaildirFiles, method, first_that)


def reflag(root: Path, number: int, letters: str) -> None:
    (old,) = (root / "cur").glob(f"{1_700_000_000 + number}.*")
    old.rename(old.with_name(old.name.partition(":2,")[0] + ":2," + letters))


def test_a_flag_that_another_program_sets_meanwhile_stays(
    account: MaildirAccount, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(root, 1)
    inbox = account.open(INBOX)
    before(monkeypatch, "rename", lambda: reflag(root, 1, "S"))
    stored = inbox.store(uids(inbox), FlagChange.ADD, flags([FLAGGED]))
    assert [row.flags for row in stored.changed] == [{FLAGGED, SEEN}]
    assert names(root)[0].endswith(":2,FS")


def test_unchangedsince_holds_for_what_the_second_look_finds(
    account: MaildirAccount, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(root, 1)
    inbox = account.open(INBOX)
    before(monkeypatch, "rename", lambda: reflag(root, 1, "S"))
    known = inbox.folder.rows[UID(1)].modseq
    stored = inbox.store(uids(inbox), FlagChange.ADD, flags([FLAGGED]), known)
    assert stored.modified == NumberSet.of([1])
    assert names(root)[0].endswith(":2,S")


def test_expunge_leaves_what_is_no_longer_deleted(account: MaildirAccount, root: Path) -> None:
    fill(root, 3, "T")
    inbox = account.open(INBOX)
    reflag(root, 2, "S")
    assert inbox.expunge(uids(inbox), deleted_only=True) == NumberSet.of([1, 3])
    assert names(root) == ["1700000002.M1P1.host:2,S"]


def test_expunge_leaves_what_stops_being_deleted_at_the_last_moment(
    account: MaildirAccount, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(root, 1, "T")
    inbox = account.open(INBOX)
    before(monkeypatch, "remove", lambda: reflag(root, 1, "S"))
    assert not inbox.expunge(uids(inbox), deleted_only=True)
    assert names(root) == ["1700000001.M1P1.host:2,S"]
    assert DELETED not in inbox.folder.rows[UID(1)].flags


def failing_from(monkeypatch: pytest.MonkeyPatch, nth: int) -> None:
    """The disk fails from the ``nth`` removal on."""
    real = MaildirFiles.remove
    calls: list[str] = []

    def remove(self: MaildirFiles, place: str) -> None:
        calls.append(place)
        if len(calls) == nth:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        real(self, place)

    monkeypatch.setattr(MaildirFiles, "remove", remove)


def test_what_was_removed_before_a_failure_is_announced(
    account: MaildirAccount, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(root, 4, "T")
    inbox = account.open(INBOX)
    failing_from(monkeypatch, 3)
    with pytest.raises(ClientError):
        inbox.expunge(uids(inbox), deleted_only=True)
    assert uids(inbox) == [3, 4]
    assert len(names(root)) == 2


def test_a_move_that_fails_has_each_message_in_one_mailbox(
    account: MaildirAccount, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(root, 3)
    account.create(OTHER)
    inbox = account.open(INBOX)
    failing_from(monkeypatch, 2)
    with pytest.raises(ClientError):
        inbox.move(uids(inbox), account.mailbox(OTHER))
    assert uids(inbox) == [2, 3]
    assert len(names(root / ".Other")) == 1


@pytest.mark.parametrize("only", [False, True])
def test_a_folder_that_lets_go_of_nothing_loses_nothing(
    account: MaildirAccount, root: Path, monkeypatch: pytest.MonkeyPatch, only: bool
) -> None:
    fill(root, 3, "T")
    account.create(OTHER)
    inbox = account.open(INBOX)
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(ClientError):
        inbox.expunge(uids(inbox), only)
    with pytest.raises(ClientError):
        inbox.move(uids(inbox), account.mailbox(OTHER))
    assert len(names(root)) == 3
    assert not names(root / ".Other")


def test_a_list_that_cannot_be_made_shorter_keeps_nobody_from_hearing(
    account: MaildirAccount, root: Path, logged: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(root, 40, "T")
    inbox = account.open(INBOX)
    account.take_outbox()

    def refuse(*arguments: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("mailaccess.store.files.replace", refuse)
    assert len(inbox.expunge(uids(inbox)[:35])) == 35
    assert len(account.take_outbox()) == 1
    assert any("stays long" in line for line in logged)


def test_mail_with_more_keywords_than_there_is_room_for_is_filed_all_the_same(
    account: MaildirAccount, root: Path
) -> None:
    fill(root, 1)
    account.create(OTHER)
    inbox, other = account.open(INBOX), account.open(OTHER)
    inbox.store([UID(1)], FlagChange.ADD, flags([Flag("one"), Flag("two")]))
    fill(root / ".Other", 1)
    other.refresh()
    other.store([UID(1)], FlagChange.ADD, flags(Flag(f"k{n}") for n in range(25)))
    inbox.copy([UID(1)], other)
    assert other.folder.rows[UID(2)].flags == {Flag("one")}
    with pytest.raises(ClientError, match="26 keywords"):
        other.store([UID(1)], FlagChange.ADD, flags([Flag("three")]))


def test_store_does_not_bring_back_what_another_program_removed_meanwhile(
    account: MaildirAccount, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(root, 4)
    inbox = account.open(INBOX)
    real = MaildirFiles.rename
    calls: list[str] = []

    def rename(self: MaildirFiles, place: str, after: str) -> None:
        calls.append(place)
        if len(calls) == 2:  # the first message has its flag; now another program removes it and the second
            for path in sorted((root / "cur").iterdir())[:2]:
                path.unlink()
        real(self, place, after)

    monkeypatch.setattr(MaildirFiles, "rename", rename)
    stored = inbox.store(uids(inbox)[:3], FlagChange.ADD, flags([SEEN]))
    assert [row.uid for row in stored.changed] == [3]
    assert uids(inbox) == [3, 4]
    assert account.status(INBOX, False).messages == 2


def test_a_restored_uid_list_gives_no_uid_again(open_account: Callable[[], MaildirAccount], root: Path) -> None:
    first = open_account()
    fill(root, 1)
    first.open(INBOX)
    backup = (root / "dovecot-uidlist").read_bytes()
    fill(root, 3)
    assert uids(first.open(INBOX)) == [1, 2, 3]
    first.close()
    (root / "dovecot-uidlist").write_bytes(backup)
    for path in sorted((root / "cur").iterdir())[1:]:
        path.unlink()
    again = open_account()
    again.open(INBOX)
    (root / "cur" / "1700000009.M1P1.host:2,").write_bytes(b"Subject: new\n\nbody\n")
    assert uids(again.open(INBOX)) == [1, 4]


def test_a_list_without_guid_is_the_same_mailbox_each_time(
    open_account: Callable[[], MaildirAccount], root: Path
) -> None:
    open_account().close()
    fill(root, 1)
    (root / "dovecot-uidlist").write_bytes(b"3 V1700000000 N2\n1 :1700000001.M1P1.host\n")
    ids = {open_account().open(INBOX).folder.uid_list.guid for _ in range(2)}
    assert len(ids) == 1
    assert len(ids.pop()) == 32
