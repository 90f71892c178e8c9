"""POP3 on a real account and a store in memory, with somebody else at the same mailbox."""

from collections.abc import Callable
from typing import Any

import pytest

from mailaccess.mailbox.account import Account
from mailaccess.store.memory import MemoryStore
from mailaccess.values import INBOX, Identity, Peer
from tests.pop3.doubles import Connection


class Login:
    """Lets joe in."""

    def __init__(self, account: Account) -> None:
        self.account = account

    async def password(self, user: str, password: str, peer: Peer) -> tuple[Account, Callable[[], None]]:
        return self.account, lambda: None


@pytest.fixture
def store() -> MemoryStore:
    store = MemoryStore()
    for name in (b"one", b"two", b"three"):
        store.deliver(INBOX, b"Subject: %b\n\n.%b\n" % (name, name))
    return store


@pytest.fixture
def connection(store: MemoryStore) -> Connection:
    login: Any = Login(Account(Identity("joe"), store))
    connection = Connection(login=login)
    connection.log_in()
    return connection


def test_sizes_are_those_on_the_wire(connection: Connection) -> None:
    said = connection.say(b"LIST 1\r\nRETR 1\r\n")
    assert said == b"+OK 1 22\r\n+OK 22 octets\r\nSubject: one\r\n\r\n..one\r\n.\r\n"


def test_what_another_session_expunged(connection: Connection, store: MemoryStore) -> None:
    mailbox = store.mailbox(INBOX)
    with pytest.raises(StopIteration):
        mailbox.expunge([mailbox.rows[1].uid]).send(None)
    assert connection.say(b"RETR 2\r\n") == b"-ERR Message 2 was removed by another session\r\n"
    assert connection.say(b"LIST 3\r\n") == b"+OK 3 26\r\n"
    assert connection.say(b"DELE 2\r\nDELE 3\r\nQUIT\r\n").endswith(b"+OK Bye, 1 messages left\r\n")
    assert len(mailbox.rows) == 1


def test_unique_ids_stay(connection: Connection) -> None:
    before = connection.say(b"UIDL\r\n").split(b"\r\n")[1:]
    connection.say(b"DELE 1\r\nQUIT\r\n")
    connection.connect()
    connection.log_in()
    after = connection.say(b"UIDL\r\n").split(b"\r\n")[1:]
    assert [line.split()[1] for line in after[:2]] == [line.split()[1] for line in before[1:3]]


def test_two_sessions_at_once(connection: Connection) -> None:
    first, transport = connection.server, connection.transport
    connection.connect()
    assert connection.say(b"USER joe\r\nPASS x\r\n").endswith(
        b"-ERR [IN-USE] The maildrop is locked by another session\r\n"
    )
    connection.server, connection.transport = first, transport
    connection.drop_line()
    connection.connect()
    connection.log_in()
