"""Twisted's end: transport, timers, TLS, the gate, the log, and what code for ``IMAP4Server`` expects."""

from typing import Any

import pytest
from twisted.cred.checkers import InMemoryUsernamePasswordDatabaseDontUse
from twisted.cred.portal import IRealm, Portal
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import ITLSTransport
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.mail.imap4 import IMAP4Server
from zope.interface import directlyProvides, implementer
from zope.interface.verify import verifyObject

from mailaccess.errors import ClientError, Code
from mailaccess.imap.context import Logout, Server
from mailaccess.imap.protocol import IMAPFactory, IMAPServer
from mailaccess.interfaces import IAccount, IGate, ISession
from mailaccess.mailbox.account import Account
from mailaccess.ops.limits import Limits
from mailaccess.values import Peer
from tests.imap.scripted import PASSWORD, Events, message, new_account


class Transport(StringTransport):
    """A TCP connection: it can begin TLS, is full when told so, and shows how it ends."""

    producer: Any

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        directlyProvides(self, ITLSTransport)
        self.tls: list[object] = []
        self.aborted = False

    def startTLS(self, creator: object, normal: bool = True) -> None:
        self.tls.append((creator, self.said))

    def abortConnection(self) -> None:
        self.aborted = True
        super().abortConnection()  # type: ignore[no-untyped-call]

    def write(self, data: bytes) -> None:
        super().write(data)  # type: ignore[no-untyped-call]
        if len(self.said) > 64 * 1024:
            self.producer.pauseProducing()

    @property
    def said(self) -> bytes:
        """What was written and not taken."""
        octets: bytes = self.value()  # type: ignore[no-untyped-call]
        return octets

    def take(self) -> bytes:
        octets = self.said
        self.clear()  # type: ignore[no-untyped-call]
        if len(octets) > 64 * 1024:
            self.producer.resumeProducing()
        return octets


class Logins:
    """Checks the one password there is, at once or when told."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self.waiting: Deferred[None] | None = None
        self.sessions = 0

    async def password(self, user: str, password: str, peer: Peer) -> tuple[Account, Logout]:
        if self.waiting is not None:
            await self.waiting
        if password != PASSWORD:
            raise ClientError(Code.AUTHENTICATIONFAILED, "Authentication failed")
        self.sessions += 1
        return self.account, self.logout

    def logout(self) -> None:
        self.sessions -= 1


@implementer(IGate)
class Gate:
    """Lets in who may come in, and remembers who came."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.shut = False
        self.user_has_too_many = False

    def opened(self, session: ISession) -> None:
        self.calls.append("opened")
        if self.shut:
            raise ClientError(Code.LIMIT, "Too many connections")

    def authenticated(self, session: ISession, user: str) -> None:
        self.calls.append(f"authenticated {user}")
        if self.user_has_too_many:
            raise ClientError(Code.LIMIT, "Too many sessions")

    def closed(self, session: ISession) -> None:
        self.calls.append("closed")


class Stage:
    """A server's parts, and one connection to it."""

    def __init__(self, *, cleartext_allowed: bool = True, tls: object = None) -> None:
        self.clock = Clock()
        self.events = Events()
        self.gate = Gate()
        self.logins = Logins(new_account())
        server = Server(limits=Limits(), events=self.events, cleartext_allowed=cleartext_allowed)
        factory = IMAPFactory(server=server, login=self.logins, tls=tls, gate=self.gate, reactor=self.clock)
        self.protocol = factory.buildProtocol(None)
        self.transport = Transport()

    def connect(self) -> "Stage":
        self.protocol.makeConnection(self.transport)  # type: ignore[no-untyped-call]
        return self

    def send(self, octets: bytes) -> bytes:
        self.protocol.dataReceived(octets)
        return self.transport.take()

    def login(self) -> "Stage":
        self.transport.take()
        assert b"a OK" in self.send(b"a LOGIN joe secret\r\nb SELECT INBOX\r\n")
        return self

    def lose(self) -> None:
        self.protocol.connectionLost(None)

    def logged(self, name: str) -> list[dict[str, object]]:
        return [fields for event, fields in self.events.lines if event == name]


