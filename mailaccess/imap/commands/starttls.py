"""STARTTLS (RFC 9051 §6.2.1)."""

from mailaccess.errors import Code
from mailaccess.imap.context import Context, Reply, no, ok


async def starttls(context: Context, _: None) -> Reply:
    """Agree to TLS; the session begins it behind the reply, and forgets what was said before."""
    if context.tls:
        return Reply("BAD", "TLS is active already")
    if not context.can_start_tls:
        return no("TLS is not available here", Code.UNAVAILABLE)
    context.starting_tls = True
    return ok("Begin TLS negotiation now")
