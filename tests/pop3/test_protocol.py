"""Twisted's end: order, flow, timers, the gate, the log, and what stock Twisted code may expect."""

from collections.abc import Callable
from hashlib import md5
from typing import Any

import pytest
from twisted.cred.error import UnauthorizedLogin
from twisted.internet.defer import Deferred, fail, succeed
from twisted.mail.pop3 import POP3
from zope.interface import implementer
from zope.interface.verify import verifyObject

from mailaccess.errors import ClientError, Code
from mailaccess.interfaces import IAccount, IGate, ISession
from mailaccess.ops.limits import Limits
from mailaccess.pop3.protocol import POP3Server
from mailaccess.values import UID, Peer
from tests.pop3.doubles import FULL, Account, Connection, Drop, Login

SLICE = 256 * 1024
LOGIN = b"USER joe\r\nPASS secret\r\n"


def test_it_is_what_it_says() -> None:
    server = Connection().server
    assert isinstance(server, POP3)
    verifyObject(ISession, server)
    assert server.portal is None
    assert callable(server.schedule)


# -- order


def test_a_whole_session_in_one_segment() -> None:
    connection = Connection(Drop([b"a\r\n", b"b\r\n"]))
    connection.heard()
    said = connection.say(LOGIN + b"STAT\r\nRETR 2\r\nDELE 1\r\nUIDL 1\r\nQUIT\r\nSTAT\r\n")
    assert said == (
        b"+OK Say PASS\r\n+OK 2 messages (6 octets)\r\n+OK 2 6\r\n+OK 3 octets\r\nb\r\n.\r\n"
        b"+OK Message 1 deleted\r\n-ERR Message 1 is deleted\r\n+OK Bye, 1 messages left\r\n"
    )
    assert connection.closed


def test_a_whole_session_octet_by_octet() -> None:
    connection = Connection(Drop([b"a\r\n"]))
    whole = Connection(Drop([b"a\r\n"]))
    octets = LOGIN + b"RETR 1\r\nDELE 1\r\nQUIT\r\n"
    said = b"".join(connection.say(octets[at : at + 1]) for at in range(len(octets)))
    assert said == whole.say(octets)


def test_commands_behind_a_login_wait_for_it() -> None:
    drop = Drop([b"a\r\n"])
    login = Login(drop)
    login.waiting = Deferred()
    connection = Connection(drop, login=login)
    connection.heard()
    assert connection.say(LOGIN + b"STAT\r\n") == b"+OK Say PASS\r\n"
    assert connection.say(b"NOOP\r\n") == b""
    login.waiting.callback(None)
    assert connection.heard() == b"+OK 1 messages (3 octets)\r\n+OK 1 3\r\n+OK\r\n"


def test_reading_stops_while_too_much_waits() -> None:
    drop = Drop()
    login = Login(drop)
    login.waiting = Deferred()
    connection = Connection(drop, login=login)
    connection.heard()
    connection.say(LOGIN)
    assert connection.transport.producerState == "producing"
    connection.say(b"NOOP\r\n" * 20_000)
    assert connection.transport.producerState == "paused"
    login.waiting.callback(None)
    assert connection.read_slowly().count(b"+OK\r\n") == 20_000
    assert connection.transport.producerState == "producing"


def test_ten_thousand_pipelined_commands_are_answered_in_order() -> None:
    connection = Connection(Drop([b"x" * at for at in range(100)]))
    connection.log_in()
    numbers = [at % 100 + 1 for at in range(10_000)]
    connection.server.dataReceived(b"".join(b"LIST %d\r\n" % number for number in numbers))
    assert connection.read_slowly() == b"".join(b"+OK %d %d\r\n" % (number, number - 1) for number in numbers)


def test_the_maildrop_is_free_before_goodbye_is_said() -> None:
    connection = Connection(Drop([b"x"]))
    connection.log_in()
    locked: list[bool] = []
    write = connection.transport.write

    def look(data: bytes) -> None:
        locked.append(connection.drop.locked)
        write(data)

    connection.transport.write = look  # type: ignore[method-assign]
    connection.say(b"DELE 1\r\nNOOP\r\n")
    connection.say(b"QUIT\r\n")
    assert locked == [True, False]


