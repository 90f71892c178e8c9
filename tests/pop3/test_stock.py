"""A mailbox written for stock Twisted, behind a stock portal, is served."""

import io
from collections.abc import Callable
from typing import Any

import pytest
from twisted.cred.checkers import InMemoryUsernamePasswordDatabaseDontUse
from twisted.cred.portal import IRealm, Portal
from twisted.internet.defer import fail, succeed
from twisted.mail.interfaces import IMailboxPOP3
from twisted.mail.pop3 import Mailbox
from zope.interface import implementer

from tests.pop3.doubles import Connection


class StockMailbox(Mailbox):
    """Messages in memory, as Twisted's documentation has it; ``wrap`` makes Deferreds of results, or not."""

    def __init__(self, messages: list[bytes], wrap: Callable[[Any], Any]) -> None:
        self.messages = messages
        self.wrap = wrap
        self.marked: set[int] = set()
        self.sync_error: Exception | None = None

    def listMessages(self, index: int | None = None) -> Any:
        return self.wrap([len(message) for message in self.messages])

    def getMessage(self, index: int) -> Any:
        if not self.messages[index]:
            raise ValueError
        return self.wrap(io.BytesIO(self.messages[index]))

    def getUidl(self, index: int) -> Any:
        return self.wrap(b"uid-%d" % index)

    def deleteMessage(self, index: int) -> Any:
        self.marked.add(index)
        return self.wrap(None)

    def undeleteMessages(self) -> None:
        self.marked.clear()

    def sync(self) -> Any:
        if self.sync_error:
            return fail(self.sync_error)
        for index in self.marked:
            self.messages[index] = b""
        return self.wrap(None)


@implementer(IRealm)
class Realm:
    """Has one mailbox."""

    def __init__(self, mailbox: StockMailbox) -> None:
        self.mailbox = mailbox
        self.logouts = 0

    def requestAvatar(self, avatar_id: Any, mind: object, *interfaces: object) -> Any:
        assert IMailboxPOP3 in interfaces
        return IMailboxPOP3, self.mailbox, self._logout

    def _logout(self) -> None:
        self.logouts += 1


@pytest.fixture(params=[succeed, lambda result: result], ids=["deferred", "at once"])
def realm(request: pytest.FixtureRequest) -> Realm:
    messages = [b"Subject: one\n\n.one\n", b"", b"Subject: three\r\n\r\nthree\r\n"]
    return Realm(StockMailbox(messages, request.param))


@pytest.fixture
def connection(realm: Realm) -> Connection:
    connection = Connection()
    checker = InMemoryUsernamePasswordDatabaseDontUse(joe=b"secret")
    connection.factory.login = None
    connection.factory.portal = Portal(realm, [checker])
    connection.connect()
    connection.log_in()
    return connection


def test_it_is_served(connection: Connection, realm: Realm) -> None:
    assert connection.say(b"LIST\r\n") == b"+OK 2 messages (44 octets)\r\n1 19\r\n2 25\r\n.\r\n"
    assert connection.say(b"UIDL\r\n") == b"+OK Unique-id listing follows\r\n1 uid-0\r\n2 uid-2\r\n.\r\n"
    assert connection.say(b"RETR 1\r\n") == b"+OK 19 octets\r\nSubject: one\r\n\r\n..one\r\n.\r\n"
    assert connection.say(b"TOP 2 0\r\n") == b"+OK Top of message follows\r\nSubject: three\r\n\r\n.\r\n"
    assert connection.say(b"DELE 2\r\nQUIT\r\n").endswith(b"+OK Bye, 1 messages left\r\n")
    assert [bool(message) for message in realm.mailbox.messages] == [True, False, False]
    assert realm.logouts == 1


def test_what_cannot_be_removed_is_not(connection: Connection, realm: Realm) -> None:
    realm.mailbox.sync_error = OSError("a secret path")
    assert connection.say(b"DELE 2\r\nQUIT\r\n").endswith(b"-ERR [SYS/TEMP] Internal error, incident id1\r\n")
    assert realm.mailbox.marked == set()
    assert realm.logouts == 1


def test_what_is_gone_cannot_be_fetched(connection: Connection, realm: Realm) -> None:
    realm.mailbox.messages[0] = b""
    assert connection.say(b"RETR 1\r\n") == b"-ERR Message 1 was removed by another session\r\n"
