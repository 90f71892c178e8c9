"""LOGIN (RFC 9051 §6.2.3)."""

from mailaccess.errors import ClientError, Code
from mailaccess.imap.context import Context, Reply, ok
from mailaccess.imap.grammar.login import LoginArguments
from mailaccess.imap.responses import codes


async def login(context: Context, arguments: LoginArguments) -> Reply:
    """Log in with a password."""
    context.require_privacy()
    return await enter(context, _text(arguments.user), _text(arguments.password))


async def enter(context: Context, user: str, password: str) -> Reply:
    """Check a password; the reply tells the capabilities, which spares most clients a round trip."""
    context.enter(*await context.link.login(user, password))
    return ok("Logged in", codes.capability(context.capabilities))


def _text(octets: bytes) -> str:
    try:
        return octets.decode("utf-8")
    except UnicodeDecodeError:
        raise ClientError(Code.AUTHENTICATIONFAILED, "User names and passwords are UTF-8") from None
