"""What a mailbox may be called (RFC 9051 §5.1), and the patterns of LIST (RFC 9051 §6.3.9).

A name on the wire is already Unicode here: modified UTF-7 and UTF-8 are the business of ``imap``.
"""

from unicodedata import category, is_normalized, normalize

from mailaccess.errors import ClientError, Code
from mailaccess.values import MailboxName

MAX_PART_BYTES = 255
"""Octets of one part in UTF-8: what a file system allows for a name."""

MAX_NAME_BYTES = 1024
"""Octets of a whole name in UTF-8, separators included: far above what people type, and it bounds what LIST matches."""

MAX_DEPTH = 64
"""Parts of a name: each may become a level of folders, and costs a row in LIST."""

MAX_PATTERN_ELEMENTS = 2 * MAX_NAME_BYTES
"""Characters and wildcards of a pattern: one with more can match no name."""

_UNPRINTABLE = {"Cc", "Cs", "Zl", "Zp"}
"""Control characters, lone surrogates, line and paragraph separators: RFC 9051 §5.1 item 2 lets us refuse them."""


def parse(wire: str, separator: str) -> MailboxName:
    """The name that a client wrote; ``ClientError(CANNOT)`` says in one line what is wrong with it.

    INBOX is told in any case (RFC 9051 §5.1). Nothing is normalised here: see :func:`normal`.
    """
    if not wire:
        raise _cannot("A mailbox name cannot be empty")
    if any(category(character) in _UNPRINTABLE for character in wire):
        raise _cannot("A mailbox name cannot have control characters")
    parts = tuple(wire.split(separator))
    if not parts[0]:
        raise _cannot("A mailbox name cannot begin with the hierarchy separator")
    if not parts[-1]:
        raise _cannot("A mailbox name cannot end with the hierarchy separator")
    if not all(parts):
        raise _cannot("A mailbox name cannot have two hierarchy separators in a row")
    name = MailboxName(parts)
    check_limits(name)
    return name


def parse_new(wire: str, separator: str) -> MailboxName:
    """As :func:`parse`, for CREATE: one separator at the end only says that children will come (RFC 9051 §6.3.4)."""
    return parse(wire.removesuffix(separator) if len(wire) > 1 else wire, separator)


def check_limits(name: MailboxName) -> None:
    """Raise ``ClientError(CANNOT)`` for a name that is too long or too deep."""
    sizes = [len(part.encode("utf-8", "surrogatepass")) for part in name.parts]
    if max(sizes) > MAX_PART_BYTES:
        raise _cannot(f"A part of a mailbox name can have {MAX_PART_BYTES} octets")
    if len(sizes) > MAX_DEPTH:
        raise _cannot(f"A mailbox can lie {MAX_DEPTH} levels deep")
    if sum(sizes) + len(sizes) - 1 > MAX_NAME_BYTES:
        raise _cannot(f"A mailbox name can have {MAX_NAME_BYTES} octets")


def normal(name: MailboxName) -> MailboxName:
    """The name in Unicode Normalization Form C, as new mailboxes are called (RFC 9051 §5.1, RFC 5198 §3)."""
    if all(is_normalized("NFC", part) for part in name.parts):
        return name
    return MailboxName(tuple(normalize("NFC", part) for part in name.parts))


def format(name: MailboxName, separator: str) -> str:
    """The name as a client reads it."""
    return separator.join(name.parts)


class Pattern:
    """A pattern of LIST: ``*`` stands for anything, ``%`` for anything within one level (RFC 9051 §6.3.9).

    The reference is put before the pattern as it stands. An empty pattern matches nothing (RFC 5258 §3), nor does one
    that is longer than any name.

    The pattern is an automaton whose states are the bits of one integer, bit ``i`` meaning "``i`` elements are
    matched": each character of a name costs a few operations on it, so that ``*a*a*a*`` costs what ``a`` costs.
    """

    __slots__ = ("_accepts", "_inbox", "_literals", "_stars", "_wildcards", "levels", "separator", "wildcard")

    def __init__(self, reference: str, pattern: str, separator: str) -> None:
        elements = _elements(reference + pattern) if pattern else []
        if len(elements) > MAX_PATTERN_ELEMENTS:
            elements = []
        self.separator = separator
        self.wildcard = "%" in pattern
        """Whether ``%`` is in it."""
        self.levels = pattern.endswith("%")
        """Whether levels of hierarchy that are no mailboxes match too: ``%`` is the last character."""
        self._stars = _bits(elements, "*")
        self._wildcards = self._stars | _bits(elements, "%")
        self._literals = _literals(elements)
        self._inbox = _literals([element.upper() for element in elements])
        self._accepts = 1 << len(elements) if elements else 0

    def matches(self, name: MailboxName) -> bool:
        """Whether the whole of ``name`` matches; the letters of INBOX do in any case (RFC 9051 §5.1)."""
        text = format(name, self.separator)
        state = self._run(1, "INBOX", self._inbox) if name.parts[0] == "INBOX" else 1
        if name.parts[0] == "INBOX":
            text = text[len("INBOX") :]
        return bool(self._closed(self._run(state, text, self._literals)) & self._accepts)

    def _run(self, state: int, text: str, literals: dict[str, int]) -> int:
        """The states after ``text``."""
        for character in text:
            state = self._closed(state)
            stay = self._stars if character == self.separator else self._wildcards
            state = (state & stay) | (state & literals.get(character, 0)) << 1
            if not state:
                break
        return state

    def _closed(self, state: int) -> int:
        """These states, and those that wildcards reach by matching nothing; no two wildcards stand side by side."""
        return state | (state & self._wildcards) << 1


def _elements(pattern: str) -> list[str]:
    """Characters and wildcards; a run of wildcards is one, ``*`` where any of them is."""
    elements: list[str] = []
    for character in pattern:
        if character in "*%" and elements and elements[-1] in "*%":
            elements[-1] = "*" if "*" in (character, elements[-1]) else "%"
        else:
            elements.append(character)
    return elements


def _bits(elements: list[str], wanted: str) -> int:
    """The positions of an element, as bits."""
    return sum(1 << at for at, element in enumerate(elements) if element == wanted)


def _literals(elements: list[str]) -> dict[str, int]:
    """The positions of each character that stands for itself, as bits."""
    positions: dict[str, int] = {}
    for at, element in enumerate(elements):
        if element not in "*%":
            positions[element] = positions.get(element, 0) | 1 << at
    return positions


def _cannot(text: str) -> ClientError:
    return ClientError(Code.CANNOT, text)