@pytest.fixture
def stage() -> Stage:
    return Stage().connect()


def test_it_is_twisteds_server_and_a_session() -> None:
    protocol = Stage().protocol
    assert isinstance(protocol, IMAP4Server)
    assert verifyObject(ISession, protocol)
    assert isinstance(IMAPServer({}, None, None), IMAP4Server)


def test_a_batch_is_answered_in_one_write(stage: Stage) -> None:
    writes: list[bytes] = []
    stage.transport.write = writes.append  # type: ignore[assignment, method-assign]
    stage.protocol.dataReceived(b"a NOOP\r\nb NOOP\r\nc NOOP\r\n")
    assert writes == [b"a OK NOOP completed\r\nb OK NOOP completed\r\nc OK NOOP completed\r\n"]


def test_events_tell_of_a_session(stage: Stage) -> None:
    stage.login()
    octets = message("one")
    stage.send(b"c APPEND INBOX {%d+}\r\n%b\r\nd FETCH 1 BODY[]\r\n" % (len(octets), octets))
    stage.send(b"e STORE 1 +FLAGS (\\Deleted)\r\nf EXPUNGE\r\ng LOGOUT\r\n")
    stage.lose()
    assert stage.logged("connect")[0]["address"] == "192.168.1.1"
    (login,) = stage.logged("login")
    assert {"protocol": "imap", "user": "joe", "address": "192.168.1.1", "tls": "none"}.items() <= login.items()
    assert login["warning"] == "the password passed in clear"
    (logout,) = stage.logged("logout")
    assert {key: logout[key] for key in ("user", "commands", "fetched", "appended", "expunged")} == {
        "user": "joe",
        "commands": 7,
        "fetched": 1,
        "appended": 1,
        "expunged": 1,
    }
    assert PASSWORD not in str(stage.events.lines)


def test_a_lost_connection_lets_go_of_everything(stage: Stage) -> None:
    stage.login()
    stage.send(b"c IDLE\r\n")
    stage.lose()
    assert stage.logins.sessions == 0
    assert stage.gate.calls == ["opened", "authenticated joe", "closed"]
    assert stage.clock.getDelayedCalls() == []


def test_a_failed_login_is_refused(stage: Stage) -> None:
    stage.transport.take()
    assert stage.send(b"a LOGIN joe wrong\r\n") == b"a NO [AUTHENTICATIONFAILED] Authentication failed\r\n"
    assert stage.logged("login") == []


def test_a_login_that_takes_time_delays_what_is_behind_it(stage: Stage) -> None:
    stage.transport.take()
    stage.logins.waiting = waiting = Deferred[None]()
    assert stage.send(b"a LOGIN joe secret\r\nb NOOP\r\n") == b""
    waiting.callback(None)
    assert stage.transport.take().endswith(b"Logged in\r\nb OK NOOP completed\r\n")


def test_a_login_ends_with_its_connection(stage: Stage) -> None:
    stage.logins.waiting = Deferred()
    stage.send(b"a LOGIN joe secret\r\nb NOOP\r\n")
    stage.lose()
    assert stage.logins.waiting.called
    assert stage.logins.sessions == 0
    assert stage.clock.getDelayedCalls() == []
    assert stage.transport.take() == b""


def test_a_shut_gate_says_bye() -> None:
    stage = Stage()
    stage.gate.shut = True
    stage.connect()
    assert stage.transport.take() == b"* BYE [LIMIT] Too many connections\r\n"
    assert stage.transport.disconnecting
    stage.lose()
    assert stage.clock.getDelayedCalls() == []


def test_too_many_sessions_of_a_user(stage: Stage) -> None:
    stage.gate.user_has_too_many = True
    stage.transport.take()
    assert stage.send(b"a LOGIN joe secret\r\n") == b"a NO [LIMIT] Too many sessions\r\n"
    assert stage.logins.sessions == 0


# -- time


