"""COPY and MOVE (RFC 9051 §6.4.7, §6.4.8; RFC 6851, RFC 4315 §3)."""

from mailaccess.errors import Code
from mailaccess.imap.context import Context, Reply, no, ok
from mailaccess.imap.grammar.store import CopyArguments
from mailaccess.imap.responses import codes, lines
from mailaccess.values import Copied


async def copy(context: Context, arguments: CopyArguments) -> Reply:
    """Copy messages named by sequence number."""
    return await _copy(context, arguments, by_uid=False)


async def uid_copy(context: Context, arguments: CopyArguments) -> Reply:
    """Copy messages named by UID."""
    return await _copy(context, arguments, by_uid=True)


async def move(context: Context, arguments: CopyArguments) -> Reply:
    """Move messages named by sequence number."""
    return await _move(context, arguments, by_uid=False)


async def uid_move(context: Context, arguments: CopyArguments) -> Reply:
    """Move messages named by UID."""
    return await _move(context, arguments, by_uid=True)


async def _copy(context: Context, arguments: CopyArguments, by_uid: bool) -> Reply:
    uids = [uid for _, uid in context.view.uids_of(arguments.numbers, by_uid)]
    target = await context.account.target(context.name(arguments.mailbox))
    if not uids:
        return ok("Nothing to copy")
    copied = await context.view.shared.mailbox.copy(uids, target)
    if not copied.target:
        return no("The messages are gone", Code.EXPUNGEISSUED)
    return ok("COPY completed", codes.copy_uid(copied))


async def _move(context: Context, arguments: CopyArguments, by_uid: bool) -> Reply:
    """COPYUID is told untagged, before the EXPUNGEs that the session tells with the reply (RFC 6851 §4.3)."""
    view = context.writable_view
    uids = [uid for _, uid in view.uids_of(arguments.numbers, by_uid)]
    target = await context.account.target(context.name(arguments.mailbox))
    if not uids:
        return ok("Nothing to move")
    moved: Copied = await view.shared.mailbox.move(uids, target)
    if not moved.target:
        return no("The messages are gone", Code.EXPUNGEISSUED)
    context.counts.expunged += len(moved.source)
    context.write(lines.untagged("OK", codes.copy_uid(moved), "Moved"))
    return ok("MOVE completed")
