"""The configuration: every key with its sentence, its unit and its default, and where each value came from.

A value comes from, in rising order: the default, the TOML file, the command line. Unknown keys, wrong types and
impossible values are :class:`~mailaccess.errors.ConfigError`: one line that names key, value and what is allowed.
"""

import dataclasses
import difflib
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

from mailaccess.app.keys import config_key
from mailaccess.app.tunnel_table import TunnelRoute, TunnelTable
from mailaccess.errors import ConfigError
from mailaccess.ops.limits import Limits

T = TypeVar("T")

FOLDER_ENCODINGS = ("auto", "mutf7", "utf8")
SEPARATORS = (".", "/")
_USER = re.compile(r"//[^/]*@")

SECONDS_AT_MOST = 86400
"""A day: whatever is longer was meant in another unit."""

LEAST_OUTPUT_BYTES = 256 * 1024
"""Large messages go out in slices of this size, whatever the limit."""


@dataclass(frozen=True, slots=True)
class ServerName:
    """One more certificate, for the host names that it names itself (SNI): a table ``[[sni]]``."""

    certificate: str = config_key("", "PEM file: the certificate, then its chain.", value="PEM")
    private_key: str = config_key("", "PEM file of its key; default: the certificate's file.", value="PEM")


@dataclass(frozen=True, slots=True)
class Configuration:
    """What an operator may set. Every key is also an option: ``private_key`` is ``--private-key``."""

    maildir: str = config_key(
        "", "Where mail lies: DIR/USER is a user's Maildir; %u %n %d %h are understood; or one Maildir.", value="DIR"
    )
    users: str = config_key("", "Passwd-file of the users; default: DIR/users.", value="FILE")
    auth: tuple[str, ...] = config_key((), "A checker, in order of asking (passwdfile:FILE).", value="SPEC")
    state: str = config_key(
        "", "Folder for index and certificate; default: $STATE_DIRECTORY, or DIR/mailaccess-state.", value="DIR"
    )
    imap: str = config_key(
        "", "IMAP with STARTTLS: off, a port, a service, HOST:PORT or an endpoint; 143, 1143.", value="EP"
    )
    imaps: str = config_key("", "IMAP over TLS; default 993, or 1993.", value="EP")
    pop3: str = config_key("", "POP3 with STLS; default 110, or 1110.", value="EP")
    pop3s: str = config_key("", "POP3 over TLS; default 995, or 1995.", value="EP")
    certificate: str = config_key(
        "", "PEM file: the certificate, then its chain; default: a self-signed one.", value="PEM"
    )
    private_key: str = config_key("", "PEM file of the key; default: the certificate's file.", value="PEM")
    sni: tuple[ServerName, ...] = config_key((), "More certificates, chosen by the name that a client asks for.")
    allow_cleartext: bool = config_key(False, "Let passwords pass without TLS: never on an open network.")
    trusted_proxy: tuple[str, ...] = config_key(
        (), "Address of a proxy that speaks TLS for us: passwords from there may be in clear.", value="ADDRESS"
    )
    hierarchy_separator: str = config_key(
        ".", "What stands between the levels of a mailbox name.", value="CHAR", choices=SEPARATORS
    )
    folder_encoding: str = config_key(
        "auto", "How folder names are written on disk.", value="NAME", choices=FOLDER_ENCODINGS
    )
    flag_sync_seconds: float = config_key(
        1.0, "At most this long until a flag change survives a power cut; 0: at once."
    )
    reload_seconds: float = config_key(10.0, "How often certificate and users files are looked at for changes.")
    tunnel: tuple[TunnelTable, ...] = config_key((), "Tunnels that run beside the server, each a table [[tunnel]].")
    limits: Limits = field(default_factory=Limits, metadata={"words": "See the table [limits]."})


@dataclass(frozen=True, slots=True)
class Setting:
    """A key as ``mailaccess config show`` prints it: its value and where that came from."""

    key: str
    value: Any
    source: str
    words: str


@dataclass(frozen=True, slots=True)
class Loaded:
    """A configuration in force, and the source of each key that is not at its default."""

    values: Configuration
    sources: Mapping[str, str]

    def settings(self) -> Iterator[Setting]:
        """Every key, tables flattened: ``limits.line_bytes``."""
        for entry in dataclasses.fields(self.values):
            value = getattr(self.values, entry.name)
            if isinstance(value, Limits):
                for limit in dataclasses.fields(value):
                    yield self._setting(f"{entry.name}.{limit.name}", getattr(value, limit.name), limit.metadata)
            elif entry.name in TABLES:
                yield self._setting(entry.name, [_shown(dataclasses.asdict(table)) for table in value], entry.metadata)
            else:
                yield self._setting(entry.name, list(value) if isinstance(value, tuple) else value, entry.metadata)

    def _setting(self, key: str, value: Any, metadata: Mapping[str, Any]) -> Setting:
        return Setting(key, value, self.sources.get(key, "default"), metadata["words"])


def _shown(table: dict[str, Any]) -> dict[str, Any]:
    """A table without the password in its ``via``."""
    return {key: _USER.sub("//…@", value) if key == "via" else value for key, value in table.items()}


def load(path: str | None, command_line: Mapping[str, Any]) -> Loaded:
    """The configuration of the TOML file at ``path`` (if any) under what the command line says.

    ``command_line`` has the keys that were given there, or in a program: texts are converted to each key's type.
    ``ConfigError``.
    """
    values: dict[str, Any] = {}
    sources: dict[str, str] = {}
    if path is not None:
        for key, value in _table(Configuration, _read(path), f"{path}: ").items():
            values[key] = value
            sources |= dict.fromkeys(_leaves(key, value), path)
    texts = {key: _from_text(key, value) for key, value in command_line.items()}
    for key, value in _table(Configuration, texts, "").items():
        values[key] = value
        sources |= dict.fromkeys(_leaves(key, value), "command line")
    loaded = Configuration(**values)
    _check(loaded)
    return Loaded(loaded, sources)


