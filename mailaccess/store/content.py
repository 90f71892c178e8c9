"""One message's octets as on the wire, read from its file when they are asked for."""

from collections import OrderedDict
from typing import BinaryIO

from zope.interface import implementer

from mailaccess.interfaces import IContent
from mailaccess.message import bodystructure, headers, lines, structure
from mailaccess.message.envelope import envelope

HEAD_OCTETS = 16 * 1024
"""Read first: most headers end there, and their bodies need not be read."""

WHOLE_OCTETS = 4 * 1024 * 1024
"""A message up to this size is converted at once; a larger one is read in slices."""

OPEN_READERS = 4
"""Large messages that stay open between the slices of a mailbox's clients."""


@implementer(IContent)
class FileContent:
    """The content of ``file``, whose size on disk is ``size``; it is the caller's to close."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        self._file = file
        self._size = size
        self._raw: bytes | None = None
        self._wire: bytes | None = None
        self._reader: lines.CRLFReader | None = None

    @property
    def is_large(self) -> bool:
        """Whether it is read in slices."""
        return self._size > WHOLE_OCTETS

    def size(self) -> int:
        """RFC822.SIZE."""
        return self._slices().size() if self.is_large else lines.crlf_size(self._octets_on_disk())

    def header(self) -> bytes:
        """The header with its blank line."""
        if self._raw is None and self._size > HEAD_OCTETS:
            self._file.seek(0)
            head = lines.to_crlf(self._file.read(HEAD_OCTETS))
            end = headers.split(head)
            if end < len(head):
                return head[:end]
        whole = self.whole()
        return whole[: headers.split(whole)]

    def whole(self) -> bytes:
        """The message."""
        if self._wire is None:
            self._wire = lines.to_crlf(self._octets_on_disk())
        return self._wire

    def octets(self, offset: int, length: int) -> bytes:
        """A slice of the message."""
        return self._slices().read(offset, length) if self.is_large else self.whole()[offset : offset + length]

    def envelope(self) -> bytes:
        """ENVELOPE as on the wire."""
        return envelope(self.header())

    def body(self, extended: bool) -> bytes:
        """BODYSTRUCTURE or BODY as on the wire."""
        return bodystructure.body(self.whole(), structure.parse(self.whole()), extended)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _octets_on_disk(self) -> bytes:
        if self._raw is None:
            self._file.seek(0)
            parts = []
            while part := self._file.read():  # an unbuffered read may be short
                parts.append(part)
            self._raw = parts[0] if len(parts) == 1 else b"".join(parts)
        return self._raw

    def _slices(self) -> lines.CRLFReader:
        if self._reader is None:
            self._reader = lines.CRLFReader(self._file)
        return self._reader


class LargeContents:
    """The few large messages of a mailbox that clients read in slices, kept open from one slice to the next."""

    def __init__(self) -> None:
        self._open: OrderedDict[int, FileContent] = OrderedDict()

    def get(self, uid: int) -> FileContent | None:
        """The open message, or None."""
        found = self._open.get(uid)
        if found is not None:
            self._open.move_to_end(uid)
        return found

    def keep(self, uid: int, content: FileContent) -> None:
        """Keep it open, and close what was not asked for longest."""
        self._open[uid] = content
        while len(self._open) > OPEN_READERS:
            self._open.popitem(last=False)[1].close()

    def close(self) -> None:
        """Close all."""
        while self._open:
            self._open.popitem()[1].close()
