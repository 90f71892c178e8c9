"""What an stunnel.conf asks for in vain: refused, ignored, or worth a notice."""

from mailaccess.app.stunnelconf.lines import Place, Section, Setting
from mailaccess.errors import ConfigError

SECRETS = frozenset({"protocolpassword", "ticketkeysecret", "ticketmacsecret"})
"""Options whose values are not repeated in messages."""


class Report:
    """Gathers what is to be said of a file, each thing once: a default is read again in every section."""

    def __init__(self) -> None:
        self._refused: dict[tuple[Place, str], tuple[str, str]] = {}
        self._ignored: dict[Setting, str] = {}
        self._notices: dict[str, None] = {}

    def refuse(self, setting: Setting, allowed: str) -> None:
        """The file asks for what is not possible; ``allowed`` is what is, or why."""
        value = "…" if setting.key in SECRETS else setting.value
        self._refused.setdefault((setting.place, setting.name), (value, allowed))

    def refuse_section(self, section: Section, what: str, allowed: str) -> None:
        """A section as a whole is not possible."""
        self._refused.setdefault((section.place, f"[{section.name}]"), (what, allowed))

    def ignore(self, setting: Setting, why: str) -> None:
        """Nothing comes of an option, and nothing depends on it."""
        self._ignored[setting] = why

    def notice(self, place: Place, section: Section, text: str) -> None:
        """Something that the operator should know of, though it is done."""
        self._notices[f"{place}: [{section.name}]: {text}"] = None

    def settle(self) -> None:
        """``ConfigError`` where anything was refused: the first in full, and the places of all others."""
        if not self._refused:
            return
        (place, name), (value, allowed) = next(iter(self._refused.items()))
        others = [
            f"line {other.number} {what}" if other.path == place.path else f"{other} {what}"
            for other, what in list(self._refused)[1:]
        ]
        more = f"; nor are {', '.join(others)}" if others else ""
        raise ConfigError(f"{place}: {name}", value, allowed + more)

    def ignored(self) -> tuple[str, ...]:
        """Each with its line: ``stunnel.conf:3: debug = 7 is ignored: …``."""
        return tuple(
            f"{s.place}: {s.name} = {'…' if s.key in SECRETS else s.value} is ignored: {why}"
            for s, why in self._ignored.items()
        )

    def notices(self) -> tuple[str, ...]:
        """Each with its line and section."""
        return tuple(self._notices)
