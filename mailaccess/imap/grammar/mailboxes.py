"""SELECT, EXAMINE, CREATE, RENAME, and the commands that take one mailbox name (RFC 9051 §6.3)."""

import re
from dataclasses import dataclass

from mailaccess.imap.grammar.names import mailbox
from mailaccess.imap.grammar.tokens import BadSyntax, end, expect, keyword, read, refuse_keyword, skip, sp
from mailaccess.imap.wire import Arguments
from mailaccess.values import SpecialUse

MAX_USES = 20
"""RFC 6154 and its successors define fewer."""

# use-attr = "\" atom   (RFC 6154 §6)
_USE = re.compile(rb"\\[!#$&'+-\[^-z|}~]{1,64}")
_KNOWN_USES = {use.lower(): str(use) for use in SpecialUse}


@dataclass(frozen=True, slots=True)
class SelectArguments:
    """Of SELECT and EXAMINE (RFC 7162 §3.1.8)."""

    mailbox: str
    condstore: bool = False


@dataclass(frozen=True, slots=True)
class CreateArguments:
    r"""``uses`` are the attributes of USE, known ones as ``SpecialUse`` spells them: ``\Sent`` (RFC 6154 §3)."""

    mailbox: str
    uses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RenameArguments:
    """Of RENAME."""

    old: str
    new: str


def select_arguments(arguments: Arguments, utf8: bool = False) -> SelectArguments:
    """Read ``SP mailbox [select-params]`` to the end."""
    sp(arguments)
    name = mailbox(arguments, utf8)
    condstore = not arguments.at_end and _select_parameters(arguments)
    end(arguments)
    return SelectArguments(name, condstore)


def _select_parameters(arguments: Arguments) -> bool:
    # select-params = SP "(" select-param *(SP select-param) ")"   (RFC 4466 §2.4)
    # select-param = "CONDSTORE"                                   (RFC 7162 §7)
    sp(arguments)
    expect(arguments, b"(")
    while True:
        word = keyword(arguments)
        if word != b"CONDSTORE":
            raise refuse_keyword(word, "SELECT parameter")
        if skip(arguments, b")"):
            return True
        sp(arguments)


def create_arguments(arguments: Arguments, utf8: bool = False) -> CreateArguments:
    """Read ``SP mailbox [SP "(" "USE" SP "(" [use-attr *(SP use-attr)] ")" ")"]`` to the end (RFC 6154 §6)."""
    sp(arguments)
    name = mailbox(arguments, utf8)
    uses: tuple[str, ...] = ()
    if not arguments.at_end:
        sp(arguments)
        expect(arguments, b"(")
        word = keyword(arguments)
        if word != b"USE":
            raise refuse_keyword(word, "CREATE parameter")
        sp(arguments)
        uses = _uses(arguments)
        expect(arguments, b")")
    end(arguments)
    return CreateArguments(name, uses)


def _uses(arguments: Arguments) -> tuple[str, ...]:
    expect(arguments, b"(")
    uses: dict[str, None] = {}
    while not skip(arguments, b")"):
        if uses:
            sp(arguments)
        text = read(arguments, _USE, "a special use").decode("ascii")
        uses[_KNOWN_USES.get(text.lower(), text)] = None
        if len(uses) > MAX_USES:
            raise BadSyntax("Too many special uses")
    return tuple(uses)


def rename_arguments(arguments: Arguments, utf8: bool = False) -> RenameArguments:
    """Read ``SP mailbox SP mailbox`` to the end."""
    sp(arguments)
    old = mailbox(arguments, utf8)
    sp(arguments)
    new = mailbox(arguments, utf8)
    end(arguments)
    return RenameArguments(old, new)


def mailbox_argument(arguments: Arguments, utf8: bool = False) -> str:
    """Read ``SP mailbox`` to the end: DELETE, SUBSCRIBE, UNSUBSCRIBE."""
    sp(arguments)
    name = mailbox(arguments, utf8)
    end(arguments)
    return name
