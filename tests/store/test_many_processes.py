"""Several processes use one mailbox at once: no UID is given twice, nothing is lost, and all agree in the end."""

import os
import subprocess
import sys
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest

from mailaccess.interfaces import Upload
from mailaccess.store import files
from mailaccess.store.account import MaildirAccount
from mailaccess.store.foreign import uidlist
from mailaccess.values import INBOX, SEEN, UID, FlagChange, flags

Open = Callable[[], MaildirAccount]

WORKER = """
import os, sys
from io import BytesIO
from pathlib import Path
from mailaccess.interfaces import Upload
from mailaccess.store.account import MaildirAccount, StoreSettings
from mailaccess.values import INBOX, SEEN, FlagChange, flags

root, index, me, rounds = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], int(sys.argv[4])
account = MaildirAccount(root, index, StoreSettings(), lambda line: print("logged", line))
for turn in range(rounds):
    text = f"Subject: {me} {turn}\\n\\n".encode()
    if turn % 3 == 2:
        temporary = root / "tmp" / f"{turn}.{me}.host"
        temporary.write_bytes(text)
        os.rename(temporary, root / "new" / temporary.name)
        account.open(INBOX)
    else:
        uid, = account.append(INBOX, [Upload(BytesIO(text), len(text))]).uids
        print("uid", uid, turn)
    inbox = account.open(INBOX)
    if turn % 5 == 4:
        inbox.store([*inbox.folder.rows][-3:], FlagChange.ADD, flags([SEEN]))
    if turn % 7 == 6:
        print("gone", *inbox.expunge([*inbox.folder.rows][:1]))
account.close()
"""

PROCESSES, ROUNDS = 3, 21


def test_uids_are_unique_and_nothing_is_lost(open_account: Open, root: Path, index: Path) -> None:
    open_account()
    command = [sys.executable, "-c", WORKER, str(root), str(index)]
    running = [
        subprocess.Popen([*command, str(me), str(ROUNDS)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for me in range(PROCESSES)
    ]
    told: dict[int, str] = {}
    gone: list[int] = []
    for me, process in enumerate(running):
        output, errors = process.communicate(timeout=60)
        assert process.returncode == 0, errors
        for line in output.splitlines():
            what, *words = line.split()
            assert what != "logged", line
            if what == "uid":
                assert int(words[0]) not in told
                told[int(words[0])] = f"Subject: {me} {words[1]}"
            else:
                gone += map(int, words)
    assert len(gone) == len(set(gone))
    inbox = open_account().open(INBOX)
    assert len(inbox.folder.rows) == PROCESSES * ROUNDS - len(gone)
    for uid, text in told.items():
        ((_, subject),) = inbox.read([UID(uid)], lambda content: content.header().decode().strip())
        assert subject == (None if uid in gone else text)


def append(account: MaildirAccount) -> UID:
    (uid,) = account.append(INBOX, [Upload(BytesIO(b"Subject: x\n\n"), 12)]).uids
    return uid


def test_lines_that_come_while_the_list_is_read_are_read_too(
    open_account: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, theirs = open_account(), open_account()
    inbox = ours.open(INBOX)
    append(theirs)
    read = files.read

    def slow_read(path: Path) -> bytes | None:
        content = read(path)
        if path.name == uidlist.FILE:
            monkeypatch.undo()
            assert append(theirs) == 2
        return content

    monkeypatch.setattr(files, "read", slow_read)
    inbox.refresh()
    assert append(ours) == 3
    assert uidlist.parse(read(inbox.folder.path / uidlist.FILE) or b"").lines == 3, "each has its UID once"


def test_lines_that_come_while_flags_are_changed_are_read_too(
    open_account: Open, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, theirs = open_account(), open_account()
    append(ours)
    inbox = ours.open(INBOX)
    for directory in ("new", "cur"):
        os.utime(root / directory, (1_000_000_000, 1_000_000_000))
    inbox.refresh()
    rename = inbox.folder.files.rename

    def slow_rename(place: str, after: str) -> None:
        rename(place, after)
        assert append(theirs) == 2

    monkeypatch.setattr(inbox.folder.files, "rename", slow_rename)
    inbox.store([UID(1)], FlagChange.ADD, flags([SEEN]))
    monkeypatch.undo()
    assert append(ours) == 3
