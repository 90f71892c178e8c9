"""APPEND (RFC 9051 §6.3.12, RFC 4315 §3)."""

from io import BytesIO

from mailaccess.errors import ClientError
from mailaccess.imap.context import Context, Reply, ok
from mailaccess.imap.grammar.append import AppendArguments, AppendMessage
from mailaccess.imap.responses import codes
from mailaccess.interfaces import Upload


async def append(context: Context, arguments: AppendArguments) -> Reply:
    """Store messages, all or none."""
    uploads = [_upload(message) for message in arguments.messages]
    appended = await context.account.append(context.name(arguments.mailbox), uploads)
    context.counts.appended += len(appended.uids)
    return ok("APPEND completed", codes.append_uid(appended))


def _upload(message: AppendMessage) -> Upload:
    """RFC 3502 §3: an empty literal means that the client has changed its mind."""
    literal = message.literal
    if not literal.size:
        raise ClientError(None, "An empty message is not stored")
    return Upload(literal.file or BytesIO(literal.data), literal.size, message.flags, message.internal_date)
