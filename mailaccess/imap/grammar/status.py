"""STATUS (RFC 9051 §6.3.11, RFC 7162 §3.1.2.1, RFC 7889 §4, RFC 8438)."""

from dataclasses import dataclass
from enum import StrEnum

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


@dataclass(frozen=True, slots=True)
class StatusArguments:
    """``items`` are without repetition, in the order of the client."""

    mailbox: str
    items: tuple[StatusItem, ...]


def status_items(arguments: Arguments) -> tuple[StatusItem, ...]:
    """Read ``(item item …)``."""
    raise NotImplementedError


def status_arguments(arguments: Arguments, utf8: bool = False) -> StatusArguments:
    """Read ``SP mailbox SP items`` to the end."""
    raise NotImplementedError
