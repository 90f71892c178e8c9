"""What the reader tells of."""

from collections.abc import Callable
from dataclasses import dataclass

from mailaccess.errors import Code
from mailaccess.imap.wire.arguments import Arguments


@dataclass(frozen=True, slots=True)
class RawCommand:
    """A whole command. ``name`` is in upper case; ``arguments`` begins directly behind it, at a space or at the end."""

    tag: bytes
    name: bytes
    arguments: Arguments


@dataclass(frozen=True, slots=True)
class Line:
    """The line that :meth:`CommandReader.expect_line` asked for, without its end."""

    text: bytes


@dataclass(frozen=True, slots=True)
class NeedLiteral:
    """A synchronizing literal was accepted: send a command continuation request (RFC 9051 §7.6)."""

    size: int


@dataclass(frozen=True, slots=True)
class LiteralRefused:
    """A literal was refused, and its command with it: reply ``tag status [code] text``.

    ``fatal``: it is too long to be read and dropped; say BYE instead and close (RFC 7888 §4). ``cause`` is for the log.
    """

    tag: bytes
    status: str
    code: Code | None
    text: str
    fatal: bool = False
    cause: OSError | None = None


@dataclass(frozen=True, slots=True)
class BadLine:
    """What came is no command: reply BAD, with ``tag`` or untagged where there is none to be seen."""

    tag: bytes | None
    text: str


@dataclass(frozen=True, slots=True)
class TooLong:
    """A command line (or, then without a tag, a line that was asked for) exceeds ``line_bytes``: reply BAD."""

    tag: bytes | None


Event = RawCommand | Line | NeedLiteral | LiteralRefused | BadLine | TooLong


@dataclass(frozen=True, slots=True)
class Refuse:
    """Why a literal is not taken: the command's reply will be ``status [code] text``."""

    text: str
    code: Code | None = None
    status: str = "NO"


LiteralRule = Callable[[RawCommand, int], Refuse | None]
"""Whether a literal of so many octets may follow; asked before the client is told to go on (RFC 9051 §4.3)."""
