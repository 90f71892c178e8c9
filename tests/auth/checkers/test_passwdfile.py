"""The users file as a checker: who is let in, what is hashed, when the file is read again."""

import os
from collections.abc import Callable
from hashlib import md5
from pathlib import Path
from typing import Any, TypeVar

import pytest
from twisted.cred.checkers import ICredentialsChecker
from twisted.cred.credentials import UsernamePassword
from twisted.cred.error import LoginDenied, UnauthorizedLogin
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.python.failure import Failure
from zope.interface import implementer
from zope.interface.verify import verifyObject

from mailaccess.auth.apop import ApopDigest
from mailaccess.auth.checkers import passwdfile
from mailaccess.auth.checkers.passwdfile import MAX_LOGGED_PROBLEMS, PasswdFileChecker
from mailaccess.auth.credentials import PeerPassword
from mailaccess.auth.schemes import Secret, hash_password, matches
from mailaccess.auth.schemes.argon2 import Argon2id
from mailaccess.auth.schemes.digests import Digested
from mailaccess.auth.schemes.plain import Plain
from mailaccess.errors import OperatorFault
from mailaccess.interfaces import IEvents
from mailaccess.values import Identity, Peer

T = TypeVar("T")

PEER = Peer("192.0.2.1", 5000, 993)


@implementer(IEvents)
class Events:
    def __init__(self) -> None:
        self.lines: list[str] = []

    def event(self, name: str, /, **fields: object) -> None:
        del fields["file"]
        self.lines.append(" ".join([name, *(f"{key}={value}" for key, value in fields.items())]))

    def incident(self, what: str, error: BaseException) -> str:
        raise AssertionError(what) from error


class House:
    """A checker on a file, whose work waits until the test has it done."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.events = Events()
        self.checker = PasswdFileChecker(path, self._run, self.events)
        self.at_once = True
        self.work: list[Callable[[], object]] = []

    def _run(self, work: Callable[[], T], /) -> Deferred[T]:
        done: Deferred[T] = Deferred()
        self.work.append(lambda: maybeDeferred(work).chainDeferred(done))
        if self.at_once:
            self.work.pop()()
        return done

    def write(self, *lines: str) -> None:
        """Put a new file in the old one's place."""
        beside = self.path.with_name("beside")
        beside.write_text("".join(f"{line}\n" for line in lines))
        beside.rename(self.path)

    def check(self, credentials: Any) -> list[Any]:
        """What comes of credentials: a list that has it, once there is something."""
        outcome: list[Any] = []
        self.checker.requestAvatarId(credentials).addBoth(outcome.append)
        return outcome

    def password(self, user: str, password: str, peer: Peer = PEER) -> Any:
        (outcome,) = self.check(PeerPassword(user.encode(), password.encode(), peer))
        return outcome.value if isinstance(outcome, Failure) else outcome


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path / "users")


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch) -> list[type[Secret]]:
    """The kinds of the secrets that passwords were compared with."""
    seen: list[type[Secret]] = []

    def counted(secret: Secret, password: bytes) -> bool:
        seen.append(type(secret))
        return matches(secret, password)

    monkeypatch.setattr(passwdfile, "matches", counted)
    return seen


def test_it_is_what_twisted_knows(house: House) -> None:
    verifyObject(ICredentialsChecker, house.checker)


def test_the_right_password(house: House) -> None:
    house.write("joe:" + hash_password(b"pw"), "j\u00fcrgen:{PLAIN}gr\u00fc\u00dfe")
    assert house.password("joe", "pw") == b"joe"
    assert house.password("jürgen", "grüße") == "jürgen".encode()


def test_stock_credentials_are_taken(house: House) -> None:
    house.write("joe:{PLAIN}pw")
    assert house.check(UsernamePassword(b"joe", b"pw")) == [b"joe"]
    (failure,) = house.check(UsernamePassword(b"j\xff", b"pw"))
    assert isinstance(failure.value, UnauthorizedLogin)


