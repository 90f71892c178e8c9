"""The command reader: one table drives it whole, octet by octet, with data behind, and back to the same octets."""

import errno
import io
import re
import time
from collections.abc import Callable, Iterator
from typing import BinaryIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailaccess.errors import Code
from mailaccess.imap.wire import (
    Arguments,
    BadLine,
    CommandReader,
    Event,
    Line,
    LiteralRefused,
    NeedLiteral,
    RawCommand,
    Refuse,
    TooLong,
)

LINE = 1000
MEMORY = 100
DISCARD = 5000
TEXT = re.compile(rb"[^\n]+")


def reader(
    allowed: Callable[[RawCommand, int], Refuse | None] = lambda _raw, _size: None,
    open_sink: Callable[[int], BinaryIO] = lambda _size: io.BytesIO(),
) -> CommandReader:
    return CommandReader(
        line_bytes=LINE,
        literal_memory_bytes=MEMORY,
        literal_allowed=allowed,
        open_sink=open_sink,
        discard_bytes=DISCARD,
    )


def pieces(arguments: Arguments) -> Iterator[object]:
    """What a command's arguments consist of: line text as octets, literals as (kind, octets)."""
    while not arguments.at_end:
        found = arguments.match(TEXT)
        if found:
            yield found[0]
            continue
        literal = arguments.literal()
        assert literal is not None
        kind = "~" if literal.binary else "file" if literal.file else ""
        yield (kind, literal.file.read() if literal.file else literal.data)


def shown(event: Event) -> object:
    if isinstance(event, RawCommand):
        return (event.tag, event.name, *pieces(event.arguments))
    return event


def read(octets: bytes, step: int = 0, using: CommandReader | None = None) -> list[object]:
    """All events, as values, when octets come in pieces of ``step``, and every command is dealt with at once."""
    that = using or reader()
    events: list[object] = []
    step = step or len(octets) or 1
    for start in range(0, len(octets), step):
        news = that.feed(octets[start : start + step])
        while news:
            events.extend(shown(event) for event in news)
            news = that.resume()
    return events


COMMANDS: list[tuple[bytes, list[object]]] = [
    (b"a NOOP\r\n", [(b"a", b"NOOP")]),
    (b"a noop\r\n", [(b"a", b"NOOP")]),
    (b"a NOOP \r\n", [(b"a", b"NOOP", b" ")]),
    (b"]!#$&'-.:;<=>?@[^_`|}~ NOOP\r\n", [(b"]!#$&'-.:;<=>?@[^_`|}~", b"NOOP")]),
    (b'a LOGIN "u{3}" p\r\n', [(b"a", b"LOGIN", b' "u{3}" p')]),
    (
        b"a LOGIN {3}\r\nabc {0}\r\n\r\n",
        [NeedLiteral(3), NeedLiteral(0), (b"a", b"LOGIN", b" ", ("", b"abc"), b" ", ("", b""))],
    ),
    (b"a LOGIN {3+}\r\na\r\n {2+}\r\nx\n\r\n", [(b"a", b"LOGIN", b" ", ("", b"a\r\n"), b" ", ("", b"x\n"))]),
    (b"a X {003}\r\nabc\r\n", [NeedLiteral(3), (b"a", b"X", b" ", ("", b"abc"))]),
    (b"a X {0000000000003+}\r\nabc\r\n", [(b"a", b"X", b" ", ("", b"abc"))]),
    (b"a X {2+}\r\nab{2+}\r\ncd\r\n", [(b"a", b"X", b" ", ("", b"ab"), ("", b"cd"))]),
    (b"a X{1+}\r\nz\r\n", [(b"a", b"X", ("", b"z"))]),
    (b"a X ~{3}\r\na\0b\r\n", [NeedLiteral(3), (b"a", b"X", b" ", ("~", b"a\0b"))]),
    (b"a X ~{3+}\r\n{1}\r\n", [(b"a", b"X", b" ", ("~", b"{1}"))]),
    (b"a X {3+}\r\na\0b\r\n", [(b"a", b"X", b" ", ("", b"a\0b"))]),
    # What is no literal is text, and for the grammar to refuse.
    (b"a X {}\r\n", [(b"a", b"X", b" {}")]),
    (b"a X {+}\r\n", [(b"a", b"X", b" {+}")]),
    (b"a X {-3}\r\n", [(b"a", b"X", b" {-3}")]),
    (b"a X {+5}\r\n", [(b"a", b"X", b" {+5}")]),
    (b"a X { 5 }\r\n", [(b"a", b"X", b" { 5 }")]),
    (b"a X {1_0}\r\n", [(b"a", b"X", b" {1_0}")]),
    (b"a X {3} \r\n", [(b"a", b"X", b" {3} ")]),
    (b"a X }\r\n", [(b"a", b"X", b" }")]),
    # A large one of APPEND goes to a file.
    (b"a APPEND b {101+}\r\n" + b"m" * 101 + b"\r\n", [(b"a", b"APPEND", b" b ", ("file", b"m" * 101))]),
    (b"a APPEND b {100+}\r\n" + b"m" * 100 + b"\r\n", [(b"a", b"APPEND", b" b ", ("", b"m" * 100))]),
]

