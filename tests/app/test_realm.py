"""Whoever proved who he is gets his account, and it stays open for a while."""

from collections.abc import Callable
from typing import Any, cast

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from mailaccess.app.realm import KEPT_ACCOUNTS, KEPT_SECONDS, MailRealm
from mailaccess.interfaces import IAccount, IEvents, IMailStore
from mailaccess.values import Identity


class Store:
    """Remembers whether it is open."""

    def __init__(self, identity: Identity) -> None:
        self.user = identity.user
        self.is_open = True

    async def close(self) -> None:
        assert self.is_open, "it is closed once"
        self.is_open = False


class House:
    """A realm, its clock, and the stores that it opened."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.stores: list[Store] = []
        self.incidents: list[str] = []
        self.realm = MailRealm(Identity, self.open_store, ".", self.clock, cast(IEvents, self))

    def incident(self, what: str, error: BaseException) -> str:
        self.incidents.append(what)
        return "id"

    def open_store(self, identity: Identity) -> IMailStore:
        self.stores.append(Store(identity))
        return cast(IMailStore, self.stores[-1])

    def login(self, user: str = "joe") -> tuple[Any, Callable[[], None]]:
        """The account's store, and what logs out."""
        interface, account, logout = self.realm.requestAvatar(user.encode(), None, IAccount)
        assert interface is IAccount
        return account.store, logout

    @property
    def open_users(self) -> list[str]:
        return [store.user for store in self.stores if store.is_open]


@pytest.fixture
def house() -> House:
    return House()


def test_all_sessions_of_a_user_share_one_store(house: House) -> None:
    assert house.login()[0] is house.login()[0]
    assert house.login("mary")[0] is not house.login()[0]


def test_who_comes_back_soon_finds_his_store_open(house: House) -> None:
    store, logout = house.login()
    logout()
    house.clock.advance(KEPT_SECONDS / 2)
    again, logout_again = house.login()
    assert again is store
    house.clock.advance(10 * KEPT_SECONDS)
    assert store.is_open, "somebody holds it"
    logout_again()
    house.clock.advance(KEPT_SECONDS)
    assert not store.is_open
    assert house.login()[0] is not store


def test_a_logout_counts_once(house: House) -> None:
    store, logout = house.login()
    house.login()
    logout()
    logout()
    house.clock.advance(KEPT_SECONDS)
    assert store.is_open


def test_only_so_many_are_kept_and_the_oldest_goes_first(house: House) -> None:
    for number in range(KEPT_ACCOUNTS + 2):
        house.login(f"user{number}")[1]()
    assert len(house.open_users) == KEPT_ACCOUNTS
    assert house.open_users[0] == "user2"
    house.clock.advance(KEPT_SECONDS)
    assert house.open_users == []


def test_the_end_closes_every_store_whoever_holds_it(house: House) -> None:
    house.login("held")
    house.login("left")[1]()
    Deferred.fromCoroutine(house.realm.close())
    assert house.open_users == []
    assert not house.clock.getDelayedCalls()


def test_an_avatar_of_another_kind_is_refused(house: House) -> None:
    with pytest.raises(NotImplementedError):
        house.realm.requestAvatar(b"joe", None, IMailStore)


def test_a_store_that_cannot_be_closed_keeps_no_other_open(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    for user in ("joe", "mary", "ann"):
        house.login(user)

    async def refuse() -> None:
        raise OSError("the disk failed")

    monkeypatch.setattr(house.stores[1], "close", refuse)
    Deferred.fromCoroutine(house.realm.close())
    assert house.open_users == ["mary"]
    assert house.incidents == ["closing the mail of mary"]
