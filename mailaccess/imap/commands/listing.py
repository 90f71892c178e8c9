"""LIST and LSUB (RFC 9051 §6.3.9, RFC 3501 §6.3.9, RFC 5258, RFC 5819, RFC 6154)."""

from mailaccess.errors import ClientError
from mailaccess.imap.commands.status import tell_status
from mailaccess.imap.context import Context, Reply, ok
from mailaccess.imap.grammar.listing import ListArguments
from mailaccess.imap.responses import data
from mailaccess.mailbox import names
from mailaccess.mailbox.listing import Attribute, Listed


async def list_(context: Context, arguments: ListArguments) -> Reply:
    """Tell which mailboxes there are."""
    if not arguments.extended and arguments.patterns == ("",):
        _tell_root(context)
        return ok("LIST completed")
    found = await context.account.listing(_patterns(context, arguments), arguments.selection, arguments.returns)
    for mailbox in found:
        _tell(context, mailbox)
        if arguments.status and Attribute.NON_EXISTENT not in mailbox.attributes:
            await _tell_status(context, mailbox, arguments)
        if context.batch_is_full:
            await context.drain()
    return ok("LIST completed")


async def lsub(context: Context, arguments: ListArguments) -> Reply:
    """Tell the subscribed names."""
    for mailbox in await context.account.lsub(_patterns(context, arguments)):
        _tell(context, mailbox, lsub=True)
        if context.batch_is_full:
            await context.drain()
    return ok("LSUB completed")


def _patterns(context: Context, arguments: ListArguments) -> list[names.Pattern]:
    separator = context.account.separator
    return [names.Pattern(arguments.reference, pattern, separator) for pattern in arguments.patterns]


def _tell(context: Context, mailbox: Listed, lsub: bool = False) -> None:
    separator = context.account.separator
    context.write(
        data.list_line(
            names.format(mailbox.name, separator),
            mailbox.attributes,
            separator,
            child_info=mailbox.child_info,
            lsub=lsub,
            utf8=context.utf8,
        )
    )


def _tell_root(context: Context) -> None:
    r"""``LIST "" ""`` asks for the separator (RFC 9051 §6.3.9)."""
    context.write(data.list_line("", (Attribute.NOSELECT,), context.account.separator))


async def _tell_status(context: Context, mailbox: Listed, arguments: ListArguments) -> None:
    """A mailbox that went meanwhile, or cannot be looked at now, has no STATUS (RFC 5819 §2)."""
    try:
        wire = names.format(mailbox.name, context.account.separator)
        await tell_status(context, mailbox.name, wire, arguments.status)
    except ClientError:
        return
