"""Which messages meet a program of criteria (RFC 9051 §6.4.4): the cheap ones decide first.

1. Columns answer what they can (``mailbox.columns``); for most searches that is all.
2. Where sizes or dates are asked for and unknown, they are looked up of the messages that are still undecided.
3. Messages that are undecided even then are opened, in batches, each with what remains of the program for it
   (``mailbox.contents``).

A message that goes while the search runs is not found. The view does not change: sequence numbers hold throughout.
"""

from collections import defaultdict
from dataclasses import dataclass
from typing import cast

from mailaccess.mailbox.columns import Facts
from mailaccess.mailbox.contents import predicate, residual
from mailaccess.mailbox.criteria import Content, Criterion, Leaf, Measured, ModSeqFrom, check_limits, every
from mailaccess.mailbox.view import MailboxView, Pair
from mailaccess.values import UID, ModSeq

OPENED_AT_ONCE = 500
"""Messages in one call of ``IMailbox.read``: a client that is gone is not searched for much longer."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a search found, ascending; ``modseq`` is the highest among them where a key asks (RFC 7162 §3.1.5)."""

    pairs: tuple[Pair, ...]
    modseq: ModSeq | None = None


async def search(view: MailboxView, program: Criterion) -> Found:
    """The messages of a view that meet a program.

    ``BadSequence`` for a sequence number that no message has, ``ClientError(LIMIT)`` for a program that is too large.
    """
    check_limits(program)
    facts = Facts(view)
    truth = facts.truth(program)
    keys = {key for key in every(program) if isinstance(key, Leaf)}
    if truth.undecided and any(isinstance(key, Measured) for key in keys):
        await facts.measure(truth.undecided)
        truth = facts.truth(program)
    found = truth.surely
    if truth.undecided:
        found |= facts.lanes(await _open(view, facts, program, truth.undecided))
    pairs = cast(tuple[Pair, ...], tuple(facts.pairs(found)))
    asked = pairs and any(isinstance(key, ModSeqFrom) for key in keys)
    return Found(pairs, ModSeq(facts.highest_modseq(found)) if asked else None)


async def _open(view: MailboxView, facts: Facts, program: Criterion, undecided: int) -> set[int]:
    """The UIDs among undecided messages whose contents decide for them."""
    found: set[int] = set()
    for remains, uids in _by_what_remains(facts, program, undecided).items():
        test = predicate(remains)
        for start in range(0, len(uids), OPENED_AT_ONCE):
            answers = await view.shared.mailbox.read(uids[start : start + OPENED_AT_ONCE], test)
            found.update(uid for uid, met in answers if met)
    return found


def _by_what_remains(facts: Facts, program: Criterion, undecided: int) -> dict[Criterion, list[UID]]:
    """Undecided messages by what remains of the program for them: mostly one thing, always few.

    Messages whose size or date is unknown even now are gone: what remains does not matter, since nobody can read them.
    """
    known = {key: facts.truth(key) for key in every(program) if isinstance(key, Leaf) and not isinstance(key, Content)}
    answers = [facts.octets(truth.surely) for truth in known.values()]
    alike: defaultdict[bytes, list[UID]] = defaultdict(list)
    for at, uid in facts.chosen(enumerate(facts.uids), undecided):
        alike[bytes(answer[at] for answer in answers)].append(UID(uid))
    remains: defaultdict[Criterion, list[UID]] = defaultdict(list)
    for met, uids in alike.items():
        remains[residual(program, dict(zip(known, map(bool, met), strict=True)))] += uids
    return remains
