"""Searches: each key, and every combination against an oracle that opens everything."""

from datetime import UTC, date, datetime
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailaccess.errors import ClientError, Code
from mailaccess.mailbox import criteria as c
from mailaccess.mailbox.search import search
from mailaccess.mailbox.shared import SharedMailbox
from mailaccess.mailbox.view import BadSequence, MailboxView
from mailaccess.values import DELETED, FLAGGED, SEEN, UID, Flag, ModSeq, SequenceSet, flags
from tests.mailbox.doubles import ScriptedMailbox
from tests.mailbox.drive import result

DAY = 24 * 3600
FIRST = int(datetime(2026, 2, 1, tzinfo=UTC).timestamp())
LATE = b"Sun, 01 Feb 2026 23:30:00 -0800"

MESSAGES: list[tuple[tuple[Flag, ...], int, bytes]] = [
    ((SEEN,), FIRST, b"From: Fred <fred@a.example>\r\nSubject: Lunch\r\nDate: " + LATE + b"\r\n\r\nsoup\r\n"),
    ((), FIRST + DAY - 1, b"Subject: =?utf-8?q?Stra=C3=9Fe?=\r\nDate: Mon, 02 Feb 2026 01:00:00 +0100\r\n\r\nno\r\n"),
    ((FLAGGED, Flag("$Work")), FIRST + DAY, b"Subject:\r\nX-Seen: lunch\r\n\r\n"),
    (
        (SEEN, DELETED),
        FIRST + 9 * DAY,
        b"MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n"
        b"Date: nonsense\r\n\r\n0L7RgtC/0YPRgdC6\r\n",
    ),
]


def kept(known: bool = False) -> tuple[ScriptedMailbox, MailboxView]:
    mailbox = ScriptedMailbox()
    for having, when, octets in MESSAGES:
        mailbox.arrive(having, octets=octets, date=when, known=known)
    return mailbox, MailboxView(SharedMailbox(mailbox))


def found(view: MailboxView, *keys: c.Criterion) -> list[int]:
    return [number for number, _ in result(search(view, c.And(keys))).pairs]


def numbers(*ranges: tuple[int | None, int | None]) -> SequenceSet:
    return SequenceSet(ranges)


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        (c.All(), [1, 2, 3, 4]),
        (c.And(()), [1, 2, 3, 4]),
        (c.FlagIs(SEEN), [1, 4]),
        (c.FlagIs(SEEN, False), [2, 3]),
        (c.FlagIs(Flag("$WORK")), [3]),
        (c.Recent(), [1, 2, 3, 4]),
        (c.NEW, [2, 3]),
        (c.OLD, []),
        (c.UIDs(numbers((3, None), (99, 99))), [3, 4]),
        (c.Sequence(numbers((2, 3))), [2, 3]),
        (c.ModSeqFrom(ModSeq(0)), [1, 2, 3, 4]),
        (c.ModSeqFrom(ModSeq(4)), [3, 4]),
        (c.Larger(len(MESSAGES[2][2])), [1, 2, 4]),
        (c.Smaller(len(MESSAGES[2][2])), []),
        (c.Smaller(len(MESSAGES[2][2]) + 1), [3]),
        (c.Before(date(2026, 2, 2)), [1, 2]),
        (c.On(date(2026, 2, 1)), [1, 2]),
        (c.On(date(2026, 2, 2)), [3]),
        (c.Since(date(2026, 2, 2)), [3, 4]),
        (c.SentOn(date(2026, 2, 1)), [1]),
        (c.SentBefore(date(2026, 2, 2)), [1]),
        (c.SentSince(date(2026, 2, 1)), [1, 2]),
        (c.SentSince(date(2026, 2, 2)), [2]),
        (c.Not(c.SentSince(date(2026, 2, 2))), [1, 3, 4]),
        (c.Header("subject", "LUNCH"), [1]),
        (c.Header("Subject", "strasse"), [2]),
        (c.Header("Subject", ""), [1, 2, 3]),
        (c.Header("Sübject", ""), []),
        (c.Header("From", "fred@A.example"), [1]),
        (c.Body("SOUP"), [1]),
        (c.Body("ОТПУСК"), [4]),
        (c.Body("lunch"), []),
        (c.Body(""), [1, 2, 3, 4]),
        (c.Text("lunch"), [1, 3]),
        (c.Text("отпуск"), [4]),
        (c.Or(c.Body("soup"), c.FlagIs(FLAGGED)), [1, 3]),
        (c.Not(c.And((c.FlagIs(SEEN), c.Larger(0)))), [2, 3]),
    ],
)
def test_keys(key: c.Criterion, expected: list[int]) -> None:
    _, view = kept()
    assert found(view, key) == expected


def test_only_what_is_needed_is_measured_and_opened() -> None:
    mailbox, view = kept()
    found(view, c.FlagIs(SEEN), c.UIDs(numbers((1, 3))))
    assert (mailbox.measured, mailbox.opened) == ([], [])
    found(view, c.FlagIs(SEEN), c.Larger(5))
    assert (mailbox.measured, mailbox.opened) == ([1, 4], [])
    found(view, c.Larger(5))
    assert mailbox.measured == [1, 4, 2, 3]
    found(view, c.FlagIs(SEEN, False), c.Body("soup"))
    assert mailbox.opened == [2, 3]
    found(view, c.Or(c.FlagIs(SEEN, False), c.And((c.Body("soup"), c.Larger(80)))))
    assert mailbox.opened == [2, 3, 1, 4]


