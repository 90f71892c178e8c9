"""Line ends: a Maildir keeps LF, the wire wants CRLF (RFC 5322 §2.3), which RFC822.SIZE counts (RFC 9051 §2.3.4)."""

from bisect import bisect_right
from typing import BinaryIO

CHUNK_OCTETS = 64 * 1024
"""What :class:`CRLFReader` converts at a time: large enough to be fast, small enough to hold one for each session."""


def to_crlf(data: bytes) -> bytes:
    """The same text with CRLF in place of each bare LF; a lone CR stays what it is."""
    if b"\r" not in data:
        return data.replace(b"\n", b"\r\n")
    if data.count(b"\n") == data.count(b"\r\n"):
        return data
    return data.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def to_lf(data: bytes) -> bytes:
    """The same text with LF in place of each CRLF."""
    return data.replace(b"\r\n", b"\n")


def crlf_size(data: bytes) -> int:
    """The length of ``to_crlf(data)`` in octets, without making it."""
    line_feeds = data.count(b"\n")
    return len(data) + (line_feeds - data.count(b"\r\n") if b"\r" in data else line_feeds)


class CRLFReader:
    """A file with any line ends, read as if it had CRLF, in bounded memory.

    The file is cut into physical chunks of ``CHUNK_OCTETS``. Where each begins on the wire is learned on the way and
    kept (16 octets for 64 KiB), so that any offset that was once passed is found again at the cost of one chunk; the
    chunk converted last is kept too, since clients read in slices of 1,500 octets (Jakarta Mail).

    The file must be seekable, and must not be read by others between the calls.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._starts = [0]
        self._index = -1
        self._wire = b""

    def read(self, offset: int, length: int) -> bytes:
        """At most ``length`` octets from ``offset`` on the wire; fewer, or none, at the end."""
        while self._starts[-1] <= offset and self._learn():
            pass
        index = bisect_right(self._starts, offset) - 1
        pieces = []
        while length > 0 and (wire := self._chunk(index)):
            begin = offset - self._starts[index]
            piece = wire[begin : begin + length]
            pieces.append(piece)
            offset += len(piece)
            length -= len(piece)
            index += 1
        return b"".join(pieces)

    def size(self) -> int:
        """The size of the whole on the wire, in octets: reads what was not read yet."""
        while self._learn():
            pass
        return self._starts[-1]

    def _learn(self) -> bool:
        """Convert the first chunk that was never converted; False at the end of the file."""
        return bool(self._chunk(len(self._starts) - 1))

    def _chunk(self, index: int) -> bytes:
        if index != self._index:
            self._wire = self._convert(index * CHUNK_OCTETS)
            self._index = index
            if self._wire and index == len(self._starts) - 1:
                self._starts.append(self._starts[-1] + len(self._wire))
        return self._wire

    def _convert(self, start: int) -> bytes:
        """One chunk on the wire. The octet before it tells whether an LF at its beginning has its CR already."""
        if not start:
            self._file.seek(0)
            return to_crlf(self._file.read(CHUNK_OCTETS))
        self._file.seek(start - 1)
        data = self._file.read(CHUNK_OCTETS + 1)
        if data.startswith(b"\r\n"):
            return b"\n" + to_crlf(data[2:])
        return to_crlf(data[1:])
