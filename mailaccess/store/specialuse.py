r"""Which mailbox has which special use (RFC 6154 §2), in a plain file of ours at the account's root.

Lines ``<attribute> TAB <part> TAB <part>…``, parts in UTF-8. A mailbox with a customary name and no line of its own has
the use of that name, where no other mailbox has it.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path

from mailaccess.store import files
from mailaccess.values import MailboxName, SpecialUse

FILE = "mailaccess-special-use"

CUSTOMARY = {
    "Archive": SpecialUse.ARCHIVE,
    "Drafts": SpecialUse.DRAFTS,
    "Junk": SpecialUse.JUNK,
    "Spam": SpecialUse.JUNK,
    "Sent": SpecialUse.SENT,
    "Trash": SpecialUse.TRASH,
}
"""Names that mail programs give to these mailboxes."""

_USES = {str(use): use for use in SpecialUse}

Uses = dict[MailboxName, SpecialUse]


def read(root: Path) -> Uses:
    """The uses that were set; lines that are none are passed over."""
    found: Uses = {}
    for line in (files.read(root / FILE) or b"").decode("utf-8", "replace").splitlines():
        attribute, *parts = line.split("\t")
        if attribute in _USES and parts and all(parts):
            found[MailboxName(tuple(parts))] = _USES[attribute]
    return found


def write(root: Path, uses: Mapping[MailboxName, SpecialUse]) -> None:
    """Replace the file."""
    lines = ["\t".join([use, *name.parts]) + "\n" for name, use in sorted(uses.items())]
    files.replace(root / FILE, "".join(lines).encode())


def of(names: Iterable[MailboxName], uses: Mapping[MailboxName, SpecialUse]) -> Uses:
    """The use of each of these mailboxes that has one."""
    found = {name: uses[name] for name in names if name in uses}
    taken = set(found.values())
    for name in names:
        use = CUSTOMARY.get(name.parts[0]) if len(name.parts) == 1 else None
        if use is not None and use not in taken and name not in found:
            found[name] = use
            taken.add(use)
    return found
