"""How the other side proves itself: ``verifyChain``, ``verifyPeer``, ``verify``, ``checkHost`` and their like.

A client of stunnel verifies nothing unless it is told to, and then only what it is told: this is done as it stands
there, and a notice says what is missing.
"""

from dataclasses import dataclass
from typing import Any

from mailaccess.app.stunnelconf.section import InForce


@dataclass(frozen=True, slots=True)
class _Demand:
    """What is demanded of the other side's certificate: a chain to a CA, itself in the CA file, that there is one."""

    chain: bool = False
    peer: bool = False
    present: bool = False


LEVELS = {
    "0": _Demand(),
    "1": _Demand(chain=True),
    "2": _Demand(chain=True, present=True),
    "3": _Demand(chain=True, peer=True, present=True),
    "4": _Demand(peer=True, present=True),
}
"""The values of ``verify``, the older option."""


def verification(section: InForce) -> dict[str, Any]:
    """The keys ``verify``, ``ca`` and ``host``."""
    demand = _demand(section)
    names = [setting.value for key in ("checkhost", "checkip") for setting in section.all(key)]
    if not section.yes("client"):
        _judge_server(section, demand)
    verify = "none"
    if demand.peer:
        verify = "peer"
    elif demand.chain:
        verify = "full" if names else "chain"
    elif names:
        _refuse_names(section, "verifyChain = yes or verifyPeer = yes is needed")
    if section.last("psksecrets"):
        return _with_keys(section, verify)
    _notice(section, verify)
    return {"verify": verify, "ca": _ca(section, verify), "host": tuple(names) if verify != "none" else ()}


def _with_keys(section: InForce, verify: str) -> dict[str, Any]:
    """Keys that both sides have prove who they are; there are no certificates."""
    if verify != "none":
        demands = [setting for setting in section.settings if setting.key in ("verify", "verifychain", "verifypeer")]
        section.report.refuse(demands[-1], "either PSKsecrets or certificates prove the other side")
    for key in ("cafile", "capath"):
        setting = section.last(key)
        if setting:
            section.report.ignore(setting, "nothing is verified")
    return {"verify": "", "ca": "", "host": ()}


def _demand(section: InForce) -> _Demand:
    """What all lines together demand: each changes what those before it said."""
    demand = _Demand()
    for setting in section.settings:
        match setting.key:
            case "verify":
                if setting.value not in LEVELS:
                    section.report.refuse(setting, "0 to 4 are allowed")
                demand = LEVELS.get(setting.value, demand)
            case "verifychain":
                chain = section.is_yes(setting)
                demand = _Demand(chain, demand.peer, demand.present or chain)
            case "verifypeer":
                peer = section.is_yes(setting)
                demand = _Demand(demand.chain, peer, demand.present or peer)
            case "requirecert":
                demand = _Demand(demand.chain, demand.peer, section.is_yes(setting))
    return demand


def _judge_server(section: InForce, demand: _Demand) -> None:
    _refuse_names(section, "the names of clients are not looked at; verifyPeer has a list of those allowed")
    if (demand.chain or demand.peer) and not demand.present and not section.all("redirect"):
        last = [setting for setting in section.settings if setting.key in ("requirecert", "verify")][-1]
        section.report.refuse(last, "clients either all show a certificate, or need none; redirect is for the others")


def _refuse_names(section: InForce, allowed: str) -> None:
    for key in ("checkhost", "checkip"):
        for setting in section.all(key):
            section.report.refuse(setting, allowed)


def _ca(section: InForce, verify: str) -> str:
    given = [setting for setting in (section.last("cafile"), section.last("capath")) if setting]
    if verify == "none":
        for setting in given:
            section.report.ignore(setting, "nothing is verified")
        return ""
    if len(given) > 1:
        section.report.refuse(given[1], "either CAfile or CApath is possible")
    if not given:
        section.report.refuse_section(section.section, "without CAfile", "whoever verifies needs CAfile or CApath")
        return ""
    return given[0].value


def _notice(section: InForce, verify: str) -> None:
    """What a client should demand of a server, and does not."""
    if not section.yes("client"):
        return
    place = section.section.place
    if verify == "none":
        section.report.notice(place, section.section, "nothing verifies the server: add verifyChain and checkHost")
    elif verify == "chain":
        section.report.notice(
            place, section.section, "any certificate of the CA is taken for the server: add checkHost"
        )
