"""Spaces, atoms, strings and numbers (RFC 9051 §4, §9)."""

from mailaccess.imap.wire import Arguments, Literal


class BadSyntax(Exception):
    """The arguments are not what the command takes; ``text`` is one clear line for the tagged BAD."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


def sp(arguments: Arguments) -> None:
    """Read one space."""
    raise NotImplementedError


def end(arguments: Arguments) -> None:
    """Nothing may follow."""
    raise NotImplementedError


def atom(arguments: Arguments) -> bytes:
    """Read an atom."""
    raise NotImplementedError


def keyword(arguments: Arguments) -> bytes:
    """Read an atom whose case does not count; returns it in upper case."""
    raise NotImplementedError


def string(arguments: Arguments) -> bytes:
    """Read a quoted string or a literal."""
    raise NotImplementedError


def nstring(arguments: Arguments) -> bytes | None:
    """Read a string, or NIL: None."""
    raise NotImplementedError


def astring(arguments: Arguments) -> bytes:
    """Read an atom (which may have ``]``) or a string."""
    raise NotImplementedError


def message_literal(arguments: Arguments) -> Literal:
    """Read the literal that holds a message."""
    raise NotImplementedError


def number(arguments: Arguments) -> int:
    """Read a number: 0 to 2**32 - 1."""
    raise NotImplementedError


def nz_number(arguments: Arguments) -> int:
    """Read a number: 1 to 2**32 - 1."""
    raise NotImplementedError


def number64(arguments: Arguments) -> int:
    """Read a number: 0 to 2**63 - 1."""
    raise NotImplementedError
