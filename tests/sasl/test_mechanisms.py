"""What each mechanism makes of each response."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailaccess.errors import Code
from mailaccess.sasl.login import Login
from mailaccess.sasl.mechanism import Challenge, Credentials, Failed, State
from mailaccess.sasl.plain import Plain
from mailaccess.sasl.table import MECHANISMS

safe = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=255)


@pytest.mark.parametrize(
    ("message", "user", "password"),
    [
        (b"\0tim\0tanstaaftanstaaf", "tim", "tanstaaftanstaaf"),  # RFC 4616 §4
        (b"tim\0tim\0x", "tim", "x"),
        ("\0jürgen\0grüße".encode(), "jürgen", "grüße"),
        (b"\0" + b"u" * 255 + b"\0" + b"p" * 255, "u" * 255, "p" * 255),
        (b"\0joe@example.org\0 p w ", "joe@example.org", " p w "),
    ],
)
def test_plain_takes(message: bytes, user: str, password: str) -> None:
    assert Plain().step(message) == Credentials(user, password)


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"joe",
        b"joe\0pw",
        b"\0joe\0",
        b"\0\0pw",
        b"\0joe\0pw\0",
        b"\0joe\0pw\0x",
        b"\0joe\0p\xff",
        b"\0j\xf6e\0pw",
        b"\0joe\0\xed\xa0\x80",  # a surrogate is no character
        b"\0joe\0\xc0\x80",  # nor is an overlong NUL
    ],
)
def test_plain_refuses(message: bytes) -> None:
    outcome = Plain().step(message)
    assert isinstance(outcome, Failed)
    assert outcome.code is Code.AUTHENTICATIONFAILED


@pytest.mark.parametrize("authzid", [b"Ursel", b"kurt", b"\xff"])
def test_plain_lets_nobody_act_as_another(authzid: bytes) -> None:
    outcome = Plain().step(authzid + b"\0Kurt\0xipj3plmq")
    assert isinstance(outcome, Failed)
    assert outcome.code is Code.AUTHORIZATIONFAILED


@given(safe, safe)
def test_plain_keeps_what_it_is_given(user: str, password: str) -> None:
    assert Plain().step(f"\0{user}\0{password}".encode()) == Credentials(user, password)


def test_plain_lets_the_client_speak_first() -> None:
    assert Plain().prompt() == Challenge(b"", Plain())


def test_login_asks_twice() -> None:
    first = Login().prompt()
    assert first.data == b"Username:"
    second = first.then.step(b"joe")
    assert isinstance(second, Challenge)
    assert second.data == b"Password:"
    assert second.then.step("grüße".encode()) == Credentials("joe", "grüße")


@pytest.mark.parametrize("answer", [b"", b"a\0b", b"\xff"])
def test_login_refuses(answer: bytes) -> None:
    assert isinstance(Login().step(answer), Failed)
    named = Login().step(b"joe")
    assert isinstance(named, Challenge)
    assert isinstance(named.then.step(answer), Failed)


@given(st.sampled_from(sorted(MECHANISMS)), st.lists(st.binary(max_size=40), min_size=3, max_size=3))
def test_any_octets_lead_to_an_end(name: str, responses: list[bytes]) -> None:
    state: State = MECHANISMS[name]()
    for response in responses:
        outcome = state.step(response)
        if not isinstance(outcome, Challenge):
            break
        state = outcome.then
    assert isinstance(outcome, Credentials | Failed)


def test_a_password_is_not_shown() -> None:
    assert "pw" not in repr(Credentials("joe", "pw"))
