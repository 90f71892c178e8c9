"""What other programs and people do to a Maildir, and what we make of it."""

import os
import shutil
import time
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest

from mailaccess.changes import Arrived, Expunged, FlagsChanged, Reset
from mailaccess.errors import Code, NoSuchMailbox
from mailaccess.interfaces import Upload
from mailaccess.store.account import MaildirAccount
from mailaccess.store.foreign import uidlist
from mailaccess.values import FORWARDED, INBOX, SEEN, UID, Flag, FlagChange, MailboxName, flags

Open = Callable[[], MaildirAccount]
WORK = MailboxName(("Work",))


def add(account: MaildirAccount, name: MailboxName = INBOX, count: int = 1) -> list[UID]:
    return list(account.append(name, [Upload(BytesIO(b"Subject: x\n\ny\n"), 14) for _ in range(count)]).uids)


def deliver(root: Path, base: str, directory: str = "new", text: bytes = b"Subject: d\n\n") -> Path:
    path = root / directory / base
    (root / "tmp" / "incoming").write_bytes(text)
    return (root / "tmp" / "incoming").rename(path)


def refreshed(account: MaildirAccount) -> list[object]:
    """The changes that a look brings."""
    account.take_outbox()
    account.open(INBOX)
    return [change for _, change in account.take_outbox()]


def test_a_delivery_arrives_and_moves_to_cur(account: MaildirAccount, root: Path) -> None:
    account.open(INBOX)
    deliver(root, "1700000000.a.host")
    (change,) = refreshed(account)
    assert isinstance(change, Arrived)
    assert [row.uid for row in change.rows] == [1]
    assert os.listdir(root / "cur") == ["1700000000.a.host:2,"]
    assert not os.listdir(root / "new")
    assert not refreshed(account)


def test_deliveries_get_their_uids_in_order_of_time(account: MaildirAccount, root: Path) -> None:
    for base in ("1700000002.M1.h", "1700000001.M20.h", "1700000001.M3.h", "99.z.h"):
        deliver(root, base)
    folder = account.open(INBOX).folder
    assert [folder.bases[uid] for uid in folder.rows] == [
        "99.z.h",
        "1700000001.M3.h",
        "1700000001.M20.h",
        "1700000002.M1.h",
    ]


def test_flags_that_others_set_are_told(account: MaildirAccount, root: Path) -> None:
    path = deliver(root, "1.a.h:2,", "cur")
    account.open(INBOX)
    path.rename(path.with_name("1.a.h:2,PSX"))
    (change,) = refreshed(account)
    assert isinstance(change, FlagsChanged)
    assert change.rows[0].flags == {SEEN, FORWARDED}


def test_a_letter_that_gets_its_meaning_later_shows_it(account: MaildirAccount, root: Path) -> None:
    deliver(root, "1.a.h:2,a", "cur")
    assert not account.open(INBOX).folder.rows[UID(1)].flags
    (root / "dovecot-keywords").write_text("0 Work\n")
    (change,) = refreshed(account)
    assert isinstance(change, FlagsChanged)
    assert change.rows[0].flags == {Flag("Work")}


def test_a_new_keyword_gets_no_letter_that_others_have_used(account: MaildirAccount, root: Path) -> None:
    deliver(root, "1.a.h:2,aS", "cur")
    deliver(root, "2.a.h:2,Sc,U=7", "cur")
    deliver(root, "3.a.h", "new")
    inbox = account.open(INBOX)
    inbox.store([UID(3)], FlagChange.ADD, flags([Flag("$Junk"), Flag("Work")]))
    assert (root / "dovecot-keywords").read_text() == "1 $Junk\n3 Work\n"
    assert [row.flags for row in inbox.folder.rows.values()] == [{SEEN}, {SEEN}, {Flag("$Junk"), Flag("Work")}]


def test_what_others_remove_is_gone_and_its_uid_with_it(account: MaildirAccount, root: Path) -> None:
    path = deliver(root, "1.a.h:2,S", "cur")
    add(account)
    path.unlink()
    (change,) = refreshed(account)
    assert isinstance(change, Expunged)
    assert list(change.uids) == [1]
    deliver(root, "1.a.h:2,S", "cur")
    (change,) = refreshed(account)
    assert isinstance(change, Arrived)
    assert [row.uid for row in change.rows] == [3]


