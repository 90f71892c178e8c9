"""Modified UTF-7: how mailbox names are written on the wire, and on disk by Dovecot (RFC 3501 §5.1.3).

Printable US-ASCII stands for itself, ``&`` is ``&-``; everything else is ``&``, base64 of UTF-16BE with ``,`` for ``/``
and without ``=``, and ``-``. There is one way to write a name: shifts that are needless or cut short are errors.
"""

import re
from binascii import Error, a2b_base64, b2a_base64

_OTHER = re.compile("[^ -%'-~]+")
_SHIFT = re.compile(rb"&([^-]*)(-?)")
_PLAIN = re.compile(rb"[ -~]*\Z")


def encode(text: str) -> bytes:
    """``text`` in modified UTF-7. ``ValueError`` for a lone surrogate."""
    return _OTHER.sub(_shifted, text).encode("ascii")


def decode(data: bytes) -> str:
    """The text that modified UTF-7 stands for. ``ValueError`` where ``data`` is not the one way to write it."""
    if not _PLAIN.match(data):
        raise ValueError("modified UTF-7 is printable US-ASCII")
    parts: list[str] = []
    end = 0
    for shift in _SHIFT.finditer(data):
        parts += [data[end : shift.start()].decode("ascii"), _unshifted(shift)]
        end = shift.end()
    text = "".join(parts) + data[end:].decode("ascii")
    if encode(text) != data:
        raise ValueError("modified UTF-7 has one way to write a name")
    return text


def _shifted(found: "re.Match[str]") -> str:
    return "".join("&-" if run == "&" else _base64(run) for run in re.split("(&)", found[0]) if run)


def _base64(text: str) -> str:
    return "&" + b2a_base64(text.encode("utf-16-be"), newline=False).rstrip(b"=").replace(b"/", b",").decode() + "-"


def _unshifted(shift: "re.Match[bytes]") -> str:
    encoded, closed = shift.groups()
    if not closed:
        raise ValueError("a shift in modified UTF-7 ends with '-'")
    if not encoded:
        return "&"
    if b"/" in encoded:
        raise ValueError("modified UTF-7 has ',' for '/'")
    try:
        padded = encoded.replace(b",", b"/") + b"=" * (-len(encoded) % 4)
        return a2b_base64(padded, strict_mode=True).decode("utf-16-be")
    except (Error, UnicodeDecodeError) as error:
        raise ValueError("what is shifted in modified UTF-7 is base64 of UTF-16BE") from error
