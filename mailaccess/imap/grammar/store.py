"""STORE, COPY, MOVE and UID EXPUNGE (RFC 9051 §6.4.6 to §6.4.9, RFC 7162 §3.1.3)."""

import re
from dataclasses import dataclass

from mailaccess.imap.grammar.flags import flag_list, flag_sequence
from mailaccess.imap.grammar.names import mailbox
from mailaccess.imap.grammar.sets import sequence_set
from mailaccess.imap.grammar.tokens import (
    BadSyntax,
    end,
    expect,
    keyword,
    next_is,
    number64,
    read,
    refuse_keyword,
    skip,
    sp,
)
from mailaccess.imap.wire import Arguments
from mailaccess.values import FlagChange, Flags, ModSeq, SequenceSet

# store-att-flags = (["+" / "-"] "FLAGS" [".SILENT"]) SP (flag-list / (flag *(SP flag)))
_FLAGS = re.compile(rb"([+-]?FLAGS)(\.SILENT)?(?= )", re.IGNORECASE)


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
    """Read ``SP sequence-set [SP modifiers] SP store-att-flags`` to the end."""
    sp(arguments)
    numbers = sequence_set(arguments)
    sp(arguments)
    unchanged_since = None
    if next_is(arguments, b"("):
        unchanged_since = _modifiers(arguments)
        sp(arguments)
    words = read(arguments, _FLAGS, "FLAGS, +FLAGS or -FLAGS").decode("ascii").upper()
    sp(arguments)
    named = flag_list(arguments) if next_is(arguments, b"(") else flag_sequence(arguments)
    end(arguments)
    change = FlagChange(words.removesuffix(".SILENT"))
    return StoreArguments(numbers, change, named, words.endswith(".SILENT"), unchanged_since)


def _modifiers(arguments: Arguments) -> ModSeq:
    # store-modifiers = "(" store-modifier *(SP store-modifier) ")"                    (RFC 4466 §2.5)
    # store-modifier  = "UNCHANGEDSINCE" SP mod-sequence-valzer, a single one          (RFC 7162 §7)
    expect(arguments, b"(")
    word = keyword(arguments)
    if word != b"UNCHANGEDSINCE":
        raise refuse_keyword(word, "STORE modifier")
    sp(arguments)
    modseq = ModSeq(number64(arguments))
    if not skip(arguments, b")"):
        raise BadSyntax("STORE takes a single modifier")
    return modseq


def copy_arguments(arguments: Arguments, utf8: bool = False) -> CopyArguments:
    """Read ``SP sequence-set SP mailbox`` to the end."""
    sp(arguments)
    numbers = sequence_set(arguments)
    sp(arguments)
    target = mailbox(arguments, utf8)
    end(arguments)
    return CopyArguments(numbers, target)


def set_arguments(arguments: Arguments) -> SequenceSet:
    """Read ``SP sequence-set`` to the end: UID EXPUNGE (RFC 4315 §2.1)."""
    sp(arguments)
    numbers = sequence_set(arguments)
    end(arguments)
    return numbers