def _read(path: str) -> dict[str, Any]:
    try:
        return tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError("--config", path, f"the file cannot be read ({error.strerror})") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError("--config", path, f"it is not TOML: {error}") from error


def _table(kind: Any, given: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    """The checked values of one TOML table, for the dataclass ``kind``."""
    hints = get_type_hints(kind)
    known = {entry.name: entry for entry in dataclasses.fields(kind)}
    values: dict[str, Any] = {}
    for key, value in given.items():
        name = prefix + key
        if key not in known:
            close = difflib.get_close_matches(key, known, 1)
            near = f"did you mean {close[0]}?" if close else "docs/configuration.md has them all"
            raise ConfigError(name, str(value), f"there is no such key; {near}")
        is_endpoint = known[key].metadata.get("value") == "EP"
        values[key] = str(value) if is_endpoint and type(value) is int else _value(name, value, hints[key])
    return values


def _value(name: str, value: Any, hint: Any) -> Any:
    """``value`` as the key's type asks for it."""
    if hint is Limits:
        return Limits(**_table(Limits, _expect(name, value, dict, "a table"), name + "."))
    kind = _ARRAYS.get(hint)
    if kind is not None:
        tables = _expect(name, value, (list, tuple), "an array of tables")
        return tuple(read_table(kind, t, name) for t in tables)
    if hint == tuple[str, ...]:
        items = [value] if isinstance(value, str) else _expect(name, value, (list, tuple), "a list of texts")
        return tuple(_expect(name, item, str, "a list of texts") for item in items)
    if hint is str:
        return _expect(name, value, str, "a text")
    if hint is bool:
        return _expect(name, value, bool, "true or false")
    if hint is float:
        return float(_number(name, value, (int, float)))
    return _number(name, value, (int,))


_ARRAYS: dict[Any, Any] = {
    tuple[ServerName, ...]: ServerName,
    tuple[TunnelTable, ...]: TunnelTable,
    tuple[TunnelRoute, ...]: TunnelRoute,
}

TABLES = ("sni", "tunnel")
"""The keys that are arrays of tables: no option has them."""


def read_table(kind: type[T], given: Any, name: str) -> T:
    """A table, or what a program gives for one, as the dataclass ``kind``; ``name`` is for ``ConfigError``."""
    if isinstance(given, kind):
        return given
    table = kind(**_table(kind, _expect(name, given, dict, "a table"), name + "."))
    _check_values(table, lambda key: f"{name}.{key}")
    return table


def _expect(name: str, value: Any, kind: type | tuple[type, ...], allowed: str) -> Any:
    if not isinstance(value, kind):
        raise ConfigError(name, str(value), f"{allowed} is expected")
    return value


def _number(name: str, value: Any, kinds: tuple[type, ...]) -> Any:
    if isinstance(value, bool) or not isinstance(value, kinds):
        raise ConfigError(name, str(value), "a number is expected" if float in kinds else "a whole number is expected")
    return value


def _from_text(key: str, value: Any) -> Any:
    """A command line's text as TOML would have it; a program gives the values themselves."""
    if not isinstance(value, str) or get_type_hints(Configuration).get(key) is not float:
        return value
    try:
        return float(value)
    except ValueError:
        raise ConfigError(_option(key), value, "a number of seconds is expected") from None


def _check(config: Configuration) -> None:
    """Raise for values of the right type that cannot be."""
    _check_values(config, _option)
    for limit in dataclasses.fields(Limits):
        value = getattr(config.limits, limit.name)
        if not 0 < value < 2**40:
            raise ConfigError(f"limits.{limit.name}", str(value), "a number above 0 is allowed")
    if config.limits.output_buffer_bytes < LEAST_OUTPUT_BYTES:
        held = str(config.limits.output_buffer_bytes)
        raise ConfigError("limits.output_buffer_bytes", held, f"at least {LEAST_OUTPUT_BYTES} is allowed")
    if config.private_key and not config.certificate:
        raise ConfigError("--private-key", config.private_key, "a key needs its --certificate")
    for server in config.sni:
        if not server.certificate:
            raise ConfigError("sni", str(dataclasses.asdict(server)), "each table needs a certificate")


def _check_values(table: Any, name_of: Callable[[str], str]) -> None:
    """Raise where a value is none of its key's choices, or a number of seconds or things that cannot be."""
    for entry in dataclasses.fields(table):
        choices = entry.metadata.get("choices")
        value = getattr(table, entry.name)
        if choices and value not in choices:
            raise ConfigError(name_of(entry.name), value, f"one of {' '.join(filter(None, choices))} is allowed")
        if isinstance(value, float) and not 0 <= value <= SECONDS_AT_MOST:
            raise ConfigError(name_of(entry.name), str(value), f"0 to {SECONDS_AT_MOST} seconds are allowed")
        if type(value) is int and not 0 <= value < 2**40:
            raise ConfigError(name_of(entry.name), str(value), "a number from 0 on is allowed")


def _option(key: str) -> str:
    return "--" + key.replace("_", "-")


def _leaves(key: str, value: Any) -> list[str]:
    if isinstance(value, Limits):
        return [
            f"{key}.{entry.name}" for entry in dataclasses.fields(value) if getattr(value, entry.name) != entry.default
        ]
    return [key]
