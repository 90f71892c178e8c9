"""The reader, without I/O (RFC 9051 §2.2.1, §4.3, §9; RFC 7888).

The caller gives it octets as they come, and gets events. Rules:

1. After a RawCommand or a Line the reader stops until ``resume``: the next octets may have to be read in another way
   (IDLE, SASL, STARTTLS) or under other limits (after login). What waits is ``buffered``.
2. Each command leads to exactly one event that wants a reply: RawCommand, BadLine, TooLong or LiteralRefused. (Only a
   fatal LiteralRefused may come behind another; it is the last event.)
3. A line costs time linear in its octets, however they are cut; a literal costs memory up to ``literal_memory_bytes``
   for all literals of a command, and only one of APPEND's may be larger: it goes to a file that ``open_sink`` made.
4. A command that was refused is read to its end, with its non-synchronizing literals (RFC 7888 §3), and forgotten.
5. No octets make it raise.

A line ends with LF; one CR before it is not part of the line. (RFC 9051 wants CRLF. A bare LF is what people type
through ``openssl s_client``; Dovecot and mox take it too, and nobody relays IMAP, so that nothing can be smuggled.)
"""

import errno
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO

from mailaccess.errors import Code
from mailaccess.imap.wire.arguments import Arguments, Literal
from mailaccess.imap.wire.events import (
    BadLine,
    Event,
    Line,
    LiteralRefused,
    LiteralRule,
    NeedLiteral,
    RawCommand,
    Refuse,
    TooLong,
)

MAX_LITERAL_BYTES = 2**32 - 1
"""RFC 3501 §9: a number has 32 bits. (RFC 9051 allows 63; a message of more than 4 GiB is refused anyway.)"""

DISCARD_BYTES = 256 * 1024 * 1024
"""A refused non-synchronizing literal is read and dropped up to this size; beyond it the connection is closed, which
costs less than the transfer (RFC 7888 §4)."""

_HEADER_BYTES = 64
"""Of a line that is too long, this tail is kept to see whether a literal follows: ``~{4294967295+}`` and some zeros."""

# tag = 1*<any ASTRING-CHAR except "+">; command = tag SP name …   (RFC 9051 §9)
# The length is ours: a tag is echoed in replies, and the longest that clients send has 10 octets.
_TAG = re.compile(rb"[^\x00-\x20\x7f-\xff(){%*\"\\+]{1,128}(?=[ \r]|\Z)")
_START = re.compile(rb"([^\x00-\x20\x7f-\xff(){%*\"\\+]{1,128}) ([A-Za-z0-9][A-Za-z0-9._-]{0,63})(?= |\Z)")

# literal = "{" number ["+"] "}" CRLF *CHAR8; literal8 = "~{" number ["+"] "}" CRLF *OCTET   (RFC 7888 §8, RFC 4466 §3)
_LITERAL = re.compile(rb"(~?)\{([0-9]+)(\+?)\}\Z")


@dataclass(frozen=True, slots=True)
class _Header:
    start: int
    size: int
    synchronizing: bool
    binary: bool


def _literal_header(line: bytes) -> _Header | None:
    """The header of a literal at the end of a line (RFC 7888 §3: looked for on every line)."""
    if not line.endswith(b"}"):
        return None
    start = max(line.rfind(b"{"), 0)
    if line[start - 1 : start] == b"~":
        start -= 1
    found = _LITERAL.match(line, start)
    if found is None:
        return None
    digits = found[2].lstrip(b"0")
    size = int(digits or b"0") if len(digits) <= 10 else MAX_LITERAL_BYTES + 1
    return _Header(start, size, synchronizing=not found[3], binary=bool(found[1]))


class _Partial:
    """A command of which the end is still to come."""

    __slots__ = ("fragments", "literals", "memory", "name", "spooled", "tag")

    def __init__(self, tag: bytes, name: bytes) -> None:
        self.tag = tag
        self.name = name
        self.fragments: list[bytes] = []
        self.literals: list[Literal] = []
        self.memory = 0
        self.spooled = False

    def raw(self) -> RawCommand:
        """The command as far as it came."""
        return RawCommand(self.tag, self.name, Arguments(self.fragments, self.literals))


