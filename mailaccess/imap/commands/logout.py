"""LOGOUT (RFC 9051 §6.1.3)."""

from mailaccess.imap.context import Context, Reply, State, ok
from mailaccess.imap.responses import lines


async def logout(context: Context, _: None) -> Reply:
    """Say goodbye; the session closes the connection behind the reply."""
    context.write(lines.untagged("BYE", None, "Logging out"))
    context.state = State.LOGOUT
    return ok("LOGOUT completed")
