"""Flags (RFC 9051 §2.3.2, §9)."""

from mailaccess.imap.wire import Arguments
from mailaccess.values import Flag, Flags


def flag(arguments: Arguments) -> Flag:
    """Read a flag that a client may set: not ``\\Recent``."""
    raise NotImplementedError


def flag_list(arguments: Arguments) -> Flags:
    """Read flags in parentheses, possibly none."""
    raise NotImplementedError
