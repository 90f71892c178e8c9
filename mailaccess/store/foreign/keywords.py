"""``dovecot-keywords``: which letter of a file name is which keyword of the folder.

Lines ``<n> <keyword>``, n from 0 to 25 for a to z, gaps allowed; a letter keeps its meaning for ever. Written under the
UID list's lock. Dovecot compares the file's mtime in whole seconds, so each writing moves it on.
"""

import time
from pathlib import Path

from mailaccess.errors import ClientError, Code
from mailaccess.store import files
from mailaccess.store.filenames import KEYWORD_LETTERS
from mailaccess.values import Flag

FILE = "dovecot-keywords"


class KeywordLetters:
    """A folder's keywords: ``by_letter`` for reading names, ``letters`` for writing them."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stamp: tuple[int, int, int] | None = None
        self.by_letter: dict[str, Flag] = {}
        self.letters: dict[Flag, str] = {}

    def move_to(self, path: Path) -> None:
        """The folder has another name now."""
        self._path = path

    @property
    def full(self) -> bool:
        """Whether no letter is left."""
        return len(self.letters) >= len(KEYWORD_LETTERS)

    def refresh(self) -> bool:
        """Read the file again where it changed; whether it did."""
        now = files.stamp(self._path)
        if now == self._stamp:
            return False
        self._stamp = now
        before = dict(self.by_letter)
        self.by_letter = parse(files.read(self._path) or b"")
        self.letters = {}
        for letter, keyword in self.by_letter.items():
            self.letters.setdefault(keyword, letter)
        return before != self.by_letter

    def make_room(self, keywords: list[Flag]) -> bool:
        """Give letters to keywords that have none, and write them; whether there were any. Under the UID list's lock.

        ``ClientError(LIMIT)`` when the letters do not suffice: the names on disk have room for 26.
        """
        self.refresh()
        missing = [keyword for keyword in dict.fromkeys(keywords) if keyword not in self.letters]
        if not missing:
            return False
        free = [letter for letter in KEYWORD_LETTERS if letter not in self.by_letter]
        if len(missing) > len(free):
            raise ClientError(Code.LIMIT, "A mailbox has room for 26 keywords")
        by_letter = {**self.by_letter, **dict(zip(free, missing, strict=False))}
        old = self._stamp[0] if self._stamp else 0
        mtime = max(time.time_ns(), (old // 1_000_000_000 + 1) * 1_000_000_000)
        files.replace(self._path, serialise(by_letter), f"{FILE}.lock", mtime)
        self.refresh()
        return True


def parse(data: bytes) -> dict[str, Flag]:
    """Letters and keywords; lines that are none are passed over, and the first of equal keywords counts."""
    found: dict[str, Flag] = {}
    for line in data.decode("utf-8", "replace").splitlines():
        number, _, name = line.partition(" ")
        if number.isascii() and number.isdigit() and name and int(number) < len(KEYWORD_LETTERS):
            found.setdefault(KEYWORD_LETTERS[int(number)], Flag(name))
    return found


def serialise(by_letter: dict[str, Flag]) -> bytes:
    """The file."""
    lines = [f"{KEYWORD_LETTERS.index(letter)} {keyword}\n" for letter, keyword in sorted(by_letter.items())]
    return "".join(lines).encode()
