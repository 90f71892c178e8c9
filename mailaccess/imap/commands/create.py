"""CREATE, DELETE and RENAME (RFC 9051 §6.3.4 to §6.3.6, RFC 6154 §3)."""

from mailaccess.errors import ClientError, Code
from mailaccess.imap.context import Context, Reply, ok
from mailaccess.imap.grammar.mailboxes import CreateArguments, RenameArguments
from mailaccess.mailbox import names
from mailaccess.values import SpecialUse


async def create(context: Context, arguments: CreateArguments) -> Reply:
    """Make a mailbox, for a special use perhaps."""
    account = context.account
    await account.create(names.parse_new(arguments.mailbox, account.separator), _special_use(arguments.uses))
    return ok("CREATE completed")


async def delete(context: Context, mailbox: str) -> Reply:
    """Remove a mailbox; its children stay. Other sessions that have it open are told with BYE."""
    name = context.name(mailbox)
    await context.account.delete(name)
    if context.selected is not None and context.selected.shared.name == name:
        context.unselect()
    return ok("DELETE completed")


async def rename(context: Context, arguments: RenameArguments) -> Reply:
    """Give a mailbox and its children another name; of INBOX the messages move."""
    account = context.account
    await account.rename(context.name(arguments.old), names.parse_new(arguments.new, account.separator))
    return ok("RENAME completed")


def _special_use(uses: tuple[str, ...]) -> SpecialUse | None:
    if not uses:
        return None
    if len(uses) > 1:
        raise ClientError(Code.USEATTR, "A mailbox has one special use")
    try:
        return SpecialUse(uses[0])
    except ValueError:
        raise ClientError(Code.USEATTR, "This special use is not known here") from None
