"""CLOSE and UNSELECT (RFC 9051 §6.4.1, §6.4.2; RFC 3691)."""

from mailaccess.imap.commands.expunge import deleted_uids
from mailaccess.imap.context import Context, Reply, ok


async def close(context: Context, _: None) -> Reply:
    """Remove what is marked as deleted, unless after EXAMINE, without a word of it, and leave the mailbox."""
    view = context.view
    if not view.read_only and (doomed := deleted_uids(view)):
        removed = await view.shared.mailbox.expunge(doomed, deleted_only=True)
        context.counts.expunged += len(removed)
    context.unselect()
    return ok("CLOSE completed")


async def unselect(context: Context, _: None) -> Reply:
    """Leave the mailbox as it is."""
    context.unselect()
    return ok("UNSELECT completed")
