"""The options of ``mailaccess tunnel``: the keys of a table ``[[tunnel]]``, and the letters of stunnel 3.

``stunnel -d pop3s -l popa3d`` and ``stunnel -d pop3s -r localhost:pop3`` are what the old guides say.
"""

import argparse
import dataclasses
from collections.abc import Sequence
from typing import Any, get_type_hints

from mailaccess.app.config import read_table
from mailaccess.app.tunnel_table import TunnelTable
from mailaccess.errors import ConfigError

_LETTERS = {
    "accept": "-d",
    "connect": "-r",
    "exec": "-l",
    "client": "-c",
    "certificate": "-p",
    "ca": "-A",
    "name": "-N",
    "source": "-I",
}
"""stunnel 3's letters for our keys."""

_VERIFY_LEVELS = {"0": "none", "1": "chain", "2": "chain", "3": "peer", "4": "peer"}
"""stunnel 3's ``-v``. 1 looks at a certificate if there is one: that says nothing of clients."""

_TYPES = get_type_hints(TunnelTable)
_KEYS = [entry for entry in dataclasses.fields(TunnelTable) if entry.name != "sni"]


def add_options(parser: argparse.ArgumentParser) -> None:
    """Every key of a tunnel as an option."""
    for entry in _KEYS:
        names = [_option(entry.name), *filter(None, [_LETTERS.get(entry.name)])]
        common: dict[str, Any] = {"dest": _destination(entry.name), "default": None}
        common["help"] = _help(entry).replace("%", "%%")
        if _TYPES[entry.name] is bool:
            parser.add_argument(*names, action="store_true", **common)
            continue
        several = _TYPES[entry.name] == tuple[str, ...]
        value = entry.metadata["value"] or "NUMBER"
        parser.add_argument(*names, action="append" if several else "store", metavar=value, **common)
    old = parser.add_argument_group("as in stunnel 3")
    old.add_argument("-n", dest="negotiated", metavar="NAME", help="--protocol NAME --starttls")
    old.add_argument("-v", dest="level", choices=_VERIFY_LEVELS, help="see --verify")
    old.add_argument("-s", dest="user", metavar="USER", default="", help="become this user when ports are bound")
    old.add_argument("-g", dest="group", metavar="GROUP", default="", help="and of this group")
    old.add_argument("-P", dest="pid_file", metavar="FILE", default="", help="write the process's number there")
    old.add_argument("-f", dest="foreground", action="store_true", help="it always is in the foreground")
    old.add_argument("-D", dest="debug", metavar="LEVEL", help="the log has one level")
    parser.add_argument("arguments", nargs="*", metavar="-- ARGUMENT", help="arguments of the program to exec")


def table_of(given: argparse.Namespace) -> TunnelTable | None:
    """The tunnel that the options describe; None where none of them is given. ``ConfigError``."""
    values = {entry.name: _value(entry.name, getattr(given, _destination(entry.name))) for entry in _KEYS}
    values = {name: value for name, value in values.items() if value is not None}
    if given.negotiated is not None:
        values |= {"protocol": given.negotiated, "starttls": True}
    if given.level is not None:
        if given.level == "1" and not values.get("client"):
            raise ConfigError(
                "-v", given.level, "a client without a certificate would be let in: 0 or 2 to 4 are allowed"
            )
        values.setdefault("verify", _VERIFY_LEVELS[given.level])
    if given.arguments:
        values["exec"] = _with_arguments(values.get("exec"), given.arguments)
    if not values:
        return None
    try:
        return read_table(TunnelTable, values, "")
    except ConfigError as error:
        raise dataclasses.replace(error, key=_option(error.key.lstrip("."))) from error


def _help(entry: dataclasses.Field[Any]) -> str:
    """A key's words, what is allowed where that is a list, and the default where that is a number."""
    choices = ", ".join(filter(None, entry.metadata["choices"]))
    words: str = entry.metadata["words"]
    if choices and entry.name != "verify":
        words += f" One of {choices}."
    if type(entry.default) in (int, float):
        words += f" Default: {entry.default:g}."
    return words


def _with_arguments(program: Sequence[str] | None, arguments: Sequence[str]) -> list[str]:
    """stunnel 3 wants the program's own name first behind the ``--``, as ``exec`` does."""
    if not program:
        raise ConfigError("--exec", " ".join(arguments), "these arguments belong to no program")
    name = program[0].rpartition("/")[2]
    return [program[0], *(arguments[1:] if arguments[0] == name else arguments)]


def _value(name: str, text: Any) -> Any:
    kind = _TYPES[name]
    if kind not in (int, float) or text is None:
        return text
    try:
        return kind(text)
    except ValueError:
        allowed = "a number of seconds is expected" if kind is float else "a whole number is expected"
        raise ConfigError(_option(name), text, allowed) from None


def _option(name: str) -> str:
    return "--" + name.replace("_", "-")


def _destination(name: str) -> str:
    return f"key_{name}"
