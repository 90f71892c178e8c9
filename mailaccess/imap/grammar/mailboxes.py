"""SELECT, EXAMINE, CREATE, RENAME, and the commands that take one mailbox name (RFC 9051 §6.3)."""

from dataclasses import dataclass

from mailaccess.imap.wire import Arguments


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
    """Read ``SP mailbox [SP (parameters)]`` to the end."""
    raise NotImplementedError


def create_arguments(arguments: Arguments, utf8: bool = False) -> CreateArguments:
    """Read ``SP mailbox [SP (USE (attributes))]`` to the end."""
    raise NotImplementedError


def rename_arguments(arguments: Arguments, utf8: bool = False) -> RenameArguments:
    """Read ``SP mailbox SP mailbox`` to the end."""
    raise NotImplementedError


def mailbox_argument(arguments: Arguments, utf8: bool = False) -> str:
    """Read ``SP mailbox`` to the end: DELETE, SUBSCRIBE, UNSUBSCRIBE."""
    raise NotImplementedError
