"""The options in force in a section: those before the first section are defaults, and its own come after them."""

from collections.abc import Iterable
from dataclasses import dataclass

from mailaccess.app.config import SECONDS_AT_MOST
from mailaccess.app.stunnelconf.lines import Section, Setting
from mailaccess.app.stunnelconf.report import Report

_MOST_DIGITS = 10  # of what stunnel reads, an int of 32 bits


@dataclass(frozen=True, slots=True)
class InForce:
    """A section with its defaults; what is wrong with a value goes to ``report``."""

    section: Section
    settings: tuple[Setting, ...]
    report: Report

    @classmethod
    def of(cls, section: Section, defaults: Iterable[Setting], report: Report) -> "InForce":
        """``section``, with those of ``defaults`` that a section may have."""
        return cls(section, (*defaults, *section.settings), report)

    def all(self, key: str) -> list[Setting]:
        """The settings of an option whose lines add up."""
        return [setting for setting in self.settings if setting.key == key]

    def last(self, key: str) -> Setting | None:
        """The setting of an option whose last line counts; None: it is not set, or set to nothing."""
        found = [setting for setting in self.settings if setting.key == key]
        return found[-1] if found and found[-1].value else None

    def text(self, key: str) -> str:
        """The value of an option, empty where it is not set."""
        setting = self.last(key)
        return setting.value if setting else ""

    def yes(self, key: str) -> bool:
        """Whether an option is ``yes``; ``no`` is the default of all that are asked for."""
        setting = self.last(key)
        return setting is not None and self.is_yes(setting)

    def is_yes(self, setting: Setting) -> bool:
        """The value of ``setting``, which is yes or no."""
        value = setting.value.lower()
        if value not in ("yes", "no"):
            self.report.refuse(setting, "yes or no is allowed")
        return value == "yes"

    def seconds(self, key: str, least: int) -> float | None:
        """The value of an option, in whole seconds from ``least``; None where it is not set.

        More than a day is a day, and brings a notice: who wrote it meant "never".
        """
        setting = self.last(key)
        if setting is None:
            return None
        if not (setting.value.isascii() and setting.value.isdigit()) or len(setting.value) > _MOST_DIGITS:
            self.report.refuse(setting, "a number of seconds is needed")
            return None
        seconds = int(setting.value)
        if seconds < least:
            self.report.refuse(setting, f"at least {least} is needed")
        elif seconds > SECONDS_AT_MOST:
            text = f"{setting.name} = {seconds} is {SECONDS_AT_MOST} here, a day"
            self.report.notice(setting.place, self.section, text)
        return float(min(seconds, SECONDS_AT_MOST))
