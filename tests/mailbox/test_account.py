"""One user's mailboxes: sharing what is open, and the rules for names."""

from collections.abc import Callable, Coroutine, Generator, Iterable, Sequence
from typing import Any

import pytest
from zope.interface import implementer
from zope.interface.verify import verifyObject

from mailaccess.errors import ClientError, Code, NoSuchMailbox
from mailaccess.interfaces import IAccount, IMailStore, Upload
from mailaccess.mailbox.account import Account
from mailaccess.mailbox.criteria import Body
from mailaccess.mailbox.listing import Return, Selection
from mailaccess.mailbox.names import MAX_DEPTH, Pattern
from mailaccess.mailbox.search import search
from mailaccess.mailbox.view import NOTHING
from mailaccess.store.memory import MemoryStore
from mailaccess.values import (
    DELETED,
    INBOX,
    UID,
    Appended,
    FlagChange,
    Identity,
    MailboxInfo,
    MailboxName,
    MailboxStatus,
    ModSeq,
    SpecialUse,
    UIDValidity,
    flags,
)
from tests.mailbox.doubles import ScriptedMailbox
from tests.mailbox.drive import result

COMPOSED, DECOMPOSED = "Entw\u00fcrfe", "Entwu\u0308rfe"


def name(text: str) -> MailboxName:
    return MailboxName(tuple(text.split("/")))


class Pause:
    """Something to wait for, once."""

    def __await__(self) -> Generator["Pause", None, None]:
        yield self


@implementer(IMailStore)
class RecordingStore:
    """Has the mailboxes that a test names; ``asked`` is what an account made of its commands."""

    def __init__(self, boxes: str = "") -> None:
        self.boxes = {name(word): ScriptedMailbox(name(word)) for word in ["INBOX", *boxes.split()]}
        self.asked: list[tuple[object, ...]] = []
        self.slow = False

    async def mailboxes(self) -> Sequence[MailboxInfo]:
        return [MailboxInfo(box) for box in self.boxes]

    async def subscriptions(self) -> frozenset[MailboxName]:
        self.asked.append(("subscriptions",))
        return frozenset({INBOX})

    async def subscribe(self, name: MailboxName, subscribed: bool) -> None:
        self.asked.append(("subscribe", name, subscribed))

    async def create(self, name: MailboxName, special_use: SpecialUse | None = None) -> str:
        self.asked.append(("create", name, special_use))
        return "id"

    async def delete(self, name: MailboxName) -> None:
        self.asked.append(("delete", name))

    async def rename(self, old: MailboxName, new: MailboxName) -> None:
        self.asked.append(("rename", old, new))

    async def open(self, name: MailboxName) -> ScriptedMailbox:
        if name not in self.boxes:
            raise NoSuchMailbox
        if self.slow:
            await Pause()
        return self.boxes[name]

    async def status(self, name: MailboxName, size: bool) -> MailboxStatus:
        self.asked.append(("status", name, size))
        return MailboxStatus(0, 0, 0, 0, UID(1), UIDValidity(1), ModSeq(1))

    async def append(self, name: MailboxName, uploads: Iterable[Upload]) -> Appended:
        self.asked.append(("append", name, *uploads))
        return Appended(UIDValidity(1), ())

    async def lock_maildrop(self) -> Callable[[], None]:
        self.asked.append(("lock",))
        return lambda: None

    async def close(self) -> None:
        self.asked.append(("close",))


def account(boxes: str = "") -> tuple[RecordingStore, Account]:
    store = RecordingStore(boxes)
    return store, Account(Identity("joe"), store, "/")


def refused(coroutine: Coroutine[Any, Any, object]) -> Code | None:
    with pytest.raises(ClientError) as caught:
        result(coroutine)
    return caught.value.code


def test_it_is_an_account() -> None:
    assert verifyObject(IAccount, account()[1])


