"""CAPABILITY (RFC 9051 §6.1.1)."""

from mailaccess.imap.context import Context, Reply, ok
from mailaccess.imap.responses import data


async def capability(context: Context, _: None) -> Reply:
    """Tell what may be used now."""
    context.write(data.capability(context.capabilities))
    return ok("CAPABILITY completed")
