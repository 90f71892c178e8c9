r"""What Content-* fields say: media types, parameters, dispositions (RFC 2045 §5, RFC 2183 §2, RFC 2231).

content      = type "/" subtype *(";" parameter)
disposition  = disposition-type *(";" parameter)
parameter    = attribute "=" ( token / quoted-string )
attribute    = name [ "*" section ] [ "*" ]             ; RFC 2231 §7
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from mailaccess.message.headers import MAX_FIELD_OCTETS, unfold
from mailaccess.message.lexical import QUOTED_STRING, unescape, without_comments

Parameters = tuple[tuple[bytes, bytes], ...]
"""Names as written and values without quotes, continuations joined; each name once, in any case."""

_TOKEN: Final = rb"[!#$%&'*+\-.0-9A-Z^_`a-z{|}~]++"
_media_type = re.compile(rb"\s*+(%b)\s*+/\s*+(%b)" % (_TOKEN, _TOKEN)).match
_disposition = re.compile(rb"\s*+(%b)?+" % _TOKEN).match
_encoding = re.compile(rb"\s*+([^\s;]++)").match
_parameter = re.compile(rb';\s*+([^\x00-\x20;="]++)\s*+=\s*+(?:%b|([^;]*+))' % QUOTED_STRING, re.DOTALL).finditer
_section = re.compile(rb"(.+?)\*([0-9]{1,3})(\*?)", re.DOTALL).fullmatch
_not_attribute = re.compile(rb"[^!#$&+\-.0-9A-Z^_`a-z{|}~]")


@dataclass(frozen=True, slots=True)
class MediaType:
    """A media type as it was written, in its case."""

    type: bytes
    subtype: bytes
    parameters: Parameters

    def parameter(self, name: bytes) -> bytes | None:
        """The value of the parameter of this lower-case name."""
        return next((value for key, value in self.parameters if key.lower() == name), None)


PLAIN: Final = MediaType(b"text", b"plain", ())
MESSAGE: Final = MediaType(b"message", b"rfc822", ())


def media_type(value: bytes) -> MediaType:
    """What a Content-Type field says. One that is broken or has no subtype is text/plain, with its parameters.

    RFC 2045 §5.2 wants text/plain for what cannot be read; Courier and Cyrus do so (Dovecot answers NIL NIL).
    """
    value = without_comments(value[:MAX_FIELD_OCTETS])
    found = _media_type(value)
    if found is None:
        return MediaType(PLAIN.type, PLAIN.subtype, parameters(value))
    return MediaType(found[1], found[2], parameters(value))


def disposition(value: bytes) -> tuple[bytes, Parameters] | None:
    """What a Content-Disposition field says; None if it says nothing.

    A file name without a disposition type is an attachment's (RFC 2183 §2.8: so is any unknown type).
    """
    value = without_comments(value[:MAX_FIELD_OCTETS])
    found = _disposition(value)
    kind = found[1] if found else None
    described = parameters(value)
    if kind is None and not described:
        return None
    return kind or b"attachment", described


def encoding(value: bytes) -> bytes:
    """What a Content-Transfer-Encoding field says, in its case: 7bit if nothing (RFC 2045 §6.1)."""
    found = _encoding(without_comments(value[:MAX_FIELD_OCTETS]))
    return found[1] if found else b"7bit"


def languages(value: bytes) -> tuple[bytes, ...]:
    """The tags of a Content-Language field, in their case (RFC 3282 §2)."""
    tags = unfold(without_comments(value[:MAX_FIELD_OCTETS])).split(b",")
    return tuple(tag for tag in map(bytes.strip, tags) if tag)


def parameters(value: bytes) -> Parameters:
    """The parameters behind the first ``;``. Of two of one name the first counts.

    An unquoted value goes on to the next ``;`` (``filename=This is a test.txt``: as in Courier and Cyrus).
    """
    found: dict[bytes, tuple[bytes, bytes]] = {}
    sections: dict[bytes, dict[int, tuple[bytes, bool]]] = {}
    names: dict[bytes, bytes] = {}
    for match in _parameter(value):
        name, quoted, bare = match.groups()
        text = unescape(unfold(quoted)) if quoted is not None else unfold(bare).lstrip(b'"')
        if b"*" in name and (part := _section(name)):
            key = part[1].lower()
            names.setdefault(key, part[1])
            sections.setdefault(key, {}).setdefault(int(part[2]), (text, bool(part[3])))
        else:
            found.setdefault(name.lower(), (name, text))
    for key, pieces in sections.items():
        name, text = _joined(names[key], pieces)
        found.setdefault(name.lower(), (name, text))
    return tuple(found.values())


def _joined(name: bytes, pieces: dict[int, tuple[bytes, bool]]) -> tuple[bytes, bytes]:
    """The sections of one parameter as one (RFC 2231 §3, §4.1).

    If one of them is encoded, all become so, and the name gets its ``*``: clients decode such a value as
    ``charset'language'%xx``. (RFC 9051 §7.5.2 would have it decoded, which no client expects under that name.)
    """
    ordered = [pieces[number] for number in sorted(pieces)]
    if not any(encoded for _, encoded in ordered):
        return name, b"".join(text for text, _ in ordered)
    prefix = b"" if ordered[0][1] else b"''"
    return name + b"*", prefix + b"".join(_encoded(ordered))


def _encoded(pieces: Iterable[tuple[bytes, bool]]) -> Iterable[bytes]:
    return (text if encoded else _not_attribute.sub(_percent, text) for text, encoded in pieces)


def _percent(octet: re.Match[bytes]) -> bytes:
    return b"%%%02X" % octet[0][0]
