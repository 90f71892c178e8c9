"""One message's octets as on the wire, read from its file when they are asked for."""

import os
from collections import OrderedDict
from collections.abc import Callable

from zope.interface import implementer

from mailaccess.interfaces import IContent
from mailaccess.message import bodystructure, headers, lines, structure
from mailaccess.message.envelope import envelope
from mailaccess.store.frequent import are_frequent
from mailaccess.store.maildir import OpenFile

HEAD_OCTETS = 16 * 1024
"""Read first: most headers end there, and their bodies need not be read."""

WHOLE_OCTETS = 4 * 1024 * 1024
"""A message up to this size is converted at once; a larger one is read in slices."""

OPEN_READERS = 4
"""Large messages that stay open between the slices of a mailbox's clients."""


@implementer(IContent)
class FileContent:
    """The content of a file, which ``open_file`` opens when its octets are first asked for.

    ``frequent`` gives the frequent fields, and is given what reads the header where it does not know them.
    """

    def __init__(
        self,
        open_file: Callable[[], OpenFile],
        frequent: Callable[[Callable[[], bytes]], bytes] = lambda header: header(),
    ) -> None:
        self._open_file = open_file
        self._frequent = frequent
        self._opened: OpenFile | None = None
        self._wire: bytes | None = None
        self._reader: lines.CRLFReader | None = None

    @property
    def file(self) -> OpenFile:
        """The open file. ``FileNotFoundError`` where it is not there."""
        if self._opened is None:
            self._opened = self._open_file()
        return self._opened

    @property
    def is_large(self) -> bool:
        """Whether it is read in slices; nothing is as long as nobody asked for its octets."""
        return self._opened is not None and self._opened.size > WHOLE_OCTETS

    def size(self) -> int:
        """RFC822.SIZE. A message that is not large is converted for it: that is as fast as counting its lines."""
        return self._slices().size() if self.file.size > WHOLE_OCTETS else len(self.whole())

    def header(self) -> bytes:
        """The header with its blank line."""
        if self._wire is None:
            head = self._read(min(self.file.size, HEAD_OCTETS))
            blank = head.find(b"\n\n")  # with bare LF; with CRLF it is found below
            wire = lines.to_crlf(head[: blank + 2] if blank >= 0 else head)
            end = headers.split(wire)
            if blank >= 0 or end < len(wire):
                return wire[:end]
        whole = self.whole()
        return whole[: headers.split(whole)]

    def fields(self, names: tuple[bytes, ...]) -> bytes:
        """Some fields of the header, and its blank line."""
        return headers.select(self._frequent(self.header) if are_frequent(names) else self.header(), names)

    def whole(self) -> bytes:
        """The message."""
        if self._wire is None:
            self._wire = lines.to_crlf(self._read(self.file.size))
        return self._wire

    def octets(self, offset: int, length: int) -> bytes:
        """A slice of the message."""
        return (
            self._slices().read(offset, length)
            if self.file.size > WHOLE_OCTETS
            else self.whole()[offset : offset + length]
        )

    def envelope(self) -> bytes:
        """ENVELOPE as on the wire."""
        return envelope(self.header())

    def body(self, extended: bool) -> bytes:
        """BODYSTRUCTURE or BODY as on the wire."""
        return bodystructure.body(self.whole(), structure.parse(self.whole()), extended)

    def close(self) -> None:
        """Close the file, where it was opened."""
        if self._opened is not None:
            os.close(self._opened.descriptor)

    def _read(self, size: int) -> bytes:
        """The first octets on disk; fewer where the file is shorter."""
        octets = os.pread(self.file.descriptor, size, 0)
        while len(octets) < size and (more := os.pread(self.file.descriptor, size - len(octets), len(octets))):
            octets += more
        return octets

    def _slices(self) -> lines.CRLFReader:
        if self._reader is None:
            self._reader = lines.CRLFReader(os.fdopen(self.file.descriptor, "rb", buffering=0, closefd=False))
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
