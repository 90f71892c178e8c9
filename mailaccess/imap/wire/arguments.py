"""A command's arguments as they came: fragments of its lines, and literals (RFC 9051 §4.3)."""

import re
from dataclasses import dataclass
from typing import BinaryIO


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

    def close(self) -> None:
        """Let go of the files of literals. Harmless when repeated."""
        for literal in self._literals:
            if literal.file is not None:
                literal.file.close()
