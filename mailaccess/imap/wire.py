"""Bytes to commands: a reader without I/O (RFC 9051 §2.2.1, §4.3, §9; RFC 7888).

The caller gives it octets as they come, and gets events. Rules:

1. After a :class:`RawCommand` or a :class:`Line` the reader stops until :meth:`CommandReader.resume`: the next octets may
   have to be read in another way (IDLE, SASL, STARTTLS) or under other limits (after login). What waits is ``buffered``.
2. Each command leads to exactly one event that wants a reply: RawCommand, BadLine, TooLong or LiteralRefused.
3. A line costs time linear in its octets, however they are cut; a literal costs memory up to ``literal_memory_bytes``
   for all literals of a command, and only one of APPEND's may be larger: it goes to a file that ``open_sink`` made.
4. A command that was refused is read to its end, with its non-synchronizing literals (RFC 7888 §3), and forgotten.
5. No octets make it raise.

A line ends with LF; one CR before it is not part of the line. (RFC 9051 wants CRLF. A bare LF is what people type through
``openssl s_client``; Dovecot and mox take it too, and nobody relays IMAP, so that nothing can be smuggled.)
"""

import errno
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO

from mailaccess.errors import Code

MAX_LITERAL_BYTES = 2**32 - 1
"""RFC 3501 §9: a number has 32 bits. (RFC 9051 allows 63; a message of more than 4 GiB is refused anyway.)"""

DISCARD_BYTES = 256 * 1024 * 1024
"""A refused non-synchronizing literal is read and dropped up to this size; beyond it the connection is closed, which
costs less than the transfer (RFC 7888 §4)."""

_HEADER_BYTES = 64
"""Of a line that is too long, this tail is kept to see whether a literal follows: ``~{4294967295+}`` and some zeros."""


@dataclass(frozen=True, slots=True)
class Literal:
    """A literal as it came (RFC 9051 §4.3): ``data`` for one in memory, else ``file``, open and at its start.

    ``binary`` is true for a literal8, ``~{n}`` (RFC 3516 §4.4), the only one that may contain NUL.
    """

    size: int
    data: bytes = b""
    file: BinaryIO | None = None
    binary: bool = False


class Arguments:
    """A cursor over what follows a command's name: fragments of the line, with a literal between each two."""

    __slots__ = ("_fragments", "_index", "_literals", "_position")

    def __init__(self, fragments: list[bytes], literals: list[Literal] | None = None) -> None:
        self._fragments = fragments
        self._literals = literals or []
        self._index = 0
        self._position = 0

    def peek(self) -> int:
        """The next octet of the line; -1 where a literal or the end comes next."""
        fragment = self._fragments[self._index]
        return fragment[self._position] if self._position < len(fragment) else -1

    def match(self, pattern: re.Pattern[bytes]) -> re.Match[bytes] | None:
        """Read what ``pattern`` matches here; None, and nothing read, where it does not match."""
        found = pattern.match(self._fragments[self._index], self._position)
        if found:
            self._position = found.end()
        return found

    def literal(self) -> Literal | None:
        """Read the literal that comes next; None, and nothing read, where none does."""
        if self._index == len(self._literals) or self._position < len(self._fragments[self._index]):
            return None
        literal = self._literals[self._index]
        self._index += 1
        self._position = 0
        return literal

    @property
    def at_end(self) -> bool:
        """Whether everything was read."""
        return self._index == len(self._literals) and self._position == len(self._fragments[self._index])

    @property
    def literal_bytes(self) -> int:
        """Octets of those literals that are in memory."""
        return sum(len(literal.data) for literal in self._literals)

    def close(self) -> None:
        """Let go of the files of literals. Harmless when repeated."""
        for literal in self._literals:
            if literal.file is not None:
                literal.file.close()


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


class CommandReader:
    """Reads one connection's octets. The limits are attributes, and may be changed at any time."""

    def __init__(
        self,
        *,
        line_bytes: int,
        literal_memory_bytes: int,
        literal_allowed: LiteralRule,
        open_sink: Callable[[int], BinaryIO],
        discard_bytes: int = DISCARD_BYTES,
    ) -> None:
        self.line_bytes = line_bytes
        self.literal_memory_bytes = literal_memory_bytes
        self.discard_bytes = discard_bytes

    def feed(self, data: bytes) -> list[Event]:
        """Take octets; returns what they complete, up to the first command (rule 1)."""
        raise NotImplementedError

    def resume(self) -> list[Event]:
        """Go on after a RawCommand or a Line was dealt with; returns what lies ready."""
        raise NotImplementedError

    def expect_line(self) -> None:
        """The next line is not a command but a SASL response or IDLE's DONE: it comes as a :class:`Line`."""
        raise NotImplementedError

    @property
    def buffered(self) -> int:
        """Octets that came and were not read: stop the transport where they become many."""
        raise NotImplementedError

    def take_leftover(self) -> bytes:
        """Forget what came and was not read, and return it: after STARTTLS it must be nothing (RFC 9051 §6.2.1)."""
        raise NotImplementedError

    def close(self) -> None:
        """Let go of the file of a literal that is under way."""
        raise NotImplementedError
