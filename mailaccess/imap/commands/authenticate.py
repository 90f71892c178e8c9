"""AUTHENTICATE (RFC 9051 §6.2.2, RFC 4959)."""

from mailaccess.errors import ClientError, Code
from mailaccess.imap.commands.login import enter
from mailaccess.imap.context import Context, Reply
from mailaccess.imap.grammar.login import AuthenticateArguments
from mailaccess.imap.responses import lines
from mailaccess.sasl.exchange import Cancelled, Continue, Exchange, Malformed
from mailaccess.sasl.mechanism import Credentials, Failed
from mailaccess.sasl.table import MECHANISMS


async def authenticate(context: Context, arguments: AuthenticateArguments) -> Reply:
    """Log in by a SASL mechanism, in as many steps as it takes."""
    context.require_privacy()
    if arguments.mechanism not in context.server.mechanisms:
        raise ClientError(Code.CANNOT, "This mechanism is not offered")
    exchange = Exchange(MECHANISMS[arguments.mechanism](), arguments.initial)
    step = exchange.begin()
    while isinstance(step, Continue):
        context.write(lines.continuation(step.challenge))
        step = exchange.send(await context.line())
    match step:
        case Credentials(user, password):
            return await enter(context, user, password)
        case Failed(text, code):
            raise ClientError(code, text)
        case Cancelled():
            return Reply("BAD", "Authentication cancelled")
        case Malformed():
            return Reply("BAD", "The response is not in base64")