def test_what_follows_stls_in_clear_while_a_login_works_is_not_believed_either() -> None:
    drop = Drop()
    login = Login(drop)
    login.waiting = Deferred()
    connection = Connection(drop, login=login, tls=False, cleartext_allowed=True)
    connection.heard()
    connection.say(b"USER joe\r\nPASS wrong\r\nSTLS\r\n")
    connection.say(LOGIN)
    login.waiting.callback(None)
    assert connection.heard() == b"-ERR [AUTH] Authentication failed\r\n"
    assert connection.closed
    assert login.asked == [("joe", "wrong")]


# -- flow


def test_the_list_of_100_000_messages_goes_as_the_client_takes_it() -> None:
    connection = Connection(Drop([b"x"] * 100_000))
    connection.log_in()
    connection.server.dataReceived(b"LIST\r\nUIDL\r\n")
    said = connection.read_slowly()
    listed, _, unique = said.partition(b"\r\n.\r\n")
    assert listed.count(b"\r\n") == 100_000
    assert listed.endswith(b"\r\n100000 1")
    assert unique.startswith(b"+OK Unique-id listing follows\r\n1 0000000a00000007\r\n")
    assert unique.endswith(b"\r\n100000 000f424000000007\r\n.\r\n")
    assert connection.transport.most_held < 3 * FULL


def test_a_large_message_goes_as_the_client_takes_it() -> None:
    message = b"Subject: large\r\n\r\n" + b"." * 70 + (b"\r\n" + b"." * 70) * 100_000 + b"\r\n"
    connection = Connection(Drop([message]))
    connection.log_in()
    connection.server.dataReceived(b"RETR 1\r\n")
    status, _, rest = connection.read_slowly().partition(b"\r\n")
    assert status == b"+OK %d octets" % len(message)
    assert rest == message.replace(b"\n.", b"\n..") + b".\r\n"
    assert connection.transport.most_held < 2 * SLICE


@pytest.mark.parametrize("size", [SLICE - 1, SLICE, SLICE + 1, 2 * SLICE])
def test_messages_about_as_large_as_a_slice(size: int) -> None:
    message = (b"x\r\n" * size)[: size - 2] + b"\r\n"
    connection = Connection(Drop([message]))
    connection.log_in()
    connection.server.dataReceived(b"RETR 1\r\n")
    assert connection.read_slowly() == b"+OK %d octets\r\n%b.\r\n" % (size, message)


def test_top_of_a_message_whose_header_is_larger_than_a_slice() -> None:
    header = b"X: " + b"x" * SLICE + b"\r\n\r\n"
    connection = Connection(Drop([header + b"one\r\ntwo\r\n"]))
    connection.log_in()
    connection.server.dataReceived(b"TOP 1 1\r\n")
    assert connection.read_slowly() == b"+OK Top of message follows\r\n" + header + b"one\r\n.\r\n"


def test_top_of_a_large_message_reads_no_more_than_it_needs() -> None:
    message = b"Subject: large\r\n\r\n" + b"line\r\n" * SLICE
    connection = Connection(Drop([message]))
    connection.log_in()
    connection.server.dataReceived(b"TOP 1 2\r\n")
    assert connection.heard() == b"+OK Top of message follows\r\nSubject: large\r\n\r\nline\r\nline\r\n.\r\n"
    lines = SLICE // 6 + 10
    connection.server.dataReceived(b"TOP 1 %d\r\n" % lines)
    assert connection.read_slowly().count(b"line\r\n") == lines
    assert connection.drop.reads == 3


def test_a_client_that_sends_and_does_not_read_costs_no_more() -> None:
    connection = Connection(Drop([b"x"]))
    connection.log_in()
    sent = 0
    while connection.transport.producerState == "producing":
        connection.server.dataReceived(b"CAPA\r\n" * 5000)
        sent += 5000
        assert sent < 10**6
    assert connection.transport.most_held < 2 * FULL
    assert connection.read_slowly().count(b"+OK") == sent


