"""A section as a table of ours."""

import shlex
from collections.abc import Callable
from ipaddress import ip_address
from typing import Any

from mailaccess.app.stunnelconf.addresses import listening, target
from mailaccess.app.stunnelconf.lines import Setting
from mailaccess.app.stunnelconf.openssl import judge_sockets, only_ipv6
from mailaccess.app.stunnelconf.protocols import protocol
from mailaccess.app.stunnelconf.section import InForce
from mailaccess.app.stunnelconf.tls import tls
from mailaccess.app.stunnelconf.verification import verification

Keys = dict[str, Any]
"""The keys of a table, without ``accept``."""

CONNECTIONS_PER_ADDRESS = 10_000
"""As many as in all: the clients of an stunnel are often another one, with a whole network behind it."""

_SECONDS = {
    "timeoutbusy": ("handshake_timeout_seconds", 1),
    "timeoutclose": ("close_timeout_seconds", 0),
    "timeoutconnect": ("connect_timeout_seconds", 1),
    "timeoutidle": ("idle_timeout_seconds", 1),
}
_BALANCE = {"rr": "round-robin", "prio": "priority", "": "priority"}


def translate(section: InForce) -> Keys:
    """The keys of a section that are the same for every address on which it accepts."""
    judge_sockets(section)
    keys: Keys = {
        "name": section.section.name,
        "client": section.yes("client"),
        "connect": tuple(_addresses(section, "connect", target)),
        "balance": _balance(section),
        "source": _source(section),
        "connections_per_address": CONNECTIONS_PER_ADDRESS,
        **tls(section),
        **verification(section),
        **_program(section),
        **_seconds(section),
    }
    keys |= protocol(section)
    if section.yes("client"):
        keys["server_name"] = section.text("sni")
    keys["redirect"] = _redirect(section, keys)
    _judge_retry(section)
    _judge_owner(section)
    return keys


def accepted(section: InForce) -> list[str]:
    """The addresses on which a section accepts; a notice says where a client takes clear text from everywhere.

    Linux gives a socket for all IPv6 addresses the IPv4 clients too, unless another has them, or it is told not to.
    """
    addresses = _addresses(section, "accept", listening)
    for setting in section.all("accept"):
        if section.yes("client") and not setting.value.startswith("/") and _is_everywhere(setting.value):
            everywhere = (
                f"accept = {setting.value} takes clear text from every machine: 127.0.0.1:PORT takes it from this"
            )
            section.report.notice(setting.place, section.section, everywhere)
    if only_ipv6(section):
        return addresses
    return [_with_ipv4(address, addresses) for address in addresses]


def _is_everywhere(accept: str) -> bool:
    return accept.rpartition(":")[0] in ("", "0.0.0.0", "::", "[::]")  # noqa: S104  (what is warned of)


def _with_ipv4(address: str, others: list[str]) -> str:
    port = address.removeprefix("[::]:")
    return port if port != address and f"0.0.0.0:{port}" not in others else address


def judge_whole(section: InForce, keys: Keys) -> None:
    """Refuse a section, served by itself, that lacks an end or a certificate."""
    has_connect, has_exec = bool(section.all("connect")), section.last("exec") is not None
    if has_connect == has_exec:
        what = "connect and exec" if has_connect else "neither connect nor exec"
        section.report.refuse_section(section.section, what, "a section has one of connect and exec")
    if not keys["client"] and not keys["certificate"] and not keys["psk"]:
        section.report.refuse_section(section.section, "without cert", "a server needs cert, or else PSKsecrets")


def _addresses(section: InForce, key: str, written: Callable[[str], str]) -> list[str]:
    addresses: list[str] = []
    for setting in section.all(key):
        try:
            addresses.append(written(setting.value))
        except ValueError as error:
            section.report.refuse(setting, str(error))
    return list(dict.fromkeys(addresses))


def _source(section: InForce) -> str:
    local = section.last("local")
    if local is None:
        return ""
    try:
        return str(ip_address(local.value))
    except ValueError:
        section.report.refuse(local, "an address of this machine is needed")
        return ""


def _balance(section: InForce) -> str:
    failover = section.last("failover")
    strategy = failover.value.lower() if failover else ""
    if failover and strategy not in _BALANCE:
        section.report.refuse(failover, "rr and prio are allowed")
    return "priority" if section.yes("delay") else _BALANCE.get(strategy, "")


def _program(section: InForce) -> Keys:
    """``exec`` and ``execArgs``, whose first word is the name that the program is told to have (``tcpd``, shells)."""
    program = section.last("exec")
    if program is None:
        return {}
    if section.yes("client"):
        section.report.refuse(program, "a program is behind a server side only")
    pty = section.yes("pty")
    words = section.text("execargs").split() or [program.value]
    return {
        "exec": tuple(words) if words[1:] else (shlex.quote(words[0]),),  # a word alone is read as a shell would
        "exec_file": program.value if words[0] != program.value else "",
        "inetd": not pty,
        "pty": pty,
    }


def _seconds(section: InForce) -> Keys:
    given = {key: section.seconds(option, least) for option, (key, least) in _SECONDS.items()}
    return {key: seconds for key, seconds in given.items() if seconds is not None}


def _redirect(section: InForce, keys: Keys) -> tuple[str, ...]:
    settings: list[Setting] = section.all("redirect")
    if settings and (keys["client"] or keys["verify"] in ("", "none")):
        section.report.refuse(settings[0], "a server with verifyChain or verifyPeer is needed")
    return tuple(_addresses(section, "redirect", target))


def _judge_owner(section: InForce) -> None:
    """``setuid`` and ``setgid`` in a section say whose its Unix socket is."""
    for setting in (section.last("setuid"), section.last("setgid")):
        if setting and any(accept.value.startswith("/") for accept in section.all("accept")):
            section.report.refuse(setting, "a Unix socket belongs to the user and group of the process")
        elif setting:
            section.report.ignore(setting, "it is for Unix sockets; before the first section it is for the process")


def _judge_retry(section: InForce) -> None:
    """It is for sections that connect and execute of themselves, which are refused; in others it changes nothing."""
    retry = section.last("retry")
    if retry is None or retry.value.lower() == "no":
        return
    if retry.value.lower() != "yes" and not (retry.value.isascii() and retry.value.isdigit()):
        section.report.refuse(retry, "yes, no or a number of milliseconds is allowed")
    else:
        section.report.ignore(retry, "it is for sections with connect and exec")
