"""What FETCH must open messages for: ENVELOPE, BODY, BODYSTRUCTURE and sections (RFC 9051 §6.4.5, §7.5.2).

A message is looked into in a worker thread, and only so much of it comes back at once: small sections as octets, large
ones as a :class:`Span` that is read slice by slice while it is sent, and of many sections those that fit one slice.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import TypeVar

from mailaccess.errors import Disconnected
from mailaccess.imap.context import Context
from mailaccess.imap.grammar.fetch import Attribute, FetchItem, SectionItem
from mailaccess.imap.responses.fetch import literal_header, section
from mailaccess.interfaces import IContent
from mailaccess.message import headers, sections
from mailaccess.message.quoting import without_nul
from mailaccess.message.sections import Kind, Section
from mailaccess.message.structure import Part, parse
from mailaccess.values import UID

T = TypeVar("T")

SLICE_BYTES = 256 * 1024
"""Octets of one message in memory at once for a client that takes them, and the size from which a section is sliced."""


@dataclass(frozen=True, slots=True)
class Span:
    """A section that is still in the store: so many octets from an offset of the message."""

    label: bytes
    start: int
    size: int


@dataclass(frozen=True, slots=True)
class Found:
    """What was found in one message: parts of its FETCH response, and the first item that is still to be looked for."""

    parts: tuple[bytes | Span, ...] = ()
    next_item: int = 0


@dataclass(slots=True)
class Contents:
    """What FETCH tells of one message behind its columns."""

    uid: UID
    parts: list[bytes | Span] = field(default_factory=list)
    next_item: int = 0


class ContentReader:
    """Reads what the items of one FETCH need, for some messages at a time, and writes it."""

    def __init__(self, context: Context, items: Sequence[FetchItem]) -> None:
        self._context = context
        self._mailbox = context.view.shared.mailbox
        self._envelope = Attribute.ENVELOPE in items
        self._structure = Attribute.BODYSTRUCTURE in items
        self._opened = tuple(item for item in items if isinstance(item, SectionItem) or item is Attribute.BODY)

    async def read(self, uids: Sequence[UID]) -> dict[UID, Contents]:
        """What is to be told of these messages; those that are gone are missing."""
        contents = {uid: Contents(uid) for uid in uids}
        if self._envelope or self._structure:
            await self._read_envelopes(contents)
        if self._opened:
            look = partial(_find, items=self._opened, first=0)
            for uid, found in await self._mailbox.read(list(contents), look):
                if found is None:
                    del contents[uid]
                else:
                    contents[uid].parts += found.parts
                    contents[uid].next_item = found.next_item
        return contents

    async def _read_envelopes(self, contents: dict[UID, Contents]) -> None:
        uids = list(contents)
        read = await self._mailbox.read_envelopes(uids, self._structure)
        for uid, cached in zip(uids, read, strict=True):
            if cached is None:
                del contents[uid]
                continue
            if self._envelope:
                contents[uid].parts.append(b"ENVELOPE " + cached[1])
            if self._structure:
                contents[uid].parts.append(b"BODYSTRUCTURE " + cached[2])

    async def write(self, number: int, columns: bytes, contents: Contents) -> None:
        """Write one FETCH response, as fast as the client takes it."""
        self._context.write(b"* %d FETCH (" % number)
        separator = b""
        if columns:
            self._context.write(columns)
            separator = b" "
        while True:
            for part in contents.parts:
                self._context.write(separator)
                separator = b" "
                await self._write_part(contents.uid, part)
            if contents.next_item == len(self._opened):
                break
            await self._read_on(contents)
        self._context.write(b")\r\n")
        if self._context.batch_is_full:
            await self._context.drain()

    async def _write_part(self, uid: UID, part: bytes | Span) -> None:
        if isinstance(part, bytes):
            self._context.write(part)
            return
        self._context.write(literal_header(part.label, part.size))
        end = part.start + part.size
        for offset in range(part.start, end, SLICE_BYTES):
            size = min(SLICE_BYTES, end - offset)
            octets = await self._look(uid, partial(_octets, offset=offset, size=size))
            if len(octets) != size:
                raise Disconnected  # the length was told: nothing else can stand here
            self._context.write(octets)
            await self._context.drain()

    async def _read_on(self, contents: Contents) -> None:
        await self._context.drain()
        found = await self._look(contents.uid, partial(_find, items=self._opened, first=contents.next_item))
        contents.parts = list(found.parts)
        contents.next_item = found.next_item

    async def _look(self, uid: UID, function: Callable[[IContent], T]) -> T:
        """What a function finds in a message that is half told: where it is gone, the response cannot be finished."""
        ((_, found),) = await self._mailbox.read([uid], function)
        if found is None:
            raise Disconnected
        return found


def _octets(content: IContent, *, offset: int, size: int) -> bytes:
    """A slice as a literal may hold it (RFC 9051 §4.3)."""
    return without_nul(content.octets(offset, size))


class _Opened:
    """One message, open in a worker thread."""

    def __init__(self, content: IContent) -> None:
        self._content = content

    @cached_property
    def _root(self) -> Part:
        return parse(self._content.whole())

    @cached_property
    def _header(self) -> bytes:
        return self._content.header()

    def part(self, item: FetchItem) -> bytes | Span:
        """The part of the FETCH response that answers an item."""
        if not isinstance(item, SectionItem):
            return b"BODY " + self._content.body(False)
        if item.section.kind in (Kind.FIELDS, Kind.FIELDS_NOT):
            return section(item.label, _slice(self._fields(item.section), item.partial))
        place = self._place(item.section)
        if place is None:
            return section(item.label, None)
        start, end = _clip(place, item.partial)
        span = Span(item.label, start, end - start)
        return span if span.size > SLICE_BYTES else section(item.label, self._content.octets(start, end - start))

    def _place(self, wanted: Section) -> tuple[int, int] | None:
        """Where a section stands; the message's structure is looked at only where part numbers ask for it."""
        if wanted.path or wanted.kind is Kind.MIME:
            return sections.span(self._root, wanted)
        match wanted.kind:
            case Kind.HEADER:
                return 0, len(self._header)
            case Kind.TEXT:
                return len(self._header), self._content.size()
        return 0, self._content.size()

    def _fields(self, wanted: Section) -> bytes | None:
        if not wanted.path and wanted.kind is Kind.FIELDS:
            return self._content.fields(wanted.fields)
        if not wanted.path:
            header = self._header
        else:
            place = sections.span(self._root, wanted)
            if place is None:
                return None
            header = self._content.octets(place[0], place[1] - place[0])
        return headers.select(header, wanted.fields, wanted.kind is Kind.FIELDS_NOT)


def _find(content: IContent, *, items: Sequence[FetchItem], first: int) -> Found:
    """Answer items from ``first`` on, until the answers fill a slice."""
    opened = _Opened(content)
    parts: list[bytes | Span] = []
    octets = 0
    for item in items[first:]:
        if octets >= SLICE_BYTES:
            break
        part = opened.part(item)
        octets += len(part) if isinstance(part, bytes) else 0
        parts.append(part)
    return Found(tuple(parts), first + len(parts))


def _clip(place: tuple[int, int], partial_: tuple[int, int] | None) -> tuple[int, int]:
    """A partial request, cut to what there is: beyond the end there is the empty string (RFC 9051 §6.4.5)."""
    start, end = place
    if partial_ is None:
        return place
    offset, length = partial_
    start = min(start + offset, end)
    return start, min(start + length, end)


def _slice(octets: bytes | None, partial_: tuple[int, int] | None) -> bytes | None:
    if octets is None:
        return None
    start, end = _clip((0, len(octets)), partial_)
    return octets[start:end]
