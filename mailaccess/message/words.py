r"""Header text for people: encoded words (RFC 2047, RFC 2231 §5) and raw UTF-8 (RFC 6532).

encoded-word = "=?" charset ["*" language] "?" encoding "?" encoded-text "?="
encoding     = "B" / "Q"
"""

import re
from binascii import a2b_qp
from typing import Final

from mailaccess.message import charsets
from mailaccess.message.transfer import decode_leniently

# Lenient: a word may be longer than 75 octets, hold spaces, and touch its neighbours: all of this is being sent.
_WORD: Final = re.compile(rb"=\?([^?*\s]{1,64}+)(?:\*[^?\s]{0,64}+)?\?([bBqQ])\?([^?]*+)\?=")


def decode(value: bytes) -> str:
    """The text of an unfolded value. Never raises: what cannot be decoded stays as it is, or becomes U+FFFD.

    White space between two encoded words is not text (RFC 2047 §6.2). The octets of adjacent words in one charset are
    decoded together: mail programs cut characters in two.
    """
    if b"=?" not in value:
        return charsets.decode(value, b"")
    text: list[str] = []
    charset, octets = b"", bytearray()
    at = 0
    for word in _WORD.finditer(value):
        gap = value[at : word.start()]
        is_apart = not at or bool(gap.strip(b" \t\r\n"))
        at = word.end()
        if is_apart or word[1].lower() != charset:
            text.append(charsets.decode(bytes(octets), charset))
            octets.clear()
        if is_apart:
            text.append(charsets.decode(gap, b""))
        charset = word[1].lower()
        octets += _octets(word[2], word[3])
    text.append(charsets.decode(bytes(octets), charset))
    text.append(charsets.decode(value[at:], b""))
    return "".join(text)


def _octets(encoding: bytes, text: bytes) -> bytes:
    if encoding in b"qQ":
        return a2b_qp(text, header=True)
    return decode_leniently(text, b"base64")