REFUSALS: list[tuple[bytes, list[object]]] = [
    (b"\r\n", [BadLine(None, "A command is a tag, a space and a name")]),
    (b" NOOP\r\n", [BadLine(None, "A command is a tag, a space and a name")]),
    (b"* NOOP\r\n", [BadLine(None, "A command is a tag, a space and a name")]),
    (b"+a NOOP\r\n", [BadLine(None, "A command is a tag, a space and a name")]),
    (b"a(b NOOP\r\n", [BadLine(None, "A command is a tag, a space and a name")]),
    (b"\xe9 NOOP\r\n", [BadLine(None, "A command is a tag, a space and a name")]),
    (b"t" * 129 + b" NOOP\r\n", [BadLine(None, "A command is a tag, a space and a name")]),
    (b"a\r\n", [BadLine(b"a", "Missing or invalid command name")]),
    (b"a \r\n", [BadLine(b"a", "Missing or invalid command name")]),
    (b"a  NOOP\r\n", [BadLine(b"a", "Missing or invalid command name")]),
    (b"a N\xc3\xa9OP\r\n", [BadLine(b"a", "Missing or invalid command name")]),
    (b"a NOOP\tx\r\n", [BadLine(b"a", "Missing or invalid command name")]),
    (b"a NOOP(\r\n", [BadLine(b"a", "Missing or invalid command name")]),
    # NUL is nowhere allowed but in a literal (Dovecot: LOGIN "u\0x" logs u in).
    (b'a LOGIN "u\0x" p\r\n', [BadLine(b"a", "NUL is not allowed here")]),
    (b"\0a NOOP\r\n", [BadLine(None, "NUL is not allowed here")]),
    (b"a X {1+}\r\nx\0\r\n", [BadLine(b"a", "NUL is not allowed here")]),
    # A refused command is read to its end, its literals with it.
    (b"* X {8+}\r\nb NOOP\r\n x {1+}\r\ny\r\n", [BadLine(None, "A command is a tag, a space and a name")]),
    (b"a X \0{8+}\r\nb NOOP\r\n\r\n", [BadLine(b"a", "NUL is not allowed here")]),
    (b"a X " + b"y" * LINE + b"\r\n", [TooLong(b"a")]),
    (b"* X " + b"y" * LINE + b"\r\n", [TooLong(None)]),
    (b"a X " + b"y" * LINE + b"{8+}\r\nb NOOP\r\n\r\n", [TooLong(b"a")]),
    (b"a X {1+}\r\nz" + b"y" * LINE + b"\r\n", [TooLong(b"a")]),
    (b"a X {101}\r\n", [LiteralRefused(b"a", "NO", Code.LIMIT, "The literals are too long")]),
    (
        b"a X {101+}\r\n" + b"\n" * 101 + b"x {2+}\r\nab\r\n",
        [LiteralRefused(b"a", "NO", Code.LIMIT, "The literals are too long")],
    ),
    (
        b"a X {60+}\r\n" + b"y" * 60 + b"{60+}\r\n" + b"y" * 60 + b"\r\n",
        [LiteralRefused(b"a", "NO", Code.LIMIT, "The literals are too long")],
    ),
    (
        b"a APPEND {101+}\r\n" + b"y" * 101 + b"{101+}\r\n" + b"y" * 101 + b"\r\n",
        [LiteralRefused(b"a", "NO", Code.LIMIT, "The literals are too long")],
    ),
    # Numbers out of range: Dovecot says "+" to these.
    (b"a APPEND b {4294967296}\r\n", [LiteralRefused(b"a", "BAD", None, "The size of the literal is out of range")]),
    (
        b"a APPEND b {18446744073709551615}\r\n",
        [LiteralRefused(b"a", "BAD", None, "The size of the literal is out of range")],
    ),
    (
        b"a APPEND b {" + b"9" * 900 + b"}\r\n",
        [LiteralRefused(b"a", "BAD", None, "The size of the literal is out of range")],
    ),
]
TABLE = COMMANDS + REFUSALS
BEHIND = (b"zz NOOP\r\n", (b"zz", b"NOOP"))


@pytest.mark.parametrize(("octets", "events"), TABLE)
def test_whole(octets: bytes, events: list[object]) -> None:
    assert read(octets) == events


@pytest.mark.parametrize("step", [1, 2, 7])
@pytest.mark.parametrize(("octets", "events"), TABLE)
def test_in_pieces(octets: bytes, events: list[object], step: int) -> None:
    assert read(octets, step) == events


