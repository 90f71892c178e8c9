"""What a session knows, and what it is told."""

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailaccess.mailbox.shared import SharedMailbox
from mailaccess.mailbox.view import NOTHING, BadSequence, MailboxView, Updates
from mailaccess.values import (
    ANSWERED,
    FLAGGED,
    SEEN,
    UID,
    Flag,
    FlagChange,
    Flags,
    SequenceSet,
    flags,
)
from tests.mailbox.doubles import ScriptedMailbox

EVERYTHING = SequenceSet(((1, None),))


def numbers(*ranges: tuple[int | None, int | None]) -> SequenceSet:
    return SequenceSet(ranges)


def opened(messages: int) -> tuple[ScriptedMailbox, MailboxView]:
    mailbox = ScriptedMailbox()
    mailbox.arrive(*[()] * messages)
    return mailbox, MailboxView(SharedMailbox(mailbox))


def uids(view: MailboxView) -> list[int]:
    return [uid for _, uid in view.uids_of(EVERYTHING, True)]


@dataclass
class Client:
    """A mail program that knows only what it is told: a list of UIDs, and flags."""

    view: MailboxView
    messages: list[int] = field(default_factory=list)
    flags: dict[int, Flags] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.grow(self.view.exists)

    def grow(self, exists: int) -> None:
        assert exists >= len(self.messages)
        if exists > len(self.messages):
            fresh = self.view.uids_of(SequenceSet(((len(self.messages) + 1, exists),)), False)
            self.messages.extend(uid for _, uid in fresh)
            self.flags.update((row[1], row[2]) for row in self.view.rows(fresh))

    def poll(self, expunges: bool) -> None:
        updates = self.view.poll(expunges)
        assert expunges or not updates.expunged
        for number in updates.expunged:
            del self.messages[number - 1]
        if updates.exists is not None:
            self.grow(updates.exists)
        for number, row in updates.flags:
            assert self.messages[number - 1] == row.uid
            self.flags[row.uid] = row.flags


SOME = st.lists(st.integers(1, 12), max_size=5, unique=True)
CHANGES = st.one_of(
    st.tuples(st.just("arrive"), st.integers(1, 3)),
    st.tuples(st.just("remove"), SOME),
    st.tuples(st.just("flag"), SOME, st.sampled_from([(SEEN,), (FLAGGED,), (SEEN, FLAGGED), ()])),
    st.tuples(st.just("silent"), SOME, st.sampled_from(list(FlagChange)), st.sampled_from([SEEN, FLAGGED])),
    st.tuples(st.just("poll"), st.integers(0, 1), st.booleans()),
)


@given(st.integers(0, 6), st.lists(CHANGES, max_size=30))
def test_any_interleaving_leaves_view_client_and_mailbox_alike(messages: int, script: list[tuple]) -> None:  # type: ignore[type-arg]
    mailbox = ScriptedMailbox()
    mailbox.arrive(*[()] * messages)
    shared = SharedMailbox(mailbox)
    clients = [Client(MailboxView(shared)), Client(MailboxView(shared))]
    for step in script:
        match step:
            case ("arrive", count):
                mailbox.arrive(*[()] * count)
            case ("remove", named):
                mailbox.remove(named)
            case ("flag", named, kept):
                mailbox.flag(named, kept)
            case ("silent", named, change, flag):
                store_silently(mailbox, clients[0], named, change, flag)
            case ("poll", at, expunges):
                clients[at].poll(expunges)
        for client in clients:
            assert client.messages == uids(client.view)
            assert client.view.exists == len(client.messages)
    for client in clients:
        client.poll(True)
        assert client.messages == uids(client.view) == list(mailbox.rows) == list(shared.uids)
        assert {uid: client.flags[uid] for uid in client.messages} == {
            uid: row.flags for uid, row in mailbox.rows.items()
        }
        assert client.view.poll(True) == NOTHING
    assert shared.unseen == sum(SEEN not in row.flags for row in mailbox.rows.values())


def store_silently(mailbox: ScriptedMailbox, client: Client, named: list[UID], change: FlagChange, flag: Flag) -> None:
    """STORE.SILENT of a client: it believes what follows from what it believed."""
    known = [uid for uid in named if uid in client.messages and uid in mailbox.rows]
    for uid in known:
        mailbox.flag([uid], change.apply(mailbox.rows[uid].flags, flags([flag])))
        client.flags[uid] = change.apply(client.flags[uid], flags([flag]))
    client.view.silence(known, change, flags([flag]))


