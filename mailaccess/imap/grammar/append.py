"""APPEND (RFC 9051 §6.3.12). With MULTIAPPEND (RFC 3502) there will be several messages."""

from dataclasses import dataclass

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
    """Read ``SP mailbox [SP flags] [SP date-time] SP literal`` to the end."""
    raise NotImplementedError
