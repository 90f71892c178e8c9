"""ENVELOPE, ready for the wire (RFC 9051 §7.5.2).

envelope = "(" env-date SP env-subject SP env-from SP env-sender SP env-reply-to SP env-to SP env-cc SP env-bcc SP
           env-in-reply-to SP env-message-id ")"
address  = "(" addr-name SP addr-adl SP addr-mailbox SP addr-host ")"
"""

from typing import Final

from mailaccess.message import headers
from mailaccess.message.addresses import Address, GroupStart, Item, addresses
from mailaccess.message.quoting import nstring, string

MISSING_MAILBOX: Final = b'"MISSING_MAILBOX"'
MISSING_DOMAIN: Final = b'"MISSING_DOMAIN"'
"""NIL would say that the address is a group (RFC 9051 §7.5.2). The words are Dovecot's, which clients know."""

_FIELDS: Final = headers.named(
    b"date", b"subject", b"from", b"sender", b"reply-to", b"to", b"cc", b"bcc", b"in-reply-to", b"message-id"
)


def envelope(header: bytes) -> bytes:
    """The ENVELOPE of a message with this header. Of several fields of one name the first counts."""
    found = headers.values(header, _FIELDS).get
    author = _addresses(found(b"from"), b"NIL")
    return b"(%b %b %b %b %b %b %b %b %b %b)" % (
        _text(found(b"date")),
        _text(found(b"subject")),
        author,
        _addresses(found(b"sender"), author),
        _addresses(found(b"reply-to"), author),
        _addresses(found(b"to"), b"NIL"),
        _addresses(found(b"cc"), b"NIL"),
        _addresses(found(b"bcc"), b"NIL"),
        _text(found(b"in-reply-to")),
        _text(found(b"message-id")),
    )


def _text(value: bytes | None) -> bytes:
    return b"NIL" if value is None else string(headers.unfold(value))


def _addresses(value: bytes | None, default: bytes) -> bytes:
    """The list; ``default`` where the field is absent, empty or without any address."""
    items = b"".join([_address(item) for item in addresses(value)]) if value else b""
    return b"(%b)" % items if items else default


def _address(item: Item) -> bytes:
    if isinstance(item, Address):
        return b"(%b %b %b %b)" % (
            nstring(item.name),
            nstring(item.route),
            string(item.mailbox) if item.mailbox else MISSING_MAILBOX,
            string(item.host) if item.host else MISSING_DOMAIN,
        )
    if isinstance(item, GroupStart):
        return b"(NIL NIL %b NIL)" % string(item.name)
    return b"(NIL NIL NIL NIL)"
