"""The options of ``twistd mailaccess``: the keys of the configuration, read by ``twisted.python.usage``."""

import dataclasses
import sys
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, NoReturn, TextIO, get_type_hints

from twisted.python import usage

from mailaccess.app.config import TABLES, Configuration, Loaded, load
from mailaccess.errors import ConfigError

USAGE_STATUS = 2
"""Exit status of wrong usage or configuration."""

_TYPES = get_type_hints(Configuration)
_OPTIONS = [entry for entry in dataclasses.fields(Configuration) if entry.name not in ("limits", *TABLES)]


def _long(name: str) -> str:
    return name.replace("_", "-")


def _adder(name: str, words: str) -> Callable[["ServerOptions", str], None]:
    def add(self: "ServerOptions", value: str) -> None:
        self.given.setdefault(name, []).append(value)

    add.__doc__ = words
    return add


class ServerOptions(usage.Options):
    """``twistd -n mailaccess --maildir DIR …``; wrong usage ends with status 2 and one line."""

    synopsis = "[--maildir DIR] [options]"
    longdesc = "An IMAP and POP3 server for mail in Maildirs. No password ever passes in clear."
    optParameters: ClassVar[Sequence[Sequence[Any]]] = [  # noqa: N815  (usage's name)
        ["config", None, None, "TOML file with any of these keys, and the table [limits]."],
        *(
            [_long(entry.name), None, None, entry.metadata["words"]]
            for entry in _OPTIONS
            if _TYPES[entry.name] in (str, float)
        ),
    ]
    optFlags: ClassVar[Sequence[Sequence[Any]]] = [  # noqa: N815
        [_long(entry.name), None, entry.metadata["words"]] for entry in _OPTIONS if _TYPES[entry.name] is bool
    ]

    def __init__(self) -> None:
        self.given: dict[str, list[str]] = {}
        super().__init__()  # type: ignore[no-untyped-call]

    def parseOptions(self, options: list[str] | None = None) -> None:  # noqa: N802
        """Parse, and load the configuration into ``loaded``."""
        try:
            self.read(options)
        except (usage.UsageError, ConfigError) as error:
            fail(str(error))

    def read(self, options: list[str] | None = None) -> None:
        """The same, for a program that has another way to say what is wrong: ``UsageError``, ``ConfigError``."""
        super().parseOptions(options)  # type: ignore[no-untyped-call]

    def postOptions(self) -> None:  # noqa: N802
        """Bring command line and file together."""
        self.loaded: Loaded = load(self["config"], self.command_line())

    def command_line(self) -> dict[str, Any]:
        """The keys that the command line gives."""
        given: dict[str, Any] = dict(self.given)
        for entry in _OPTIONS:
            value = self.get(_long(entry.name))
            if value not in (None, 0):
                given[entry.name] = bool(value) if _TYPES[entry.name] is bool else value
        return given

    def parseArgs(self, *arguments: str) -> None:  # noqa: N802
        """No argument stands alone."""
        if arguments:
            raise usage.UsageError(f"{arguments[0]!r} is not an option of mailaccess; see --help")


for _entry in _OPTIONS:
    if _TYPES[_entry.name] == tuple[str, ...]:
        setattr(ServerOptions, f"opt_{_entry.name}", _adder(_entry.name, _entry.metadata["words"]))


def fail(line: str, stream: TextIO | None = None) -> NoReturn:
    """End the program with one line that says what is wrong, on ``stream`` or standard error."""
    print(f"mailaccess: {line}", file=stream or sys.stderr)
    raise SystemExit(USAGE_STATUS)
