"""Line ends, whole and in slices."""

from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailaccess.message import lines
from mailaccess.message.lines import CRLFReader, crlf_size, to_crlf, to_lf

text = st.lists(st.sampled_from([b"a", b"bc", b"\r", b"\n", b"\r\n", b"\0\xff"])).map(b"".join)


@pytest.mark.parametrize(
    ("stored", "wire"),
    [
        (b"", b""),
        (b"a\nb\n", b"a\r\nb\r\n"),
        (b"a\r\nb\r\n", b"a\r\nb\r\n"),
        (b"a\r\nb\n", b"a\r\nb\r\n"),
        (b"a\rb\n", b"a\rb\r\n"),
        (b"\r\r\n\n", b"\r\r\n\r\n"),
    ],
)
def test_bare_line_feeds_become_crlf(stored: bytes, wire: bytes) -> None:
    assert to_crlf(stored) == wire


@given(text)
def test_conversion_is_idempotent_and_its_size_is_known(data: bytes) -> None:
    wire = to_crlf(data)
    assert to_crlf(wire) == wire
    assert wire.count(b"\n") == wire.count(b"\r\n") == data.count(b"\n")
    assert crlf_size(data) == len(wire)


@given(st.lists(st.sampled_from([b"a", b"\r\n"])).map(b"".join))
def test_there_and_back(wire: bytes) -> None:
    assert to_lf(wire).count(b"\r") == 0
    assert to_crlf(to_lf(wire)) == wire


@given(text, st.integers(1, 5), st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), max_size=6))
def test_a_reader_gives_the_slices_of_the_whole(data: bytes, chunk: int, slices: list[tuple[int, int]]) -> None:
    wire = to_crlf(data)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lines, "CHUNK_OCTETS", chunk)
        reader = CRLFReader(BytesIO(data))
        for offset, length in slices:
            assert reader.read(offset, length) == wire[offset : offset + length]
        assert reader.size() == len(wire)


class Counting(BytesIO):
    """A file that counts the octets read from it."""

    octets = 0

    def read(self, size: int | None = -1) -> bytes:
        data = super().read(size)
        self.octets += len(data)
        return data


def test_reading_in_small_slices_reads_the_file_once() -> None:
    file = Counting(b"0123456789\n" * 50_000)
    reader = CRLFReader(file)
    offset = 0
    while piece := reader.read(offset, 1500):
        offset += len(piece)
    assert offset == 600_000
    assert file.octets < 1.01 * 550_000


def test_going_back_costs_one_chunk() -> None:
    file = Counting(b"0123456789\n" * 50_000)
    reader = CRLFReader(file)
    reader.size()
    before = file.octets
    assert reader.read(12, 12) == b"0123456789\r\n"
    assert file.octets - before <= lines.CHUNK_OCTETS
