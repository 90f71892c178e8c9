"""STATUS (RFC 9051 §6.3.11, RFC 7162 §3.1.2.1, RFC 7889 §4, RFC 8438)."""

from collections.abc import Sequence

from mailaccess.imap.context import Context, Reply, ok
from mailaccess.imap.grammar.status import StatusArguments, StatusItem
from mailaccess.imap.responses import data
from mailaccess.values import MailboxName, MailboxStatus


async def status(context: Context, arguments: StatusArguments) -> Reply:
    """Tell a mailbox's numbers, of the selected one too."""
    await tell_status(context, context.name(arguments.mailbox), arguments.mailbox, arguments.items)
    return ok("STATUS completed")


async def tell_status(context: Context, name: MailboxName, wire: str, items: Sequence[StatusItem]) -> None:
    """Write one STATUS response; ``wire`` is the name as the client reads it. ``NoSuchMailbox``."""
    if StatusItem.HIGHESTMODSEQ in items:
        context.enable_condstore()
    numbers = await context.account.status(name, StatusItem.SIZE in items)
    values = _values(numbers, context.limits.append_bytes)
    context.write(data.status(wire, {item: values[item] for item in items}, context.utf8))


def _values(numbers: MailboxStatus, append_bytes: int) -> dict[StatusItem, int]:
    return {
        StatusItem.MESSAGES: numbers.messages,
        StatusItem.RECENT: numbers.recent,
        StatusItem.UIDNEXT: numbers.uid_next,
        StatusItem.UIDVALIDITY: numbers.uid_validity,
        StatusItem.UNSEEN: numbers.unseen,
        StatusItem.DELETED: numbers.deleted,
        StatusItem.SIZE: numbers.size,
        StatusItem.HIGHESTMODSEQ: numbers.highest_modseq,
        StatusItem.APPENDLIMIT: append_bytes,
    }
