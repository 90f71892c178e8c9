import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twisted.cred.credentials import IUsernamePassword
from zope.interface.verify import verifyObject

from mailaccess.auth.credentials import (
    MAX_PASSWORD_BYTES,
    MAX_USER_BYTES,
    BadCredential,
    IFromPeer,
    PeerPassword,
    password_octets,
    user_name,
)
from mailaccess.values import Peer


@pytest.mark.parametrize(
    "name", ["joe", "Joe", "joe@example.org", "jürgen", "j.o.e", "a b", "joe+tag", "%u", "x" * MAX_USER_BYTES]
)
def test_names(name: str) -> None:
    assert user_name(name) == name


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "..",
        ".joe",
        "../joe",
        "joe/../root",
        "/",
        "joe@..",
        "joe@.x",
        "joe@",
        "@example.org",
        "joe\0x",
        "joe\n",
        "\x1b[2J",
        "joe\x7f",
        "joe\x9b",
        "joe\u2028",
        "joe\udcff",
        "x" * (MAX_USER_BYTES + 1),
        "ü" * (MAX_USER_BYTES // 2 + 1),
    ],
)
def test_what_is_no_name(name: str) -> None:
    with pytest.raises(BadCredential):
        user_name(name)


def test_a_name_is_composed() -> None:
    assert user_name(unicodedata.normalize("NFD", "jürgen")) == "jürgen"


@given(st.text(st.characters(exclude_categories=[])))
def test_a_name_stays_in_its_folder(text: str) -> None:
    try:
        name = user_name(text)
    except BadCredential:
        return
    for part in (name, *name.split("@")):
        assert part not in ("", ".", "..")
        assert "/" not in part
        assert "\0" not in part
        assert len(part.encode()) <= 255
    assert user_name(name) == name


@pytest.mark.parametrize("text", ["x", "pw pw", "grüße", "x" * MAX_PASSWORD_BYTES, "\t"])
def test_passwords(text: str) -> None:
    assert password_octets(text) == text.encode()


@pytest.mark.parametrize("text", ["", "\0", "pw\0x", "\udcff", "x" * (MAX_PASSWORD_BYTES + 1)])
def test_what_is_no_password(text: str) -> None:
    with pytest.raises(BadCredential):
        password_octets(text)


def test_peer_password_is_what_twisted_knows() -> None:
    credentials = PeerPassword(b"joe", b"pw", Peer("192.0.2.1"))
    verifyObject(IUsernamePassword, credentials)
    verifyObject(IFromPeer, credentials)
    assert credentials.checkPassword(b"pw")
    assert not credentials.checkPassword(b"pw2")