def test_views_of_a_mailbox_share_it() -> None:
    store, joe = account("a")
    first, second = result(joe.open(INBOX)), result(joe.open(INBOX, read_only=True))
    other = result(joe.open(name("a")))
    assert first.shared is second.shared
    assert first.shared is not other.shared
    assert (first.read_only, second.read_only) == (False, True)
    joe.close(first)
    assert result(joe.open(INBOX)).shared is second.shared
    assert len(store.boxes[INBOX].listeners) == 1


def test_the_last_view_puts_the_mailbox_away() -> None:
    store, joe = account()
    view = result(joe.open(INBOX))
    joe.close(view)
    joe.close(view)
    assert store.boxes[INBOX].listeners == []
    assert result(joe.open(INBOX)).shared is not view.shared


def test_openings_at_once_share_the_mailbox() -> None:
    store, joe = account()
    store.slow = True
    openings = [joe.open(INBOX), joe.open(INBOX)]
    for opening in openings:
        opening.send(None)
    views = [finish(opening) for opening in openings]
    assert views[0].shared is views[1].shared


def finish(coroutine: Coroutine[Any, Any, Any]) -> Any:
    with pytest.raises(StopIteration) as stop:
        coroutine.send(None)
    return stop.value.value


def test_a_mailbox_that_is_gone_is_opened_anew() -> None:
    store, joe = account()
    old = result(joe.open(INBOX))
    store.boxes[INBOX].reset("deleted")
    new = result(joe.open(INBOX))
    assert new.shared is not old.shared
    joe.close(old)
    assert result(joe.open(INBOX)).shared is new.shared


def test_a_renamed_mailbox_stays_open() -> None:
    store, joe = account("a")
    before = result(joe.open(name("a")))
    store.boxes[name("b")] = store.boxes.pop(name("a"))
    assert result(joe.open(name("b"))).shared is before.shared


def test_what_cannot_be_written_is_opened_for_reading() -> None:
    store, joe = account()
    store.boxes[INBOX].writable = False
    assert result(joe.open(INBOX)).read_only


def test_inbox_is_neither_made_nor_removed() -> None:
    store, joe = account()
    assert refused(joe.create(INBOX)) is Code.ALREADYEXISTS
    assert refused(joe.delete(INBOX)) is Code.CANNOT
    assert store.asked == []


def test_create_gives_the_normal_form() -> None:
    store, joe = account()
    assert result(joe.create(name(DECOMPOSED), SpecialUse.DRAFTS)) == "id"
    assert store.asked == [("create", name(COMPOSED), SpecialUse.DRAFTS)]


@pytest.mark.parametrize(
    ("boxes", "written", "meant"),
    [
        (COMPOSED, DECOMPOSED, COMPOSED),
        (DECOMPOSED, DECOMPOSED, DECOMPOSED),
        (f"{COMPOSED} {DECOMPOSED}", DECOMPOSED, DECOMPOSED),
        (f"{DECOMPOSED}/a", DECOMPOSED, DECOMPOSED),
        ("", COMPOSED, COMPOSED),
        ("", "none", "none"),
    ],
)
def test_which_mailbox_a_name_means(boxes: str, written: str, meant: str) -> None:
    store, joe = account(boxes)
    result(joe.status(name(written), True))
    result(joe.subscribe(name(written), True))
    result(joe.append(name(written), ()))
    assert result(joe.target(name(written))) == name(meant)
    assert store.asked == [("status", name(meant), True), ("subscribe", name(meant), True), ("append", name(meant))]


@pytest.mark.parametrize(
    ("boxes", "written", "code"),
    [
        ("a/b", "a", Code.HASCHILDREN),
        ("a", "b", Code.NONEXISTENT),
        ("ab", "a", Code.NONEXISTENT),
    ],
)
def test_what_cannot_be_deleted(boxes: str, written: str, code: Code) -> None:
    store, joe = account(boxes)
    assert refused(joe.delete(name(written))) is code
    assert store.asked == []


def test_a_mailbox_with_children_can_be_deleted() -> None:
    store, joe = account("a a/b")
    result(joe.delete(name("a")))
    assert store.asked == [("delete", name("a"))]


