"""Lines in, replies out: one table, every cut, and the laws of dot-stuffing."""

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailaccess.pop3.wire import (
    COMMAND_BYTES,
    CREDENTIAL_BYTES,
    HAS_NUL,
    REPLY_BYTES,
    TOO_LONG,
    DotStuffer,
    Line,
    LineReader,
    Refused,
    ResponseCode,
    err,
    multiline,
    ok,
)

LONG = b"x" * (COMMAND_BYTES - 2)

LINES: list[tuple[bytes, list[Line | Refused]]] = [
    (b"NOOP\r\n", [Line(b"NOOP")]),
    (b"NOOP\n", [Line(b"NOOP")]),
    (b"\r\n", [Line(b"")]),
    (b"NOOP\r\r\n", [Line(b"NOOP\r")]),
    (b"USER joe\r\nPASS a b \r\n", [Line(b"USER joe"), Line(b"PASS a b ")]),
    (b"PASS s\0cret\r\nNOOP\r\n", [HAS_NUL, Line(b"NOOP")]),
    (LONG + b"\r\n", [Line(LONG)]),
    (LONG + b"x\r\nNOOP\r\n", [TOO_LONG, Line(b"NOOP")]),
    (LONG + b"x\n", [Line(LONG + b"x")]),
    (b"pass " + LONG * 4 + b"\r\n", [Line(b"pass " + LONG * 4)]),
    (b"AUTH " + b"x" * CREDENTIAL_BYTES + b"\r\nNOOP\r\n", [TOO_LONG, Line(b"NOOP")]),
    (b"x" * 100_000 + b"\r\nNOOP\r\n", [TOO_LONG, Line(b"NOOP")]),
    (b"x" * 100_000 + b"\0\n" + b"y" * 100_000 + b"\n", [TOO_LONG, TOO_LONG]),
]


def read(chunks: list[bytes]) -> list[Line | Refused]:
    """What a reader makes of the chunks, read as far as possible after each."""
    reader = LineReader()
    lines: list[Line | Refused] = []
    for chunk in chunks:
        reader.feed(chunk)
        while (line := reader.command()) is not None:
            lines.append(line)
    return lines


@pytest.mark.parametrize(("octets", "lines"), LINES)
def test_lines_however_they_are_cut(octets: bytes, lines: list[Line | Refused]) -> None:
    assert read([octets]) == lines
    assert read([octets + b"rest"]) == lines
    assert read([octets[at : at + 1] for at in range(len(octets))]) == lines
    assert read([octets[at : at + 7] for at in range(0, len(octets), 7)]) == lines


@given(st.lists(st.binary(max_size=300)))
def test_any_octets_give_one_event_for_each_line(chunks: list[bytes]) -> None:
    assert len(read(chunks)) == b"".join(chunks).count(b"\n")


def test_a_line_without_end_costs_bounded_memory() -> None:
    reader = LineReader()
    for _ in range(1000):
        reader.feed(b"x" * 1000)
        assert reader.command() is None
        assert reader.buffered <= COMMAND_BYTES + 1000


def test_many_lines_that_are_too_long_cost_bounded_memory() -> None:
    reader = LineReader()
    for _ in range(1000):
        reader.feed(b"x" * 1000 + b"\n")
        assert reader.command() == TOO_LONG
    assert len(reader._buffer) < 32 * 1024


def test_what_waits_can_be_forgotten() -> None:
    reader = LineReader()
    reader.feed(b"STLS\r\nUSER joe\r\nPA")
    assert reader.command() == Line(b"STLS")
    assert reader.buffered == reader.clear() == 12
    reader.feed(b"CAPA\r\n")
    assert reader.command() == Line(b"CAPA")


def test_a_long_line_begun_before_is_not_cut_into_commands() -> None:
    reader = LineReader()
    reader.feed(b"x" * 300)
    assert reader.command() is None
    reader.feed(b"\r\nNOOP\r\n")
    assert [reader.command(), reader.command()] == [TOO_LONG, Line(b"NOOP")]


def test_replies() -> None:
    assert ok() == b"+OK\r\n"
    assert ok("2 320") == b"+OK 2 320\r\n"
    assert err("Busy", ResponseCode.IN_USE) == b"-ERR [IN-USE] Busy\r\n"
    assert multiline([b"1 120"]) == b"1 120\r\n.\r\n"


@given(st.text(max_size=2000))
def test_a_reply_is_one_short_line_whatever_its_text(text: str) -> None:
    reply = err(text, ResponseCode.SYS_TEMP)
    assert reply.endswith(b"\r\n")
    assert len(reply) <= REPLY_BYTES
    assert b"\n" not in reply[:-2]
    assert b"\r" not in reply[:-2]


def received(wire: bytes) -> tuple[bytes, bytes]:
    """What a client makes of a multi-line reply's lines: the message, and what it takes for the next reply."""
    message = b""
    while wire:
        line, _, wire = wire.partition(b"\r\n")
        if line == b".":
            return message, wire
        message += line.removeprefix(b".") + b"\r\n"
    raise AssertionError("the reply has no end")


def stuffed(chunks: list[bytes]) -> bytes:
    """The chunks on the wire."""
    stuffer = DotStuffer()
    return b"".join(stuffer.stuff(chunk) for chunk in chunks) + stuffer.end()


def cut(message: bytes, places: list[int]) -> list[bytes]:
    """The message in chunks."""
    borders = [0, *sorted(place % (len(message) + 1) for place in places), len(message)]
    return [message[low:high] for low, high in pairwise(borders)]


MESSAGE = st.lists(st.sampled_from([b".", b"\r\n", b"a", b"..", b".\r\n", b"-ERR x"])).map(b"".join)


@given(MESSAGE, st.lists(st.integers(0, 1000), max_size=20))
def test_unstuffing_gives_the_message_back_for_every_cut(message: bytes, places: list[int]) -> None:
    whole = message if message.endswith(b"\r\n") or not message else message + b"\r\n"
    assert received(stuffed(cut(message, places))) == (whole, b"")


@given(st.lists(st.sampled_from([b".", b"\r", b"\n", b"a", b"\r\n.\r\n"])).map(b"".join), st.lists(st.integers(0, 99)))
def test_no_author_ends_a_reply(message: bytes, places: list[int]) -> None:
    """Also for a client that takes a bare LF for the end of a line."""
    lines = re.split(rb"\r?\n", stuffed(cut(message, places)))
    assert lines.index(b".") == len(lines) - 2


@pytest.mark.parametrize("at", range(16_380, 16_390))
def test_the_hole_at_16_kib(at: int) -> None:
    """Twisted's POP3 stuffs chunk by chunk of 16 KiB: a dot that begins a line and a chunk was sent as it is."""
    message = b"y" * (at - 2) + b"\r\n.\r\n-ERR forged\r\n+OK forged\r\n"
    for border in (16_384, at - 1, at, at + 1):
        assert received(stuffed([message[:border], message[border:]])) == (message, b"")


def test_every_split_position() -> None:
    message = b".first\r\n..\r\n.\r\nmiddle.\r\n.last"
    for at in range(len(message) + 1):
        assert stuffed([message[:at], message[at:]]) == b"..first\r\n...\r\n..\r\nmiddle.\r\n..last\r\n.\r\n"


def test_a_message_of_nothing() -> None:
    assert stuffed([]) == stuffed([b""]) == b".\r\n"
