"""Response codes, with what stands in the brackets and without them (RFC 9051 §7.1, RFC 4315 §3, RFC 7162 §3.1)."""

from collections.abc import Iterable

from mailaccess.errors import Code
from mailaccess.values import Appended, Copied, Flag, ModSeq, NumberSet, UID, UIDValidity

READ_ONLY = b"READ-ONLY"
READ_WRITE = b"READ-WRITE"
CLOSED = b"CLOSED"
NOMODSEQ = b"NOMODSEQ"


def code(name: Code | None) -> bytes | None:
    """A code without arguments, or None."""
    raise NotImplementedError


def capability(names: Iterable[str]) -> bytes: raise NotImplementedError
def bad_charset(charsets: Iterable[str]) -> bytes: raise NotImplementedError
def permanent_flags(flags: Iterable[Flag], new_keywords: bool) -> bytes: raise NotImplementedError
def uid_validity(value: UIDValidity) -> bytes: raise NotImplementedError
def uid_next(uid: UID) -> bytes: raise NotImplementedError
def unseen(number: int) -> bytes: raise NotImplementedError
def highest_modseq(value: ModSeq) -> bytes: raise NotImplementedError
def modified(numbers: NumberSet) -> bytes: raise NotImplementedError
def append_uid(appended: Appended) -> bytes: raise NotImplementedError
def copy_uid(copied: Copied) -> bytes: raise NotImplementedError
