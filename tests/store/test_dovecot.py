"""Dovecot itself reads what we wrote, and we read what Dovecot wrote: the same UIDs, flags, sizes, dates and names."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest

from mailaccess.interfaces import Upload
from mailaccess.store.account import MaildirAccount, StoreSettings
from mailaccess.store.check import problems
from mailaccess.values import FLAGGED, INBOX, SEEN, UID, Flag, MailboxName, flags

MISSING = shutil.which("doveadm") is None
NOBODY = 65534
DRAFTS = MailboxName(("Entwürfe", "日本"))
TEXT = b"Subject: x\n\nhello\n"

pytestmark = pytest.mark.skipif(MISSING and os.environ.get("CI") != "true", reason="doveadm is not installed")

CONFIGURATION = """
protocols =
base_dir = {home}/run
state_dir = {home}/run
log_path = /dev/stderr
ssl = no
first_valid_uid = 0
first_valid_gid = 0
mail_uid = {uid}
mail_gid = {gid}
mail_location = maildir:{home}/mail
"""


class Dovecot:
    """Dovecot's administrator's command over one Maildir, which it opens as a user that is not root."""

    def __init__(self, home: Path) -> None:
        self.root = home / "mail"
        self._home = home
        self._owner = (os.getuid(), os.getgid()) if os.getuid() else (NOBODY, NOBODY)
        (home / "run").mkdir()
        uid, gid = self._owner
        (home / "dovecot.conf").write_text(CONFIGURATION.format(home=home, uid=uid, gid=gid))

    def account(self) -> MaildirAccount:
        """Ours, over the same Maildir."""

        def log(line: str) -> None:
            raise AssertionError(line)

        return MaildirAccount(self.root, self._home / "index" / "db", StoreSettings(), log)

    def __call__(self, *words: str, given: bytes = b"") -> list[list[str]]:
        """What it prints, as a table without its head."""
        for path in (self._home, *self._home.rglob("*")):
            os.chown(path, *self._owner)
        command = ["doveadm", "-c", str(self._home / "dovecot.conf"), "-f", "tab", *words]
        environment = {"PATH": os.environ["PATH"], "HOME": str(self._home), "USER": "nobody"}
        done = subprocess.run(command, input=given, capture_output=True, timeout=30, check=False, env=environment)
        assert done.returncode == 0, done.stderr
        assert not done.stderr, done.stderr
        return [line.split("\t") for line in done.stdout.decode().splitlines()[1:]]


@pytest.fixture
def dovecot() -> Iterator[Dovecot]:
    home = Path(tempfile.mkdtemp(prefix="dovecot-"))
    try:
        yield Dovecot(home)
    finally:
        shutil.rmtree(home, ignore_errors=True)


def upload(*kept: Flag, date: int | None = None) -> Upload:
    return Upload(BytesIO(TEXT), len(TEXT), flags(kept), date)


def test_dovecot_reads_what_we_wrote(dovecot: Dovecot) -> None:
    account = dovecot.account()
    account.append(INBOX, [upload(SEEN, Flag("$Label1"), Flag("Work"), date=1_000_000_000), upload(), upload(FLAGGED)])
    identity = account.create(DRAFTS)
    account.subscribe(DRAFTS, subscribed=True)
    inbox = account.open(INBOX)
    inbox.move([UID(1)], account.mailbox(DRAFTS))
    inbox.expunge([UID(3)])
    told = {str(name): account.open(name).folder for name in (INBOX, DRAFTS)}
    account.close()

    fetched = dovecot("fetch", "mailbox uid flags size.virtual date.received.unixtime", "all")
    assert [row[:4] for row in sorted(fetched)] == [
        ["Entwürfe.日本", "1", "\\Seen $Label1 Work", "21"],
        ["INBOX", "2", "", "21"],
    ]
    assert fetched[0][4] == "1000000000"
    status = {
        row[0].replace(".", "/"): row[1:] for row in dovecot("mailbox", "status", "uidvalidity uidnext guid", "*")
    }
    assert status["INBOX"] == ["4", str(told["INBOX"].uid_list.validity), told["INBOX"].uid_list.guid]
    assert status["Entwürfe/日本"] == ["2", str(told["Entwürfe/日本"].uid_list.validity), identity]
    assert dovecot("mailbox", "list", "-s") == [["Entwürfe.日本"]]


def test_we_read_what_dovecot_wrote(dovecot: Dovecot) -> None:
    (dovecot.root).mkdir()
    for _ in range(3):
        dovecot("save", given=TEXT)
    dovecot("flags", "add", "\\Seen Work", "uid", "2")
    dovecot("expunge", "mailbox", "INBOX", "uid", "3")
    dovecot("mailbox", "create", "-s", "Entwürfe.日本")
    ((_, uid_next, validity, guid),) = dovecot("mailbox", "status", "uidvalidity uidnext guid", "INBOX")

    account = dovecot.account()
    folder = account.open(INBOX).folder
    assert (folder.uid_list.validity, folder.uid_list.next_uid, folder.uid_list.guid) == (
        int(validity),
        int(uid_next),
        guid,
    )
    assert {uid: row.flags for uid, row in folder.rows.items()} == {1: frozenset(), 2: {SEEN, Flag("Work")}}
    assert [size for _, size, _ in account.open(INBOX).measure([UID(1), UID(2)])] == [21, 21]
    assert account.subscriptions() == {DRAFTS}
    assert {info.name for info in account.listing() if info.selectable} == {INBOX, DRAFTS}
    account.close()


def test_both_in_turn_on_one_mailbox(dovecot: Dovecot) -> None:
    account = dovecot.account()
    account.append(INBOX, [upload(), upload()])
    dovecot("save", given=TEXT)
    account.append(INBOX, [upload(Flag("Work"))])
    dovecot("flags", "add", "\\Flagged Play", "uid", "1")
    dovecot("expunge", "mailbox", "INBOX", "uid", "2")
    ours = {uid: row.flags for uid, row in account.open(INBOX).folder.rows.items()}
    theirs = {int(uid): frozenset(map(Flag, kept.split())) for uid, kept in dovecot("fetch", "uid flags", "all")}
    assert ours == theirs == {1: {FLAGGED, Flag("Play")}, 3: frozenset(), 4: {Flag("Work")}}
    assert not problems(account)
    account.close()
