"""The format of an stunnel.conf: sections of ``option = value`` lines, each with the place where it stands.

line    = blank / comment / section / setting       white space at both ends goes
comment = (";" / "#") *char
section = "[" name "]"
setting = name "=" value                            the first "="; nothing is quoted

What stands before the first section is global, or a default of all sections. ``include = DIRECTORY`` puts the folder's
regular files in its place, in the order of their names. A UTF-8 byte order mark is allowed (Windows editors write it).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from mailaccess.errors import ConfigError

INCLUDE_DEPTH = 8
"""Folders that include folders: one level is usual."""

FILE_BYTES = 1 << 20
"""The longest file: a thousand sections have some hundred kilobytes."""

LINES_AT_MOST = 100_000
"""In all files together, so that folders which include each other many times come to an end."""

_SPACE = " \t\n\v\f\r"  # C's isspace
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Place:
    """A line of a file: ``stunnel.conf:12``."""

    path: Path
    number: int

    def __str__(self) -> str:
        return f"{self.path}:{self.number}"


@dataclass(frozen=True, slots=True)
class Setting:
    """A line ``name = value``."""

    place: Place
    name: str
    value: str

    @property
    def key(self) -> str:
        """The name in lower case: stunnel does not tell them apart."""
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Section:
    """A line ``[name]`` and the settings below it."""

    place: Place
    name: str
    settings: tuple[Setting, ...]


@dataclass(frozen=True, slots=True)
class Text:
    """A file with all that it includes."""

    path: Path
    defaults: tuple[Setting, ...]
    sections: tuple[Section, ...]

    def settings(self) -> Iterator[Setting]:
        """All of them, in their order."""
        yield from self.defaults
        for section in self.sections:
            yield from section.settings


def read_text(path: Path) -> Text:
    """The text of the file at ``path``. ``ConfigError`` where it cannot be read, or a line is none of the four."""
    reader = _Reader()
    reader.file(path, None, ())
    sections = tuple(Section(place, name, tuple(settings)) for place, name, settings in reader.sections)
    return Text(path, tuple(reader.defaults), sections)


class _Reader:
    """Reads files one after another: a section that begins in one goes on in the next."""

    def __init__(self) -> None:
        self.defaults: list[Setting] = []
        self.sections: list[tuple[Place, str, list[Setting]]] = []
        self._current = self.defaults
        self._lines = 0

    def file(self, path: Path, asked_by: Setting | None, folders: tuple[Path, ...]) -> None:
        """Read ``path``; ``folders`` are those whose ``include`` led here."""
        for number, line in enumerate(_octets(path, asked_by).split(b"\n"), 1):
            self._line(Place(path, number), line, folders)

    def _line(self, place: Place, octets: bytes, folders: tuple[Path, ...]) -> None:
        self._lines += 1
        if self._lines > LINES_AT_MOST:
            raise ConfigError(str(place), str(self._lines), f"at most {LINES_AT_MOST} lines in all files are read")
        stripped = octets.strip(_SPACE.encode())
        if not stripped or stripped.startswith((b"#", b";")):  # its text may be in any character set
            return
        line = _text(place, stripped)
        if line.startswith("[") and line.endswith("]"):
            self._current = []
            self.sections.append((place, line[1:-1], self._current))
            return
        name, equals, value = line.partition("=")
        if not equals:
            raise ConfigError(
                str(place), _beginning(line), "a line is [section], option = value, or a comment after ; or #"
            )
        setting = Setting(place, name.rstrip(_SPACE), value.lstrip(_SPACE))
        if setting.key == "include":
            self._include(setting, folders)
        else:
            self._current.append(setting)

    def _include(self, setting: Setting, folders: tuple[Path, ...]) -> None:
        where = f"{setting.place}: {setting.name}"
        if not setting.value:
            raise ConfigError(where, setting.value, "a folder is needed")
        folder = Path(setting.value)
        try:
            real = folder.resolve(strict=True)
            paths = sorted((path for path in folder.iterdir() if path.is_file()), key=lambda path: path.name)
        except (OSError, RuntimeError) as error:  # RuntimeError: links in a circle (Python 3.11, 3.12)
            reason = error.strerror if isinstance(error, OSError) else "links in a circle"
            raise ConfigError(where, setting.value, f"a folder that can be read is needed ({reason})") from error
        if real in folders:
            raise ConfigError(where, setting.value, "this folder is being included already")
        if len(folders) >= INCLUDE_DEPTH:
            raise ConfigError(where, setting.value, f"at most {INCLUDE_DEPTH} folders may include one another")
        for path in paths:
            self.file(path, setting, (*folders, real))


def _octets(path: Path, asked_by: Setting | None) -> bytes:
    key = f"{asked_by.place}: {asked_by.name}" if asked_by else "--stunnel-conf"
    try:
        with path.open("rb") as file:
            octets = file.read(FILE_BYTES + 1)
    except OSError as error:
        raise ConfigError(key, str(path), f"the file cannot be read ({error.strerror})") from error
    if len(octets) > FILE_BYTES:
        raise ConfigError(key, str(path), f"a file of at most {FILE_BYTES} octets is read")
    return octets.removeprefix(_BYTE_ORDER_MARK)


def _text(place: Place, octets: bytes) -> str:
    try:
        line = octets.decode()
    except UnicodeDecodeError as error:
        raise ConfigError(
            str(place), _beginning(octets.decode(errors="backslashreplace")), "a line is in UTF-8"
        ) from error
    if any((char < " " and char != "\t") or char == "\x7f" for char in line):
        raise ConfigError(str(place), _beginning(line), "a line has no control characters")
    return line


def _beginning(line: str) -> str:
    """What a line begins with, for a message: what follows may be a password."""
    word = re.split(r"[=\s]", line, maxsplit=1)[0]
    return word if word == line else f"{word} …"
