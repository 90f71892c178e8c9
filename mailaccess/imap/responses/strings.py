"""Strings, numbers and names (RFC 9051 §4.3, §5.1)."""

from collections.abc import Sequence


def string(data: bytes) -> bytes:
    """A quoted string, or a literal where it must be one."""
    raise NotImplementedError


def nstring(data: bytes | None) -> bytes:
    """A string, or NIL for None."""
    raise NotImplementedError


def mailbox_name(name: str, utf8: bool = False) -> bytes:
    """A mailbox name, in modified UTF-7 unless ``utf8``: an atom, a quoted string or a literal."""
    raise NotImplementedError


def number_set(numbers: Sequence[int]) -> bytes:
    """The numbers in this order, runs as ranges: ``3:5,9``. For the sets of COPYUID, ESEARCH and MODIFIED."""
    raise NotImplementedError
