"""Mailbox names and patterns (RFC 9051 §5.1, RFC 3501 §5.1.3)."""

import re

from mailaccess.imap.grammar.tokens import BadSyntax, astring
from mailaccess.imap.wire import Arguments
from mailaccess.message import mutf7

# list-mailbox = 1*list-char / string; list-char = ATOM-CHAR / list-wildcards / resp-specials
_LIST_CHARS = re.compile(rb"[!#-'*-\[\]-z|}~]+")


def mailbox(arguments: Arguments, utf8: bool = False) -> str:
    """Read ``mailbox = "INBOX" / astring``. Modified UTF-7 is decoded, or UTF-8 where ``utf8`` (RFC 9051 §5.1).

    INBOX is left as it was written.
    """
    return _decoded(astring(arguments), utf8)


def list_mailbox(arguments: Arguments, utf8: bool = False) -> str:
    """Read a mailbox name that may have the wildcards ``%`` and ``*``."""
    found = arguments.match(_LIST_CHARS)
    return _decoded(found[0] if found else astring(arguments), utf8)


def _decoded(name: bytes, utf8: bool) -> str:
    try:
        return name.decode("utf-8") if utf8 else mutf7.decode(name)
    except ValueError:
        raise BadSyntax("The mailbox name is not in " + ("UTF-8" if utf8 else "modified UTF-7")) from None
