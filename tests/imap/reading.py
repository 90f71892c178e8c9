"""What tests of the grammar have in common: arguments as the wire hands them on, and how a reader takes them."""

import io
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from mailaccess.errors import ClientError
from mailaccess.imap.grammar import tokens as t
from mailaccess.imap.wire import Arguments, CommandReader, RawCommand


def arguments(text: bytes) -> Arguments:
    """The arguments of ``a X`` with this behind it; literals are written with a plus."""
    reader = CommandReader(
        line_bytes=10_000_000,
        literal_memory_bytes=1000,
        literal_allowed=lambda _raw, _size: None,
        open_sink=lambda _size: io.BytesIO(),
    )
    (command,) = reader.feed(b"a APPEND" + text + b"\r\n")
    assert isinstance(command, RawCommand)
    return command.arguments


def read_all(reader: Callable[[Arguments], Any], text: bytes) -> Any:
    """What a reader reads, where nothing may be left."""
    cursor = arguments(b" " + text)
    t.sp(cursor)
    value = reader(cursor)
    t.end(cursor)
    return value


def refused(reader: Callable[[Arguments], Any], text: bytes) -> bool:
    try:
        read_all(reader, text)
    except t.BadSyntax as error:
        return error.text.isprintable() and 0 < len(error.text) < 200
    return False


def seconds(reader: Callable[[Arguments], Any], text: bytes) -> float:
    def once() -> float:
        cursor = arguments(text)
        start = time.process_time()
        with suppress(t.BadSyntax, ClientError):
            reader(cursor)
        return time.process_time() - start

    return min(once() for _ in range(3))