class CommandReader:
    """Reads one connection's octets. The limits are attributes, and may be changed at any time.

    ``line_bytes`` is for a command without its literals; ``literal_memory_bytes`` for all literals of a command that
    are kept in memory; ``discard_bytes`` for a refused literal that is read and dropped.
    """

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
        self._literal_allowed = literal_allowed
        self._open_sink = open_sink
        self._buffer = bytearray()
        self._scanned = 0  # no LF before this offset
        self._stopped = False
        self._step: Callable[[list[Event]], bool] = self._read_command_line
        self._command: _Partial | None = None
        self._used = 0  # octets of the command's lines so far
        self._remaining = 0  # octets of the literal that are still to come
        self._binary = False
        self._sink: BinaryIO | None = None

    def feed(self, data: bytes) -> list[Event]:
        """Take octets; returns what they complete, up to the first command (rule 1)."""
        self._buffer += data
        return self._run()

    def resume(self) -> list[Event]:
        """Go on after a RawCommand or a Line was dealt with; returns what lies ready."""
        self._stopped = False
        return self._run()

    def expect_line(self) -> None:
        """The next line is not a command but a SASL response or IDLE's DONE: it comes as a :class:`Line`.

        To be called between a command and ``resume``.
        """
        self._step = self._read_expected_line

    @property
    def buffered(self) -> int:
        """Octets that came and were not read: stop the transport where they become many."""
        return len(self._buffer)

    def take_leftover(self) -> bytes:
        """Forget what came and was not read, and return it: after STARTTLS it must be nothing (RFC 9051 §6.2.1)."""
        leftover = bytes(self._buffer)
        self._buffer.clear()
        self._scanned = 0
        return leftover

    def close(self) -> None:
        """The connection is gone: let go of the files of a command that is under way, and read no more."""
        self._forget_command()
        self._die()

    def _run(self) -> list[Event]:
        events: list[Event] = []
        while not self._stopped and self._step(events):
            pass
        return events

    # Steps: each reads one thing, and returns whether there may be another.

    def _read_command_line(self, events: list[Event]) -> bool:
        line = self._next_line()
        if line is None:
            if self._used + len(self._buffer) <= self.line_bytes + 1:  # its CR is not counted
                return False
            events.append(TooLong(self._seen_tag(self._buffer)))
            return self._skip_command()
        self._used += len(line)
        header = _literal_header(line)
        problem = self._take_fragment(line if header is None else line[: header.start], line)
        if problem is not None:
            events.append(problem)
            return self._skip_after(header, events)
        if header is not None:
            return self._begin_literal(header, events)
        assert self._command is not None
        events.append(self._command.raw())
        self._stopped = True
        self._expect_command()
        return False

    def _read_expected_line(self, events: list[Event]) -> bool:
        line = self._next_line()
        if line is None and len(self._buffer) <= self.line_bytes + 1:
            return False
        if line is None or len(line) > self.line_bytes:
            events.append(TooLong(None))
            return self._skip_command() if line is None else self._expect_command()
        events.append(Line(line))
        self._stopped = True
        self._expect_command()
        return False

    def _read_literal(self, events: list[Event]) -> bool:
        if self._sink is None and len(self._buffer) < self._remaining:
            return False
        chunk = self._take(self._remaining)
        self._remaining -= len(chunk)
        assert self._command is not None
        if self._sink is None:
            self._command.literals.append(Literal(len(chunk), chunk, binary=self._binary))
            self._command.memory += len(chunk)
        elif not self._spool(self._sink, chunk, events):
            return True
        if self._remaining:
            return False
        self._sink = None
        self._step = self._read_command_line
        return True

    def _skip_line(self, events: list[Event]) -> bool:
        line = self._next_line()
        if line is None:
            del self._buffer[:-_HEADER_BYTES]
            self._scanned = len(self._buffer)
            return False
        return self._skip_after(_literal_header(line), events)

    def _skip_literal(self, _events: list[Event]) -> bool:
        self._remaining -= len(self._take(self._remaining))
        if self._remaining:
            return False
        self._step = self._skip_line
        return True

    def _read_nothing(self, _events: list[Event]) -> bool:
        self.take_leftover()
        return False

    # What the steps are made of.

    def _next_line(self) -> bytes | None:
        end = self._buffer.find(b"\n", self._scanned)
        if end < 0:
            self._scanned = len(self._buffer)
            return None
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 1]
        self._scanned = 0
        return line.removesuffix(b"\r")

    def _take(self, size: int) -> bytes:
        chunk = bytes(self._buffer[:size])
        del self._buffer[:size]
        self._scanned = 0
        return chunk

    def _seen_tag(self, line: bytes | bytearray) -> bytes | None:
        if self._command is not None:
            return self._command.tag
        found = _TAG.match(line)
        return found[0] if found else None

    def _take_fragment(self, text: bytes, line: bytes) -> BadLine | TooLong | None:
        """Add the text of a line, without a literal's header, to the command; returns what is wrong with it."""
        if self._used > self.line_bytes:
            return TooLong(self._seen_tag(line))
        if b"\0" in line:  # RFC 9051 §9: nowhere but in literal8
            return BadLine(self._seen_tag(line), "NUL is not allowed here")
        if self._command is None:
            start = _START.match(text)
            if start is None:
                return _no_command(self._seen_tag(line))
            self._command = _Partial(start[1], start[2].upper())
            text = text[start.end() :]
        self._command.fragments.append(text)
        return None

    def _begin_literal(self, header: _Header, events: list[Event]) -> bool:
        assert self._command is not None
        command = self._command
        in_memory = header.size <= self.literal_memory_bytes - command.memory
        cause = None
        refusal = self._refusal(command, header.size, in_memory)
        if refusal is None and not in_memory:
            try:
                self._sink = self._open_sink(header.size)
            except OSError as error:
                cause, refusal = error, _no_room(error)
        if refusal is not None:
            events.append(LiteralRefused(command.tag, refusal.status, refusal.code, refusal.text, cause=cause))
            return self._skip_after(header, events)
        command.spooled = command.spooled or not in_memory
        self._remaining = header.size
        self._binary = header.binary
        self._step = self._read_literal
        if header.synchronizing:
            events.append(NeedLiteral(header.size))
        return True

    def _refusal(self, command: _Partial, size: int, in_memory: bool) -> Refuse | None:
        if size > MAX_LITERAL_BYTES:
            return Refuse("The size of the literal is out of range", status="BAD")
        if not in_memory and (command.name != b"APPEND" or command.spooled):
            return Refuse("The literals are too long", Code.LIMIT)
        return self._literal_allowed(command.raw(), size)

    def _spool(self, sink: BinaryIO, chunk: bytes, events: list[Event]) -> bool:
        assert self._command is not None
        try:
            sink.write(chunk)
            if not self._remaining:
                self._command.literals.append(Literal(sink.tell(), file=sink, binary=self._binary))
                sink.seek(0)
        except OSError as error:
            refusal = _no_room(error)
            events.append(LiteralRefused(self._command.tag, refusal.status, refusal.code, refusal.text, cause=error))
            self._forget_command()
            self._step = self._skip_literal
            return False
        return True

    def _skip_after(self, header: _Header | None, events: list[Event]) -> bool:
        """Go on behind a line of a refused command: it has been answered (rule 4)."""
        if header is None or header.synchronizing:
            self._forget_command()
            return self._expect_command()
        if header.size > self.discard_bytes:
            text = "The literal is too long to be read"
            tag = self._command.tag if self._command else b"*"
            events.append(LiteralRefused(tag, "BYE", Code.TOOBIG, text, fatal=True))
            self.close()
            return False
        self._forget_command()
        self._remaining = header.size
        self._step = self._skip_literal
        return True

    def _skip_command(self) -> bool:
        self._forget_command()
        self._step = self._skip_line
        return True

    def _expect_command(self) -> bool:
        self._command = None
        self._used = 0
        self._step = self._read_command_line
        return True

    def _forget_command(self) -> None:
        if self._sink is not None:
            self._sink.close()
            self._sink = None
        if self._command is not None:
            self._command.raw().arguments.close()
            self._command = None
        self._used = 0

    def _die(self) -> None:
        self._step = self._read_nothing
        self.take_leftover()


def _no_command(tag: bytes | None) -> BadLine:
    return BadLine(tag, "A command is a tag, a space and a name" if tag is None else "Missing or invalid command name")


def _no_room(error: OSError) -> Refuse:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return Refuse("No space left for this message", Code.OVERQUOTA)
    return Refuse("The message cannot be taken now", Code.UNAVAILABLE)
