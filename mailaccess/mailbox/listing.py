r"""What LIST and LSUB answer (RFC 9051 §6.3.9, RFC 5258, RFC 6154 §2, RFC 3501 §6.3.9), as functions of what there is.

Always told, asked for or not: ``\HasChildren`` or ``\HasNoChildren`` (RFC 3348 §3) and special uses (RFC 6154 §2),
since they cost nothing here. ``\NonExistent`` comes with ``\Noselect``, which clients of RFC 3501 know. There are no
remote mailboxes, so that REMOTE changes nothing (RFC 9051 §6.3.9.1).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from mailaccess.errors import ClientError, Code
from mailaccess.mailbox.names import Pattern
from mailaccess.values import MailboxInfo, MailboxName

MAX_PATTERNS = 50
"""Patterns in one LIST: each is held against every name."""


class Selection(StrEnum):
    """Which mailboxes LIST is to show (RFC 9051 §6.3.9.1, RFC 6154 §5.1)."""

    SUBSCRIBED = "SUBSCRIBED"
    REMOTE = "REMOTE"
    RECURSIVEMATCH = "RECURSIVEMATCH"
    SPECIAL_USE = "SPECIAL-USE"


class Return(StrEnum):
    """What LIST is to tell of them (RFC 9051 §6.3.9.2, RFC 6154 §5.2). STATUS is the caller's business."""

    SUBSCRIBED = "SUBSCRIBED"
    CHILDREN = "CHILDREN"
    SPECIAL_USE = "SPECIAL-USE"


class Attribute(StrEnum):
    """Attributes of a mailbox name (RFC 9051 §7.3.1). Special uses are ``values.SpecialUse``."""

    NON_EXISTENT = "\\NonExistent"
    NOSELECT = "\\Noselect"
    SUBSCRIBED = "\\Subscribed"
    HAS_CHILDREN = "\\HasChildren"
    HAS_NO_CHILDREN = "\\HasNoChildren"


@dataclass(frozen=True, slots=True)
class Listed:
    """One LIST or LSUB response: ``child_info`` are the criteria that something below meets (RFC 9051 §6.3.9.6)."""

    name: MailboxName
    attributes: tuple[str, ...] = ()
    child_info: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Tree:
    """An account's names: those that exist, those subscribed, and all that lie above one of the former."""

    existing: dict[MailboxName, MailboxInfo]
    subscribed: frozenset[MailboxName]
    parents: frozenset[MailboxName]

    def attributes(self, name: MailboxName, subscribed: bool) -> tuple[str, ...]:
        """What is to be said of a name; whether it is subscribed only where ``subscribed`` asks for it."""
        found: list[str] = []
        info = self.existing.get(name)
        if info is None:
            found += [Attribute.NON_EXISTENT, Attribute.NOSELECT]
        if subscribed and name in self.subscribed:
            found.append(Attribute.SUBSCRIBED)
        found.append(Attribute.HAS_CHILDREN if name in self.parents else Attribute.HAS_NO_CHILDREN)
        if info is not None and info.special_use is not None:
            found.append(info.special_use)
        return tuple(found)

    def meeting(self, criteria: frozenset[Selection]) -> set[MailboxName]:
        """The names that meet every criterion; of none, the mailboxes that exist."""
        names = set(self.subscribed) if Selection.SUBSCRIBED in criteria else set(self.existing)
        if Selection.SPECIAL_USE in criteria:
            names &= {name for name, info in self.existing.items() if info.special_use is not None}
        return names


def listing(
    mailboxes: Iterable[MailboxInfo],
    subscribed: Iterable[MailboxName],
    patterns: Sequence[Pattern],
    selection: frozenset[Selection] = frozenset(),
    returns: frozenset[Return] = frozenset(),
) -> list[Listed]:
    """The answer to LIST, INBOX first and then by name.

    ``ClientError(LIMIT)`` for too many patterns. RECURSIVEMATCH without a criterion is BAD, which the grammar says.
    """
    _check(patterns)
    existing = {info.name: info for info in mailboxes if info.selectable}
    tree = _Tree(existing, frozenset(subscribed), frozenset(_above(existing)))
    criteria = selection & {Selection.SUBSCRIBED, Selection.SPECIAL_USE}
    meeting = tree.meeting(criteria)
    shown = {name for name in meeting if _matches(name, patterns)}
    if not criteria:
        levels = [pattern for pattern in patterns if pattern.levels]
        shown |= {name for name in tree.parents - shown if _matches(name, levels)}
    told = _children_told(meeting, shown, patterns) if Selection.RECURSIVEMATCH in selection else set()
    info = tuple(sorted(criteria))
    with_subscribed = Selection.SUBSCRIBED in selection or Return.SUBSCRIBED in returns
    return [
        Listed(name, tree.attributes(name, with_subscribed), info if name in told else ())
        for name in _ordered(shown | told)
    ]


def lsub(subscribed: Iterable[MailboxName], patterns: Sequence[Pattern]) -> list[Listed]:
    r"""The answer to LSUB: subscribed names; for ``%`` also levels above them, as ``\Noselect`` (RFC 3501 §6.3.9)."""
    _check(patterns)
    names = frozenset(subscribed)
    shown = {name for name in names if _matches(name, patterns)}
    levels = [pattern for pattern in patterns if pattern.wildcard]
    above = {name for name in _above(names - shown) - names if _matches(name, levels)}
    return [Listed(name, (Attribute.NOSELECT,) if name in above else ()) for name in _ordered(shown | above)]


def _children_told(meeting: set[MailboxName], shown: set[MailboxName], patterns: Sequence[Pattern]) -> set[MailboxName]:
    """The matching names that have something below that meets the criteria (RFC 9051 §6.3.9.6).

    A name that does not meet them itself is told only for something below that is not told anyway.
    """
    told = _above(meeting) & shown
    return told | {name for name in _above(meeting - shown) if _matches(name, patterns)}


def _above(names: Iterable[MailboxName]) -> set[MailboxName]:
    """Every name above one of ``names``; each is walked over once."""
    found: set[MailboxName] = set()
    for name in names:
        parent = name.parent
        while parent is not None and parent not in found:
            found.add(parent)
            parent = parent.parent
    return found


def _matches(name: MailboxName, patterns: Sequence[Pattern]) -> bool:
    return any(pattern.matches(name) for pattern in patterns)


def _ordered(names: Iterable[MailboxName]) -> list[MailboxName]:
    return sorted(names, key=lambda name: (name.parts[0] != "INBOX", name.parts))


def _check(patterns: Sequence[Pattern]) -> None:
    if len(patterns) > MAX_PATTERNS:
        raise ClientError(Code.LIMIT, f"LIST takes {MAX_PATTERNS} patterns")
