"""``dovecot-keywords``: which letter of a file name is which keyword of the folder.

Lines ``<n> <keyword>``, n from 0 to 25 for a to z, gaps allowed; a letter keeps its meaning for ever. Written under the
UID list's lock. Dovecot compares the file's mtime in whole seconds, so each writing moves it on.
"""

import time
from collections.abc import Collection
from pathlib import Path

from mailaccess.errors import ClientError, Code
from mailaccess.store import files
from mailaccess.store.filenames import KEYWORD_LETTERS, flags_of
from mailaccess.store.filenames import parse as parse_name
from mailaccess.values import Flag, Flags

FILE = "dovecot-keywords"


class KeywordLetters:
    """A folder's keywords: ``by_letter`` for reading names, ``letters`` for writing them."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stamp: tuple[int, int, int] | None = None
        self.by_letter: dict[str, Flag] = {}
        self.letters: dict[Flag, str] = {}
        self._changed = False
        self._flags: dict[str, Flags] = {}
        self._endings: dict[str, Flags] = {}

    def move_to(self, path: Path) -> None:
        """The folder has another name now."""
        self._path = path

    @property
    def full(self) -> bool:
        """Whether no letter is left."""
        return len(self.letters) >= len(KEYWORD_LETTERS)

    def flags_of(self, letters: str) -> Flags:
        """What letters mean in this folder."""
        known = self._flags.get(letters)
        if known is None:
            known = self._flags[letters] = flags_of(letters, self.by_letter)
        return known

    def flags_at(self, place: str) -> Flags:
        """The flags in a file's name; whole folders have a few dozen endings, so that few names are taken apart."""
        colon = place.rfind(":")
        if colon < 0:
            return self.flags_of("")
        ending = place[colon:]
        known = self._endings.get(ending)
        if known is None:
            known = self._endings[ending] = self.flags_of(parse_name(ending).letters)
        return known

    def refresh(self) -> bool:
        """Read the file again where it changed; whether letters mean other things than at the last time."""
        self._read()
        changed, self._changed = self._changed, False
        return changed

    def _read(self) -> None:
        now = files.stamp(self._path)
        if now == self._stamp:
            return
        self._stamp = now
        before = dict(self.by_letter)
        self.by_letter = parse(files.read(self._path) or b"")
        self.letters = {}
        for letter, keyword in self.by_letter.items():
            self.letters.setdefault(keyword, letter)
        if before != self.by_letter:
            self._changed = True
            self._flags.clear()
            self._endings.clear()

    def make_room(self, keywords: list[Flag], endings: Collection[str] = ()) -> bool:
        """Give letters to keywords that have none, and write them; whether there were any. Under the UID list's lock.

        Letters without a keyword that are in ``endings`` of the folder's names are left out: they mean something to
        whoever put them there, and messages must not get a keyword that nobody gave them.
        ``ClientError(LIMIT)`` when the letters do not suffice: the names on disk have room for 26.
        """
        self._read()
        missing = [keyword for keyword in dict.fromkeys(keywords) if keyword not in self.letters]
        if not missing:
            return False
        used = self.by_letter.keys() | set().union(*(parse_name(f":{ending}").letters for ending in endings))
        free = [letter for letter in KEYWORD_LETTERS if letter not in used]
        if len(missing) > len(free):
            raise ClientError(Code.LIMIT, "A mailbox has room for 26 keywords")
        by_letter = {**self.by_letter, **dict(zip(free, missing, strict=False))}
        old = self._stamp[0] if self._stamp else 0
        mtime = max(time.time_ns(), (old // 1_000_000_000 + 1) * 1_000_000_000)
        files.replace(self._path, serialise(by_letter), f"{FILE}.lock", mtime)
        self._read()
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
