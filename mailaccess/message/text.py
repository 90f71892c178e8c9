"""What SEARCH looks through: text without transfer encoding, charset, encoded words and case (RFC 9051 §6.4.4)."""

import unicodedata
from collections.abc import Iterator
from typing import Final

from mailaccess.message import charsets, words
from mailaccess.message.structure import Part, parse
from mailaccess.message.transfer import decode_leniently

MAX_TEXT_OCTETS: Final = 10 * 1024 * 1024
"""Encoded text of one message that is searched; the rest is not. A mailing list's archive as one message fits."""


def searchable(message: bytes) -> Iterator[str]:
    """The text of each text part and the header of each embedded message, in order, for SEARCH BODY.

    Parts of type message that embed nothing (delivery reports) are text too. HTML is searched as it is written. No
    more than ``MAX_TEXT_OCTETS`` in all. Never raises.
    """
    room = MAX_TEXT_OCTETS
    for part, is_embedded in _parts(parse(message)):
        if is_embedded and room > 0:
            end = min(part.body, part.start + room)
            room -= end - part.start
            yield header_text(message[part.start : end])
        if not part.children and part.type.lower() in (b"text", b"message") and room > 0:
            end = min(part.end, part.body + room)
            room -= end - part.body
            octets = decode_leniently(message[part.body : end], part.encoding)
            yield charsets.decode(octets, part.parameter(b"charset") or b"")


def _parts(root: Part) -> Iterator[tuple[Part, bool]]:
    """All parts in the order of the message, and whether each is an embedded message."""
    waiting = [(root, False)]
    while waiting:
        part, is_embedded = waiting.pop()
        yield part, is_embedded
        waiting += [(child, part.is_message) for child in reversed(part.children)]


def header_text(header: bytes) -> str:
    """All fields of a header as text, one to a line, for SEARCH TEXT. Never raises."""
    return "\n".join(
        words.decode(line) for line in header.replace(b"\r\n ", b" ").replace(b"\r\n\t", b" ").split(b"\r\n")
    )


def fold(text: str) -> str:
    """The text in the form in which a substring is to be looked for: without regard to case and composition.

    Compatibility decomposition and full case folding: what i;unicode-casemap finds is found (RFC 5051 §2, which Dovecot
    follows), and ``STRASSE`` finds ``Straße`` besides. ``fold(fold(text)) == fold(text)``.
    """
    if text.isascii():
        return text.lower()
    return unicodedata.normalize("NFKD", text).casefold()