@pytest.mark.parametrize(
    ("user", "password"),
    [
        ("joe", "no"),
        ("Joe", "pw"),
        ("nobody", "pw"),
        ("joe", ""),
        ("locked", ""),
        ("locked", "pw"),
        ("../joe", "pw"),
        ("joe\0", "pw"),
        ("joe", "pw\0"),
    ],
)
def test_the_wrong_password(house: House, user: str, password: str) -> None:
    house.write("joe:{PLAIN}pw", "locked:!")
    assert isinstance(house.password(user, password), UnauthorizedLogin)


def test_one_hash_is_computed_whether_there_is_a_user_or_not(house: House, hashed: list[type[Secret]]) -> None:
    argon2 = hash_password(b"pw")
    house.write("old:{SHA}qZk+NkcGgWq6PiVxeFDCbJzQ2J0=", f"joe:{argon2}", f"ann:{argon2}", "locked:!")
    for user, password in (("joe", "pw"), ("joe", "no"), ("nobody", "pw"), ("locked", "pw"), ("old", "abc")):
        house.password(user, password)
    assert hashed == [Argon2id, Argon2id, Argon2id, Argon2id, Digested]


def test_the_password_of_another_does_not_open_for_who_is_unknown(house: House) -> None:
    house.write("joe:{PLAIN}pw", "locked:!")
    for user in ("nobody", "locked"):
        assert isinstance(house.password(user, "pw"), UnauthorizedLogin)


def test_in_an_empty_file_a_hash_is_computed_too(house: House, hashed: list[type[Secret]]) -> None:
    house.write()
    assert isinstance(house.password("joe", "pw"), UnauthorizedLogin)
    assert hashed == [Argon2id]


def test_nothing_is_hashed_in_the_reactors_thread(house: House, hashed: list[type[Secret]]) -> None:
    house.write("joe:{PLAIN}pw")
    house.at_once = False
    outcome = house.check(PeerPassword(b"joe", b"pw", PEER))
    assert (outcome, hashed, house.events.lines) == ([], [], [])
    (work,) = house.work
    work()
    assert outcome == [b"joe"]
    assert hashed == [Plain]


def test_the_file_is_read_again_when_it_has_changed(house: House) -> None:
    house.write("joe:{PLAIN}pw")
    assert house.password("joe", "pw") == b"joe"
    house.write("joe:{PLAIN}p2")
    assert isinstance(house.password("joe", "pw"), UnauthorizedLogin)
    assert house.password("joe", "p2") == b"joe"
    assert house.password("joe", "p2") == b"joe"
    assert house.events.lines == ["users_loaded users=1 ignored=0"] * 2


