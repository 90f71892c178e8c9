"""APPEND (RFC 9051 §6.3.12). With MULTIAPPEND (RFC 3502) there will be several messages."""

from dataclasses import dataclass

from mailaccess.imap.grammar.dates import date_time
from mailaccess.imap.grammar.flags import flag_list
from mailaccess.imap.grammar.names import mailbox
from mailaccess.imap.grammar.tokens import end, message_literal, next_is, sp
from mailaccess.imap.wire import Arguments, Literal
from mailaccess.values import Flags


@dataclass(frozen=True, slots=True)
class AppendMessage:
    """One message: ``internal_date`` is seconds since the epoch, None for now."""

    literal: Literal
    flags: Flags = frozenset()
    internal_date: int | None = None


@dataclass(frozen=True, slots=True)
class AppendArguments:
    """Of APPEND."""

    mailbox: str
    messages: tuple[AppendMessage, ...]


def append_arguments(arguments: Arguments, utf8: bool = False) -> AppendArguments:
    """Read ``SP mailbox [SP flag-list] [SP date-time] SP literal`` to the end."""
    sp(arguments)
    name = mailbox(arguments, utf8)
    message = _message(arguments)
    end(arguments)
    return AppendArguments(name, (message,))


def _message(arguments: Arguments) -> AppendMessage:
    sp(arguments)
    flags: Flags = frozenset()
    if next_is(arguments, b"("):
        flags = flag_list(arguments)
        sp(arguments)
    internal_date = None
    if next_is(arguments, b'"'):
        internal_date = date_time(arguments)
        sp(arguments)
    return AppendMessage(message_literal(arguments), flags, internal_date)
