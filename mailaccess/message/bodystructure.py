"""BODY and BODYSTRUCTURE, ready for the wire (RFC 9051 §7.5.2, §9).

    body            = "(" (body-type-1part / body-type-mpart) ")"
    body-type-mpart = 1*body SP media-subtype [SP body-ext-mpart]
    body-type-1part = (body-type-basic / body-type-msg / body-type-text) [SP body-ext-1part]
    body-fields     = body-fld-param SP body-fld-id SP body-fld-desc SP body-fld-enc SP body-fld-octets

Text parts that name no charset get ``("charset" "us-ascii")``: RFC 2046 §4.1.2 makes it the default, and Dovecot's
clients have always seen it there.
"""

from typing import Final

from mailaccess.message.envelope import envelope
from mailaccess.message.media import Parameters
from mailaccess.message.quoting import nstring, string
from mailaccess.message.structure import Part

_DEFAULT_CHARSET: Final = (b"charset", b"us-ascii")


def body(message: bytes, part: Part, extended: bool) -> bytes:
    """BODYSTRUCTURE of a part where ``extended``, BODY otherwise. ``message`` is what the part was parsed from."""
    written: list[bytes] = []
    waiting: list[Part | bytes] = [part]
    while waiting:
        item = waiting.pop()
        if isinstance(item, bytes):
            written.append(item)
        elif item.is_multipart:
            waiting += (_multipart_tail(item, extended), *reversed(item.children), b"(")
        elif item.is_message:
            embedded = item.children[0]
            head = _basic(item) + b" " + envelope(message[embedded.start : embedded.body]) + b" "
            waiting += (b" %d%b" % (item.lines, _single_tail(item, extended)), embedded, head)
        else:
            lines = b" %d" % item.lines if item.type.lower() == b"text" else b""
            written.append(_basic(item) + lines + _single_tail(item, extended))
    return b"".join(written)


def _basic(part: Part) -> bytes:
    """Media type and body-fields, the opening parenthesis before them."""
    parameters = part.parameters
    if part.type.lower() == b"text" and part.parameter(b"charset") is None:
        parameters = (_DEFAULT_CHARSET, *parameters)
    return b"(%b %b %b %b %b %b %d" % (
        string(part.type),
        string(part.subtype),
        _parameters(parameters),
        nstring(part.id),
        nstring(part.description),
        string(part.encoding),
        part.octets,
    )


def _single_tail(part: Part, extended: bool) -> bytes:
    """body-ext-1part, and the closing parenthesis."""
    return b" %b %b)" % (nstring(part.md5), _extension(part)) if extended else b")"


def _multipart_tail(part: Part, extended: bool) -> bytes:
    """media-subtype, body-ext-mpart, and the closing parenthesis."""
    if not extended:
        return b" %b)" % string(part.subtype)
    return b" %b %b %b)" % (string(part.subtype), _parameters(part.parameters), _extension(part))


def _extension(part: Part) -> bytes:
    """body-fld-dsp SP body-fld-lang SP body-fld-loc"""
    return b"%b %b %b" % (_disposition(part), _language(part.language), nstring(part.location))


def _disposition(part: Part) -> bytes:
    if part.disposition is None:
        return b"NIL"
    kind, parameters = part.disposition
    return b"(%b %b)" % (string(kind), _parameters(parameters))


def _language(tags: tuple[bytes, ...]) -> bytes:
    if len(tags) < 2:
        return string(tags[0]) if tags else b"NIL"
    return b"(%b)" % b" ".join([string(tag) for tag in tags])


def _parameters(parameters: Parameters) -> bytes:
    if not parameters:
        return b"NIL"
    return b"(%b)" % b" ".join([b"%b %b" % (string(name), string(value)) for name, value in parameters])
