"""From an stunnel.conf to tunnels of ours."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from mailaccess.app.config import read_table
from mailaccess.app.stunnelconf.lines import Place, Section, Setting, Text, read_text
from mailaccess.app.stunnelconf.options import service_defaults, sort_out
from mailaccess.app.stunnelconf.origins import origins
from mailaccess.app.stunnelconf.report import Report
from mailaccess.app.stunnelconf.routes import add_routes, secondary
from mailaccess.app.stunnelconf.section import InForce
from mailaccess.app.stunnelconf.translate import Keys, accepted, judge_whole, translate
from mailaccess.app.tunnel_table import TunnelTable

INETD = "inetd"
"""The name of the tunnel in a file without sections."""


@dataclass(frozen=True, slots=True)
class StunnelConf:
    """What an stunnel.conf asks for.

    ``inetd``: the file has no section, so its one tunnel has no ``accept``: it serves the connection on descriptor 0.
    ``user``, ``group``: whom the process changes to when its sockets are bound; ``pid_file``: where it writes its
    number; each empty for none. ``ignored`` and ``notices`` are lines for the operator: options that nothing depends
    on, and what is done as it stands there but should not stand there. ``path`` is the file, ``origins`` has for each
    tunnel where its keys come from.
    """

    tunnels: tuple[TunnelTable, ...]
    inetd: bool = False
    user: str = ""
    group: str = ""
    pid_file: str = ""
    ignored: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()
    path: Path = Path()
    origins: Mapping[TunnelTable, Mapping[str, str]] = field(default_factory=dict)

    def origin(self, tunnel: TunnelTable, key: str) -> str:
        """Where a key of a tunnel comes from, for messages: ``stunnel.conf:12: cert``; else the section and the key."""
        return self.origins.get(tunnel, {}).get(key, f"{self.path}: [{tunnel.name}]: {key}")


def read(path: Path) -> StunnelConf:
    """Read the file at ``path``, and what it includes; paths in it are relative to the working directory, as there.

    ``ConfigError`` where a line is not possible: one line, with the first in full and the places of all others.
    """
    text = read_text(path)
    report = Report()
    sort_out(text, report)
    found = _inetd(text, report) if not text.sections else _services(text, report)
    report.settle()
    tunnels = [(read_table(TunnelTable, keys, f"{path}: [{keys['name']}]"), section) for section, keys in found]
    return StunnelConf(
        tunnels=tuple(tunnel for tunnel, _ in tunnels),
        inetd=not text.sections,
        user=_global(text, "setuid"),
        group=_global(text, "setgid"),
        pid_file=_global(text, "pid"),
        ignored=report.ignored(),
        notices=report.notices(),
        path=path,
        origins={tunnel: origins(section) for tunnel, section in tunnels},
    )


def _global(text: Text, key: str) -> str:
    given: list[Setting] = [setting for setting in text.defaults if setting.key == key]
    return given[-1].value if given else ""


def _inetd(text: Text, report: Report) -> list[tuple[InForce, Keys]]:
    """The one tunnel of a file without sections."""
    _refuse_accept(text, report)
    whole = Section(Place(text.path, 1), INETD, ())
    section = InForce.of(whole, service_defaults(text.defaults), report)
    keys = translate(section)
    judge_whole(section, keys)
    for setting in secondary(section):
        report.refuse(setting, "SERVICE:NAME stands in a [section]")
    return [(section, keys)]


def _services(text: Text, report: Report) -> list[tuple[InForce, Keys]]:
    """The tunnels of a file with sections."""
    _refuse_accept(text, report)
    defaults = service_defaults(text.defaults)
    sections = [InForce.of(section, defaults, report) for section in text.sections]
    translated = [(section, translate(section)) for section in sections]
    primaries = {
        section.section.name: keys
        for section, keys in reversed(translated)  # of two with one name the first has it
        if not secondary(section) and not keys["client"]
    }
    for section, keys in translated:
        if secondary(section):
            add_routes(section, keys, primaries)
    return [
        (section, keys | {"accept": address})
        for section, keys in translated
        if not secondary(section)
        for address in _accepted(section, keys)
    ]


def _accepted(section: InForce, keys: Keys) -> list[str]:
    """Where a section that stands for itself accepts."""
    if not section.all("accept"):
        allowed = "accept is needed; no program is started for a connection that we ourselves would make"
        section.report.refuse_section(section.section, "without accept", allowed)
    judge_whole(section, keys)
    return accepted(section)


def _refuse_accept(text: Text, report: Report) -> None:
    for setting in text.defaults:
        if setting.key == "accept":
            report.refuse(
                setting, "accept stands in a [section]; without any, one connection on descriptor 0 is served"
            )
