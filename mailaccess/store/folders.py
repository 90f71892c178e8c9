"""An account's folders on disk: Maildir++, whose hierarchy is only in the dots of the names.

INBOX is the root; the mailbox ``A/B`` is the directory ``.A.B`` in it. Names are in modified UTF-7 (Dovecot, older
Courier) or UTF-8 (Courier 5 and newer); ``auto`` takes UTF-8 where a name has an octet above 0x7F. Directories that
are no folders (``..`` something) are never touched.
"""

import os
from pathlib import Path

from mailaccess.errors import ClientError, Code
from mailaccess.message import mutf7
from mailaccess.store.maildir import CUR
from mailaccess.values import INBOX, MailboxName

NAME_BYTES = 255
"""What a file system allows for a directory's name."""


class Encoding:
    """How one account writes the parts of its folders' names."""

    def __init__(self, setting: str) -> None:
        """``setting`` is ``auto``, ``mutf7`` or ``utf8``."""
        self._setting = setting
        self._utf8 = setting == "utf8"

    def learn(self, directories: list[bytes]) -> None:
        """Find out from the names there are, where the setting leaves it open."""
        if self._setting == "auto":
            self._utf8 = any(not name.isascii() for name in directories)

    def encode(self, part: str) -> bytes:
        """A part of a name as on disk. ``ClientError(CANNOT)`` for one that a Maildir has no room for."""
        if "." in part or "/" in part or "\0" in part:
            raise ClientError(Code.CANNOT, "A mailbox name cannot contain '.' or '/' between its levels")
        try:
            return part.encode() if self._utf8 else mutf7.encode(part)
        except ValueError as error:
            raise ClientError(Code.CANNOT, "The mailbox name is not Unicode text") from error

    def decode(self, part: bytes) -> str:
        """A part of a directory's name as text. ``ValueError``."""
        return part.decode() if self._utf8 else mutf7.decode(part)


class Folders:
    """The folders below ``root``."""

    def __init__(self, root: Path, encoding: str) -> None:
        self.root = root
        self.encoding = Encoding(encoding)
        self._strange: dict[MailboxName, bytes] = {}

    def names(self) -> list[MailboxName]:
        """Every folder there is, INBOX first. A name that cannot be decoded is shown with escapes."""
        with os.scandir(self.root) as entries:
            directories = [
                os.fsencode(entry.name) for entry in entries if entry.name[0] == "." and self._is_folder(entry)
            ]
        self.encoding.learn(directories)
        self._strange.clear()
        return list(dict.fromkeys([INBOX, *map(self._name, sorted(directories))]))

    def path(self, name: MailboxName) -> Path:
        """Where a mailbox is, or would be. ``ClientError(CANNOT)``."""
        if name.is_inbox:
            return self.root
        directory = self._strange.get(name) or b"." + b".".join(map(self.encoding.encode, name.parts))
        if len(directory) > NAME_BYTES:
            raise ClientError(Code.CANNOT, "The mailbox name is too long for the file system")
        return self.root / os.fsdecode(directory)

    def exists(self, name: MailboxName) -> bool:
        """Whether there is a folder of this name."""
        return (self.path(name) / CUR).is_dir()

    def _is_folder(self, directory: "os.DirEntry[str]") -> bool:
        return all(directory.name[1:].split(".")) and os.path.isdir(f"{directory.path}/{CUR}")

    def _name(self, directory: bytes) -> MailboxName:
        parts = directory[1:].split(b".")
        try:
            name = MailboxName(tuple(map(self.encoding.decode, parts)))
            if not name.is_inbox and name.parts[0] == "INBOX" != os.fsdecode(parts[0]):
                self._strange[name] = directory  # ".inbox.Work": INBOX is INBOX in any case (RFC 9051 §5.1)
        except ValueError:
            name = MailboxName(tuple(part.decode("ascii", "backslashreplace").replace("&", "&&") for part in parts))
            self._strange[name] = directory
        return name
