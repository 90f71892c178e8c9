"""EXPUNGE and UID EXPUNGE (RFC 9051 §6.4.3, §6.4.9; RFC 4315 §2.1)."""

from mailaccess.imap.context import Context, Reply, ok
from mailaccess.mailbox.view import MailboxView
from mailaccess.values import DELETED, UID, SequenceSet


async def expunge(context: Context, _: None) -> Reply:
    r"""Remove all messages that have \Deleted."""
    return await _expunge(context, deleted_uids(context.writable_view))


async def uid_expunge(context: Context, numbers: SequenceSet) -> Reply:
    r"""Remove those of the messages named that have \Deleted."""
    view = context.writable_view
    named = view.named(numbers, by_uid=True)
    return await _expunge(context, [uid for uid in deleted_uids(view) if uid in named])


async def _expunge(context: Context, doomed: list[UID]) -> Reply:
    if doomed:
        removed = await context.view.shared.mailbox.expunge(doomed, deleted_only=True)
        context.counts.expunged += len(removed)
    return ok("EXPUNGE completed")


def deleted_uids(view: MailboxView) -> list[UID]:
    r"""The messages that the client knows of and that have \Deleted."""
    if not view.shared.deleted:
        return []
    columns = view.columns()
    kinds = {flags for flags in set(columns.flags) if DELETED in flags}
    return [UID(uid) for uid, flags in zip(columns.uids, columns.flags, strict=True) if flags in kinds]
