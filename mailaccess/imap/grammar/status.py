"""STATUS (RFC 9051 §6.3.11, RFC 7162 §3.1.2.1, RFC 7889 §4, RFC 8438)."""

from dataclasses import dataclass
from enum import StrEnum

from mailaccess.imap.grammar.names import mailbox
from mailaccess.imap.grammar.tokens import end, expect, keyword, refuse_keyword, skip, sp
from mailaccess.imap.wire import Arguments


class StatusItem(StrEnum):
    """What STATUS tells of a mailbox."""

    MESSAGES = "MESSAGES"
    RECENT = "RECENT"
    UIDNEXT = "UIDNEXT"
    UIDVALIDITY = "UIDVALIDITY"
    UNSEEN = "UNSEEN"
    DELETED = "DELETED"
    SIZE = "SIZE"
    HIGHESTMODSEQ = "HIGHESTMODSEQ"
    APPENDLIMIT = "APPENDLIMIT"


_ITEMS = {item.encode("ascii"): item for item in StatusItem}


@dataclass(frozen=True, slots=True)
class StatusArguments:
    """``items`` are without repetition, in the order of the client."""

    mailbox: str
    items: tuple[StatusItem, ...]


def status_items(arguments: Arguments) -> tuple[StatusItem, ...]:
    """Read ``"(" status-att *(SP status-att) ")"``."""
    expect(arguments, b"(")
    items = {_item(arguments): None}
    while not skip(arguments, b")"):
        sp(arguments)
        items[_item(arguments)] = None
    return tuple(items)


def _item(arguments: Arguments) -> StatusItem:
    word = keyword(arguments)
    item = _ITEMS.get(word)
    if item is None:
        raise refuse_keyword(word, "STATUS item")
    return item


def status_arguments(arguments: Arguments, utf8: bool = False) -> StatusArguments:
    """Read ``SP mailbox SP "(" status-att *(SP status-att) ")"`` to the end."""
    sp(arguments)
    name = mailbox(arguments, utf8)
    sp(arguments)
    items = status_items(arguments)
    end(arguments)
    return StatusArguments(name, items)
