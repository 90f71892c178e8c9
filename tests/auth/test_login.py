"""From a name and a password to an account, on a clock that the test turns."""

from collections.abc import Callable, Coroutine
from hashlib import md5
from typing import Any

import pytest
from twisted.cred.checkers import ICredentialsChecker
from twisted.cred.credentials import IUsernameHashedPassword, IUsernamePassword
from twisted.cred.error import LoginDenied, UnauthorizedLogin
from twisted.cred.portal import IRealm, Portal
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.task import Clock
from twisted.python.failure import Failure
from zope.interface import Interface, implementer
from zope.interface.verify import verifyObject

from mailaccess.auth.credentials import IFromPeer
from mailaccess.auth.login import Avatar, Login
from mailaccess.auth.penalties import Penalties
from mailaccess.errors import ClientError, Code, OperatorFault
from mailaccess.interfaces import IEvents
from mailaccess.values import Peer

JOE = Peer("192.0.2.1", 5000, 993)
ANN = Peer("192.0.2.2", 5000, 993)


class IThing(Interface):
    """What the test's realm gives."""


@implementer(IEvents)
class Events:
    def __init__(self) -> None:
        self.lines: list[str] = []

    def event(self, name: str, /, **fields: object) -> None:
        self.lines.append(" ".join([name, *(f"{key}={value}" for key, value in fields.items())]))

    def incident(self, what: str, error: BaseException) -> str:
        self.lines.append(f"incident {what} {error!r}")
        return "4711"


@implementer(IRealm)
class Realm:
    """Gives names, and counts who is there."""

    def __init__(self) -> None:
        self.inside: list[str] = []
        self.refusal: Exception | None = None

    def requestAvatar(self, avatarId: Any, mind: object, *interfaces: Any) -> Any:  # noqa: N803  # its name in IRealm
        if self.refusal is not None:
            raise self.refusal
        assert interfaces == (IThing,)
        self.inside.append(avatarId)
        return IThing, f"account of {avatarId}", lambda: self.inside.remove(avatarId)


@implementer(ICredentialsChecker)
class Checker:
    """Knows joe, whose password is pw; ``answer`` stands for all that a checker may do."""

    credentialInterfaces = (IUsernamePassword, IUsernameHashedPassword)  # noqa: N815  # its name in twisted.cred

    def __init__(self) -> None:
        self.asked: list[Any] = []
        self.answer: Callable[[], Any] | None = None

    def requestAvatarId(self, credentials: Any) -> Any:
        self.asked.append(credentials)
        if self.answer is not None:
            return maybeDeferred(self.answer)
        if credentials.username == b"joe" and credentials.checkPassword(b"pw"):
            return maybeDeferred(lambda: "joe")
        raise UnauthorizedLogin


