"""NOOP and CHECK: an occasion to hear what is new (RFC 9051 §6.1.2, RFC 3501 §6.4.1)."""

from mailaccess.imap.context import Context, Reply, ok


async def noop(context: Context, _: None) -> Reply:
    """Look for what other programs did to the selected mailbox; the session tells it."""
    await _look(context)
    return ok("NOOP completed")


async def check(context: Context, _: None) -> Reply:
    """As NOOP: whatever was acknowledged is on disk already."""
    await _look(context)
    return ok("CHECK completed")


async def _look(context: Context) -> None:
    if context.selected is not None:
        await context.selected.shared.mailbox.refresh()
