"""NAMESPACE (RFC 2342, RFC 9051 §6.3.10)."""

from mailaccess.imap.context import Context, Reply, ok
from mailaccess.imap.responses import data


async def namespace(context: Context, _: None) -> Reply:
    """One personal namespace without a prefix; nobody else's, nothing shared."""
    context.write(data.namespace(context.account.separator))
    return ok("NAMESPACE completed")
