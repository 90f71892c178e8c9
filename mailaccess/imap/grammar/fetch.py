"""FETCH (RFC 9051 §6.4.5, RFC 3501 §6.4.5, RFC 7162 §3.1.4)."""

import re
from dataclasses import dataclass
from enum import Enum

from mailaccess.imap.grammar.section import HEADER, TEXT, WHOLE, section
from mailaccess.imap.grammar.sets import sequence_set
from mailaccess.imap.grammar.tokens import (
    BadSyntax,
    end,
    expect,
    keyword,
    next_is,
    number64,
    read,
    refuse_keyword,
    skip,
    sp,
)
from mailaccess.imap.wire import Arguments
from mailaccess.message.sections import Section
from mailaccess.values import ModSeq, SequenceSet

MAX_ITEMS = 500
"""Items of one FETCH: each is answered for each message. Clients ask for a dozen; for many parts, one by one."""

_BEYOND = 2**32
"""No message has an octet here; partial requests beyond are legal (RFC 9051 §9, number64), and find nothing."""


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
    r"""``BODY[section]<offset.length>``, RFC822, RFC822.HEADER or RFC822.TEXT.

    ``peek``: \Seen is not set. ``label`` is what the answer is called: ``BODY[1.MIME]<0>``, ``RFC822.TEXT``.
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
        r"""Whether an item sets \Seen."""
        return any(isinstance(item, SectionItem) and not item.peek for item in self.items)


_FAST = (Attribute.FLAGS, Attribute.INTERNALDATE, Attribute.SIZE)
_ALL = (*_FAST, Attribute.ENVELOPE)
_MACROS: dict[bytes, tuple[FetchItem, ...]] = {b"FAST": _FAST, b"ALL": _ALL, b"FULL": (*_ALL, Attribute.BODY)}

_ITEMS: dict[bytes, FetchItem] = {
    **{attribute.value: attribute for attribute in Attribute},
    b"RFC822": SectionItem(WHOLE, b"RFC822"),
    b"RFC822.HEADER": SectionItem(HEADER, b"RFC822.HEADER", peek=True),
    b"RFC822.TEXT": SectionItem(TEXT, b"RFC822.TEXT"),
}

_WORD = re.compile(rb"[A-Za-z0-9.]+")


def fetch_arguments(arguments: Arguments) -> FetchArguments:
    """Read ``SP sequence-set SP items [fetch-modifiers]`` to the end."""
    sp(arguments)
    numbers = sequence_set(arguments)
    sp(arguments)
    items = fetch_items(arguments)
    changed_since = None
    if not arguments.at_end:
        sp(arguments)
        changed_since = _modifiers(arguments)
        end(arguments)
        items = tuple(dict.fromkeys((*items, Attribute.MODSEQ)))
    return FetchArguments(numbers, items, changed_since)


def fetch_items(arguments: Arguments) -> tuple[FetchItem, ...]:
    """Read ``"ALL" / "FULL" / "FAST" / fetch-att / "(" fetch-att *(SP fetch-att) ")"``."""
    if not skip(arguments, b"("):
        word = _word(arguments)
        return _MACROS[word] if word in _MACROS else (_item(arguments, word),)
    items = {_item(arguments, _word(arguments)): None}
    while not skip(arguments, b")"):
        sp(arguments)
        items[_item(arguments, _word(arguments))] = None
        if len(items) > MAX_ITEMS:
            raise BadSyntax("Too many FETCH items")
    return tuple(items)


def _word(arguments: Arguments) -> bytes:
    return read(arguments, _WORD, "a FETCH item").upper()


def _item(arguments: Arguments, word: bytes) -> FetchItem:
    # fetch-att = "ENVELOPE" / "FLAGS" / "INTERNALDATE" / "RFC822" [".HEADER" / ".SIZE" / ".TEXT"] /
    #             "BODY" ["STRUCTURE"] / "UID" / "BODY" section [partial] / "BODY.PEEK" section [partial] / "MODSEQ"
    if word in (b"BODY", b"BODY.PEEK") and next_is(arguments, b"["):
        named, label = section(arguments)
        partial = _partial(arguments)
        suffix = b"" if partial is None else b"<%d>" % partial[0]
        if partial is not None:
            partial = min(partial[0], _BEYOND), min(partial[1], _BEYOND)
        return SectionItem(named, b"BODY" + label + suffix, word == b"BODY.PEEK", partial)
    if word not in _ITEMS:
        raise refuse_keyword(word, "FETCH item")
    return _ITEMS[word]


def _partial(arguments: Arguments) -> tuple[int, int] | None:
    # partial = "<" number64 "." nz-number64 ">"
    if not skip(arguments, b"<"):
        return None
    offset = number64(arguments)
    expect(arguments, b".")
    length = number64(arguments, least=1)
    expect(arguments, b">")
    return offset, length


def _modifiers(arguments: Arguments) -> ModSeq:
    # fetch-modifiers    = SP "(" fetch-modifier *(SP fetch-modifier) ")"       (RFC 4466 §2.4)
    # chgsince-fetch-mod = "CHANGEDSINCE" SP mod-sequence-value                 (RFC 7162 §7)
    expect(arguments, b"(")
    word = keyword(arguments)
    if word != b"CHANGEDSINCE":
        raise refuse_keyword(word, "FETCH modifier")
    sp(arguments)
    modseq = ModSeq(number64(arguments, least=1))
    if not skip(arguments, b")"):
        raise BadSyntax("FETCH takes a single modifier")
    return modseq