def test_an_idle_client_is_logged_out(stage: Stage) -> None:
    stage.transport.take()
    stage.clock.advance(35 * 60 - 1)
    stage.send(b"a NOOP\r\n")
    stage.clock.advance(35 * 60 - 1)
    assert stage.transport.take() == b""
    stage.clock.advance(1)
    assert stage.transport.take().startswith(b"* BYE Autologout")
    assert stage.transport.disconnecting


def test_a_client_in_idle_is_logged_out_too(stage: Stage) -> None:
    stage.login()
    stage.send(b"c IDLE\r\n")
    stage.clock.advance(35 * 60)
    assert stage.transport.take().startswith(b"* BYE Autologout")


def test_a_command_that_works_is_not_idle(stage: Stage) -> None:
    stage.transport.take()
    stage.logins.waiting = waiting = Deferred[None]()
    stage.send(b"a LOGIN joe secret\r\n")
    stage.clock.advance(35 * 60)
    waiting.callback(None)
    said = stage.transport.take()
    assert said.startswith(b"a OK ")
    assert b"BYE" not in said
    stage.clock.advance(35 * 60)
    assert stage.transport.take().startswith(b"* BYE Autologout")


def test_a_closing_connection_is_closed_in_the_end(stage: Stage) -> None:
    stage.protocol.say_goodbye(Code.UNAVAILABLE, "Stopping")
    assert stage.transport.disconnecting
    assert not stage.transport.aborted
    stage.clock.advance(5)
    assert stage.transport.aborted


def test_goodbye_does_not_wait_for_ever_for_a_command(stage: Stage) -> None:
    stage.logins.waiting = Deferred()
    stage.send(b"a LOGIN joe secret\r\n")
    stage.protocol.say_goodbye(Code.UNAVAILABLE, "Stopping")
    assert not stage.transport.disconnecting
    stage.clock.advance(5)
    assert stage.transport.aborted


# -- a slow client


def test_a_slow_client_is_waited_for(stage: Stage) -> None:
    stage.login()
    for number in range(5):
        octets = message(str(number), "x" * 300_000)
        stage.send(b"c APPEND INBOX {%d+}\r\n%b\r\n" % (len(octets), octets))
    pieces = [stage.send(b"d FETCH 1:5 BODY.PEEK[]\r\n")]
    while pieces[-1]:
        pieces.append(stage.transport.take())
    assert sum(map(len, pieces)) > 1_500_000
    assert max(map(len, pieces)) < 600_000
    assert stage.send(b"e NOOP\r\n") == b"e OK NOOP completed\r\n"


def test_a_client_that_takes_nothing_is_dropped(stage: Stage) -> None:
    stage.login()
    producer: Any = stage.transport.producer
    producer.pauseProducing()
    stage.send(b"c CAPABILITY\r\nd CAPABILITY\r\n")
    stage.clock.advance(299)
    assert not stage.transport.aborted
    stage.clock.advance(1)
    assert stage.transport.aborted


def test_reading_stops_behind_a_slow_command(stage: Stage) -> None:
    stage.logins.waiting = waiting = Deferred[None]()
    stage.send(b"a LOGIN joe secret\r\n")
    stage.send(b"b NOOP\r\n" * 300)
    assert stage.transport.producerState == "paused"
    waiting.callback(None)
    assert stage.transport.producerState == "producing"
    assert stage.transport.take().count(b"b OK") == 300


def test_a_connection_that_closes_is_read_again(stage: Stage) -> None:
    stage.logins.waiting = waiting = Deferred[None]()
    stage.send(b"a LOGIN joe secret\r\n")
    stage.send(b"b NOOP\r\n" * 300)
    stage.protocol.say_goodbye(None, "Stopping")
    waiting.callback(None)
    assert stage.transport.disconnecting
    assert stage.transport.producerState == "producing"


# -- TLS


