"""The part of BER (X.690) that LDAP uses (RFC 4511 §5.1): tags of one octet, lengths that are told before.

ABNF::

    element = tag length contents
    tag     = %x00-1E / %x20-3E / %x40-5E / … / %xE0-FE  ; class and form, and a number below 31
    length  = %x00-7F / %x81 1OCTET / %x82 2OCTET / %x83 3OCTET / %x84 4OCTET

The long forms may have leading zeros (X.690 §8.1.3.5), and Active Directory writes all its lengths so.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from mailaccess.tunnel.conversation import Conversation
from mailaccess.tunnel.faults import Refused

BOOLEAN, INTEGER, OCTET_STRING, ENUMERATED, SEQUENCE = 0x01, 0x02, 0x04, 0x0A, 0x30

_LONG_TAG = 0x1F
_LENGTH_OCTETS = 4


class Malformed(Refused):
    """Octets that are not BER as LDAP uses it, or not what stands in their place."""


@dataclass(frozen=True, slots=True)
class Element:
    """A tag and its contents."""

    tag: int
    contents: bytes

    def encode(self) -> bytes:
        """The element as it is sent, its length in the shortest form."""
        size = len(self.contents)
        if size < 0x80:
            return bytes((self.tag, size)) + self.contents
        octets = size.to_bytes((size.bit_length() + 7) // 8)
        return bytes((self.tag, 0x80 | len(octets))) + octets + self.contents


def element(tag: int, *contents: bytes) -> bytes:
    """An encoded element; ``contents`` are octets, or encoded elements."""
    return Element(tag, b"".join(contents)).encode()


def number(value: int, tag: int = INTEGER) -> bytes:
    """An encoded integer, of 0 or more."""
    return element(tag, value.to_bytes(value.bit_length() // 8 + 1))


def text(value: str) -> bytes:
    """An encoded octet string, in UTF-8."""
    return element(OCTET_STRING, value.encode())


async def read_element(conversation: Conversation, limit: int) -> Element:
    """The next element. ``Malformed`` where it is none, or its contents have more than ``limit`` octets."""
    head = await conversation.exactly(2)
    head += await conversation.exactly(_more_octets(head[1]))
    size = _size(head[1:])
    if size > limit:
        raise Malformed(f"a message has more than {limit} octets")
    if head[0] & _LONG_TAG == _LONG_TAG:
        raise Malformed("a tag has more than one octet")
    return Element(head[0], await conversation.exactly(size))


def elements(contents: bytes) -> Iterator[Element]:
    """The elements that ``contents`` are made of. ``Malformed`` where something else is there, or one is cut off."""
    place = 0
    while place < len(contents):
        if contents[place] & _LONG_TAG == _LONG_TAG:
            raise Malformed("a tag has more than one octet")
        length = contents[place + 1 : place + 2]
        begin = place + 2 + (_more_octets(length[0]) if length else 0)
        end = begin + _size(contents[place + 1 : begin])
        if end > len(contents):
            raise Malformed("an element is cut off")
        yield Element(contents[place], contents[begin:end])
        place = end


def unsigned(contents: bytes) -> int:
    """The value of an integer of 0 to 2**31 - 1 (``maxInt``, RFC 4511 §4.1.1); ``Malformed`` for any other."""
    if not 0 < len(contents) <= 4 or contents[0] & 0x80:
        raise Malformed("a number is not from 0 to 2**31 - 1")
    return int.from_bytes(contents)


def _more_octets(first: int) -> int:
    """How many octets of a length follow its first. ``Malformed`` for an indefinite or enormous one."""
    if first < 0x80:
        return 0
    count = first & 0x7F
    if not 0 < count <= _LENGTH_OCTETS:
        raise Malformed("a length is indefinite or has more than four octets")
    return count


def _size(length: bytes) -> int:
    """The value of a whole length."""
    return length[0] if len(length) == 1 else int.from_bytes(length[1:])
