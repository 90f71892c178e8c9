"""Mailbox names and patterns (RFC 9051 §5.1, RFC 3501 §5.1.3)."""

from mailaccess.imap.wire import Arguments


def mailbox(arguments: Arguments, utf8: bool = False) -> str:
    """Read a mailbox name. Modified UTF-7 is decoded, or UTF-8 where ``utf8``; INBOX is left as it was written."""
    raise NotImplementedError


def list_mailbox(arguments: Arguments, utf8: bool = False) -> str:
    """Read a mailbox name that may have the wildcards ``%`` and ``*``."""
    raise NotImplementedError
