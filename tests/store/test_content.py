"""A message's octets, read from its file as they are asked for."""

import os
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailaccess.message import headers, lines
from mailaccess.store.content import HEAD_OCTETS, WHOLE_OCTETS, FileContent
from mailaccess.store.maildir import OpenFile

PIECES = (b"\n", b"\r\n", b"\r", b"Subject: x", b" ", b"x" * 700, b"x" * HEAD_OCTETS)


def opened(data: bytes) -> FileContent:
    """The content of a file that nobody else has."""
    descriptor = os.memfd_create("message")
    os.write(descriptor, data)
    return FileContent(lambda: OpenFile(descriptor, len(data), 0))


@given(st.lists(st.sampled_from(PIECES), max_size=12).map(b"".join))
def test_all_ways_to_read_tell_the_same(data: bytes) -> None:
    wire = lines.to_crlf(data)
    end = headers.split(wire)
    first = opened(data)
    assert first.header() == wire[:end]
    assert first.fields((b"SUBJECT",)) == headers.select(wire[:end], (b"subject",))
    assert first.size() == len(wire)
    assert (first.whole(), first.header()) == (wire, wire[:end])
    assert first.octets(3, 10) == wire[3:13]
    first.close()


@pytest.mark.parametrize("line", [b"x" * 70 + b"\n", b"x" * 70 + b"\r\n"])
def test_a_large_message_is_read_in_slices(line: bytes) -> None:
    data = b"A: b" + line[70:] * 2 + line * (WHOLE_OCTETS // 70)
    content = opened(data)
    assert [content.is_large] == [False], "it is not even open"
    assert content.size() == len(lines.to_crlf(data))
    assert content.octets(content.size() - 5, 10) == b"xxx\r\n"
    assert content.header() == b"A: b\r\n\r\n"
    assert content.is_large
    content.close()


def test_only_the_head_is_read_for_a_header(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[int] = []
    pread: Callable[[int, int, int], bytes] = os.pread

    def counting(descriptor: int, size: int, offset: int) -> bytes:
        read.append(size)
        return pread(descriptor, size, offset)

    monkeypatch.setattr(os, "pread", counting)
    content = opened(b"A: b\n\n" + b"x" * 10 * HEAD_OCTETS)
    assert content.header() == b"A: b\r\n\r\n"
    assert read == [HEAD_OCTETS]
    content.close()


def test_close_closes_the_file() -> None:
    content = opened(b"x")
    assert content.whole() == b"x"
    content.close()
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(content.file.descriptor)
