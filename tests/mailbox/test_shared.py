"""The columns that sessions share."""

import pytest

from mailaccess.changes import FlagsChanged, Renamed
from mailaccess.mailbox.shared import MEASURED_AT_ONCE, SharedMailbox
from mailaccess.mailbox.view import MailboxView
from mailaccess.values import DELETED, FLAGGED, SEEN, UID, MailboxName, MessageRow, ModSeq, flags
from tests.mailbox.doubles import ScriptedMailbox
from tests.mailbox.drive import result


def shared_with(*kept: list, known: bool = False) -> tuple[ScriptedMailbox, SharedMailbox]:  # type: ignore[type-arg]
    mailbox = ScriptedMailbox()
    mailbox.arrive(*kept, known=known)
    return mailbox, SharedMailbox(mailbox)


def test_columns_follow_what_happens() -> None:
    mailbox, shared = shared_with([], [SEEN])
    assert list(shared.uids) == [1, 2]
    mailbox.arrive([DELETED], octets=b"five5", date=7, known=True)
    assert shared.row(2) == MessageRow(UID(3), flags([DELETED]), mailbox.highest_modseq, 5, 7)
    mailbox.flag([UID(1), UID(99)], [FLAGGED])
    assert shared.row(0) == mailbox.rows[UID(1)]
    mailbox.remove([UID(2)])
    assert list(shared.uids) == [1, 3]
    assert [shared.row(at).uid for at in range(len(shared))] == [1, 3]
    assert shared.flags == [flags([FLAGGED]), flags([DELETED])]
    assert len(shared.modseqs) == len(shared.sizes) == len(shared.dates) == 2


def test_counts() -> None:
    mailbox, shared = shared_with([], [SEEN], [SEEN, DELETED])
    assert (shared.unseen, shared.deleted) == (1, 1)
    mailbox.flag([UID(1), UID(2)], [DELETED])
    assert (shared.unseen, shared.deleted) == (2, 3)
    mailbox.remove([UID(1), UID(3)])
    assert (shared.unseen, shared.deleted) == (1, 1)
    mailbox.arrive([SEEN], [])
    assert (shared.unseen, shared.deleted) == (2, 1)


def test_first_unseen() -> None:
    mailbox, shared = shared_with([SEEN], [], [])
    assert shared.first_unseen() == 1
    mailbox.flag([UID(2), UID(3)], [SEEN])
    assert shared.first_unseen() is None


def test_index_of_a_uid() -> None:
    mailbox, shared = shared_with([], [], [])
    mailbox.remove([UID(2)])
    assert [shared.index(uid) for uid in (0, 1, 2, 3, 4)] == [None, 0, None, 1, None]


def test_what_is_missing_is_measured_once() -> None:
    mailbox, shared = shared_with([], [], [])
    mailbox.octets[UID(2)] = b"123456"
    mailbox.dates[UID(2)] = 1234
    result(shared.measured([2, 3, 99]))
    assert (mailbox.measured, shared.sizes[1], shared.dates[1], shared.sizes[0]) == ([2, 3], 6, 1234, -1)
    result(shared.measured(shared.uids))
    assert mailbox.measured == [2, 3, 1]


def test_when_all_is_measured_nothing_is_looked_at() -> None:
    _, shared = shared_with([], [])
    result(shared.measured(shared.uids))
    result(shared.measured(shared.row(99).uid for _ in range(1)))


def test_what_is_known_is_not_measured() -> None:
    mailbox, shared = shared_with([], [], known=True)
    result(shared.measured(shared.uids))
    assert mailbox.measured == []


def test_measuring_a_message_that_goes_meanwhile() -> None:
    mailbox, shared = shared_with([], [], [])
    mailbox.before_measure = lambda: mailbox.remove([UID(1)])
    result(shared.measured([1, 2, 3]))
    assert -1 not in shared.sizes
    mailbox.arrive([])
    result(shared.measured(shared.uids))
    assert mailbox.measured == [1, 2, 3, 4]


def test_many_are_measured_in_batches() -> None:
    mailbox, shared = shared_with(*[[]] * (MEASURED_AT_ONCE + 1))
    calls: list[int] = []
    mailbox.before_measure = lambda: calls.append(len(mailbox.measured))
    result(shared.measured(shared.uids))
    assert calls == [0, MEASURED_AT_ONCE]


def test_an_expunge_leaves_the_old_array_to_those_that_hold_it() -> None:
    mailbox, shared = shared_with([], [], [])
    held = shared.uids
    mailbox.arrive([])
    assert held is shared.uids
    mailbox.remove([UID(99)])
    assert held is shared.uids
    mailbox.remove([UID(2)])
    mailbox.arrive([])
    assert list(held) == [1, 2, 3, 4]
    assert list(shared.uids) == [1, 3, 4, 5]


def test_the_last_view_lets_go() -> None:
    mailbox = ScriptedMailbox()
    put_away: list[SharedMailbox] = []
    shared = SharedMailbox(mailbox, put_away.append)
    first, second = MailboxView(shared), MailboxView(shared)
    first.close()
    first.close()
    assert (len(mailbox.listeners), put_away) == (1, [])
    second.close()
    second.close()
    assert (mailbox.listeners, put_away) == ([], [shared])


def test_a_view_that_ends_while_it_is_woken_disturbs_nobody() -> None:
    mailbox, shared = shared_with([])
    views = [MailboxView(shared), MailboxView(shared)]
    woken: list[int] = []
    views[0].wake = views[0].close
    views[1].wake = lambda: woken.append(1)
    mailbox.arrive([])
    assert woken == [1]


def test_another_name() -> None:
    mailbox, shared = shared_with([])
    mailbox.announce(Renamed(MailboxName(("a", "b"))))
    assert shared.name == MailboxName(("a", "b"))


def test_nothing_changes_after_a_reset() -> None:
    mailbox, shared = shared_with([])
    mailbox.reset("gone")
    mailbox.arrive([])
    mailbox.announce(FlagsChanged((MessageRow(UID(1), flags([SEEN]), ModSeq(9)),)))
    assert (list(shared.uids), shared.unseen, shared.gone) == ([1], 1, "gone")


@pytest.mark.parametrize("every", [2, 3, 999])
def test_many_scattered_expunges(every: int) -> None:
    mailbox, shared = shared_with(*[[]] * 1000, known=True)
    gone = [UID(uid) for uid in range(1, 1001, every)]
    mailbox.remove(gone)
    assert list(shared.uids) == list(mailbox.rows)
    assert [shared.row(at).uid for at in range(len(shared))] == list(mailbox.rows)
    assert shared.unseen == len(mailbox.rows)
