"""A client that talks to a session over a memory store."""

from collections.abc import Callable, Iterator

import pytest

from mailaccess.mailbox.account import Account
from tests.imap.scripted import Client, Events, new_account

Connect = Callable[..., Client]


@pytest.fixture
def account() -> Account:
    return new_account()


@pytest.fixture
def events() -> Iterator[Events]:
    events = Events()
    yield events
    assert events.incidents == []


@pytest.fixture
def connect(account: Account, events: Events) -> Connect:
    """Makes clients of one account."""
    return lambda **options: Client(account, events, **options)


@pytest.fixture
def client(connect: Connect) -> Client:
    """A client with INBOX open."""
    return connect().login("INBOX")
