"""kill -9 at any moment: what was acknowledged is there, no UID names a second message, and nobody waits for a lock."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from mailaccess.store.account import MaildirAccount
from mailaccess.values import INBOX, UID

Open = Callable[[], MaildirAccount]

WORKER = """
import os, sys
from io import BytesIO
from pathlib import Path
from mailaccess.interfaces import Upload
from mailaccess.store.account import MaildirAccount, StoreSettings
from mailaccess.values import INBOX, SEEN, FlagChange, MailboxName, flags

def say(*words):
    os.write(1, (" ".join(map(str, words)) + "\\n").encode())

root, index, life = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
account = MaildirAccount(root, index, StoreSettings(), lambda line: say("logged", line))
say("ready")
for turn in range(100_000):
    text = f"Subject: {life}.{turn}\\n\\n".encode()
    say("append", f"{life}.{turn}")
    uid, = account.append(INBOX, [Upload(BytesIO(text), len(text))]).uids
    say("uid", uid, f"{life}.{turn}")
    inbox = account.open(INBOX)
    if turn % 2:
        inbox.store([uid], FlagChange.ADD, flags([SEEN]))
        say("seen", uid)
    if turn % 3 == 2:
        highest = [*inbox.folder.rows][-1]
        say("expunging", highest)
        inbox.expunge([highest])
        say("gone", highest)
"""

LIVES = 12
MOST_WORDS = 60
SEED = 20261126


class Told:
    """What a server said before it died."""

    def __init__(self) -> None:
        self.subjects: dict[int, str] = {}
        self.all_uids: set[int] = set()
        self.seen: set[int] = set()
        self.unsure: set[int] = set()
        self.begun: set[str] = set()

    def hear(self, line: str) -> None:
        what, *words = line.split()
        match what:
            case "append":
                self.begun.add(words[0])
            case "uid":
                uid = int(words[0])
                assert uid not in self.all_uids, f"UID {uid} was given twice"
                assert uid > max(self.all_uids, default=0)
                self.all_uids.add(uid)
                self.subjects[uid] = words[1]
                self.begun.discard(words[1])
            case "seen":
                self.seen.add(int(words[0]))
            case "expunging":
                self.unsure.add(int(words[0]))
            case "gone":
                self.subjects.pop(int(words[0]))
                self.unsure.discard(int(words[0]))
            case _:
                assert what == "ready", line


def live_and_die(root: Path, index: Path, life: int, words: int) -> list[str]:
    """Run a server until it said so many lines, kill it amid whatever it does then, and return its whole lines."""
    process = subprocess.Popen(
        [sys.executable, "-c", WORKER, str(root), str(index), str(life)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    said = [process.stdout.readline() for _ in range(words)]
    process.send_signal(signal.SIGKILL)
    rest = process.stdout.read()
    process.wait()
    process.stdout.close()
    return [*said, *rest[: rest.rfind("\n") + 1].splitlines()]


def test_what_was_acknowledged_survives(open_account: Open, root: Path, index: Path) -> None:
    chance = random.Random(SEED)
    told = Told()
    validity = 0
    for life in range(LIVES):
        for line in live_and_die(root, index, life, chance.randint(3, MOST_WORDS)):
            told.hear(line)
        began = time.monotonic()
        account = open_account()
        folder = account.open(INBOX).folder
        assert time.monotonic() - began < 3
        validity = validity or folder.uid_list.validity
        assert folder.uid_list.validity == validity
        assert folder.uid_list.next_uid > max(told.all_uids)
        subjects = {uid: read_subject(account, uid) for uid in folder.rows}
        for uid, subject in told.subjects.items():
            if uid not in told.unsure or uid in subjects:
                assert subjects[UID(uid)] == subject
        for uid in told.seen & folder.rows.keys():
            assert folder.rows[UID(uid)].flags
        unasked = [subject for uid, subject in subjects.items() if uid not in told.subjects]
        assert set(unasked) <= told.begun, "only what was being stored may be there beside what was acknowledged"
        for uid, subject in subjects.items():
            told.all_uids.add(uid)
            told.subjects[uid] = subject
        for uid in told.unsure - folder.rows.keys():
            told.subjects.pop(uid, None)
        told.unsure.clear()
        account.close()
        for left in os.listdir(root / "tmp"):
            (root / "tmp" / left).unlink()  # 36 hours pass
    assert len(told.all_uids) > LIVES


def read_subject(account: MaildirAccount, uid: UID) -> str:
    """The number in a message's subject."""
    ((_, subject),) = account.mailbox(INBOX).read([uid], lambda content: content.header().decode().split()[1])
    return subject or ""
