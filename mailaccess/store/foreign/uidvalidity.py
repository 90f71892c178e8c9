"""``dovecot-uidvalidity`` at the account's root: what the last new folder got, so that no two are ever alike.

Eight hex digits, and beside them an empty file ``dovecot-uidvalidity.<8 hex>`` with the same value in its name.
"""

import os
from contextlib import suppress
from pathlib import Path

from mailaccess.store import files
from mailaccess.values import MAX_UID, UIDValidity

FILE = "dovecot-uidvalidity"


def take(root: Path, now: float) -> UIDValidity:
    """The UIDVALIDITY of a new folder, above every one given before, whatever the clock says."""
    last = _last(root)
    value = max(int(now), last + 1) if last < MAX_UID else 1
    files.replace(root / FILE, b"%08x" % value)
    marker = root / f"{FILE}.{value:08x}"
    try:
        os.rename(root / f"{FILE}.{last:08x}", marker)
    except FileNotFoundError:
        with suppress(FileExistsError):
            marker.touch(0o444, exist_ok=False)
    return UIDValidity(value)


def _last(root: Path) -> int:
    candidates = [files.read(root / FILE) or b"", *(name.suffix[1:].encode() for name in root.glob(f"{FILE}.*"))]
    values = [0]
    for digits in candidates:
        with suppress(ValueError):
            values.append(int(digits.strip(), 16))
    return max(value for value in values if value <= MAX_UID)