def test_expunges_are_told_from_the_highest_down() -> None:
    mailbox, view = opened(5)
    mailbox.remove([UID(2), UID(3), UID(5)])
    assert view.poll(False) == NOTHING
    updates = view.poll(True)
    assert updates.expunged == (5, 3, 2)
    assert updates.vanished == (5, 3, 2)
    assert updates.exists is None
    assert uids(view) == [1, 4]


def test_new_messages_are_told_while_expunges_wait() -> None:
    mailbox, view = opened(3)
    mailbox.remove([UID(1)])
    mailbox.arrive([SEEN])
    assert view.poll(False).exists == 4
    assert uids(view) == [1, 2, 3, 4]
    assert [row[:3] for row in view.rows(view.uids_of(EVERYTHING, False))] == [
        (2, 2, flags([])),
        (3, 3, flags([])),
        (4, 4, flags([SEEN])),
    ]
    mailbox.flag([UID(4)], [FLAGGED])
    updates = view.poll(True)
    assert updates.expunged == (1,)
    assert [(number, row.uid) for number, row in updates.flags] == [(3, 4)]


def test_a_message_that_came_and_went_leaves_no_trace() -> None:
    mailbox, view = opened(1)
    (uid,) = mailbox.arrive([])
    mailbox.flag([uid], [SEEN])
    mailbox.remove([uid])
    assert view.poll(True) == Updates()


def test_flags_of_a_message_that_the_client_does_not_know_of_are_not_told() -> None:
    mailbox, view = opened(1)
    mailbox.flag(mailbox.arrive([]), [SEEN])
    assert view.poll(True) == Updates(exists=2, recent=2)


def test_flags_of_a_message_that_is_gone_are_not_told() -> None:
    mailbox, view = opened(2)
    mailbox.flag([UID(1)], [SEEN])
    mailbox.remove([UID(1)])
    assert view.poll(False) == NOTHING
    mailbox.flag([UID(2)], [SEEN])
    assert [(number, row.uid) for number, row in view.poll(True).flags] == [(1, 2)]


def test_views_that_know_the_same_share_one_list() -> None:
    mailbox, view = opened(1000)
    other = MailboxView(view.shared)
    assert view._uids is other._uids is view.shared.uids
    mailbox.remove([UID(7)])
    assert view._uids is other._uids
    assert view._uids is not view.shared.uids
    view.poll(True)
    assert view._uids is view.shared.uids


def test_own_silent_change_is_not_told() -> None:
    mailbox, view = opened(2)
    mailbox.flag([UID(1)], [SEEN])
    view.silence([UID(1)], FlagChange.ADD, flags([SEEN]))
    assert view.poll(True) == NOTHING


@pytest.mark.parametrize("mine_first", [True, False])
def test_a_change_of_another_session_beside_a_silent_one_is_told(mine_first: bool) -> None:
    mailbox, view = opened(1)
    mailbox.flag([UID(1)], [SEEN] if mine_first else [FLAGGED])
    mailbox.flag([UID(1)], [SEEN, FLAGGED])
    view.silence([UID(1)], FlagChange.ADD, flags([SEEN]))
    ((number, row),) = view.poll(False).flags
    assert (number, row.flags) == (1, flags([SEEN, FLAGGED]))


def test_a_silent_change_that_changed_nothing_does_not_hide_anothers() -> None:
    mailbox, view = opened(1)
    mailbox.flag([UID(1)], [SEEN, ANSWERED])
    view.silence([UID(1)], FlagChange.ADD, flags([SEEN]))
    assert [row.flags for _, row in view.poll(False).flags] == [flags([SEEN, ANSWERED])]


def test_flags_that_were_shown_are_not_told_again() -> None:
    mailbox, view = opened(2)
    mailbox.flag([UID(1), UID(2)], [SEEN])
    view.shown([(UID(1), flags([SEEN])), (UID(2), flags([FLAGGED]))])
    assert [row.uid for _, row in view.poll(False).flags] == [2]


