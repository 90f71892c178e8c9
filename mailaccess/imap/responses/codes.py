"""Response codes: what stands between the brackets (RFC 9051 §7.1, RFC 4315 §3, RFC 7162 §7, RFC 5530 §3)."""

from collections.abc import Iterable

from mailaccess.errors import Code
from mailaccess.imap.responses.flags import ordered
from mailaccess.imap.responses.strings import number_set
from mailaccess.values import UID, Appended, Copied, Flag, ModSeq, NumberSet, UIDValidity

READ_ONLY = b"READ-ONLY"
READ_WRITE = b"READ-WRITE"
CLOSED = b"CLOSED"
NOMODSEQ = b"NOMODSEQ"


def code(name: Code | None) -> bytes | None:
    """A code without arguments, or None."""
    return None if name is None else name.encode("ascii")


def capability(names: Iterable[str]) -> bytes:
    """CAPABILITY, in the greeting and after login (RFC 9051 §7.1)."""
    return b"CAPABILITY " + " ".join(names).encode("ascii")


def bad_charset(charsets: Iterable[str]) -> bytes:
    """BADCHARSET, with the charsets that SEARCH knows (RFC 9051 §7.1)."""
    return b"BADCHARSET (%b)" % " ".join(charsets).encode("ascii")


def permanent_flags(flags: Iterable[Flag], new_keywords: bool) -> bytes:
    r"""PERMANENTFLAGS; ``new_keywords`` adds ``\*`` (RFC 9051 §7.1)."""
    return b"PERMANENTFLAGS (%b)" % b" ".join(ordered(flags) + ([rb"\*"] if new_keywords else []))


def uid_validity(value: UIDValidity) -> bytes:
    """UIDVALIDITY (RFC 9051 §7.1)."""
    return b"UIDVALIDITY %d" % value


def uid_next(uid: UID) -> bytes:
    """UIDNEXT (RFC 9051 §7.1)."""
    return b"UIDNEXT %d" % uid


def unseen(number: int) -> bytes:
    r"""UNSEEN: the sequence number of the first message without \Seen (RFC 3501 §7.1)."""
    return b"UNSEEN %d" % number


def highest_modseq(value: ModSeq) -> bytes:
    """HIGHESTMODSEQ (RFC 7162 §3.1.2.1)."""
    return b"HIGHESTMODSEQ %d" % value


def modified(numbers: NumberSet) -> bytes:
    """MODIFIED: the messages that UNCHANGEDSINCE refused, at least one (RFC 7162 §3.1.3)."""
    return b"MODIFIED " + str(numbers).encode("ascii")


def append_uid(appended: Appended) -> bytes:
    """APPENDUID (RFC 4315 §3)."""
    return b"APPENDUID %d %b" % (appended.uid_validity, number_set(appended.uids))


def copy_uid(copied: Copied) -> bytes:
    """COPYUID, of at least one message (RFC 4315 §3)."""
    return b"COPYUID %d %b %b" % (copied.uid_validity, number_set(copied.source), number_set(copied.target))