def test_a_list_that_cannot_be_believed_is_set_aside_and_all_mail_is_there(
    open_account: Open, root: Path, logged: list[str]
) -> None:
    account = open_account()
    add(account, count=3)
    validity = account.open(INBOX).folder.uid_list.validity
    account.close()
    (root / "dovecot-uidlist").write_bytes(b"3 V5 N1 G0\n7 :a\n3 :b\n")
    again = open_account().open(INBOX).folder
    assert len(again.rows) == 3
    assert again.uid_list.validity > validity
    assert (root / "dovecot-uidlist.damaged").exists()
    assert len(logged) == 1


def test_a_new_uidvalidity_ends_what_sessions_know(account: MaildirAccount, root: Path) -> None:
    add(account, count=2)
    bases = account.open(INBOX).folder.bases
    (root / "dovecot-uidlist").write_bytes(
        b"3 V77 N9 G%032x\n" % 5 + b"".join(b"%d :%s\n" % (uid + 4, base.encode()) for uid, base in bases.items())
    )
    kinds = [type(change) for change in refreshed(account)]
    assert kinds[0] is Reset
    folder = account.open(INBOX).folder
    assert (folder.uid_list.validity, list(folder.rows)) == (77, [5, 6])


def test_a_list_that_vanished_is_written_again_with_the_same_uids(account: MaildirAccount, root: Path) -> None:
    uids = add(account, count=3)
    validity = account.open(INBOX).folder.uid_list.validity
    (root / "dovecot-uidlist").unlink()
    assert not refreshed(account)
    folder = account.open(INBOX).folder
    assert (folder.uid_list.validity, list(folder.rows)) == (validity, uids)
    assert uidlist.parse((root / "dovecot-uidlist").read_bytes()).validity == validity


def test_a_copied_folder_is_another_mailbox(open_account: Open, root: Path) -> None:
    account = open_account()
    account.create(WORK)
    add(account, WORK, count=2)
    account.open(WORK)
    shutil.copytree(root / ".Work", root / ".Copy")
    copy, original = account.open(MailboxName(("Copy",))), account.open(WORK)
    assert copy.folder.uid_list.guid != original.folder.uid_list.guid
    original.expunge([UID(1)])
    assert list(account.open(MailboxName(("Copy",))).folder.rows) == [1, 2]


def test_a_folder_that_another_program_renamed_is_the_same_mailbox(open_account: Open, root: Path) -> None:
    account = open_account()
    identity = account.create(WORK)
    add(account, WORK, count=2)
    account.close()
    (root / ".Work").rename(root / ".Play")
    assert open_account().open(MailboxName(("Play",))).folder.uid_list.guid == identity


def test_a_folder_that_is_gone_is_not_made_again(account: MaildirAccount, root: Path) -> None:
    account.create(WORK)
    add(account, WORK)
    shutil.rmtree(root / ".Work")
    with pytest.raises(NoSuchMailbox):
        account.open(WORK)
    with pytest.raises(NoSuchMailbox):
        add(account, WORK)
    assert not (root / ".Work").exists()


def test_an_account_that_is_away_works_again_when_it_is_back(account: MaildirAccount, root: Path) -> None:
    uids = add(account, count=2)
    root.rename(root.with_name("away"))
    with pytest.raises(NoSuchMailbox):
        account.open(INBOX)
    assert not root.exists()
    root.with_name("away").rename(root)
    assert list(account.open(INBOX).folder.rows) == uids
    assert add(account) == [3]


def link_to_zero(path: Path) -> None:
    path.symlink_to("/dev/zero")


def dangling_link(path: Path) -> None:
    path.symlink_to("nowhere")


def loop(path: Path) -> None:
    path.symlink_to(path.name)


def directory(path: Path) -> None:
    path.mkdir()


@pytest.mark.parametrize("place", ["new", "cur"])
@pytest.mark.parametrize("make", [os.mkfifo, link_to_zero, dangling_link, loop, directory])
def test_what_is_no_regular_file_hangs_nobody(
    make: Callable[[Path], None], place: str, account: MaildirAccount, root: Path, logged: list[str]
) -> None:
    add(account)
    make(root / place / "1.hostile.h:2,")
    began = time.monotonic()
    inbox = account.open(INBOX)
    assert list(inbox.folder.rows) == [1]
    account.open(INBOX)
    assert time.monotonic() - began < 1
    assert len([line for line in logged if "hostile" in line]) == 1