def test_a_file_of_the_same_time_and_size_is_another(house: House) -> None:
    house.write("joe:{PLAIN}pw")
    before = house.path.stat()
    assert house.password("joe", "pw") == b"joe"
    house.write("joe:{PLAIN}p2")
    os.utime(house.path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert house.password("joe", "p2") == b"joe"


def test_a_file_that_is_written_in_place_is_another(house: House) -> None:
    house.write("joe:{PLAIN}pw")
    assert house.password("joe", "pw") == b"joe"
    house.path.write_text("joe:{PLAIN}p2\n")
    os.utime(house.path, ns=(0, 0))
    assert house.password("joe", "p2") == b"joe"


def test_a_file_that_changed_during_a_check_is_reported_once(house: House) -> None:
    house.write("joe:{PLAIN}pw")
    house.at_once = False
    outcomes = [house.check(PeerPassword(b"joe", b"pw", PEER)) for _ in range(3)]
    for work in house.work:
        work()
    assert outcomes == [[b"joe"]] * 3
    assert house.events.lines == ["users_loaded users=1 ignored=0"]


def test_bad_lines_are_reported_and_the_rest_is_served(house: House) -> None:
    house.write("joe:{PLAIN}pw", "ann:{ROT13}cj", "joe:{PLAIN}other")
    assert house.password("joe", "pw") == b"joe"
    assert isinstance(house.password("ann", "pw"), UnauthorizedLogin)
    first, second, third = house.events.lines
    assert first.startswith("users_line_ignored line=2 reason=unknown password scheme {ROT13}")
    assert second.startswith("users_line_ignored line=3 reason=")
    assert third == "users_loaded users=1 ignored=2"


def test_a_file_that_is_something_else_does_not_fill_the_log(house: House) -> None:
    house.write(*["no users file"] * 1000)
    house.checker.load()
    assert len(house.events.lines) == MAX_LOGGED_PROBLEMS + 1
    assert house.events.lines[-1] == "users_loaded users=0 ignored=1000"


def test_a_file_that_cannot_be_read_is_the_operators_fault(house: House) -> None:
    assert isinstance(house.password("joe", "pw"), OperatorFault)
    with pytest.raises(OperatorFault):
        house.checker.load()
    house.write("joe:{PLAIN}pw")
    assert house.password("joe", "pw") == b"joe"
    house.path.unlink()
    assert isinstance(house.password("joe", "pw"), OperatorFault)


def test_a_file_that_is_too_large_is_not_read(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwdfile, "MAX_FILE_BYTES", 14)
    house.write("joe:{PLAIN}pw")
    assert house.password("joe", "pw") == b"joe"
    house.write("joe:{PLAIN}pw2")
    assert isinstance(house.password("joe", "pw2"), OperatorFault)


def test_what_the_file_says_of_a_user(house: House) -> None:
    house.write("joe:{PLAIN}pw:1000:100::/home/joe::k=v")
    assert house.checker.lookup("joe") is None
    house.checker.load()
    entry = house.checker.lookup("joe")
    assert entry is not None
    assert entry.identity == house.checker.identity("joe") == Identity("joe", 1000, 100, "/home/joe", (("k", "v"),))
    assert house.checker.lookup("nobody") is None
    with pytest.raises(UnauthorizedLogin):
        house.checker.identity("nobody")


def test_allow_nets(house: House) -> None:
    house.write("joe:{PLAIN}pw::::::allow_nets=192.0.2.0/24")
    assert house.password("joe", "pw") == b"joe"
    assert isinstance(house.password("joe", "pw", Peer("198.51.100.1")), UnauthorizedLogin)
    (failure,) = house.check(UsernamePassword(b"joe", b"pw"))
    assert isinstance(failure.value, UnauthorizedLogin)


def test_nologin_is_told_to_the_owner_only(house: House) -> None:
    house.write("joe:{PLAIN}pw::::::nologin")
    assert isinstance(house.password("joe", "pw"), LoginDenied)
    assert isinstance(house.password("joe", "no"), UnauthorizedLogin)


def _digest(user: str, password: bytes) -> ApopDigest:
    return ApopDigest(user.encode(), "<1@host>", md5(b"<1@host>" + password).hexdigest(), PEER)


def test_apop(house: House) -> None:
    house.write("joe:{PLAIN}pw", "ann:{SHA}qZk+NkcGgWq6PiVxeFDCbJzQ2J0=", "locked:!")
    assert house.check(_digest("joe", b"pw")) == [b"joe"]
    for user, password in (("joe", b"no"), ("ann", b"abc"), ("nobody", b"pw"), ("locked", b""), ("locked", b"pw")):
        (failure,) = house.check(_digest(user, password))
        assert isinstance(failure.value, UnauthorizedLogin)


def test_secrets_for_apop(house: House) -> None:
    house.write("ann:{SHA}qZk+NkcGgWq6PiVxeFDCbJzQ2J0=")
    house.checker.load()
    before = house.checker.has_secrets_for_apop
    house.write("ann:{SHA}qZk+NkcGgWq6PiVxeFDCbJzQ2J0=", "joe:{CLEARTEXT}pw")
    house.checker.load()
    assert (before, house.checker.has_secrets_for_apop) == (False, True)