@pytest.mark.parametrize("step", [0, 1])
@pytest.mark.parametrize(("octets", "events"), TABLE)
def test_with_data_behind(octets: bytes, events: list[object], step: int) -> None:
    assert read(octets + BEHIND[0], step) == [*events, BEHIND[1]]


@pytest.mark.parametrize(
    ("octets", "events"),
    [(octets, events) for octets, events in TABLE if b"+}" not in octets and b"{3}\r\nabc" not in octets],
)
def test_bare_line_feeds(octets: bytes, events: list[object]) -> None:
    assert read(octets.replace(b"\r\n", b"\n")) == events


def written(command: object) -> bytes:
    """A command as a client writes it, with literals that do not wait."""
    assert isinstance(command, tuple)
    tag, name, *parts = command
    octets = [tag, b" ", name]
    for part in parts:
        if isinstance(part, tuple):
            octets.append((b"~" if part[0] == "~" else b"") + b"{%d+}\r\n%b" % (len(part[1]), part[1]))
        else:
            octets.append(part)
    return b"".join(octets) + b"\r\n"


@pytest.mark.parametrize("events", [events for _, events in COMMANDS])
def test_back_to_the_same_command(events: list[object]) -> None:
    commands = [event for event in events if isinstance(event, tuple)]
    assert read(b"".join(map(written, commands))) == commands


def test_it_stops_behind_a_command() -> None:
    that = reader()
    assert [shown(event) for event in that.feed(b"a X\r\nb Y\r\n")] == [(b"a", b"X")]
    assert that.feed(b"c Z\r\n") == []
    assert that.buffered == len(b"b Y\r\nc Z\r\n")
    assert [shown(event) for event in that.resume()] == [(b"b", b"Y")]
    assert [shown(event) for event in that.resume()] == [(b"c", b"Z")]
    assert (that.resume(), that.buffered) == ([], 0)


def test_a_line_that_is_no_command() -> None:
    that = reader()
    that.feed(b"a IDLE\r\nDO")
    that.expect_line()
    assert that.resume() == []
    assert that.feed(b"NE\r\nb NOOP\r\n") == [Line(b"DONE")]
    assert [shown(event) for event in that.resume()] == [(b"b", b"NOOP")]


def test_a_response_may_look_like_a_literal() -> None:
    that = reader()
    that.feed(b"a AUTHENTICATE PLAIN\r\n")
    that.expect_line()
    assert [*that.resume(), *that.feed(b"{5+}\r\n")] == [Line(b"{5+}")]


@pytest.mark.parametrize("step", [0, 1])
def test_a_line_that_is_too_long(step: int) -> None:
    that = reader()
    that.feed(b"a IDLE\r\n")
    that.expect_line()
    that.resume()
    assert read(b"x" * (LINE + 1) + b"\r\nb NOOP\r\n", step, that) == [TooLong(None), (b"b", b"NOOP")]


def test_the_longest_line() -> None:
    line = b"a X " + b"y" * (LINE - 4)
    assert read(line + b"\r\n", 1) == [(b"a", b"X", line[3:])]
    assert read(line + b"y\r\n", 1) == [TooLong(b"a")]


def test_one_carriage_return_belongs_to_the_line_end() -> None:
    assert read(b"a X y\r\r\n") == [(b"a", b"X", b" y\r")]
    assert read(b"a X y\rz\n") == [(b"a", b"X", b" y\rz")]


def test_limits_may_change() -> None:
    that = reader()
    that.feed(b"a LOGIN\r\n")
    that.line_bytes = 10
    assert [shown(event) for event in [*that.resume(), *that.feed(b"b 345678901\r\n")]] == [TooLong(b"b")]


def test_an_endless_line_takes_bounded_memory() -> None:
    that = reader()
    events = [event for _ in range(1000) for event in that.feed(b"y" * 100)]
    assert events == [TooLong(None)]
    assert that.buffered <= LINE


def test_leftovers_are_taken_away() -> None:
    that = reader()
    that.feed(b"a STARTTLS\r\nb LOGIN u p\r\nc {5}\r\n")
    assert that.take_leftover() == b"b LOGIN u p\r\nc {5}\r\n"
    assert (that.buffered, that.resume(), that.take_leftover()) == (0, [], b"")
    assert read(b"d NOOP\r\n", 0, that) == [(b"d", b"NOOP")]


def test_the_rule_sees_the_command_so_far() -> None:
    asked: list[object] = []

    def rule(raw: RawCommand, size: int) -> Refuse | None:
        asked.append((shown(raw), size))
        return Refuse("Too big", Code.TOOBIG) if size > 4 else None

    events = read(b"a APPEND b {2+}\r\nxy {5}\r\nc X\r\n", 0, reader(rule))
    assert asked == [((b"a", b"APPEND", b" b "), 2), ((b"a", b"APPEND", b" b ", ("", b"xy"), b" "), 5)]
    assert events == [LiteralRefused(b"a", "NO", Code.TOOBIG, "Too big"), (b"c", b"X")]


