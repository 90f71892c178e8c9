"""The commands of the TRANSACTION state (RFC 1939 §5 and §7).

A reply of many lines is written in batches, and goes on when the client has taken them: 100,000 messages, or one of
100 MiB, cost no more memory than one batch. Once its first line is out, such a reply can only end well or be cut off:
an exception that leaves a command then closes the connection, and no client takes half a message for a whole one.
"""

import re
from collections.abc import Iterator
from itertools import islice

from mailaccess.interfaces import IContent
from mailaccess.pop3.context import BadCommand, Context
from mailaccess.pop3.maildrop import Maildrop
from mailaccess.pop3.wire import DotStuffer, ok

SLICE_BYTES = 256 * 1024
"""Octets of a message that are in memory at once: most messages are smaller, and cost one turn of a worker."""

LISTED_AT_ONCE = 1000
"""Messages that are listed between two looks at the client: some 20 KiB."""

_NUMBER = re.compile(rb"[0-9]{1,20}")


async def stat(context: Context, _: list[bytes]) -> bytes:
    """The drop listing: messages and octets, without those that are marked."""
    return ok(f"{context.maildrop.count} {context.maildrop.octets}")


async def list_(context: Context, arguments: list[bytes]) -> bytes:
    """The scan listing of one message, or of all."""
    maildrop = context.maildrop
    if arguments:
        number = _message(maildrop, arguments[0])
        return ok(f"{number} {maildrop.size(number)}")
    context.begin(ok(f"{maildrop.count} messages ({maildrop.octets} octets)"))
    for numbers in _portions(maildrop):
        context.write(b"".join([b"%d %d\r\n" % (number, maildrop.size(number)) for number in numbers]))
        await context.breathe()
    return b".\r\n"


async def uidl(context: Context, arguments: list[bytes]) -> bytes:
    """The unique-id listing of one message, or of all (RFC 1939 §7)."""
    maildrop = context.maildrop
    if arguments:
        number = _message(maildrop, arguments[0])
        (unique_id,) = await maildrop.unique_ids([number])
        return ok(f"{number} {unique_id.decode('ascii')}")
    for numbers in _portions(maildrop):
        unique_ids = await maildrop.unique_ids(numbers)
        if not context.replying:  # only now: a store that cannot tell the first is a plain -ERR
            context.begin(ok("Unique-id listing follows"))
        context.write(b"".join([b"%d %s\r\n" % pair for pair in zip(numbers, unique_ids, strict=True)]))
        await context.breathe()
    if not context.replying:
        context.begin(ok("No messages"))
    return b".\r\n"


async def retr(context: Context, arguments: list[bytes]) -> bytes:
    """A message, whole."""
    number = _message(context.maildrop, arguments[0])
    end = await _send(context, number, None)
    context.counts.retrieved += 1
    return end


async def top(context: Context, arguments: list[bytes]) -> bytes:
    """A message's header, the blank line, and so many lines of its body (RFC 1939 §7)."""
    number, lines = _message(context.maildrop, arguments[0]), _number(arguments[1])
    return await _send(context, number, lines)


async def dele(context: Context, arguments: list[bytes]) -> bytes:
    """Mark a message; it is removed at QUIT."""
    number = _message(context.maildrop, arguments[0])
    context.maildrop.mark(number)
    return ok(f"Message {number} deleted")


async def rset(context: Context, _: list[bytes]) -> bytes:
    """Take every mark away."""
    context.maildrop.reset()
    return ok(f"{context.maildrop.count} messages ({context.maildrop.octets} octets)")


async def noop(_context: Context, _: list[bytes]) -> bytes:
    """Do nothing."""
    return ok()


class Top:
    """Ends a message behind its header and ``lines`` lines of its body; ``done`` then."""

    __slots__ = ("_header_left", "_lines_left", "done")

    def __init__(self, header_octets: int, lines: int) -> None:
        self._header_left = header_octets
        self._lines_left = lines
        self.done = False

    def cut(self, octets: bytes) -> bytes:
        """What of these octets, the next of the message, belongs to it still."""
        at = min(self._header_left, len(octets))
        self._header_left -= at
        lines = octets.count(b"\n", at)
        if self._header_left or lines < self._lines_left:
            self._lines_left -= lines
            return octets
        for _ in range(self._lines_left):
            at = octets.index(b"\n", at) + 1
        self.done = True
        return octets[:at]


async def _send(context: Context, number: int, lines: int | None) -> bytes:
    """Write a message slice by slice, up to ``lines`` of its body or, for None, whole; the reply's end is returned."""
    if lines is None:
        top_, octets = None, await context.maildrop.fetch(number, SLICE_BYTES)
    else:
        octets, header_octets = await context.maildrop.read(number, _beginning)
        top_ = Top(header_octets, lines)
    context.begin(ok(f"{context.maildrop.size(number)} octets" if lines is None else "Top of message follows"))
    stuffer = DotStuffer()
    offset = 0
    while True:
        context.write(stuffer.stuff(top_.cut(octets) if top_ else octets))
        await context.breathe()
        offset += len(octets)
        if len(octets) < SLICE_BYTES or (top_ and top_.done):
            return stuffer.end()
        octets = await _slice(context.maildrop, number, offset)


def _beginning(content: IContent) -> tuple[bytes, int]:
    return content.octets(0, SLICE_BYTES), len(content.header())


async def _slice(maildrop: Maildrop, number: int, offset: int) -> bytes:
    return await maildrop.read(number, lambda content: content.octets(offset, SLICE_BYTES))


def _portions(maildrop: Maildrop) -> Iterator[list[int]]:
    """The numbers of the messages that are not marked, some at a time."""
    numbers = maildrop.numbers()
    while portion := list(islice(numbers, LISTED_AT_ONCE)):
        yield portion


def _message(maildrop: Maildrop, text: bytes) -> int:
    """The message-number that ``text`` is; ``ClientError`` where there is none such, or it is marked."""
    number = _number(text)
    maildrop.check(number)
    return number


def _number(text: bytes) -> int:
    if not _NUMBER.fullmatch(text):
        raise BadCommand("A number is wanted")
    return int(text)
