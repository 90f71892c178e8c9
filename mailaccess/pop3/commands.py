"""The table of commands: where each is allowed, how many arguments it takes, what it does (RFC 1939 §9)."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from mailaccess.errors import ClientError, Code
from mailaccess.pop3 import anytime, authorization, transaction
from mailaccess.pop3.context import BadCommand, Context, State

_BEFORE = frozenset({State.AUTHORIZATION})
_AFTER = frozenset({State.TRANSACTION})
_ANY = _BEFORE | _AFTER


@dataclass(frozen=True, slots=True)
class Command:
    """One command. ``least`` and ``most`` are numbers of arguments.

    ``spaces``: all behind the first space is one argument. ``password``: the command is part of a login, and refused
    where no password may be said.
    """

    states: frozenset[State]
    run: Callable[[Context, list[bytes]], Awaitable[bytes]]
    least: int = 0
    most: int = 0
    spaces: bool = False
    password: bool = False


COMMANDS = {
    b"CAPA": Command(_ANY, anytime.capa),
    b"LANG": Command(_ANY, anytime.lang, most=1),
    b"QUIT": Command(_ANY, anytime.quit_),
    b"UTF8": Command(_BEFORE, anytime.utf8),
    b"STLS": Command(_BEFORE, authorization.stls),
    b"USER": Command(_BEFORE, authorization.user, 1, 1, password=True),
    b"PASS": Command(_BEFORE, authorization.pass_, 1, 1, spaces=True, password=True),
    b"APOP": Command(_BEFORE, authorization.apop, 2, 2, password=True),
    b"AUTH": Command(_BEFORE, authorization.auth, most=2, password=True),
    b"STAT": Command(_AFTER, transaction.stat),
    b"LIST": Command(_AFTER, transaction.list_, most=1),
    b"UIDL": Command(_AFTER, transaction.uidl, most=1),
    b"RETR": Command(_AFTER, transaction.retr, 1, 1),
    b"TOP": Command(_AFTER, transaction.top, 2, 2),
    b"DELE": Command(_AFTER, transaction.dele, 1, 1),
    b"RSET": Command(_AFTER, transaction.rset),
    b"NOOP": Command(_AFTER, transaction.noop),
}
"""Every command there is, by its name in upper case."""


async def run(context: Context, line: bytes) -> bytes:
    """Carry out one command line, and return its reply, or the reply's end.

    ``BadCommand``, ``ClientError``, ``Disconnected``; what else a store may raise.

    ABNF (RFC 2449 §3)::

        command = keyword *(SP param) CRLF
    """
    name, space, rest = line.partition(b" ")
    command = COMMANDS.get(name.upper())
    if command is None:
        raise BadCommand("Unknown command")
    if context.state not in command.states:
        raise BadCommand(f"This command is not allowed {context.state.value}")
    if command.password and not context.passwords_allowed:
        context.server.events.event("login_refused", protocol="pop3", address=context.peer.host, reason="not under TLS")
        raise ClientError(Code.PRIVACYREQUIRED, "A password is accepted under TLS only: say STLS first")
    return await command.run(context, _arguments(command, rest if space else None))


def _arguments(command: Command, text: bytes | None) -> list[bytes]:
    """What stands behind the name; None where there is not even a space."""
    arguments = [] if text is None else [text] if command.spaces else text.split(b" ")
    if not command.least <= len(arguments) <= command.most:
        raise BadCommand("Wrong number of arguments")
    if b"" in arguments:
        raise BadCommand("An argument is empty")
    return arguments
