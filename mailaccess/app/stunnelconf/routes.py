"""Sections that serve some host names of another one: ``sni = SERVICE:NAME`` in a server.

A route of ours has targets and a certificate of its own, and everything else from its tunnel. A section that differs in
more is refused: clients of its names would get something else than it says.
"""

from collections.abc import Mapping

from mailaccess.app.stunnelconf.lines import Setting
from mailaccess.app.stunnelconf.section import InForce
from mailaccess.app.stunnelconf.translate import Keys

_OF_ITS_OWN = frozenset({"name", "connect", "certificate", "private_key", "sni"})


def secondary(section: InForce) -> list[Setting]:
    """The lines that name a service whose host names this section serves; none: it stands for itself."""
    return [] if section.yes("client") else section.all("sni")


def add_routes(section: InForce, keys: Keys, primaries: Mapping[str, Keys]) -> None:
    """Give the tables ``[[tunnel.sni]]`` that a section stands for to the tunnels that have them.

    ``primaries`` are the keys of servers that accept connections, by the names of their sections.
    """
    for setting in section.all("accept"):
        section.report.refuse(setting, "a section with sni = SERVICE:NAME accepts where that service does")
    for setting in secondary(section):
        service, _, name = setting.value.partition(":")
        if not _is_pattern(name):
            section.report.refuse(setting, "SERVICE:NAME is needed, NAME a host name or *.example.org")
        elif service not in primaries:
            section.report.refuse(setting, f"a server's section [{service}] with accept is needed")
        elif different := _differences(keys, primaries[service]):
            own = "connect, cert and key alone are a section's own"
            section.report.refuse(setting, f"{own}, and it differs from [{service}] in {', '.join(different)}")
        else:
            route = {key: keys[key] for key in ("connect", "certificate", "private_key")}
            primaries[service].setdefault("sni", []).append({"name": name, **route})


def _is_pattern(name: str) -> bool:
    rest = name.removeprefix("*.")
    return bool(rest) and "*" not in rest and not any(char.isspace() for char in rest)


def _differences(keys: Keys, primary: Keys) -> list[str]:
    both = (keys.keys() | primary.keys()) - _OF_ITS_OWN
    return sorted(key for key in both if keys.get(key) != primary.get(key))
