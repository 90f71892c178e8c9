"""The commands of the AUTHORIZATION state (RFC 1939 §7, RFC 5034, RFC 2595 §4)."""

from collections.abc import Awaitable

from mailaccess.errors import ClientError, Code
from mailaccess.interfaces import IAccount
from mailaccess.pop3.context import BadCommand, Context, Logout
from mailaccess.pop3.maildrop import Maildrop
from mailaccess.pop3.wire import multiline, ok
from mailaccess.sasl.exchange import Cancelled, Continue, Exchange, Malformed
from mailaccess.sasl.mechanism import Credentials, Failed, text_of
from mailaccess.sasl.table import MECHANISMS


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
    return await _enter(context, context.link.login(name, _text(arguments[0])))


async def apop(context: Context, arguments: list[bytes]) -> bytes:
    """Log in with a digest over the greeting's timestamp, where there is one."""
    if not context.timestamp:
        raise ClientError(None, "APOP is not available here")
    name, digest = _text(arguments[0]), _text(arguments[1])
    return await _enter(context, context.link.apop(name, context.timestamp, digest))


async def auth(context: Context, arguments: list[bytes]) -> bytes:
    """Log in by a SASL mechanism, in as many steps as it takes (RFC 5034 §4).

    Without an argument, list the mechanisms: older versions of Outlook ask so, and Dovecot answers so. RFC 5034 knows
    no such form.

    ABNF (RFC 5034 §5)::

        auth-command = "AUTH" SP sasl-mech [SP initial-response] *(CRLF [base64]) [CRLF cancel-response] CRLF
        continue-req = "+" SP [base64] CRLF
    """
    mechanisms = context.server.mechanisms
    if not arguments:
        return ok("Mechanisms follow") + multiline(name.encode("ascii") for name in mechanisms)
    name = arguments[0].decode("ascii", "replace").upper()
    if name not in mechanisms:
        raise ClientError(None, "No such mechanism")
    exchange = Exchange(MECHANISMS[name](), arguments[1] if len(arguments) > 1 else None)
    step = exchange.begin()
    while isinstance(step, Continue):
        context.write(b"+ " + step.challenge + b"\r\n")
        step = exchange.send(await context.response())
    match step:
        case Credentials(user, password):
            return await _enter(context, context.link.login(user, password))
        case Failed(text, code):
            raise ClientError(code, text)
        case Cancelled():
            raise ClientError(None, "Authentication cancelled")
        case Malformed():
            raise BadCommand("The response is not in base64")


def _text(octets: bytes) -> str:
    """A name or password: UTF-8 (RFC 6856 §2.2), by the same rule as in AUTH."""
    text = text_of(octets)
    if text is None:
        raise ClientError(Code.AUTHENTICATIONFAILED, "Names and passwords are UTF-8")
    return text


async def _enter(context: Context, login: Awaitable[tuple[IAccount, Logout]]) -> bytes:
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
    context.enter(maildrop, logout)
    return ok(f"{maildrop.count} messages ({maildrop.octets} octets)")
