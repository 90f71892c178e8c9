"""STORE and UID STORE (RFC 9051 §6.4.6, RFC 7162 §3.1.3)."""

from mailaccess.errors import Code
from mailaccess.imap.commands.changes import tell_flags
from mailaccess.imap.context import Context, Reply, no, ok
from mailaccess.imap.grammar.store import StoreArguments
from mailaccess.imap.responses import codes
from mailaccess.imap.responses.fetch import fetch, modseq
from mailaccess.mailbox.view import Pair
from mailaccess.values import MessageRow, NumberSet, SeqNum, Stored

STORED_AT_ONCE = 1000
"""Messages whose flags change in one call of the store; others' work on the account runs between two calls."""


async def store(context: Context, arguments: StoreArguments) -> Reply:
    """Change the flags of messages named by sequence number."""
    return await _store(context, arguments, by_uid=False)


async def uid_store(context: Context, arguments: StoreArguments) -> Reply:
    """Change the flags of messages named by UID."""
    return await _store(context, arguments, by_uid=True)


async def _store(context: Context, arguments: StoreArguments, by_uid: bool) -> Reply:
    view = context.writable_view
    pairs = view.uids_of(arguments.numbers, by_uid)
    if arguments.unchanged_since is not None:
        context.enable_condstore()
    refused: list[int] = []
    gone = False
    for start in range(0, len(pairs), STORED_AT_ONCE):
        batch = pairs[start : start + STORED_AT_ONCE]
        uids = [uid for _, uid in batch]
        stored = await view.shared.mailbox.store(uids, arguments.change, arguments.flags, arguments.unchanged_since)
        gone = gone or len(stored.changed) + len(stored.modified) < len(batch)
        refused += [number if not by_uid else uid for number, uid in batch if uid in stored.modified]
        _tell(context, arguments, batch, stored, by_uid)
        await context.drain()
    if refused:
        return ok("Some messages changed meanwhile", codes.modified(NumberSet.of(refused)))
    if gone and not by_uid:
        return no("Some messages are gone", Code.EXPUNGEISSUED)
    return ok("STORE completed")


def _tell(context: Context, arguments: StoreArguments, batch: list[Pair], stored: Stored, by_uid: bool) -> None:
    """Tell the new flags; of a silent STORE the new MODSEQ only, to a client that knows of it (RFC 7162 §3.1.3)."""
    rows = {row.uid: row for row in stored.changed}
    told = [(number, rows[uid]) for number, uid in batch if uid in rows]
    if not arguments.silent:
        tell_flags(context, told, uids=by_uid)
        context.view.shown((row.uid, row.flags) for _, row in told)
        return
    context.view.silence([row.uid for _, row in told], arguments.change, arguments.flags)
    if context.condstore:
        for number, row in told:
            _tell_modseq(context, number, row)


def _tell_modseq(context: Context, number: SeqNum, row: MessageRow) -> None:
    context.write(fetch(number, [b"UID %d" % row.uid, modseq(row.modseq)]))
