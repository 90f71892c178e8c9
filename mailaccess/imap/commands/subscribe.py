"""SUBSCRIBE and UNSUBSCRIBE (RFC 9051 §6.3.7, §6.3.8)."""

from mailaccess.imap.context import Context, Reply, ok


async def subscribe(context: Context, mailbox: str) -> Reply:
    """Add a name to the subscriptions; it need not exist."""
    await context.account.subscribe(context.name(mailbox), True)
    return ok("SUBSCRIBE completed")


async def unsubscribe(context: Context, mailbox: str) -> Reply:
    """Take a name out of the subscriptions."""
    await context.account.subscribe(context.name(mailbox), False)
    return ok("UNSUBSCRIBE completed")
