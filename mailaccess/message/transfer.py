"""Content-Transfer-Encoding: base64 and quoted-printable to octets (RFC 2045 §6)."""

import binascii
import re
from typing import Final

IDENTITY: Final = frozenset([b"", b"7bit", b"8bit", b"binary"])
"""The encodings that change nothing (RFC 2045 §6.2), in lower case; a missing one is 7bit."""

_foreign = re.compile(rb"[^A-Za-z0-9+/]")


class UnknownEncoding(ValueError):
    """The encoding is not one of RFC 2045's, or the data are not in it: NO [UNKNOWN-CTE] (RFC 3516 §4.3)."""


def decode(data: bytes, encoding: bytes) -> bytes:
    """The octets that are meant; ``encoding`` in any case.

    Octets outside of base64's alphabet are ignored, as RFC 2045 §6.8 demands. Raises UnknownEncoding for an unknown
    encoding and for base64 that ends amid an octet.
    """
    match encoding.strip().lower():
        case name if name in IDENTITY:
            return data
        case b"quoted-printable":
            return binascii.a2b_qp(data)
        case b"base64":
            try:
                return binascii.a2b_base64(data)
            except binascii.Error as error:
                raise UnknownEncoding("base64 is cut short") from error
    raise UnknownEncoding("unknown content transfer encoding")


def decode_leniently(data: bytes, encoding: bytes) -> bytes:
    """What can be decoded, for searching: broken base64 up to its last whole octet, unknown encodings as they stand."""
    try:
        return decode(data, encoding)
    except UnknownEncoding:
        return _whole_octets(data) if encoding.strip().lower() == b"base64" else data


def _whole_octets(data: bytes) -> bytes:
    digits = _foreign.sub(b"", data.partition(b"=")[0])
    if len(digits) % 4 == 1:
        digits = digits[:-1]
    return binascii.a2b_base64(digits + b"=" * (-len(digits) % 4))
