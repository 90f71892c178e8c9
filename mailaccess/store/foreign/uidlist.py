"""``dovecot-uidlist``: which UID is which file, in Dovecot's format, version 3.

::

    3 V<uidvalidity> N<next uid> G<32 hex digits>[ <other keys, kept>]
    <uid>[ <Key><value>]… :<base>

Lines are appended under the lock and fsynced before a UID is told to anyone; a reader needs no lock. Entries may point
to files that are gone. Version 1 (Dovecot 1.0) has ``1 <uidvalidity> <next uid>`` and ``<uid> <file name>``.
"""

import hashlib
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from mailaccess.store.filenames import base_of
from mailaccess.values import MAX_UID, UID, UIDValidity

FILE = "dovecot-uidlist"
TEMPORARY = "dovecot-uidlist.tmp"
LOCKED_BY = FILE
REWRITE_BELOW = 0.75
"""Dovecot rewrites the list when fewer of its lines are alive."""

_DIGITS = 10  # of the highest UID


class Damaged(ValueError):
    """The list cannot be believed: what is wrong with it."""


@dataclass(slots=True)
class UIDList:
    """The list as it was read. ``uids`` goes from base to UID in ascending order of UID; ``fields`` holds what else a
    record has, as written (``P<pop3 uidl>``, ``G<guid>``, …)."""

    validity: UIDValidity
    next_uid: UID
    guid: str
    extra: tuple[str, ...] = ()
    uids: dict[str, UID] = field(default_factory=dict)
    fields: dict[UID, str] = field(default_factory=dict)
    lines: int = 0
    version: int = 3

    @classmethod
    def new(cls, validity: int) -> "UIDList":
        """The list of an empty folder."""
        return cls(UIDValidity(validity), UID(1), secrets.token_hex(16))

    def header(self) -> bytes:
        """The first line."""
        keys = " ".join([f"3 V{self.validity}", f"N{self.next_uid}", f"G{self.guid}", *self.extra])
        return keys.encode() + b"\n"

    def record(self, uid: UID, base: str) -> bytes:
        """One message's line."""
        fields = self.fields.get(uid)
        return b"%d%s :%s\n" % (uid, b" " + fields.encode() if fields else b"", base.encode("utf-8", "surrogateescape"))

    def serialise(self) -> bytes:
        """The whole file."""
        return self.header() + b"".join(self.record(uid, base) for base, uid in self.uids.items())

    def allocate(self, bases: Iterable[str]) -> bytes:
        """Give each base the next UID; returns the lines to append. A base that had one gets a new one."""
        lines = []
        for base in bases:
            uid = self.next_uid
            if uid > MAX_UID:
                raise Damaged("no UID is left")
            self.uids.pop(base, None)
            self.uids[base] = uid
            self.next_uid = UID(uid + 1)
            self.lines += 1
            lines.append(self.record(uid, base))
        return b"".join(lines)

    def pop3_uidl(self, uid: UID) -> str | None:
        """The unique-id that POP3 clients know (record key ``P``), where another server gave one."""
        for key in self.fields.get(uid, "").split(" "):
            if key.startswith("P"):
                return key[1:]
        return None


def parse(data: bytes) -> UIDList:
    """The list in ``data``. ``Damaged`` where it breaks a rule that makes UIDs trustworthy."""
    head, ended, body = data.partition(b"\n")
    if not ended:
        raise Damaged("the first line has no end")
    if head.startswith(b"3 "):
        found = _header3(head)
    elif head.startswith(b"1 "):
        found = _header1(head)
    else:
        raise Damaged("the first line is not that of a UID list")
    last = _records(found, body)
    if found.version == 1 and last >= found.next_uid:
        raise Damaged("the next UID is not above the last one")
    found.next_uid = UID(max(found.next_uid, last + 1))
    return found


def guid_of(folder: Path, validity: int) -> str:
    """The GUID of a folder whose list, of an old Dovecot, has none: the same each time it is read."""
    return hashlib.sha256(f"{validity} {folder}".encode("utf-8", "surrogateescape")).hexdigest()[:32]


def _header3(head: bytes) -> UIDList:
    keys = head.decode("utf-8", "surrogateescape").split(" ")[1:]
    values = {key[0]: key[1:] for key in keys if key}
    validity, following = values.get("V", ""), values.get("N", "")
    if not (0 < _number(validity) <= MAX_UID and 0 < _number(following) <= MAX_UID + 1):
        raise Damaged("UIDVALIDITY or the next UID is out of range")
    guid = values.get("G", "")
    extra = tuple(key for key in keys if key and key[0] not in "VNG")
    return UIDList(UIDValidity(_number(validity)), UID(_number(following)), guid, extra)


def _number(digits: str) -> int:
    if not (digits.isascii() and digits.isdigit() and len(digits) <= _DIGITS):
        raise Damaged("UIDVALIDITY or the next UID is missing, or no number")
    return int(digits)


def _header1(head: bytes) -> UIDList:
    words = head.decode("ascii", "replace").split()
    if len(words) != 3 or not 0 < (validity := _number(words[1])) <= MAX_UID:
        raise Damaged("the first line is not that of a version 1 list")
    return UIDList(UIDValidity(validity), UID(max(1, _number(words[2]))), secrets.token_hex(16), version=1)


def _records(found: UIDList, body: bytes) -> int:
    """Read the records; returns the last UID. A last line without its end was being written: it names no message."""
    last = 0
    lines = body.decode("utf-8", "surrogateescape").split("\n")
    lines.pop()
    separator = " :" if found.version == 3 else " "
    uids = found.uids
    kept: dict[str, str] = {}
    for line in lines:
        digits, _, base = line.partition(separator)
        if " " in digits:
            digits, _, fields = digits.partition(" ")
            if fields:
                kept[digits] = fields
        if not (digits.isascii() and digits.isdigit()) or len(digits) > _DIGITS or not base or "/" in base:
            raise Damaged("a record is not one")
        uid = int(digits)
        if not last < uid < MAX_UID:
            raise Damaged("the UIDs do not ascend")
        if ":" in base:
            base = base_of(base)
        if base in uids:
            del uids[base]
        uids[base] = UID(uid)
        last = uid
    found.fields = {UID(int(digits)): fields for digits, fields in kept.items()}
    found.lines = len(lines)
    return last
