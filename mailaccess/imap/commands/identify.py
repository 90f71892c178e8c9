"""ID (RFC 2971)."""

from mailaccess.imap.context import Context, Reply, ok
from mailaccess.imap.responses import data

IDENTIFICATION = {"name": "mailaccess"}
"""What we say of ourselves: no version, which helps nobody but an attacker (RFC 2971 §5)."""


async def identify(context: Context, fields: dict[str, str | None]) -> Reply:
    """Log what the client says of itself, and tell our name."""
    if context.logged_in is not None:
        named = {key: fields[key] for key in ("name", "version") if fields.get(key)}
        context.server.events.event("client", user=context.account.identity.user, address=context.peer.host, **named)
    context.write(data.identification(IDENTIFICATION))
    return ok("ID completed")