def test_a_message_that_becomes_a_pipe_is_gone(account: MaildirAccount, root: Path) -> None:
    (uid,) = add(account)
    inbox = account.open(INBOX)
    path = root / inbox.folder.places[uid]
    path.unlink()
    os.mkfifo(path)
    assert inbox.read([uid], lambda content: content.whole()) == [(uid, None)]
    path.unlink()


def test_names_that_lie_about_sizes_are_served_whole(account: MaildirAccount, root: Path) -> None:
    text = b"Subject: x\n\n" + b"line\n" * 10
    deliver(root, "1.a.h,S=5,W=5:2,", "cur", text)
    inbox = account.open(INBOX)
    assert inbox.read([UID(1)], lambda content: content.whole()) == [(1, text.replace(b"\n", b"\r\n"))]
    ((_, size, _),) = inbox.measure([UID(1)])
    assert size == len(text.replace(b"\n", b"\r\n"))


def test_names_of_any_octets_are_served(account: MaildirAccount, root: Path) -> None:
    (Path(os.fsdecode(os.fsencode(root / "cur") + b"/1.\xff\xfe.h:2,S"))).write_bytes(b"Subject: x\n\n")
    deliver(root, "2." + "x" * 250, "new")
    inbox = account.open(INBOX)
    assert len(inbox.folder.rows) == 2
    uids = list(inbox.folder.rows)
    assert inbox.read(uids, lambda content: content.size()) == [(uid, 14) for uid in uids]


def test_colons_in_a_name_do_not_change_its_uid(open_account: Open, root: Path) -> None:
    open_account().close()
    deliver(root, "1.a:b:2,S", "cur")
    deliver(root, "2.a:b", "new")
    for _ in range(3):
        account = open_account()
        inbox = account.open(INBOX)
        assert list(inbox.folder.rows) == [1, 2]
        inbox.store([UID(1), UID(2)], FlagChange.ADD, flags([FORWARDED]))
        account.close()


@pytest.mark.parametrize("name", ["1.a\nb:2,S", "1.a\tb", "\n", ":2,S"])
def test_a_name_that_the_uid_list_has_no_room_for_is_not_served(
    name: str, open_account: Open, root: Path, logged: list[str]
) -> None:
    open_account().close()
    deliver(root, "2.a.h:2,", "cur")
    deliver(root, name, "cur")
    told = set()
    for _ in range(3):
        account = open_account()
        folder = account.open(INBOX).folder
        told.add((folder.uid_list.validity, tuple(folder.rows)))
        account.close()
    assert len(told) == 1
    assert told.pop()[1] == (1,)
    assert len(logged) == 3, "once in each process"
    assert "\n" not in logged[0]


@pytest.mark.parametrize("part", ["new", "tmp"])
@pytest.mark.parametrize("when", ["before", "while open"])
def test_a_directory_that_was_left_out_is_made(part: str, when: str, open_account: Open, root: Path) -> None:
    account = open_account()
    account.create(WORK)
    text = b"Subject: x\n\n"
    for name in (INBOX, WORK):
        account.append(name, [Upload(BytesIO(text), len(text))])
    if when == "before":
        account.close()
    for folder in (root, root / ".Work"):
        (folder / part).rmdir()
    if when == "before":
        account = open_account()
    inbox = account.open(INBOX)
    assert list(inbox.copy([UID(1)], account.mailbox(WORK)).target) == [2]
    (root / ".Work" / part).rmdir()
    assert list(account.append(WORK, [Upload(BytesIO(text), len(text))]).uids) == [3]
    shutil.rmtree(root / part, ignore_errors=True)
    assert inbox.expunge([UID(1)])
    assert account.status(WORK, size=False).messages == 3


def test_a_copy_into_a_folder_that_another_program_removes_is_refused(account: MaildirAccount, root: Path) -> None:
    account.create(WORK)
    deliver(root, "1.a.h:2,", "cur")
    inbox, work = account.open(INBOX), account.open(WORK)
    shutil.rmtree(root / ".Work")
    with pytest.raises(NoSuchMailbox) as refusal:
        inbox.copy([UID(1)], work)
    assert refusal.value.code is Code.TRYCREATE
    assert list(account.open(INBOX).folder.rows) == [1]
