"""Whether an account is in order: UID list, files, rows and index say the same. For tests, and for the administrator.

What is found is said in the words of the files, one line each; nothing is mended. The account must be at rest: a
delivery under way is a file in ``tmp/``.
"""

import os
from collections.abc import Iterator

from mailaccess.errors import ClientError
from mailaccess.store import files
from mailaccess.store.account import MaildirAccount
from mailaccess.store.filenames import base_of, can_be_listed, parse
from mailaccess.store.foreign import uidlist
from mailaccess.store.maildir import CUR, NEW, TMP
from mailaccess.store.sync import Folder
from mailaccess.values import ModSeq


def problems(account: MaildirAccount) -> list[str]:
    """What is wrong with the account's mailboxes, each of which is brought up to date first; nothing: an empty list."""
    found: list[str] = []
    owners: dict[str, str] = {}
    for info in account.listing():
        if not info.selectable:
            continue
        name = str(info.name)
        try:
            folder = account.open(info.name).folder
        except ClientError as error:
            found.append(f"{name}: cannot be opened: {error}")
            continue
        owner = owners.setdefault(folder.uid_list.guid, name)
        if owner != name:
            found.append(f"{name}: has the id of {owner}")
        found += (f"{name}: {problem}" for problem in _of_folder(folder))
    return found


def _of_folder(folder: Folder) -> Iterator[str]:
    yield from _of_uid_list(folder)
    yield from _of_files(folder)
    yield from _of_rows(folder)
    yield from _of_index(folder)


def _of_uid_list(folder: Folder) -> Iterator[str]:
    """The list on disk is sound, and is the one that is believed."""
    try:
        written = uidlist.parse(files.read(folder.path / uidlist.FILE) or b"")
    except uidlist.Damaged as damage:
        yield f"{uidlist.FILE}: {damage}"
        return
    if written.validity != folder.uid_list.validity:
        yield f"UIDVALIDITY is {folder.uid_list.validity}, and {written.validity} on disk"
    if written.next_uid < folder.uid_list.next_uid:
        yield f"UIDNEXT is {folder.uid_list.next_uid}, and {written.next_uid} on disk"
    for uid, base in folder.bases.items():
        if written.uids.get(base) != uid:
            yield f"UID {uid} is not that of {base} on disk"


def _of_files(folder: Folder) -> Iterator[str]:
    """Each message file is one message, and nothing is left of deliveries that failed."""
    seen: set[str] = set()
    shown = set(folder.places.values())
    for directory in (NEW, CUR):
        for entry in os.scandir(folder.path / directory):
            if entry.name.startswith(".") or not entry.is_file(follow_symlinks=False) or not can_be_listed(entry.name):
                continue
            base = base_of(entry.name)
            if base in seen:
                yield f"{base} is there twice"
            elif f"{directory}/{entry.name}" not in shown:
                yield f"{directory}/{entry.name} is no message"
            seen.add(base)
    for name in os.listdir(folder.path / TMP):
        yield f"{TMP}/{name} is left of a delivery"


def _of_rows(folder: Folder) -> Iterator[str]:
    """What is told of each message is what its file's name says."""
    if list(folder.rows) != sorted(folder.rows):
        yield "the UIDs do not ascend"
    if not folder.rows.keys() == folder.places.keys() == folder.bases.keys():
        yield "messages without files, or files without messages"
    for uid, row in folder.rows.items():
        place = folder.places.get(uid, "")
        if row.uid != uid or base_of(place.partition("/")[2]) != folder.bases.get(uid):
            yield f"UID {uid} is not that of {place}"
        if row.flags != folder.keywords.flags_of(parse(place).letters):
            yield f"UID {uid} has other flags than {place}"
        if not 0 < row.modseq <= folder.highest_modseq:
            yield f"UID {uid} has MODSEQ {row.modseq}, and the highest is {folder.highest_modseq}"
        if not 0 < uid < folder.uid_list.next_uid:
            yield f"UID {uid} is not below UIDNEXT {folder.uid_list.next_uid}"


def _of_index(folder: Folder) -> Iterator[str]:
    """The index would tell the same after a restart."""
    kept = folder.index.load(folder.uid_list.guid, folder.path, folder.uid_list.validity, ModSeq(1))
    if kept.rows != folder.rows:
        differing = [uid for uid in kept.rows.keys() | folder.rows.keys() if kept.rows.get(uid) != folder.rows.get(uid)]
        yield f"the index tells other things of UIDs {sorted(differing)[:5]}"
    if kept.highest_modseq > folder.highest_modseq:
        yield f"HIGHESTMODSEQ is {folder.highest_modseq}, and {kept.highest_modseq} in the index"
