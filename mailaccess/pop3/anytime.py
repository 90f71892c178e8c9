"""The commands that both states know: CAPA, QUIT, LANG; and UTF8."""

from mailaccess.errors import ClientError
from mailaccess.pop3.capabilities import capabilities
from mailaccess.pop3.context import Context, State
from mailaccess.pop3.wire import multiline, ok

LANGUAGES = {"en": "English"}
"""Tag and name, in itself, of each language that replies are written in (RFC 6856 §3.2). The first is the preferred."""


async def capa(context: Context, _: list[bytes]) -> bytes:
    """List what may be used (RFC 2449 §5)."""
    return ok("Capability list follows") + multiline(line.encode("ascii") for line in capabilities(context))


async def quit_(context: Context, _: list[bytes]) -> bytes:
    """End the session; after login, remove what is marked, all or nothing (RFC 1939 §6)."""
    in_transaction = context.state is State.TRANSACTION
    context.state = State.UPDATE
    if not in_transaction:
        return ok("Bye")
    context.counts.deleted = await context.maildrop.commit()
    return ok(f"Bye, {context.maildrop.count} messages left")


async def utf8(_context: Context, _: list[bytes]) -> bytes:
    """Agree to UTF-8 mode (RFC 6856 §2.1).

    It changes nothing: messages are sent as they are stored, with or without it. RFC 6856 wants a message with UTF-8 in
    its header refused, or rewritten, for a client that did not say UTF8; but raw 8-bit header fields are older than it
    and common in spam, none of the recorded clients says UTF8, and each would stop at such a message for ever.
    """
    return ok("UTF8 enabled")


async def lang(_context: Context, arguments: list[bytes]) -> bytes:
    """List the languages, or choose one by a basic language range (RFC 6856 §3.2, RFC 4647 §3.3.1)."""
    if not arguments:
        listing = (f"{tag} {name}".encode() for tag, name in LANGUAGES.items())
        return ok("Language listing follows") + multiline(listing)
    wanted = arguments[0].decode("ascii", "replace").lower()
    for tag in LANGUAGES:
        if wanted == "*" or f"{tag}-".startswith(f"{wanted}-"):
            return ok(f"{tag} Language chosen")
    raise ClientError(None, "No such language")