def test_a_message_that_vanishes_in_the_middle_is_cut_off() -> None:
    drop = Drop([b"x" * SLICE * 3])
    connection = Connection(drop)
    connection.log_in()
    connection.server.dataReceived(b"RETR 1\r\nNOOP\r\n")
    drop.remove(1)
    said = connection.read_slowly()
    assert said.startswith(b"+OK")
    assert not said.endswith(b"\r\n.\r\n")
    assert b"-ERR" not in said
    assert connection.closed
    assert not drop.locked


def test_a_client_that_vanishes_in_the_middle_removes_nothing() -> None:
    drop = Drop([b"x" * SLICE * 3])
    connection = Connection(drop)
    connection.log_in()
    connection.server.dataReceived(b"RETR 1\r\nDELE 1\r\nQUIT\r\n")
    connection.drop_line()
    assert drop.messages
    assert not drop.locked


def test_a_client_that_vanishes_while_the_store_works_removes_nothing() -> None:
    drop = Drop([b"x\r\n"])
    connection = Connection(drop)
    connection.log_in()
    drop.gate = Deferred()
    connection.server.dataReceived(b"RETR 1\r\nDELE 1\r\nQUIT\r\n")
    connection.drop_line()
    drop.gate.callback(None)
    assert drop.messages
    assert not drop.locked


def test_removal_that_was_begun_is_finished() -> None:
    drop = Drop([b"x\r\n"])
    connection = Connection(drop)
    connection.log_in()
    drop.gate = Deferred()
    connection.server.dataReceived(b"DELE 1\r\nQUIT\r\n")
    connection.drop_line()
    assert drop.locked
    drop.gate.callback(None)
    assert not drop.messages
    assert not drop.locked


def test_a_client_that_takes_nothing_is_given_up() -> None:
    connection = Connection(Drop([b"x" * SLICE * 3]))
    connection.log_in()
    connection.server.dataReceived(b"RETR 1\r\n")
    connection.clock.advance(299)
    assert not connection.transport.aborted
    connection.clock.advance(1)
    assert connection.transport.aborted


# -- timers


def test_no_autologout_while_a_command_works() -> None:
    drop = Drop([b"x\r\n"])
    connection = Connection(drop)
    connection.log_in()
    drop.gate = Deferred()
    connection.server.dataReceived(b"RETR 1\r\n")
    connection.clock.advance(600)
    assert not connection.closed
    drop.gate.callback(None)
    assert connection.heard() == b"+OK 3 octets\r\nx\r\n.\r\n"
    assert connection.say(b"NOOP\r\n") == b"+OK\r\n"
    connection.clock.advance(600)
    assert connection.transport.disconnecting


def test_a_login_ends_with_its_connection() -> None:
    drop = Drop()
    login = Login(drop)
    ended: list[object] = []
    login.waiting = Deferred(ended.append)
    connection = Connection(drop, login=login)
    connection.say(LOGIN)
    connection.drop_line()
    assert len(ended) == 1
    assert connection.events.incidents == []
    assert login.sessions == 0
    assert not drop.locked


def test_no_timer_outlives_the_connection() -> None:
    connection = Connection(Drop([b"x" * SLICE * 3]))
    connection.log_in()
    connection.server.dataReceived(b"RETR 1\r\n")
    connection.drop_line()
    assert connection.clock.getDelayedCalls() == []
    connection.connect()
    connection.say(b"QUIT\r\n")
    connection.drop_line()
    assert connection.clock.getDelayedCalls() == []


def test_a_client_that_does_not_close_is_closed() -> None:
    connection = Connection()
    connection.say(b"QUIT\r\n")
    assert connection.closed
    connection.clock.advance(60)
    assert connection.transport.aborted


# -- ISession and IGate