@pytest.mark.parametrize(
    ("named", "by_uid", "expected"),
    [
        (numbers((1, None)), False, [(1, 2), (2, 4), (3, 6)]),
        (numbers((2, 2)), False, [(2, 4)]),
        (numbers((None, 2)), False, [(2, 4), (3, 6)]),
        (numbers((3, 1), (2, 2)), False, [(1, 2), (2, 4), (3, 6)]),
        (numbers((1, None)), True, [(1, 2), (2, 4), (3, 6)]),
        (numbers((559, None)), True, [(3, 6)]),
        (numbers((None, None)), True, [(3, 6)]),
        (numbers((None, 5)), True, [(3, 6)]),
        (numbers((3, 5), (100, 200)), True, [(2, 4)]),
        (numbers((7, 9)), True, []),
    ],
)
def test_what_a_client_names(named: SequenceSet, by_uid: bool, expected: list[tuple[int, int]]) -> None:
    mailbox, view = opened(6)
    mailbox.remove([UID(1), UID(3), UID(5)])
    view.poll(True)
    mailbox.arrive([])
    assert view.uids_of(named, by_uid) == expected


@pytest.mark.parametrize("named", [numbers((4, 4)), numbers((1, 4)), numbers((4, None))])
def test_a_number_that_no_message_has(named: SequenceSet) -> None:
    _, view = opened(3)
    with pytest.raises(BadSequence):
        view.uids_of(named, False)


@pytest.mark.parametrize("named", [numbers((None, None)), numbers((1, None))])
def test_an_empty_mailbox_has_no_star(named: SequenceSet) -> None:
    _, view = opened(0)
    assert view.uids_of(named, True) == []
    with pytest.raises(BadSequence):
        view.uids_of(named, False)


def test_recent_belongs_to_the_first_session_that_may_write() -> None:
    mailbox = ScriptedMailbox()
    mailbox.arrive([], [])
    shared = SharedMailbox(mailbox)
    looking = MailboxView(shared, read_only=True)
    first = MailboxView(shared)
    second = MailboxView(shared)
    assert [view.recent for view in (looking, first, second)] == [2, 2, 0]
    mailbox.arrive([])
    assert second.poll(False).recent == 1
    assert first.poll(False).recent is None
    assert (first.recent, second.recent) == (2, 1)
    assert 3 in second.recent_uids
    mailbox.remove([UID(3)])
    assert second.poll(False).recent is None
    assert second.poll(True).recent == 0


def test_first_unseen() -> None:
    mailbox = ScriptedMailbox()
    mailbox.arrive([SEEN], [SEEN], [], [])
    view = MailboxView(SharedMailbox(mailbox))
    assert view.first_unseen == 3
    mailbox.remove([UID(1), UID(3)])
    assert view.first_unseen == 4
    mailbox.flag([UID(4)], [SEEN])
    mailbox.arrive([])
    assert view.first_unseen is None


def test_the_session_is_woken_and_then_let_alone() -> None:
    mailbox, view = opened(1)
    woken: list[int] = []
    view.wake = lambda: woken.append(view.shared.uids[-1])
    mailbox.arrive([])
    assert woken == [2]
    view.close()
    mailbox.arrive([])
    assert woken == [2]


def test_a_reset_is_told_and_numbers_stay() -> None:
    mailbox, view = opened(3)
    mailbox.reset("The mailbox was deleted")
    mailbox.arrive([])
    assert view.poll(False).gone == "The mailbox was deleted"
    assert uids(view) == [1, 2, 3]


def test_columns_leave_out_what_is_gone_and_what_was_not_told() -> None:
    mailbox, view = opened(4)
    mailbox.remove([UID(2)])
    mailbox.arrive([])
    columns = view.columns()
    assert list(columns.numbers) == [1, 3, 4]
    assert list(columns.uids) == [1, 3, 4]
    assert len(columns.flags) == len(columns.modseqs) == len(columns.sizes) == len(columns.dates) == 3


def test_rows_of_a_slice() -> None:
    mailbox, view = opened(5)
    mailbox.arrive([SEEN], octets=b"four", date=99, known=True)
    view.poll(True)
    pairs = view.uids_of(numbers((2, 3), (6, 6)), False)
    assert [row[:2] for row in view.rows(pairs)] == pairs
    assert view.rows(pairs[2:]) == [(6, 6, flags([SEEN]), mailbox.highest_modseq, 4, 99)]
    assert view.rows([]) == []
