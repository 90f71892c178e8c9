"""The disk refuses, at each step of each operation in turn: one clear error, nothing half done, and life goes on."""

import errno
import os
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from mailaccess.errors import ClientError, OverQuota, StoreUnavailable
from mailaccess.interfaces import Upload
from mailaccess.store.account import MaildirAccount
from mailaccess.values import FLAGGED, INBOX, SEEN, UID, Flag, FlagChange, MailboxName, flags

Open = Callable[[], MaildirAccount]
ARCHIVE = MailboxName(("Archive",))
CALLS = ("open", "write", "fsync", "rename", "replace", "link", "utime", "ftruncate")
STEPS = 60


class Refusing:
    """Counts the calls that change the disk below ``root``; the one whose turn it is fails, and all after it.

    With ``once`` those after it do not: what a step has done can then be taken back.
    """

    def __init__(self, patch: pytest.MonkeyPatch, root: Path, number: int) -> None:
        self.left: int | None = None
        self.once = False
        self._root = str(root)
        self._error = number
        self.told = OverQuota if number in (errno.ENOSPC, errno.EDQUOT) else StoreUnavailable
        for name in CALLS:
            patch.setattr(os, name, self._wrapped(name, getattr(os, name)))

    def _wrapped(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            if self.left is not None and self._changes(name, args):
                self.left -= 1
                if self.left == -1 or (self.left < 0 and not self.once):
                    raise OSError(self._error, os.strerror(self._error))
            return real(*args, **kwargs)

        return call

    def _changes(self, name: str, args: tuple[Any, ...]) -> bool:
        if name == "open":
            return str(args[0]).startswith(self._root) and bool(args[1] & (os.O_CREAT | os.O_WRONLY | os.O_RDWR))
        return True


@pytest.fixture(params=[errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EROFS, errno.EIO], ids=errno.errorcode.get)
def refusing(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, root: Path) -> Iterator[Refusing]:
    refusing = Refusing(monkeypatch, root, request.param)
    yield refusing
    refusing.left = None


def uploads() -> list[Upload]:
    text = b"Subject: x\n\n" + b"y" * 100 + b"\n"
    return [Upload(BytesIO(text), len(text), flags([FLAGGED, Flag(f"k{n}")]), 1_000_000_000 + n) for n in range(3)]


def append(account: MaildirAccount) -> None:
    account.append(INBOX, uploads())


def copy(account: MaildirAccount) -> None:
    inbox = account.open(INBOX)
    inbox.copy(list(inbox.folder.rows), account.mailbox(ARCHIVE))


def move(account: MaildirAccount) -> None:
    inbox = account.open(INBOX)
    inbox.move(list(inbox.folder.rows)[:2], account.mailbox(ARCHIVE))


def store(account: MaildirAccount) -> None:
    inbox = account.open(INBOX)
    inbox.store(list(inbox.folder.rows), FlagChange.ADD, flags([SEEN, Flag("new")]))


def create(account: MaildirAccount) -> None:
    account.create(MailboxName(("New",)))


def delete(account: MaildirAccount) -> None:
    account.delete(ARCHIVE)


def rename(account: MaildirAccount) -> None:
    account.rename(ARCHIVE, MailboxName(("Elsewhere",)))


def subscribe(account: MaildirAccount) -> None:
    account.subscribe(ARCHIVE, subscribed=True)


def told(account: MaildirAccount) -> dict[str, list[frozenset[Flag]]]:
    """The flags of each mailbox's messages."""
    return {
        str(info.name): [row.flags for row in account.open(info.name).folder.rows.values()]
        for info in account.listing()
        if info.selectable
    }


@pytest.mark.parametrize("operation", [append, copy, move, store, create, delete, rename, subscribe])
def test_refused_at_each_step(
    operation: Callable[[MaildirAccount], None], open_account: Open, refusing: Refusing, root: Path
) -> None:
    account = open_account()
    account.create(ARCHIVE)
    append(account)
    told(account)
    refusing.once = operation in (create, delete, rename)
    for step in range(STEPS):
        before = told(account)
        refusing.left = step
        try:
            operation(account)
        except refusing.told:
            refusing.left = None
            if operation not in (move, store):
                assert told(account) == before, f"half done when refused at step {step}"
            if operation is move:
                assert sum(map(len, told(account).values())) >= sum(map(len, before.values()))
            for folder in (root, *root.glob(".[!.]*")):
                assert not os.listdir(folder / "tmp"), f"left behind when refused at step {step}"
        else:
            refusing.left = None
            break
    else:
        raise AssertionError("it never succeeded")
    append(account)
    assert len(told(account)["INBOX"]) >= 3


def test_a_disk_that_only_reads_serves_what_there_is(open_account: Open, refusing: Refusing) -> None:
    account = open_account()
    append(account)
    before = told(account)
    account.close()
    refusing.left = 0
    again = open_account()
    assert told(again) == before
    inbox = again.open(INBOX)
    assert inbox.read([UID(1), UID(2), UID(3)], lambda content: content.size()) == [(1, 116), (2, 116), (3, 116)]
    assert len(inbox.measure(list(inbox.folder.rows))) == 3
    assert again.status(INBOX, size=True).messages == 3
    for operation in (append, store):
        with pytest.raises(ClientError):
            operation(again)
    refusing.left = None


def test_new_mail_on_a_disk_that_only_reads_does_not_shut_the_mailbox(
    open_account: Open, refusing: Refusing, root: Path
) -> None:
    account = open_account()
    append(account)
    account.close()
    (root / "new" / "1.a.host").write_bytes(b"Subject: new\n\n")
    refusing.left = 0
    again = open_account()
    inbox = again.open(INBOX)
    assert len(inbox.folder.rows) == 3
    refusing.left = None
    assert len(again.open(INBOX).folder.rows) == 4
