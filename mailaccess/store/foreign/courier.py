"""Courier's files, read on first contact so that no client downloads its mail again.

``courierimapuiddb`` has ``1 <uidvalidity> <next uid>`` and ``<uid> <base>``; its UIDs and UIDVALIDITY become ours.
"""

from pathlib import Path

from mailaccess.store import files
from mailaccess.store.foreign import uidlist

UIDS = "courierimapuiddb"


def read_uids(folder: Path) -> uidlist.UIDList | None:
    """The UID list that Courier kept for this folder, or None where there is none to be believed."""
    data = files.read(folder / UIDS)
    if data is None:
        return None
    try:
        found = uidlist.parse(data)
    except uidlist.Damaged:
        return None
    return found if found.version == 1 else None
