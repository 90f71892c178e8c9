"""Telling the client what changed in the selected mailbox (RFC 9051 §5.2, §7.4, §7.5)."""

from collections.abc import Iterable

from mailaccess.imap.context import Context
from mailaccess.imap.responses import codes, data, lines
from mailaccess.imap.responses.fetch import fetch, modseq
from mailaccess.imap.responses.flags import flag_list
from mailaccess.values import SYSTEM_FLAGS, MessageRow, SeqNum

LINES_AT_ONCE = 1000
"""EXPUNGE and FETCH lines that are written before the client must take them: 64 KiB at most."""


async def tell_changes(context: Context, expunges: bool) -> None:
    """Tell what happened since the last time; of expunges where the command that runs allows it.

    A session whose mailbox was deleted under it must end: there is no other way to say so (RFC 2180 §3.3).
    """
    view = context.selected
    if view is None:
        return
    tell_keywords(context)
    updates = view.poll(expunges)
    for start in range(0, len(updates.expunged), LINES_AT_ONCE):
        context.write(data.expunge(updates.expunged[start : start + LINES_AT_ONCE]))
        await context.drain()
    if updates.exists is not None:
        context.write(data.exists(updates.exists))
    if updates.recent is not None:
        context.write(data.recent(updates.recent))
    for start in range(0, len(updates.flags), LINES_AT_ONCE):
        tell_flags(context, updates.flags[start : start + LINES_AT_ONCE])
        await context.drain()
    if updates.gone is not None:
        context.parting = updates.gone


def tell_keywords(context: Context) -> None:
    """Tell FLAGS and PERMANENTFLAGS where keywords have come into use since they were told (RFC 9051 §7.3.5)."""
    mailbox = context.view.shared.mailbox
    if context.keywords_told is not None and context.keywords_modseq == mailbox.highest_modseq:
        return
    context.keywords_modseq = mailbox.highest_modseq
    keywords = frozenset(mailbox.keywords)
    if context.keywords_told is None or not keywords <= context.keywords_told:
        context.keywords_told = keywords
        known = (*SYSTEM_FLAGS, *keywords)
        permanent = codes.permanent_flags(*((), False) if context.view.read_only else (known, mailbox.new_keywords))
        context.write(data.flags(known) + lines.untagged("OK", permanent, "Flags that are kept"))


def tell_flags(context: Context, rows: Iterable[tuple[SeqNum, MessageRow]], *, uids: bool = False) -> None:
    """Tell messages' flags, with UID where ``uids``, and MODSEQ where the client knows of it (RFC 7162 §3.2)."""
    recent = context.view.recent_uids
    for number, row in rows:
        parts = [b"UID %d" % row.uid] if uids else []
        parts.append(b"FLAGS " + flag_list(row.flags, row.uid in recent))
        if context.condstore:
            parts.append(modseq(row.modseq))
        context.write(fetch(number, parts))
