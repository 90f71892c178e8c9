"""FETCH (RFC 9051 §6.4.5, RFC 3501 §6.4.5, RFC 7162 §3.1.4)."""

from dataclasses import dataclass
from enum import Enum

from mailaccess.imap.wire import Arguments
from mailaccess.message.sections import Section
from mailaccess.values import ModSeq, SequenceSet


class Attribute(Enum):
    """A FETCH item that is not a section: what is asked for is what the answer is called."""

    FLAGS = b"FLAGS"
    UID = b"UID"
    INTERNALDATE = b"INTERNALDATE"
    SIZE = b"RFC822.SIZE"
    ENVELOPE = b"ENVELOPE"
    BODY = b"BODY"
    BODYSTRUCTURE = b"BODYSTRUCTURE"
    MODSEQ = b"MODSEQ"


@dataclass(frozen=True, slots=True)
class SectionItem:
    """``BODY[section]<offset.length>``, RFC822, RFC822.HEADER or RFC822.TEXT.

    ``peek``: \\Seen is not set. ``label`` is what the answer is called: ``BODY[1.MIME]<0>``, ``RFC822.TEXT``.
    ``partial`` is offset and length in octets.
    """

    section: Section
    label: bytes
    peek: bool = False
    partial: tuple[int, int] | None = None


FetchItem = Attribute | SectionItem


@dataclass(frozen=True, slots=True)
class FetchArguments:
    """``numbers`` are sequence numbers or UIDs; ``items`` are without repetition, in the order of the client.

    With ``changed_since`` only messages whose MODSEQ is greater are meant, and MODSEQ is among ``items``.
    """

    numbers: SequenceSet
    items: tuple[FetchItem, ...]
    changed_since: ModSeq | None = None

    @property
    def sets_seen(self) -> bool:
        """Whether an item sets \\Seen."""
        return any(isinstance(item, SectionItem) and not item.peek for item in self.items)


def fetch_arguments(arguments: Arguments) -> FetchArguments:
    """Read ``SP sequence-set SP items [SP modifiers]`` to the end."""
    raise NotImplementedError


def fetch_items(arguments: Arguments) -> tuple[FetchItem, ...]:
    """Read a macro, an item, or items in parentheses."""
    raise NotImplementedError
