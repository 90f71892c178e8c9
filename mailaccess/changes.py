"""What can happen to a mailbox: the facts that a store announces and that every view applies in order.

A change is announced after it is durable (or, for flags, after it happened), and once for each mailbox; sessions
are told of it when the RFC allows (RFC 9051 §5.5, §7.5.1).
"""

from dataclasses import dataclass

from mailaccess.values import MailboxName, MessageRow, ModSeq, NumberSet


@dataclass(frozen=True, slots=True)
class Arrived:
    """Messages that are new, in ascending order of UID, all above every UID told before."""

    rows: tuple[MessageRow, ...]


@dataclass(frozen=True, slots=True)
class FlagsChanged:
    """Messages whose flags changed: their rows as they are now."""

    rows: tuple[MessageRow, ...]


@dataclass(frozen=True, slots=True)
class Expunged:
    """Messages that are gone for ever."""

    uids: NumberSet
    modseq: ModSeq


@dataclass(frozen=True, slots=True)
class Renamed:
    """The mailbox has another name now; sessions that have it open keep it (RFC 9051 §6.3.6)."""

    name: MailboxName


@dataclass(frozen=True, slots=True)
class Reset:
    """The mailbox was deleted, or its UIDVALIDITY changed: a session that has it open must let go of it."""

    reason: str


Change = Arrived | FlagsChanged | Expunged | Renamed | Reset