def test_a_literal_that_is_too_long_to_drop_ends_the_connection() -> None:
    that = reader()
    events = read(b"a X {%d+}\r\nb NOOP\r\n" % (DISCARD + 1), 0, that)
    assert events[0] == LiteralRefused(b"a", "NO", Code.LIMIT, "The literals are too long")
    assert events[1:] == [LiteralRefused(b"a", "BYE", Code.TOOBIG, "The literal is too long to be read", fatal=True)]
    assert read(b"c NOOP\r\n", 0, that) == []
    assert that.buffered == 0


def test_a_dropped_literal_takes_no_memory() -> None:
    that = reader()
    that.feed(b"a X {%d+}\r\n" % DISCARD)
    for _ in range(DISCARD // 100):
        assert that.feed(b"y" * 100) == []
        assert that.buffered == 0
    assert read(b"\r\nb NOOP\r\n", 0, that) == [(b"b", b"NOOP")]


class FullDisk(io.BytesIO):
    def write(self, _data: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")


def test_a_full_disk_refuses_and_the_session_goes_on() -> None:
    octets = b"a APPEND b {101+}\r\n" + b"m" * 101 + b"\r\nb NOOP\r\n"
    events = read(octets, 0, reader(open_sink=lambda _size: FullDisk()))
    assert isinstance(events[0], LiteralRefused)
    assert (events[0].status, events[0].code, events[0].fatal) == ("NO", Code.OVERQUOTA, False)
    assert isinstance(events[0].cause, OSError)
    assert events[1:] == [(b"b", b"NOOP")]


def test_a_disk_that_fails_refuses_before_the_client_sends() -> None:
    def fail(_size: int) -> BinaryIO:
        raise OSError(errno.EROFS, "Read-only file system")

    events = read(b"a APPEND b {101}\r\nb NOOP\r\n", 0, reader(open_sink=fail))
    assert isinstance(events[0], LiteralRefused)
    assert (events[0].code, events[1]) == (Code.UNAVAILABLE, (b"b", b"NOOP"))


@pytest.mark.parametrize(
    "behind",
    [b"m" * 50, b"m" * 101, b"m" * 101 + b"\0\r\n", b"m" * 101 + b"{101}\r\n", b"m" * 101 + b"y" * LINE],
)
def test_files_of_commands_that_are_not_given_out_are_closed(behind: bytes) -> None:
    files: list[io.BytesIO] = []

    def open_sink(_size: int) -> BinaryIO:
        files.append(io.BytesIO())
        return files[-1]

    that = reader(open_sink=open_sink)
    that.feed(b"a APPEND b {101+}\r\n" + behind)
    that.close()
    assert [file.closed for file in files] == [True]


@given(st.lists(st.binary(max_size=40)))
def test_nothing_makes_it_raise(chunks: list[bytes]) -> None:
    whole = read(b"".join(chunks))
    that = reader()
    assert [event for chunk in chunks for event in read(chunk, 1, that)] == whole


TOKENS = st.sampled_from(
    [
        b"a",
        b" ",
        b"APPEND",
        b"NOOP",
        b"{",
        b"}",
        b"+",
        b"~",
        b"5",
        b"120",
        b"9999999999",
        b"\r\n",
        b"\n",
        b"\0",
        b'"',
        b"y" * 90,
    ]
)


@given(st.lists(TOKENS), st.integers(1, 9))
def test_no_cut_changes_what_is_read(tokens: list[bytes], step: int) -> None:
    octets = b"".join(tokens)
    assert read(octets, step) == read(octets)


def seconds(work: Callable[[], object]) -> float:
    """The least of several measurements."""

    def once() -> float:
        start = time.process_time()
        work()
        return time.process_time() - start

    return min(once() for _ in range(3))


@pytest.mark.parametrize(
    "octets",
    [
        lambda n: b"a NOOP\r\n" * n,
        lambda n: b"\r\n" * n,
        lambda n: b"a X " + b"{" * n,
        lambda n: b"a X {1+}\r\n" * n,
        lambda n: b"a X " + b"{0+}\r\n" * n,
    ],
)
@pytest.mark.parametrize("step", [0, 3])
def test_time_is_linear(octets: Callable[[int], bytes], step: int) -> None:
    def work(size: int) -> float:
        data = octets(size)

        def go() -> None:
            that = reader()
            that.line_bytes = 10_000_000
            read(data, step, that)

        return seconds(go)

    assert work(8000) < 5 * work(4000) + 0.01
