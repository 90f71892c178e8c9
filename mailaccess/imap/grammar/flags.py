"""Flags (RFC 9051 §2.3.2, §9)."""

import re

from mailaccess.imap.grammar.tokens import BadSyntax, atom, expect, next_is, skip, sp
from mailaccess.imap.wire import Arguments
from mailaccess.values import SYSTEM_FLAGS, Flag, Flags, flags

MAX_KEYWORD_BYTES = 255
"""Keywords are kept in files of others, which are read line by line; nobody's is longer."""

# flag = "\Answered" / "\Flagged" / "\Deleted" / "\Seen" / "\Draft" / flag-keyword / flag-extension
# flag-extension = "\" atom, which "MUST NOT be generated" but by later standards; flag-keyword = atom
_FLAG = re.compile(rb"\\?[!#$&'+-\[^-z|}~]+")


def flag(arguments: Arguments) -> Flag:
    r"""Read a flag that a client may set: not ``\Recent`` (RFC 3501 §2.3.2)."""
    found = arguments.match(_FLAG)
    if found is None:
        raise BadSyntax("Expected a flag")
    if len(found[0]) > MAX_KEYWORD_BYTES:
        raise BadSyntax("The flag is too long")
    named = Flag(found[0].decode("ascii"))
    if named.is_system and named not in SYSTEM_FLAGS:
        raise BadSyntax("This is no flag that a client may set")
    return named


def flag_keyword(arguments: Arguments) -> Flag:
    """Read ``flag-keyword = atom``: what SEARCH KEYWORD names. System flags have search keys of their own."""
    name = atom(arguments)
    if len(name) > MAX_KEYWORD_BYTES:
        raise BadSyntax("The keyword is too long")
    return Flag(name.decode("ascii"))


def flag_list(arguments: Arguments) -> Flags:
    """Read ``"(" [flag *(SP flag)] ")"``."""
    expect(arguments, b"(")
    if skip(arguments, b")"):
        return flags(())
    named = flag_sequence(arguments)
    expect(arguments, b")")
    return named


def flag_sequence(arguments: Arguments) -> Flags:
    """Read ``flag *(SP flag)``."""
    named = [flag(arguments)]
    while next_is(arguments, b" "):
        sp(arguments)
        named.append(flag(arguments))
    return flags(named)
