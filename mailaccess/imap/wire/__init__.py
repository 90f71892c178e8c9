"""Bytes to commands, without I/O (RFC 9051 §2.2.1, §4.3, §9; RFC 7888).

* ``reader``: the reader, its rules and limits · ``events``: what it tells of · ``arguments``: what it did not read yet
"""

from mailaccess.imap.wire.arguments import Arguments, Literal
from mailaccess.imap.wire.events import (
    BadLine,
    Event,
    Line,
    LiteralRefused,
    LiteralRule,
    NeedLiteral,
    RawCommand,
    Refuse,
    TooLong,
)
from mailaccess.imap.wire.reader import CommandReader

__all__ = [
    "Arguments",
    "BadLine",
    "CommandReader",
    "Event",
    "Line",
    "Literal",
    "LiteralRefused",
    "LiteralRule",
    "NeedLiteral",
    "RawCommand",
    "Refuse",
    "TooLong",
]
