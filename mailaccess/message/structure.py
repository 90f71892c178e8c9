"""The tree of a message's parts, as offsets (RFC 2045, RFC 2046), found in one pass over the octets.

The trouble: parts nest, any of the open boundaries may appear in any line, a header may be cut short by a boundary, and
whoever writes a message may nest a thousand levels and open a million parts. So:

1. Only lines that begin with ``--`` are looked at, each once or twice; a boundary is found by its whole text in a table
   of the open ones, however many are open. (A line that merely begins with a boundary is none: real mail has boundaries
   ``b`` and ``ba``, one within the other. RFC 2046 §5.1.1 would take it.)
2. The search for the end of a header never looks past the next ``--`` line that is a boundary.
3. Line ends are counted once, from the front to the back, whatever encloses them.
4. There is no recursion: what is open is a stack.

A boundary of an outer part ends all that is open inside of it. The CRLF before a boundary belongs to the boundary; but
a part without a body keeps it, as the end of its header. Epilogues and preambles belong to no part.
"""

from dataclasses import dataclass, field
from typing import Final

from mailaccess.message import headers, media
from mailaccess.message.headers import MAX_FIELD_OCTETS
from mailaccess.message.media import MediaType, Parameters
from mailaccess.message.transfer import IDENTITY

MAX_DEPTH: Final = 100
"""Parts within parts. Deeper ones are shown as one text/plain part (Dovecot has the same limit; CVE-2020-12100)."""

MAX_PARTS: Final = 10_000
"""Parts of one message. The last one, text/plain, holds all the rest (Dovecot has the same limit)."""

_CONTENT: Final = headers.named(
    b"content-type",
    b"content-transfer-encoding",
    b"content-disposition",
    b"content-id",
    b"content-description",
    b"content-language",
    b"content-location",
    b"content-md5",
)


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a message, or the message itself: octets ``start`` to ``body`` are its header, to ``end`` its body.

    A message/rfc822 (or message/global) part has one child, the embedded message, whose header and body are the part's
    body. A multipart part has at least one child. Other parts have none.
    """

    start: int
    body: int
    end: int
    lines: int
    """Line ends in the body."""
    type: bytes
    """As written; compare ``kind``."""
    subtype: bytes
    parameters: Parameters
    """Of the Content-Type: RFC 2231 continuations joined, values without quotes."""
    encoding: bytes
    """Content-Transfer-Encoding as written, ``7bit`` if absent."""
    id: bytes | None
    description: bytes | None
    md5: bytes | None
    disposition: tuple[bytes, Parameters] | None
    language: tuple[bytes, ...]
    location: bytes | None
    children: tuple["Part", ...]

    @property
    def octets(self) -> int:
        """The size of the body, as it is encoded."""
        return self.end - self.body

    @property
    def kind(self) -> tuple[bytes, bytes]:
        """Type and subtype in lower case."""
        return self.type.lower(), self.subtype.lower()

    @property
    def is_multipart(self) -> bool:
        """Whether the children are the parts of a multipart body."""
        return bool(self.children) and self.type.lower() == b"multipart"

    @property
    def is_message(self) -> bool:
        """Whether the only child is an embedded message."""
        return bool(self.children) and self.type.lower() == b"message"

    def parameter(self, name: bytes) -> bytes | None:
        """The value of the Content-Type parameter of this lower-case name."""
        return next((value for key, value in self.parameters if key.lower() == name), None)


def parse(message: bytes) -> Part:
    """The parts of a message that has CRLF line ends. Never raises; takes time linear in the message's size."""
    return _Scan(message).root()


@dataclass(slots=True)
class _Open:
    """A part whose end is not known yet."""

    start: int
    body: int
    lines_before: int
    media: MediaType
    encoding: bytes
    fields: dict[bytes, bytes]
    boundary: bytes | None = None
    """What separates the parts of a multipart body, until the last of them has ended."""
    shadowed: int | None = None
    """The level of an outer multipart with the same boundary."""
    children: list[Part] = field(default_factory=list)


