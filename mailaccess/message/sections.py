"""BODY[section]: which octets of a message a section names (RFC 9051 §6.4.5.1).

    section      = "[" [section-spec] "]"
    section-spec = section-msgtext / (section-part ["." section-text])
    section-part = nz-number *("." nz-number)
    section-text = section-msgtext / "MIME"

A message that is not multipart has one part, number 1: its body. The numbers below an embedded message are those of
that message. What has no such part is None here, and NIL on the wire.
"""

from dataclasses import dataclass
from enum import Enum

from mailaccess.message import headers, transfer
from mailaccess.message.structure import Part, parse
from mailaccess.message.transfer import UnknownEncoding

__all__ = ["Kind", "Section", "UnknownEncoding", "decoded", "extract", "locate", "span"]


class Kind(Enum):
    """The words that end a section specification; ``WHOLE`` is none of them."""

    WHOLE = ""
    HEADER = "HEADER"
    TEXT = "TEXT"
    MIME = "MIME"
    FIELDS = "HEADER.FIELDS"
    FIELDS_NOT = "HEADER.FIELDS.NOT"


@dataclass(frozen=True, slots=True)
class Section:
    """A section specification as a value: ``BODY[1.2.MIME]`` is ``Section((1, 2), Kind.MIME)``."""

    path: tuple[int, ...] = ()
    kind: Kind = Kind.WHOLE
    fields: tuple[bytes, ...] = ()
    """The names for ``FIELDS`` and ``FIELDS_NOT``, in any case."""


def extract(message: bytes, section: Section, root: Part | None = None) -> bytes | None:
    """The octets of a section; None if the message has no such part, or the part no such section.

    ``root`` is the message's structure, where the caller has it; it is parsed if the section has part numbers.
    """
    if not section.path:
        return _of_message(message, section)
    found = span(parse(message) if root is None else root, section)
    if found is None:
        return None
    octets = message[found[0] : found[1]]
    return _subset(octets, section)


def _of_message(message: bytes, section: Section) -> bytes | None:
    match section.kind:
        case Kind.WHOLE:
            return message
        case Kind.TEXT:
            return message[headers.split(message) :]
        case Kind.MIME:
            return None
    return _subset(message[: headers.split(message)], section)


def _subset(octets: bytes, section: Section) -> bytes:
    if section.kind is Kind.FIELDS or section.kind is Kind.FIELDS_NOT:
        return headers.select(octets, section.fields, section.kind is Kind.FIELDS_NOT)
    return octets


def span(root: Part, section: Section) -> tuple[int, int] | None:
    """Where the section begins and ends; for ``FIELDS`` and ``FIELDS_NOT``: the header that they are taken from."""
    part = locate(root, section.path)
    if part is None:
        return None
    if section.path:
        if section.kind is Kind.WHOLE:
            return part.body, part.end
        if section.kind is Kind.MIME:
            return part.start, part.body
        if not part.is_message:
            return None
        part = part.children[0]
    elif section.kind is Kind.MIME:
        return None
    match section.kind:
        case Kind.WHOLE:
            return part.start, part.end
        case Kind.TEXT:
            return part.body, part.end
    return part.start, part.body


def locate(root: Part, path: tuple[int, ...]) -> Part | None:
    """The part of these numbers, each from 1; the message itself for none. None if there is no such part."""
    part: Part = root
    numbered: Part | None = root
    for number in path:
        if numbered is None:
            return None
        if numbered.is_multipart:
            if not 1 <= number <= len(numbered.children):
                return None
            part = numbered.children[number - 1]
        elif number == 1:
            part = numbered
        else:
            return None
        numbered = _numbered(part)
    return part


def _numbered(part: Part) -> Part | None:
    """What the numbers below a part belong to: itself, the message that it embeds, or nothing."""
    if part.is_message:
        return part.children[0]
    return part if part.is_multipart else None


def decoded(message: bytes, part: Part) -> bytes:
    """The body of a part without its transfer encoding, for BINARY (RFC 9051 §6.4.5). Raises UnknownEncoding."""
    return transfer.decode(message[part.body : part.end], part.encoding)