def test_no_password_in_clear() -> None:
    stage = Stage(cleartext_allowed=False, tls=object()).connect()
    greeting = stage.transport.take()
    assert b" STARTTLS LOGINDISABLED]" in greeting
    assert b"AUTH=" not in greeting
    assert stage.send(b"a LOGIN joe secret\r\n").startswith(b"a NO [PRIVACYREQUIRED] ")
    assert stage.send(b"b AUTHENTICATE PLAIN AGpvZQBzZWNyZXQ=\r\n").startswith(b"b NO [PRIVACYREQUIRED] ")
    assert stage.logins.sessions == 0


def test_starttls_gives_the_reply_and_then_tls() -> None:
    creator = object()
    stage = Stage(cleartext_allowed=False, tls=creator).connect()
    stage.transport.take()
    stage.protocol.dataReceived(b"a STARTTLS\r\n")
    assert stage.transport.tls == [(creator, b"a OK Begin TLS negotiation now\r\n")]
    assert stage.protocol.startedTLS
    assert b"AUTH=PLAIN" in stage.send(b"b CAPABILITY\r\n")


def test_octets_behind_starttls_are_never_obeyed() -> None:
    stage = Stage(cleartext_allowed=False, tls=object()).connect()
    stage.transport.take()
    stage.protocol.dataReceived(b"a STARTTLS\r\nb CAPABILITY\r\nc LOGIN joe ")
    assert stage.transport.tls == []
    assert stage.transport.disconnecting
    assert stage.send(b"secret\r\nd CAPABILITY\r\n") == b""
    assert stage.logins.sessions == 0


def test_starttls_without_a_certificate() -> None:
    stage = Stage(cleartext_allowed=False).connect()
    assert b"STARTTLS" not in stage.transport.take()
    assert stage.send(b"a STARTTLS\r\n").startswith(b"a NO [UNAVAILABLE] ")


# -- code written for IMAP4Server


@implementer(IRealm)
class Realm:
    """Gives out one account, as ``twisted.cred`` has it."""

    def __init__(self) -> None:
        self.account = new_account()
        self.logouts = 0

    def requestAvatar(self, avatarId: Any, mind: Any, *interfaces: Any) -> Any:  # noqa: N803
        assert IAccount in interfaces
        return IAccount, self.account, self.logout

    def logout(self) -> None:
        self.logouts += 1


def test_a_portal_checks_passwords() -> None:
    realm = Realm()
    checker = InMemoryUsernamePasswordDatabaseDontUse(joe=b"secret")
    protocol = IMAPServer(clock=Clock(), server=Server(limits=Limits(), events=Events(), cleartext_allowed=True))
    protocol.portal = Portal(realm, [checker])
    transport = Transport()
    protocol.makeConnection(transport)  # type: ignore[no-untyped-call]
    protocol.dataReceived(b"a LOGIN joe wrong\r\nb LOGIN joe secret\r\nc STATUS INBOX (MESSAGES)\r\n")
    said = transport.said
    assert b"a NO [AUTHENTICATIONFAILED] " in said
    assert b"b OK [CAPABILITY " in said
    assert b"* STATUS INBOX (MESSAGES 0)\r\nc OK " in said
    protocol.connectionLost(None)
    assert realm.logouts == 1


def test_lines_of_inherited_methods_go_out_in_order(stage: Stage) -> None:
    stage.transport.take()
    stage.protocol.session.context.write(b"* 1 EXISTS\r\n")
    stage.protocol.sendPositiveResponse(b"x", b"done")  # type: ignore[no-untyped-call]
    assert stage.transport.take() == b"* 1 EXISTS\r\nx OK done\r\n"
    assert b"IMAP4rev1" in stage.protocol.listCapabilities()


def test_only_deferreds_and_coroutines_are_awaited(stage: Stage) -> None:
    with pytest.raises(TypeError):
        stage.protocol.when(object(), lambda error: None)


def test_waiting_for_room_gives_the_others_a_turn(stage: Stage) -> None:
    turns: list[object] = []
    Deferred.fromCoroutine(stage.protocol.room()).addBoth(turns.append)
    assert turns == []
    stage.clock.advance(0)
    assert turns == [None]