class House:
    """A login with everything about it."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.events = Events()
        self.realm = Realm()
        self.checker = Checker()
        self.penalties = Penalties(self.clock.seconds)
        self.apop_offered = False
        self.login = Login(
            Portal(self.realm, [self.checker]),
            IThing,
            penalties=self.penalties,
            clock=self.clock,
            events=self.events,
            apop_offered=lambda: self.apop_offered,
        )

    def attempt(self, user: str, password: str, peer: Peer = JOE) -> "Attempt":
        return Attempt(self.login.password(user, password, peer))

    def seconds_of(self, attempt: "Attempt") -> float:
        """How long ``attempt`` takes from now on."""
        start = self.clock.seconds()
        while not attempt.ended:
            self.clock.advance(0.25)
        return self.clock.seconds() - start


class Attempt:
    """What came of a login, once something did."""

    def __init__(self, coroutine: Coroutine[Any, Any, Avatar]) -> None:
        self._outcome: list[Any] = []
        self.deferred = Deferred.fromCoroutine(coroutine)
        self.deferred.addBoth(self._outcome.append)

    @property
    def ended(self) -> bool:
        return bool(self._outcome)

    @property
    def avatar(self) -> Avatar:
        (avatar,) = self._outcome
        assert isinstance(avatar, Avatar), avatar
        return avatar

    @property
    def error(self) -> ClientError:
        (failure,) = self._outcome
        assert isinstance(failure, Failure), failure
        assert isinstance(failure.value, ClientError), failure
        return failure.value


@pytest.fixture
def house() -> House:
    return House()


def test_the_right_password_opens_at_once(house: House) -> None:
    account, logout = house.attempt("joe", "pw").avatar
    assert account == "account of joe"
    assert house.realm.inside == ["joe"]
    logout()
    assert house.realm.inside == []
    assert house.events.lines == []


def test_the_checker_knows_where_from(house: House) -> None:
    house.attempt("joe", "pw")
    (credentials,) = house.checker.asked
    verifyObject(IFromPeer, credentials)
    assert (credentials.username, credentials.password, credentials.peer) == (b"joe", b"pw", JOE)


@pytest.mark.parametrize(
    ("user", "password"),
    [
        ("joe", "no"),
        ("ann", "pw"),
        ("joe\0", "pw"),
        ("joe", "pw\0x"),
        ("joe", ""),
        ("", "pw"),
        ("../joe", "pw"),
        ("joe\udcff", "pw"),
    ],
)
def test_every_refusal_is_the_same(house: House, user: str, password: str) -> None:
    attempt = house.attempt(user, password)
    assert house.seconds_of(attempt) == 1
    assert (attempt.error.code, attempt.error.text) == (Code.AUTHENTICATIONFAILED, "Authentication failed")
    assert attempt.error.__cause__ is None
    (line,) = house.events.lines
    assert line.startswith(f"login_failed user={user} address=192.0.2.1 port=993 reason=")
    assert house.realm.inside == []


def test_no_password_is_logged(house: House) -> None:
    house.seconds_of(house.attempt("joe", "hunter2"))
    assert "hunter2" not in str(house.events.lines)


def test_refusals_take_longer_and_longer(house: House) -> None:
    assert [house.seconds_of(house.attempt("joe", guess)) for guess in "abcdef"] == [1, 2, 4, 8, 15, 15]


def test_the_wait_comes_before_the_password_is_looked_at(house: House) -> None:
    house.seconds_of(house.attempt("joe", "a"))
    attempt = house.attempt("joe", "pw")
    house.clock.advance(1.75)
    assert len(house.checker.asked) == 1
    assert not attempt.ended
    house.clock.advance(0.25)
    assert attempt.avatar
    assert house.penalties.delay_seconds(JOE.host) == 0


def test_the_same_wrong_password_does_not_add_up(house: House) -> None:
    assert [house.seconds_of(house.attempt("joe", "old")) for _ in range(4)] == [1, 2, 2, 2]


def test_others_are_not_affected(house: House) -> None:
    waiting = [house.attempt("joe", guess) for guess in "abcdef"]
    assert house.attempt("joe", "pw", ANN).avatar
    assert not any(attempt.ended for attempt in waiting)


def test_cancelling_ends_a_wait(house: House) -> None:
    house.seconds_of(house.attempt("joe", "a"))
    attempt = house.attempt("joe", "pw")
    attempt.deferred.cancel()
    assert attempt.ended
    assert house.clock.getDelayedCalls() == []
    assert len(house.checker.asked) == 1


def test_hanging_up_while_a_refusal_waits_does_not_hide_it(house: House) -> None:
    attempt = house.attempt("joe", "a")
    attempt.deferred.cancel()
    assert house.penalties.delay_seconds(JOE.host) == 2
    assert house.clock.getDelayedCalls() == []


def test_closing_the_coroutine_ends_a_wait(house: House) -> None:
    house.seconds_of(house.attempt("joe", "a"))
    coroutine = house.login.password("joe", "pw", JOE)
    coroutine.send(None)
    coroutine.close()
    assert house.clock.getDelayedCalls() == []


def test_cancelling_cancels_the_check(house: House) -> None:
    cancelled: list[object] = []
    house.checker.answer = lambda: Deferred(cancelled.append)
    attempt = house.attempt("joe", "pw")
    attempt.deferred.cancel()
    assert len(cancelled) == 1
    assert house.events.lines == []
    assert house.penalties.delay_seconds(JOE.host) == 0


def test_an_account_that_nobody_waits_for_is_let_go(house: House) -> None:
    answer: Deferred[str] = Deferred(lambda asked: asked.callback("joe"))  # too late to cancel
    house.checker.answer = lambda: answer
    coroutine = house.login.password("joe", "pw", JOE)
    coroutine.send(None)
    coroutine.close()
    assert house.realm.inside == []


def test_a_check_that_nobody_waits_for_ends_quietly(house: House) -> None:
    answer: Deferred[str] = Deferred()
    house.checker.answer = lambda: answer
    coroutine = house.login.password("joe", "pw", JOE)
    coroutine.send(None)
    coroutine.close()
    assert answer.called
    assert house.events.lines == []
    assert house.realm.inside == []


def test_who_may_not_log_in_is_told_so(house: House) -> None:
    house.checker.answer = _raise(LoginDenied("nologin"))
    attempt = house.attempt("joe", "pw")
    assert attempt.error.code is Code.AUTHORIZATIONFAILED
    assert "nologin" not in attempt.error.text
    assert house.events.lines == ["login_failed user=joe address=192.0.2.1 port=993 reason=nologin"]
    assert house.penalties.delay_seconds(JOE.host) == 0


@pytest.mark.parametrize(
    "error",
    [
        OperatorFault("{ROT13} in /etc/users"),
        OSError("postgres://imap:s3cret@db"),
        UnicodeDecodeError("x", b"", 0, 0, ""),
    ],
)
def test_what_is_broken_is_an_incident(house: House, error: Exception) -> None:
    house.checker.answer = _raise(error)
    attempt = house.attempt("joe", "pw")
    assert (attempt.error.code, attempt.error.text) == (
        Code.UNAVAILABLE,
        "Logins are not possible now, incident 4711",
    )
    assert house.events.lines == [f"incident login {error!r}"]
    assert house.penalties.delay_seconds(JOE.host) == 0


def test_what_a_realm_says_to_the_client_reaches_it(house: House) -> None:
    house.realm.refusal = ClientError(Code.UNAVAILABLE, "The mail store is not available now")
    assert house.attempt("joe", "pw").error is house.realm.refusal
    assert house.events.lines == []


def test_apop_is_there_where_it_is_offered(house: House) -> None:
    without = house.login.apop
    assert without is None
    house.apop_offered = True
    apop = house.login.apop
    assert apop is not None
    digest = md5(b"<1@host>pw").hexdigest()
    assert Attempt(apop("joe", "<1@host>", digest, JOE)).avatar.account == "account of joe"
    wrong = Attempt(apop("joe", "<2@host>", digest, JOE))
    assert house.seconds_of(wrong) == 1
    assert wrong.error.code is Code.AUTHENTICATIONFAILED


def _raise(error: Exception) -> Callable[[], Any]:
    def answer() -> Any:
        raise error

    return answer
