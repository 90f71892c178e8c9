"""Truths about all messages at once, with three values."""

from hypothesis import given
from hypothesis import strategies as st

from mailaccess.mailbox.columns import Facts, Truth
from mailaccess.mailbox.criteria import And, Body, Criterion, FlagIs, Larger, Not, Or
from mailaccess.mailbox.shared import SharedMailbox
from mailaccess.mailbox.view import MailboxView
from mailaccess.values import FLAGGED, SEEN
from tests.mailbox.doubles import ScriptedMailbox
from tests.mailbox.drive import result

YES, NO, OPEN = FlagIs(SEEN), FlagIs(FLAGGED), Body("x")


def facts(messages: int = 1) -> Facts:
    mailbox = ScriptedMailbox()
    mailbox.arrive(*[[SEEN]] * messages, octets=b"12345")
    return Facts(MailboxView(SharedMailbox(mailbox)))


def value(truth: Truth) -> bool | None:
    return None if truth.undecided else bool(truth.surely)


@given(st.sampled_from([YES, NO, OPEN]), st.sampled_from([YES, NO, OPEN]))
def test_kleenes_tables(one: Criterion, other: Criterion) -> None:
    known = {YES: True, NO: False, OPEN: None}
    a, b = known[one], known[other]
    asked = facts()
    assert value(asked.truth(And((one, other)))) is (False if False in (a, b) else None if None in (a, b) else True)
    assert value(asked.truth(Or(one, other))) is (True if True in (a, b) else None if None in (a, b) else False)
    assert value(asked.truth(Not(one))) is (None if a is None else not a)


def test_sizes_are_undecided_until_they_are_measured() -> None:
    asked = facts(3)
    undecided = asked.truth(Larger(4)).undecided
    assert asked.octets(undecided) == b"\1\1\1"
    result(asked.measure(asked.lanes({1, 3})))
    assert asked.octets(asked.truth(Larger(4)).surely) == b"\1\0\1"
    assert asked.octets(asked.truth(Larger(4)).undecided) == b"\0\1\0"
    assert list(asked.pairs(asked.truth(Larger(4)).surely)) == [(1, 1), (3, 3)]


def test_of_no_messages_nothing_is_true() -> None:
    asked = facts(0)
    assert asked.truth(Not(OPEN)) == Truth(0, 0)
    assert asked.highest_modseq(0) == 0