def test_messages_from_before_the_epoch() -> None:
    mailbox, view = kept()
    mailbox.arrive([], date=-(10**9))
    view.poll(True)
    assert found(view, c.Since(date(1960, 1, 1))) == [1, 2, 3, 4]
    assert found(view, c.Before(date(1960, 1, 1))) == [5]


def test_messages_of_which_the_same_remains_to_be_read() -> None:
    mailbox, view = kept()
    assert found(view, c.Or(c.FlagIs(SEEN), c.FlagIs(FLAGGED)), c.Not(c.Body("soup"))) == [3, 4]
    assert sorted(mailbox.opened) == [1, 3, 4]


def test_the_highest_modseq_is_told_where_it_is_asked_for() -> None:
    _, view = kept()
    asked = c.And((c.ModSeqFrom(ModSeq(0)), c.FlagIs(SEEN, False)))
    assert result(search(view, asked)).modseq == 4
    assert result(search(view, c.FlagIs(SEEN))).modseq is None
    assert result(search(view, c.ModSeqFrom(ModSeq(99)))).modseq is None


def test_messages_that_go_meanwhile_are_not_found() -> None:
    mailbox, view = kept()
    mailbox.remove([UID(2)])
    mailbox.before_measure = lambda: mailbox.remove([UID(1)])
    mailbox.before_read = lambda: mailbox.remove([UID(3)])
    assert found(view, c.Not(c.Larger(10_000)), c.Not(c.Header("Nothing", ""))) == [4]
    mailbox.arrive([])
    assert found(view, c.All()) == [4]


def test_a_number_that_no_message_has() -> None:
    _, view = kept()
    with pytest.raises(BadSequence):
        found(view, c.Sequence(numbers((4, 5))))


def test_programs_are_bounded() -> None:
    _, view = kept()
    deep: c.Criterion = c.All()
    for _ in range(c.MAX_DEPTH - 1):
        deep = c.Not(deep)
    assert result(search(view, deep)).pairs == ()
    for program in (c.Not(deep), c.And((c.All(),) * c.MAX_KEYS)):
        with pytest.raises(ClientError) as caught:
            result(search(view, program))
        assert caught.value.code is Code.LIMIT


COUNTS = st.sampled_from(
    [
        c.All(),
        c.FlagIs(SEEN),
        c.FlagIs(FLAGGED, False),
        c.UIDs(numbers((2, 4))),
        c.Sequence(numbers((1, 1), (None, None))),
    ]
)
MEASURED = st.sampled_from([c.Larger(40), c.Smaller(60), c.On(date(2026, 2, 1)), c.Before(date(2026, 2, 2))])
CONTENTS = st.sampled_from([c.Body("alpha"), c.Text("beta"), c.Header("Subject", "alpha"), c.SentOn(date(2026, 2, 1))])
PROGRAMS = st.recursive(
    st.one_of(COUNTS, MEASURED, CONTENTS),
    lambda keys: st.one_of(
        st.builds(c.Not, keys),
        st.builds(c.Or, keys, keys),
        st.builds(c.And, st.lists(keys, max_size=3).map(tuple)),
    ),
    max_leaves=8,
)
LETTERS = st.tuples(
    st.sets(st.sampled_from([SEEN, FLAGGED])),
    st.sampled_from([FIRST, FIRST + DAY]),
    st.sampled_from([b"alpha", b"beta", b"ALPHA beta"]),
    st.sampled_from([b"alpha\r\n", b"", b"beta " * 10]),
    st.booleans(),
)


def octets_of(subject: bytes, body: bytes, dated: bool) -> bytes:
    return b"Subject: " + subject + (b"\r\nDate: " + LATE if dated else b"") + b"\r\n\r\n" + body


def meets(key: c.Criterion, number: int, last: int, letter: tuple[set[Flag], int, bytes, bytes, bool]) -> bool:
    """The oracle: it knows everything of a message, and two values of truth."""
    having, when, subject, body, dated = letter
    size = len(octets_of(subject, body, dated))
    match key:
        case c.And(keys):
            return all(meets(inner, number, last, letter) for inner in keys)
        case c.Or(left, right):
            return meets(left, number, last, letter) or meets(right, number, last, letter)
        case c.Not(inner):
            return not meets(inner, number, last, letter)
        case c.FlagIs(flag, present):
            return (flag in having) == present
        case c.UIDs():
            return number in (2, 3, 4)
        case c.Sequence():
            return number in (1, last)
        case c.Larger(limit):
            return size > limit
        case c.Smaller(limit):
            return size < limit
        case c.On() | c.Before():
            return when == FIRST
        case c.Body(text):
            return text.encode() in body.lower()
        case c.Text(text):
            return text.encode() in (subject + body).lower()
        case c.Header(_, text):
            return text.encode() in subject.lower()
    return dated if isinstance(key, c.SentOn) else True


@given(st.lists(LETTERS, min_size=1, max_size=6), PROGRAMS, st.booleans())
def test_every_program_finds_what_an_oracle_finds(
    letters: list[tuple[set[Flag], int, bytes, bytes, bool]], program: c.Criterion, known: bool
) -> None:
    mailbox = ScriptedMailbox()
    for having, when, subject, body, dated in letters:
        mailbox.arrive(flags(having), octets=octets_of(subject, body, dated), date=when, known=known)
    pairs = result(search(MailboxView(SharedMailbox(mailbox)), program)).pairs
    expected = [at for at, letter in enumerate(letters, 1) if meets(program, at, len(letters), letter)]
    assert [number for number, _ in pairs] == expected
    assert all(one < other for one, other in pairwise(pairs))
    assert len(mailbox.opened) == len(set(mailbox.opened))
