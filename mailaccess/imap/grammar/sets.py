"""Sequence sets (RFC 9051 §9)."""

from mailaccess.imap.wire import Arguments
from mailaccess.values import SequenceSet


def sequence_set(arguments: Arguments) -> SequenceSet:
    """Read a sequence set, in time linear in its octets; it is not expanded."""
    raise NotImplementedError
