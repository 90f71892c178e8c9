"""STORE, COPY, MOVE and UID EXPUNGE (RFC 9051 §6.4.6 to §6.4.9, RFC 7162 §3.1.3)."""

from dataclasses import dataclass

from mailaccess.imap.wire import Arguments
from mailaccess.values import FlagChange, Flags, ModSeq, SequenceSet


@dataclass(frozen=True, slots=True)
class StoreArguments:
    """``silent``: the new flags are not told. ``unchanged_since`` may be 0 (RFC 7162 §3.1.3)."""

    numbers: SequenceSet
    change: FlagChange
    flags: Flags
    silent: bool = False
    unchanged_since: ModSeq | None = None


@dataclass(frozen=True, slots=True)
class CopyArguments:
    """Of COPY and MOVE."""

    numbers: SequenceSet
    mailbox: str


def store_arguments(arguments: Arguments) -> StoreArguments:
    """Read ``SP sequence-set [SP modifiers] SP FLAGS flags`` to the end."""
    raise NotImplementedError


def copy_arguments(arguments: Arguments, utf8: bool = False) -> CopyArguments:
    """Read ``SP sequence-set SP mailbox`` to the end."""
    raise NotImplementedError


def set_arguments(arguments: Arguments) -> SequenceSet:
    """Read ``SP sequence-set`` to the end: UID EXPUNGE (RFC 4315 §2.1)."""
    raise NotImplementedError
