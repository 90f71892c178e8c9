"""ENABLE (RFC 5161, RFC 9051 §6.3.1)."""

from mailaccess.imap.context import Context, Reply, ok
from mailaccess.imap.responses import data


async def enable(context: Context, names: tuple[str, ...]) -> Reply:
    """Turn on what can be turned on; other names are passed over (mutt asks for UTF8=ACCEPT whether offered or not)."""
    enabled = [name for name in ("CONDSTORE",) if name in names]
    if enabled:
        context.enable_condstore()
    context.write(data.enabled(enabled))
    return ok("ENABLE completed")
