"""``subscriptions`` at the account's root, versions 1 and 2; an existing version stays.

Version 1 has one storage name per line, its parts between dots. Version 2 begins with ``V TAB 2`` and an empty line;
the parts of a name stand between TABs, each TAB-escaped. Parts are in the encoding of the folders' names.
"""

from collections.abc import Iterable

_HEADER = b"V\t2\n\n"
_ESCAPES = {b"0": b"\0", b"1": b"\x01", b"t": b"\t", b"r": b"\r", b"n": b"\n"}

FILE = "subscriptions"

Parts = tuple[bytes, ...]


def parse(data: bytes | None) -> tuple[int, list[Parts]]:
    """``(version, names as encoded parts)``; a file that is not there is a new one of version 2."""
    if data is None:
        return 2, []
    if data.startswith(b"V\t2\n"):
        lines = data[len(b"V\t2\n") :].split(b"\n")
        return 2, [tuple(map(_unescape, line.split(b"\t"))) for line in lines if line]
    return 1, [tuple(line.split(b".")) for line in data.split(b"\n") if line]


def serialise(version: int, names: Iterable[Parts]) -> bytes:
    """The file."""
    if version == 1:
        return b"".join(b".".join(parts) + b"\n" for parts in names)
    return _HEADER + b"".join(b"\t".join(map(_escape, parts)) + b"\n" for parts in names)


def _escape(part: bytes) -> bytes:
    part = part.replace(b"\x01", b"\x011")
    for letter, octet in _ESCAPES.items():
        if octet != b"\x01":
            part = part.replace(octet, b"\x01" + letter)
    return part


def _unescape(part: bytes) -> bytes:
    head, *rest = part.split(b"\x01")
    return head + b"".join(_ESCAPES.get(piece[:1], piece[:1]) + piece[1:] for piece in rest)
