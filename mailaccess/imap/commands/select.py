"""SELECT and EXAMINE (RFC 9051 §6.3.2, §6.3.3; RFC 7162 §3.1.2.1, §3.1.8)."""

from mailaccess.imap.commands.changes import tell_keywords
from mailaccess.imap.context import Context, Reply, ok
from mailaccess.imap.grammar.mailboxes import SelectArguments
from mailaccess.imap.responses import codes, data, lines
from mailaccess.mailbox.view import MailboxView


async def select(context: Context, arguments: SelectArguments) -> Reply:
    """Open a mailbox."""
    return await _open(context, arguments, read_only=False)


async def examine(context: Context, arguments: SelectArguments) -> Reply:
    """Open a mailbox for reading only."""
    return await _open(context, arguments, read_only=True)


async def _open(context: Context, arguments: SelectArguments, read_only: bool) -> Reply:
    """Leave the mailbox that is open, whatever becomes of the new one (RFC 9051 §6.3.2).

    The new one is opened first: where it is the same, all that is known of it is still there.
    """
    try:
        view = await context.account.open(context.name(arguments.mailbox), read_only)
    finally:
        if context.selected is not None:
            context.unselect()
            context.write(lines.untagged("OK", codes.CLOSED, "The previous mailbox is closed"))
    context.select(view)
    if arguments.condstore:
        context.enable_condstore()
    _describe(context, view)
    verb = "EXAMINE" if read_only else "SELECT"
    return ok(f"{verb} completed", codes.READ_ONLY if view.read_only else codes.READ_WRITE)


def _describe(context: Context, view: MailboxView) -> None:
    mailbox = view.shared.mailbox
    context.keywords_told = None
    tell_keywords(context)
    context.write(data.exists(view.exists) + data.recent(view.recent))
    if (unseen := view.first_unseen) is not None:
        context.write(lines.untagged("OK", codes.unseen(unseen), "First unseen message"))
    context.write(lines.untagged("OK", codes.uid_validity(mailbox.uid_validity), "UIDs are valid"))
    context.write(lines.untagged("OK", codes.uid_next(mailbox.uid_next), "Next UID"))
    context.tell_highest_modseq(view)
