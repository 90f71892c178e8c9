"""Status responses and continuation requests (RFC 9051 §7.1, §7.6)."""

import re

MAX_TEXT_BYTES = 500
"""Of the text for people in a status response: some lines on a screen are enough."""

_UNPRINTABLE = re.compile(rb"[^\x20-\x7e]+")


def tagged(tag: bytes, status: str, code: bytes | None, text: str) -> bytes:
    """The reply to a command: ``status`` is OK, NO or BAD; ``code`` comes from ``codes``.

    ``text`` is made one printable line that cannot be taken for a code.
    """
    return b"%b %b\r\n" % (tag, _condition(status, code, text))


def untagged(status: str, code: bytes | None, text: str) -> bytes:
    """``* OK``, ``* NO``, ``* BAD``, ``* BYE``, ``* PREAUTH``; code and text as for ``tagged``."""
    return b"* %b\r\n" % _condition(status, code, text)


def continuation(text: bytes = b"") -> bytes:
    """``+ text``: send a literal, or (base64) a SASL challenge. A space always follows the plus (RFC 9051 §7.6)."""
    return b"+ %b\r\n" % text


def _condition(status: str, code: bytes | None, text: str) -> bytes:
    # resp-cond-state = ("OK" / "NO" / "BAD") SP resp-text; resp-text = ["[" resp-text-code "]" SP] text
    words = _UNPRINTABLE.sub(b" ", text[:MAX_TEXT_BYTES].encode("ascii", "replace")).lstrip(b" [") or b"-"
    if code is None:
        return b"%b %b" % (status.encode("ascii"), words)
    return b"%b [%b] %b" % (status.encode("ascii"), code, words)
