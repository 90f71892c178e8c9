"""Courier's files, read on first contact, so that nobody downloads his mail again. They are never written.

::

    courierimapuiddb          1 <uidvalidity> <next uid>            (the syntax of version 1 of ``dovecot-uidlist``)
                              <uid> <base>
    courierpop3dsizelist      /<version> <next uid> <uidv>
                              <file name> <size> <uid>[:<uidv>[:<is utf8>]]
    courierimapkeywords/:list <keyword>                             (one per line, then an empty line)
                              <base>:<index> <index> …
    courierimapkeywords/<base>, …/.<n>.<base>                       <keyword>, one per line
    courierimapsubscribed     INBOX.<name>

UIDs that POP3 clients know are independent of IMAP's: they become ``P`` fields of the UID list.
"""

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from mailaccess.store import files
from mailaccess.store.filenames import base_of
from mailaccess.store.foreign import uidlist
from mailaccess.store.foreign.subscriptions import Parts
from mailaccess.store.foreign.uidlist import Damaged, UIDList
from mailaccess.values import UID, Flag, Flags, flags

UIDS_FILE = "courierimapuiddb"
SIZES_FILE = "courierpop3dsizelist"
KEYWORDS_DIRECTORY = "courierimapkeywords"
SUBSCRIBED_FILE = "courierimapsubscribed"

_SIZES_LINE = re.compile(r"(?P<name>.+) \d+ (?P<uid>\d{1,20})(?::(?P<validity>\d{1,20}))?(?::\d+)?")
_AGED = re.compile(r"\.(?P<age>\d{1,18})\.(?P<base>.+)")


def read_uids(folder: Path) -> UIDList | None:
    """The folder's UIDs as a list that is to be written; None where Courier gave none, or they cannot be believed.

    The unique-ids that POP3 clients know come with them: INBOX has some.
    """
    data = files.read(folder / UIDS_FILE)
    if data is None:
        return None
    try:
        found = uidlist.parse(data)
    except Damaged:
        return None
    if found.version != 1:
        return None
    found.version = 3
    for base, unique_id in _pop3_uidls(folder).items():
        if base in found.uids:
            found.fields[UID(found.uids[base])] = "P" + unique_id
    return found


def read_keywords(folder: Path) -> dict[str, Flags]:
    """The keywords of each message that has some, by its base."""
    directory = folder / KEYWORDS_DIRECTORY
    found = dict(_listed(files.read(directory / ":list") or b""))
    newer: dict[str, tuple[float, str]] = {}
    for name in _names(directory):
        aged = _AGED.fullmatch(name)
        base, age = (aged["base"], float(aged["age"])) if aged else (name, float("inf"))
        if not base.startswith((":", ".")) and age >= newer.get(base, (-1.0, ""))[0]:
            newer[base] = (age, name)
    for base, (_, name) in newer.items():
        found[base] = _keywords(_lines(files.read(directory / name) or b""))
    return {base: kept for base, kept in found.items() if kept}


def read_subscriptions(root: Path) -> list[Parts]:
    """The subscribed folders of the account, in the encoding of the folders' names; shared ones are left out."""
    found: list[Parts] = []
    for line in (files.read(root / SUBSCRIBED_FILE) or b"").split(b"\n"):
        first, *rest = line.split(b".")
        if first.upper() == b"INBOX" and all(rest):
            found.append(tuple(rest) or (b"INBOX",))
    return found


def _pop3_uidls(folder: Path) -> dict[str, str]:
    """Courier's unique-ids: ``UID<uid>-<uidv>``, and without the second number in lists of version 1."""
    head, *lines = _lines(files.read(folder / SIZES_FILE) or b"")
    if not head.startswith("/"):
        return {}
    found: dict[str, str] = {}
    for line in lines:
        entry = _SIZES_LINE.fullmatch(line)
        if entry is not None:
            validity = int(entry["validity"] or 0)
            found[base_of(entry["name"])] = f"UID{int(entry['uid'])}" + (f"-{validity}" if validity else "")
    return found


def _listed(data: bytes) -> Iterator[tuple[str, Flags]]:
    head, _, body = data.partition(b"\n\n")
    known = _lines(head)
    for line in _lines(body):
        base, _, numbers = line.rpartition(":")
        chosen = [int(number) for number in numbers.split() if number.isascii() and number.isdigit()]
        yield base, _keywords(known[number] for number in chosen if number < len(known))


def _keywords(names: "list[str] | Iterator[str]") -> Flags:
    return flags(Flag(name) for name in names if name and name.isascii())


def _names(directory: Path) -> list[str]:
    with suppress(FileNotFoundError, NotADirectoryError):
        return os.listdir(directory)
    return []


def _lines(data: bytes) -> list[str]:
    return data.decode("utf-8", "surrogateescape").split("\n")
