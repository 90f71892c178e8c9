"""What another server kept for a folder, taken over on first contact: Courier's UIDs, and its keywords."""

from collections.abc import Callable, Iterable
from pathlib import Path

from mailaccess.store.filenames import parse, with_flags
from mailaccess.store.foreign import courier
from mailaccess.store.foreign.keywords import KeywordLetters
from mailaccess.store.foreign.uidlist import UIDList
from mailaccess.store.maildir import CUR, Found, MaildirFiles
from mailaccess.values import Flag, Flags, flags


class Adoption:
    """Adopts one folder: first its UIDs, and under the same lock its keywords."""

    def __init__(self) -> None:
        self.keywords: dict[str, Flags] = {}
        """Of messages by their base, that are not yet in the names of their files."""

    def uid_list(self, folder: Path) -> UIDList | None:
        """The UID list that Courier kept, or None where there is none to be believed."""
        adopted = courier.read_uids(folder)
        if adopted is not None:
            self.keywords = courier.read_keywords(folder)
        return adopted

    def rename(
        self, found: Found, files: MaildirFiles, letters: KeywordLetters, make: Callable[[Iterable[Flag]], None]
    ) -> None:
        """Put the keywords into the names of their messages; ``make`` gives them letters. Under the folder's lock."""
        kept, self.keywords = self.keywords, {}
        make({flag for named in kept.values() for flag in named})
        for base in kept.keys() & found.keys():
            name = parse(found[base].partition("/")[2])
            after = with_flags(name, flags(letters.flags_of(name.letters) | kept[base]), letters.letters)
            files.rename(found[base], f"{CUR}/{after}")
            found[base] = f"{CUR}/{after}"