@pytest.mark.parametrize(
    ("boxes", "old", "new", "code"),
    [
        ("a", "b", "c", Code.NONEXISTENT),
        ("a b", "a", "b", Code.ALREADYEXISTS),
        ("a", "a", "a", Code.ALREADYEXISTS),
        ("a", "a", "INBOX", Code.ALREADYEXISTS),
        ("", "INBOX", "INBOX", Code.ALREADYEXISTS),
        ("a/x b/x", "a", "b", Code.ALREADYEXISTS),
        ("a", "a", "a/b", Code.CANNOT),
        ("a a/" + "/".join("b" * (MAX_DEPTH - 1)), "a", "c/d", Code.CANNOT),
    ],
)
def test_what_cannot_be_renamed(boxes: str, old: str, new: str, code: Code) -> None:
    store, joe = account(boxes)
    assert refused(joe.rename(name(old), name(new))) is code
    assert store.asked == []


@pytest.mark.parametrize(
    ("boxes", "old", "new"),
    [
        ("a", "a", "b"),
        ("a a/x b/y", "a", "b"),
        ("a/b", "a", "c"),
        ("a/b", "a/b", "a"),
        ("", "INBOX", "old"),
        ("INBOX/x", "INBOX", "INBOX/old"),
        ("INBOX/x old/x", "INBOX", "old"),
    ],
)
def test_what_can_be_renamed(boxes: str, old: str, new: str) -> None:
    store, joe = account(boxes)
    result(joe.rename(name(old), name(new)))
    assert store.asked == [("rename", name(old), name(new))]


def test_listing_asks_for_subscriptions_only_if_needed() -> None:
    store, joe = account("a")
    patterns = [Pattern("", "*", "/")]
    assert [row.name for row in result(joe.listing(patterns))] == [INBOX, name("a")]
    assert store.asked == []
    assert [row.name for row in result(joe.listing(patterns, frozenset({Selection.SUBSCRIBED})))] == [INBOX]
    told = result(joe.listing(patterns, frozenset(), frozenset({Return.SUBSCRIBED})))
    assert ["\\Subscribed" in row.attributes for row in told] == [True, False]
    assert [row.name for row in result(joe.lsub(patterns))] == [INBOX]
    assert len(store.asked) == 3


def test_the_maildrop_and_the_end() -> None:
    store, joe = account()
    release = result(joe.lock_maildrop())
    release()
    result(joe.logout())
    assert store.asked == [("lock",), ("close",)]


def test_a_mailbox_that_is_not_there() -> None:
    _, joe = account()
    assert refused(joe.open(name("none"))) is Code.NONEXISTENT


def test_two_sessions_on_a_store() -> None:
    store = MemoryStore()
    joe = Account(Identity("joe"), store, "/")
    result(joe.create(name("a/b")))
    for text in (b"Subject: one\n\nsoup\n", b"Subject: two\n\nsalad\n"):
        store.deliver(name("a/b"), text)
    first, second = result(joe.open(name("a/b"))), result(joe.open(name("a/b")))
    assert (first.exists, first.recent, second.recent) == (2, 2, 0)
    mailbox = first.shared.mailbox
    result(mailbox.store([UID(1)], FlagChange.ADD, flags([DELETED])))
    first.silence([UID(1)], FlagChange.ADD, flags([DELETED]))
    assert first.poll(True) == NOTHING
    assert [row.flags for _, row in second.poll(True).flags] == [flags([DELETED])]
    assert result(search(second, Body("SALAD"))).pairs == ((2, 2),)
    result(mailbox.expunge([UID(1)]))
    assert [view.poll(True).expunged for view in (first, second)] == [(1,), (1,)]
    result(joe.rename(name("a"), name("c")))
    assert result(joe.open(name("c/b"))).shared is first.shared
    assert first.shared.name == name("c/b")
    result(joe.delete(name("c/b")))
    assert first.poll(True).gone is not None
    assert refused(joe.open(name("c/b"))) is Code.NONEXISTENT
