"""LIST and LSUB (RFC 9051 §6.3.9, RFC 5258, RFC 5819, RFC 6154)."""

from dataclasses import dataclass
from enum import StrEnum

from mailaccess.imap.grammar.status import StatusItem
from mailaccess.imap.wire import Arguments


class Selection(StrEnum):
    """Which mailboxes LIST is to show (RFC 5258 §3.1, RFC 6154 §5.1)."""

    SUBSCRIBED = "SUBSCRIBED"
    REMOTE = "REMOTE"
    RECURSIVEMATCH = "RECURSIVEMATCH"
    SPECIAL_USE = "SPECIAL-USE"


class Return(StrEnum):
    """What LIST is to tell of them (RFC 5258 §3.2, RFC 6154 §5.2). STATUS is in ``ListArguments.status``."""

    SUBSCRIBED = "SUBSCRIBED"
    CHILDREN = "CHILDREN"
    SPECIAL_USE = "SPECIAL-USE"


@dataclass(frozen=True, slots=True)
class ListArguments:
    """Of LIST and LSUB. ``extended``: it is RFC 5258's LIST, with options or several patterns, not the basic one.

    ``status`` is empty where RETURN (STATUS (…)) is not asked for (RFC 5819).
    """

    reference: str
    patterns: tuple[str, ...]
    selection: frozenset[Selection] = frozenset()
    returns: frozenset[Return] = frozenset()
    status: tuple[StatusItem, ...] = ()
    extended: bool = False


def list_arguments(arguments: Arguments, utf8: bool = False) -> ListArguments:
    """Read LIST's arguments to the end."""
    raise NotImplementedError


def lsub_arguments(arguments: Arguments, utf8: bool = False) -> ListArguments:
    """Read ``SP mailbox SP list-mailbox`` to the end (RFC 3501 §6.3.9)."""
    raise NotImplementedError
