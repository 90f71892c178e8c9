"""Which command is allowed when, how its arguments are read, and what becomes of its failures (RFC 9051 §6).

Whatever a command raises, :func:`answer` makes one reply of it: what is safe to say is said, everything else is logged
under an incident id, and the client is told the id (RFC 5530 §3, SERVERBUG).
"""

import re
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from enum import Enum
from typing import Any

from mailaccess.errors import ClientError, Code, Disconnected
from mailaccess.imap.commands.append import append
from mailaccess.imap.commands.authenticate import authenticate
from mailaccess.imap.commands.capability import capability
from mailaccess.imap.commands.changes import tell_changes
from mailaccess.imap.commands.close import close, unselect
from mailaccess.imap.commands.copy import copy, move, uid_copy, uid_move
from mailaccess.imap.commands.create import create, delete, rename
from mailaccess.imap.commands.enable import enable
from mailaccess.imap.commands.expunge import expunge, uid_expunge
from mailaccess.imap.commands.fetch import fetch, uid_fetch
from mailaccess.imap.commands.identify import identify
from mailaccess.imap.commands.idle import idle
from mailaccess.imap.commands.listing import list_, lsub
from mailaccess.imap.commands.login import login
from mailaccess.imap.commands.logout import logout
from mailaccess.imap.commands.namespace import namespace
from mailaccess.imap.commands.noop import check, noop
from mailaccess.imap.commands.search import search, uid_search
from mailaccess.imap.commands.select import examine, select
from mailaccess.imap.commands.starttls import starttls
from mailaccess.imap.commands.status import status
from mailaccess.imap.commands.store import store, uid_store
from mailaccess.imap.commands.subscribe import subscribe, unsubscribe
from mailaccess.imap.context import Context, Reply, State, no
from mailaccess.imap.grammar.append import append_arguments
from mailaccess.imap.grammar.fetch import fetch_arguments
from mailaccess.imap.grammar.listing import list_arguments, lsub_arguments
from mailaccess.imap.grammar.login import (
    authenticate_arguments,
    enable_names,
    id_parameters,
    login_arguments,
    no_arguments,
)
from mailaccess.imap.grammar.mailboxes import create_arguments, mailbox_argument, rename_arguments, select_arguments
from mailaccess.imap.grammar.search import BadCharset, search_arguments
from mailaccess.imap.grammar.status import status_arguments
from mailaccess.imap.grammar.store import copy_arguments, set_arguments, store_arguments
from mailaccess.imap.grammar.tokens import BadSyntax
from mailaccess.imap.responses import codes
from mailaccess.imap.wire import Arguments, RawCommand
from mailaccess.mailbox.view import BadSequence


class Telling(Enum):
    """What of the pending changes may be told with a command's reply (RFC 9051 §5.5, §7.5.1)."""

    EVERYTHING = "everything"
    NOTHING_GONE = "no EXPUNGE: the client may have sent sequence numbers behind this command"


@dataclass(frozen=True, slots=True)
class Verb:
    """A command: where it is allowed, the reader of its arguments, what it does, what may be told with its reply."""

    states: frozenset[State]
    read: Callable[[Arguments, bool], Any]
    run: Callable[[Context, Any], Awaitable[Reply]]
    telling: Telling = Telling.EVERYTHING


_ANY = frozenset({State.NOT_AUTHENTICATED, State.AUTHENTICATED, State.SELECTED})
_BEFORE = frozenset({State.NOT_AUTHENTICATED})
_AFTER = frozenset({State.AUTHENTICATED, State.SELECTED})
_OPEN = frozenset({State.SELECTED})

Reader = Callable[[Arguments], Any]


def _plain(read: Reader) -> Callable[[Arguments, bool], Any]:
    """A reader of arguments that have no mailbox names."""
    return lambda arguments, utf8: read(arguments)


_nothing = _plain(no_arguments)
_fetch = _plain(fetch_arguments)
_store = _plain(store_arguments)
_search = _plain(search_arguments)