class _Scan:
    """One pass over a message; ``_open`` holds the parts around the current place, the outermost first."""

    def __init__(self, message: bytes) -> None:
        self._message = message
        self._size = len(message)
        self._open: list[_Open] = []
        self._levels: dict[bytes, int] = {}  # open boundary -> where in _open its multipart is
        self._parts = 0
        self._dashes = -1  # the CRLF before the "--" line that was found last
        self._lines = 0
        self._counted_to = 0

    def root(self) -> Part:
        at = self._begin(0, media.PLAIN)
        while self._levels and (mark := self._next_dashes(at)) < self._size:
            at, level, is_last = self._boundary(mark)
            if level is None:
                continue
            self._close_down_to(level + 1, mark)
            if is_last:
                self._forget_boundary(self._open[level])
            elif at + 2 < self._size:  # one at the very end opens nothing
                at = self._begin(at + 2, self._default(level))
        self._close_down_to(0, self._size)
        return self._root

    def _default(self, level: int) -> MediaType:
        """What a part is that does not say (RFC 2046 §5.1.5)."""
        return media.MESSAGE if self._open[level].media.subtype.lower() == b"digest" else media.PLAIN

    def _begin(self, start: int, default: MediaType) -> int:
        """Open the part whose header begins at ``start``, and what it embeds; where to look for boundaries then."""
        part = self._open_part(start, default)
        while _embeds(part.media):
            part = self._open_part(part.body, media.PLAIN)
        return max(0, part.body - 2)

    def _open_part(self, start: int, default: MediaType) -> _Open:
        self._parts += 1
        part = self._part_with_header(start, default) if self._parts < MAX_PARTS else self._rest(start)
        self._open.append(part)
        if part.media.type.lower() == b"multipart" and (boundary := part.media.parameter(b"boundary")):
            part.boundary = boundary
            part.shadowed = self._levels.get(boundary)
            self._levels[boundary] = len(self._open) - 1
        return part

    def _part_with_header(self, start: int, default: MediaType) -> _Open:
        body = self._header_end(start)
        fields = headers.values(self._message[start:body], _CONTENT)
        typed, encoded = fields.get(b"content-type"), fields.get(b"content-transfer-encoding")
        kind = default if typed is None else media.media_type(typed)
        encoding = media.encoding(encoded) if encoded else b"7bit"
        presented = _presented(kind, encoding, is_deepest=len(self._open) + 1 >= MAX_DEPTH)
        return _Open(start, body, self._lines_to(body), presented, encoding, fields)

    def _rest(self, start: int) -> _Open:
        """The last part that the limit allows: without a header, up to the end of the message."""
        self._levels.clear()
        return _Open(start, start, self._lines_to(start), media.PLAIN, b"7bit", {})

    def _header_end(self, start: int) -> int:
        """Behind the empty line; at the boundary or at the end of the message if that comes first."""
        if not start:
            return headers.split(self._message)
        at = start - 2
        while True:
            mark = self._next_dashes(at)
            blank = self._message.find(b"\r\n\r\n", at, mark + 2)
            if blank >= 0:
                return blank + 4
            if mark == self._size:
                return mark
            at, level, _ = self._boundary(mark)
            if level is not None:
                return mark + 2

    def _next_dashes(self, at: int) -> int:
        """The first CRLF from ``at`` on that ``--`` follows; the size of the message if there is none."""
        if self._dashes < at:
            found = self._message.find(b"\r\n--", at)
            self._dashes = self._size if found < 0 else found
        return self._dashes

    def _boundary(self, mark: int) -> tuple[int, int | None, bool]:
        """The end of the line behind ``mark``, the level whose boundary it is or None, whether it is the last one.

        delimiter = CRLF "--" boundary ["--"] *WSP          ; RFC 2046 §5.1.1
        """
        end = self._message.find(b"\r\n", mark + 4)
        if end < 0:
            end = self._size
        text = self._message[mark + 4 : end].rstrip(b" \t")
        if (level := self._levels.get(text)) is not None:
            return end, level, False
        if text.endswith(b"--"):
            return end, self._levels.get(text[:-2]), True
        return end, None, False

    def _forget_boundary(self, part: _Open) -> None:
        """No more parts: what follows is an epilogue. An outer multipart may have the same boundary."""
        if part.boundary is not None:
            self._levels.pop(part.boundary, None)
            if part.shadowed is not None:
                self._levels[part.boundary] = part.shadowed
            part.boundary = None

    def _close_down_to(self, level: int, end: int) -> None:
        """Close all parts but the outermost ``level``."""
        while len(self._open) > level:
            part = self._open.pop()
            self._forget_boundary(part)
            closed = self._closed(part, max(end, part.body, part.children[-1].end if part.children else 0))
            if self._open:
                self._open[-1].children.append(closed)
            else:
                self._root = closed

    def _closed(self, part: _Open, end: int) -> Part:
        kind = part.media
        if not part.children and kind.type.lower() == b"multipart":
            kind = media.PLAIN
        field = part.fields.get
        return Part(
            part.start,
            part.body,
            end,
            self._lines_to(end) - part.lines_before,
            kind.type,
            kind.subtype,
            kind.parameters,
            part.encoding,
            _unfolded(field(b"content-id")),
            _unfolded(field(b"content-description")),
            _unfolded(field(b"content-md5")),
            media.disposition(described) if (described := field(b"content-disposition")) else None,
            media.languages(spoken) if (spoken := field(b"content-language")) else (),
            _unfolded(field(b"content-location")),
            tuple(part.children),
        )

    def _lines_to(self, offset: int) -> int:
        """Line ends before an offset, which is never before the last one that was asked for."""
        self._lines += self._message.count(b"\n", self._counted_to, offset)
        self._counted_to = offset
        return self._lines


def _presented(kind: MediaType, encoding: bytes, is_deepest: bool) -> MediaType:
    """What a part is shown as: itself, unless it claims to hold parts that cannot be told apart.

    An embedded message must not be encoded (RFC 2046 §5.2.1), and without its ENVELOPE it cannot be described
    (RFC 9051 §9, body-type-msg): it is octets to be decoded then (RFC 2045 §6.4). Courier does not descend either.
    """
    if kind.type.lower() == b"multipart":
        return media.PLAIN if is_deepest or not kind.parameter(b"boundary") else kind
    if _embeds(kind):
        if encoding.lower() not in IDENTITY:
            return MediaType(b"application", b"octet-stream", kind.parameters)
        return media.PLAIN if is_deepest else kind
    return kind


def _embeds(kind: MediaType) -> bool:
    return kind.type.lower() == b"message" and kind.subtype.lower() in (b"rfc822", b"global")


def _unfolded(value: bytes | None) -> bytes | None:
    return None if value is None else headers.unfold(value[:MAX_FIELD_OCTETS])