def test_goodbye_waits_for_the_command_that_works() -> None:
    drop = Drop([b"x\r\n"])
    connection = Connection(drop)
    connection.log_in()
    drop.gate = Deferred()
    connection.server.dataReceived(b"RETR 1\r\nNOOP\r\n")
    connection.server.say_goodbye(Code.UNAVAILABLE, "The server stops")
    assert not connection.closed
    drop.gate.callback(None)
    assert connection.heard() == b"+OK 3 octets\r\nx\r\n.\r\n-ERR [SYS/TEMP] The server stops\r\n"
    assert connection.closed


def test_goodbye_does_not_wait_for_a_login() -> None:
    drop = Drop()
    login = Login(drop)
    login.waiting = Deferred()
    connection = Connection(drop, login=login)
    connection.heard()
    connection.say(b"USER joe\r\n")
    connection.say(b"PASS secret\r\n")
    connection.server.say_goodbye(None, "The server stops")
    assert connection.heard() == b"-ERR The server stops\r\n"
    assert connection.closed


def test_goodbye_does_not_wait_for_ever() -> None:
    connection = Connection()
    connection.drop.gate = Deferred()
    connection.say(LOGIN)
    connection.server.say_goodbye(None, "The server stops")
    connection.server.say_goodbye(None, "The server stops")
    connection.clock.advance(5)
    assert connection.transport.aborted


@implementer(IGate)
class Gate:
    """Remembers who passed; ``closed_to`` names whom it refuses."""

    def __init__(self, closed_to: str = "") -> None:
        self.closed_to = closed_to
        self.passed: list[str] = []

    def opened(self, session: ISession) -> None:
        self._pass("anybody")

    def authenticated(self, session: ISession, user: str) -> None:
        self._pass(user)

    def closed(self, session: ISession) -> None:
        self.passed.append("closed")

    def _pass(self, who: str) -> None:
        if who == self.closed_to:
            raise ClientError(Code.LIMIT, "Too many connections")
        self.passed.append(who)


def test_the_gate_is_passed() -> None:
    gate = Gate()
    connection = Connection(gate=gate)
    connection.log_in()
    connection.drop_line()
    assert gate.passed == ["anybody", "joe", "closed"]


def test_a_connection_too_many_hears_no_greeting() -> None:
    connection = Connection(gate=Gate("anybody"))
    assert connection.heard() == b"-ERR [SYS/TEMP] Too many connections\r\n"
    assert connection.closed
    assert connection.say(b"CAPA\r\n") == b""


def test_a_session_too_many_of_one_user() -> None:
    connection = Connection(gate=Gate("joe"))
    connection.heard()
    assert connection.say(LOGIN).endswith(b"-ERR [IN-USE] Too many connections\r\n")
    assert not connection.closed
    assert not connection.drop.locked
    assert connection.login.sessions == 0


# -- the log


def test_what_is_logged() -> None:
    connection = Connection(Drop([b"abc\r\n", b"x\r\n"]))
    connection.log_in()
    connection.say(b"RETR 1\r\nTOP 1 0\r\nDELE 2\r\nQUIT\r\n")
    connection.clock.advance(1.5)
    connection.drop_line()
    names = [name for name, _ in connection.events.lines]
    assert names == ["connect", "login", "logout"]
    assert all(fields["protocol"] == "pop3" for _, fields in connection.events.lines)
    logout = connection.events.lines[-1][1]
    assert {"user": "joe", "retrieved": 1, "deleted": 1, "seconds": 1.5}.items() <= logout.items()
    assert "secret" not in repr(connection.events.lines)


def test_who_never_logged_in_is_no_logout() -> None:
    connection = Connection()
    connection.drop_line()
    assert [name for name, _ in connection.events.lines] == ["connect", "disconnect"]


def test_a_logout_that_fails_is_logged_and_harms_nobody() -> None:
    drop = Drop([b"x\r\n"])

    class Failing(Login):
        def _logout(self) -> None:
            raise ZeroDivisionError

    connection = Connection(drop, login=Failing(drop))
    connection.log_in()
    assert connection.say(b"QUIT\r\n") == b"+OK Bye, 1 messages left\r\n"
    assert [type(error) for error in connection.events.incidents] == [ZeroDivisionError]
    assert not drop.locked
    assert connection.closed


