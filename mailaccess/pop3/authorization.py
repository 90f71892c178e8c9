"""The commands of the AUTHORIZATION state (RFC 1939 §7, RFC 5034, RFC 2595 §4)."""

from collections.abc import Awaitable

from mailaccess.errors import ClientError, Code
from mailaccess.interfaces import IAccount
from mailaccess.pop3.context import BadCommand, Context, Logout
from mailaccess.pop3.maildrop import Maildrop
from mailaccess.pop3.wire import ok


async def stls(context: Context, _: list[bytes]) -> bytes:
    """Begin TLS, and forget what was said before it: a name that was said in clear, too (RFC 2595 §4)."""
    if context.tls:
        raise ClientError(None, "TLS is active already")
    if not context.can_start_tls:
        raise ClientError(None, "TLS is not available here")
    context.start_tls(ok("Begin TLS negotiation now"))
    return b""


async def user(context: Context, arguments: list[bytes]) -> bytes:
    """Remember a name. The reply is the same whether it exists or not."""
    context.named = _text(arguments[0])
    return ok("Say PASS")


async def pass_(context: Context, arguments: list[bytes]) -> bytes:
    """Log in as whom USER named; after a failure, USER comes first again."""
    name, context.named = context.named, None
    if name is None:
        raise BadCommand("Say USER first")
    return await _enter(context, name, context.link.login(name, _text(arguments[0])))


async def apop(context: Context, arguments: list[bytes]) -> bytes:
    """Log in with a digest over the greeting's timestamp, where there is one."""
    if not context.timestamp:
        raise ClientError(None, "APOP is not available here")
    name, digest = _text(arguments[0]), _text(arguments[1])
    return await _enter(context, name, context.link.apop(name, context.timestamp, digest))


def _text(octets: bytes) -> str:
    """A name or password (RFC 6856 §2.2): UTF-8."""
    try:
        return octets.decode("utf-8")
    except UnicodeDecodeError:
        raise ClientError(Code.AUTHENTICATIONFAILED, "Names and passwords are UTF-8") from None


async def _enter(context: Context, name: str, login: Awaitable[tuple[IAccount, Logout]]) -> bytes:
    """Begin the TRANSACTION state, or leave everything as it was (RFC 1939 §4)."""
    account, logout = await login
    try:
        maildrop = await Maildrop.open(account.store)
    except BaseException:
        logout()
        raise
    try:
        context.link.admit(account.identity.user)
    except BaseException:
        maildrop.close()
        logout()
        raise
    context.enter(account.identity.user, maildrop, logout)
    return ok(f"{maildrop.count} messages ({maildrop.octets} octets)")
