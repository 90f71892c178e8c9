"""Accounts on a real disk; whatever a test did to them, they must be in order when it ends."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mailaccess.store.account import MaildirAccount, StoreSettings
from mailaccess.store.check import problems

Open = Callable[[], MaildirAccount]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Where the account's mail lies."""
    return tmp_path / "mail"


@pytest.fixture
def index(tmp_path: Path) -> Path:
    """Where its index lies."""
    return tmp_path / "index" / "joe.sqlite"


@pytest.fixture
def logged() -> list[str]:
    """What the operator was told."""
    return []


@pytest.fixture
def open_account(root: Path, index: Path, logged: list[str]) -> Iterator[Open]:
    """Opens the account, as often as it is called: each time as a process of its own would."""
    opened: list[MaildirAccount] = []

    def open_it() -> MaildirAccount:
        opened.append(MaildirAccount(root, index, StoreSettings(), logged.append))
        return opened[-1]

    yield open_it
    for account in opened:
        account.close()
    if opened:
        last = MaildirAccount(root, index, StoreSettings(), logged.append)
        found = problems(last)
        last.close()
        assert not found, found


@pytest.fixture
def account(open_account: Open) -> MaildirAccount:
    """The account, opened once."""
    return open_account()