VERBS: dict[bytes, Verb] = {
    b"CAPABILITY": Verb(_ANY, _nothing, capability),
    b"NOOP": Verb(_ANY, _nothing, noop),
    b"LOGOUT": Verb(_ANY, _nothing, logout),
    b"ID": Verb(_ANY, _plain(id_parameters), identify),
    b"STARTTLS": Verb(_BEFORE, _nothing, starttls),
    b"LOGIN": Verb(_BEFORE, _plain(login_arguments), login),
    b"AUTHENTICATE": Verb(_BEFORE, _plain(authenticate_arguments), authenticate),
    b"ENABLE": Verb(_AFTER, _plain(enable_names), enable),
    b"NAMESPACE": Verb(_AFTER, _nothing, namespace),
    b"SELECT": Verb(_AFTER, select_arguments, select),
    b"EXAMINE": Verb(_AFTER, select_arguments, examine),
    b"CREATE": Verb(_AFTER, create_arguments, create),
    b"DELETE": Verb(_AFTER, mailbox_argument, delete),
    b"RENAME": Verb(_AFTER, rename_arguments, rename),
    b"SUBSCRIBE": Verb(_AFTER, mailbox_argument, subscribe),
    b"UNSUBSCRIBE": Verb(_AFTER, mailbox_argument, unsubscribe),
    b"LIST": Verb(_AFTER, list_arguments, list_),
    b"LSUB": Verb(_AFTER, lsub_arguments, lsub),
    b"STATUS": Verb(_AFTER, status_arguments, status),
    b"APPEND": Verb(_AFTER, append_arguments, append),
    b"IDLE": Verb(_AFTER, _nothing, idle),
    b"CHECK": Verb(_OPEN, _nothing, check),
    b"CLOSE": Verb(_OPEN, _nothing, close),
    b"UNSELECT": Verb(_OPEN, _nothing, unselect),
    b"EXPUNGE": Verb(_OPEN, _nothing, expunge),
    b"SEARCH": Verb(_OPEN, _search, search, Telling.NOTHING_GONE),
    b"FETCH": Verb(_OPEN, _fetch, fetch, Telling.NOTHING_GONE),
    b"STORE": Verb(_OPEN, _store, store, Telling.NOTHING_GONE),
    b"COPY": Verb(_OPEN, copy_arguments, copy),
    b"MOVE": Verb(_OPEN, copy_arguments, move),
    b"UID EXPUNGE": Verb(_OPEN, _plain(set_arguments), uid_expunge),
    b"UID SEARCH": Verb(_OPEN, _search, uid_search),
    b"UID FETCH": Verb(_OPEN, _fetch, uid_fetch),
    b"UID STORE": Verb(_OPEN, _store, uid_store),
    b"UID COPY": Verb(_OPEN, copy_arguments, uid_copy),
    b"UID MOVE": Verb(_OPEN, copy_arguments, uid_move),
}
"""Every command there is, by its name in upper case (RFC 9051 §6)."""

_UID_VERB = re.compile(rb" ([A-Za-z]+)")


def find(command: RawCommand) -> Verb:
    """The verb that was sent; reads UID's second word. ``BadSyntax`` for one that does not exist."""
    name = command.name
    if name == b"UID" and (second := command.arguments.match(_UID_VERB)):
        name = b"UID " + second[1].upper()
    verb = VERBS.get(name)
    if verb is None:
        raise BadSyntax("Unknown command")
    return verb


async def answer(context: Context, command: RawCommand) -> Reply:
    """Carry out a command and tell what changed meanwhile; returns its reply. Raises ``Disconnected``."""
    telling = Telling.NOTHING_GONE

    async def carry_out() -> Reply:
        nonlocal telling
        verb = find(command)
        telling = verb.telling
        if context.state not in verb.states:
            return Reply("BAD", f"This command is not allowed {context.state.value}")
        return await verb.run(context, verb.read(command.arguments, context.utf8))

    async def tell() -> Reply:
        await tell_changes(context, expunges=telling is Telling.EVERYTHING)
        return reply

    name = command.name.decode("ascii", "replace")
    try:
        reply = await _attempt(context, name, carry_out())
        return reply if context.selected is None else await _attempt(context, name, tell())
    finally:
        command.arguments.close()


async def _attempt(context: Context, name: str, work: Coroutine[Any, Any, Reply]) -> Reply:
    """What ``work`` replies, or the reply that its failure leads to."""
    try:
        return await work
    except BadSyntax as error:
        return Reply("BAD", error.text)
    except BadCharset as error:
        return Reply("NO", error.text, codes.bad_charset(error.charsets))
    except BadSequence as error:
        return Reply("BAD", str(error))
    except ClientError as error:
        return no(error.text, error.code)
    except Disconnected:
        raise
    except Exception as error:  # every command gets its reply, whatever goes wrong
        incident = context.server.events.incident(f"IMAP {name}", error)
        return no(f"Internal error, incident {incident}", Code.SERVERBUG)