# -- APOP


class ApopLogin(Login):
    """Knows joe's secret in clear."""

    async def apop(self, user: str, timestamp: str, digest: str, peer: Peer) -> tuple[Account, Callable[[], None]]:
        if digest != md5(f"{timestamp}secret".encode()).hexdigest():
            raise ClientError(Code.AUTHENTICATIONFAILED, "Authentication failed")
        return await self.password(user, "secret", peer)


def test_apop_where_there_is_a_secret_in_clear() -> None:
    drop = Drop([b"x\r\n"])
    connection = Connection(drop, login=ApopLogin(drop))
    greeting = connection.heard()
    timestamp = greeting[greeting.index(b"<") : -2]
    assert connection.say(b"APOP joe " + b"0" * 32 + b"\r\n") == b"-ERR [AUTH] Authentication failed\r\n"
    digest = md5(timestamp + b"secret").hexdigest().encode()
    assert connection.say(b"APOP joe " + digest + b"\r\n") == b"+OK 1 messages (3 octets)\r\n"
    connection.connect()
    assert timestamp not in connection.heard()


def test_no_timestamp_where_apop_would_be_refused() -> None:
    """S-nail, fdm and Mail::POP3Client try APOP, and nothing else, wherever they see angle brackets."""
    drop = Drop()
    assert Connection(drop, login=ApopLogin(drop), tls=False).heard() == b"+OK POP3 server ready\r\n"
    connection = Connection(drop)
    assert connection.heard() == b"+OK POP3 server ready\r\n"
    assert connection.say(b"APOP joe 0\r\n") == b"-ERR APOP is not available here\r\n"


# -- stock Twisted


class Portal:
    """Knows joe, as ``twisted.cred`` has it."""

    def __init__(self, drop: Drop) -> None:
        self.drop = drop

    def login(self, credentials: Any, mind: object, *interfaces: object) -> Deferred[Any]:
        if credentials.username != b"joe" or not credentials.checkPassword(b"secret"):
            return fail(UnauthorizedLogin())
        return succeed((IAccount, Account(self.drop), lambda: None))


def test_a_portal_in_place_of_a_login() -> None:
    drop = Drop([b"x\r\n"])
    connection = Connection(drop)
    connection.factory.login, connection.factory.portal = None, Portal(drop)
    connection.connect()
    connection.heard()
    assert connection.say(b"USER joe\r\nPASS wrong\r\n").endswith(b"-ERR [AUTH] Authentication failed\r\n")
    assert connection.say(LOGIN).endswith(b"+OK 1 messages (3 octets)\r\n")


def test_neither_portal_nor_login_lets_nobody_in() -> None:
    connection = Connection()
    connection.factory.login = None
    connection.connect()
    connection.heard()
    assert connection.say(LOGIN).endswith(b"-ERR [AUTH] Authentication failed\r\n")


def test_what_code_for_pop3_calls() -> None:
    connection = Connection()
    connection.heard()
    connection.server.successResponse("fine")
    connection.server.failResponse(b"not fine")
    connection.server.sendLine(b"a line")
    assert connection.heard() == b"+OK fine\r\n-ERR not fine\r\na line\r\n"
    assert b"PIPELINING" in connection.server.listCapabilities()


def test_limits_are_the_operators() -> None:
    connection = Connection(limits=Limits(bad_commands_before_login=2, pop3_idle_timeout_seconds=5))
    connection.heard()
    assert connection.say(b"X\r\nX\r\nNOOP\r\n") == b"-ERR Unknown command\r\n-ERR Too many bad commands\r\n"
    connection.connect()
    connection.clock.advance(5)
    assert connection.closed


def test_measured_sizes_are_told() -> None:
    drop = Drop([b"x\r\n" * 5])
    drop.unmeasured = {UID(10)}
    connection = Connection(drop)
    connection.log_in()
    assert connection.say(b"STAT\r\n") == b"+OK 1 15\r\n"


def test_it_can_be_made_as_twisted_makes_it() -> None:
    assert POP3Server().peer == Peer("")
