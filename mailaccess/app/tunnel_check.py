"""``mailaccess tunnel --check``: every target is asked before a client does."""

import json
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import asdict, dataclass

from mailaccess.app.tunnel_plan import Tunnel
from mailaccess.tunnel.destination import Servers
from mailaccess.tunnel.faults import TunnelFault
from mailaccess.tunnel.spoken import Spoken
from mailaccess.tunnel.targets import Target
from mailaccess.tunnel.visitor import LOCAL, Visitor

FAULT_STATUS = 1

_OURSELVES = Visitor(LOCAL, 0, LOCAL, 0)


@dataclass(frozen=True, slots=True)
class Finding:
    """What came of asking a target, or a program; ``fault`` is empty where it is good."""

    service: str
    target: str
    protocol: str
    fault: str

    def __str__(self) -> str:
        taken = "good, it takes connections (without --protocol nothing is asked)"
        good = f"good, it speaks {self.protocol}" if self.protocol else taken
        fault = self.fault.removeprefix(f"{self.target}: ").removeprefix(f"{self.target} ")
        return f"{self.service} to {self.target}: {fault or good}"


async def check_tunnels(tunnels: Iterable[Tunnel], say: Callable[[str], None], *, as_json: bool = False) -> int:
    """Reach everything that clients could be led to, and return the exit status.

    Says one line for each as soon as it is known, or all of them as JSON.
    """
    findings = []
    for tunnel in tunnels:
        protocol = tunnel.plan.protocol.name if tunnel.plan.protocol is not None else ""
        for expired in tunnel.expired():
            findings.append(Finding(tunnel.plan.name, str(expired), protocol, "the certificate has expired"))
            if not as_json:
                say(str(findings[-1]))
        async for target, fault in _asked(tunnel):
            findings.append(Finding(tunnel.plan.name, target, protocol, fault))
            if not as_json:
                say(str(findings[-1]))
    if as_json:
        say(json.dumps([asdict(finding) for finding in findings], ensure_ascii=False, indent=1))
    return FAULT_STATUS if any(finding.fault for finding in findings) else 0


def named_mismatch(protocol: Spoken | None, target: Target) -> str:
    """What is wrong with a target by its very name, as IMAP's port for POP3 clients; empty where nothing is."""
    if protocol is None or target.service is None or target.service.protocol == protocol.name:
        return ""
    return f"{target} is {target.service.protocol}'s, and clients of this service speak {protocol.name}"


async def _asked(tunnel: Tunnel) -> AsyncIterator[tuple[str, str]]:
    """Each target or program by name, with its fault, empty where it has none."""
    if not isinstance(tunnel.plan.destination, Servers):
        yield " ".join(tunnel.table.exec), await _fault_of_program(tunnel)
    for servers in tunnel.servers:
        for standing in servers.balance.standings():
            yield str(standing.target), await _fault_of(servers, standing.target, tunnel.plan.protocol)


async def _fault_of(servers: Servers, target: Target, protocol: Spoken | None) -> str:
    try:
        await servers.way.ask(target)
    except TunnelFault as fault:
        named = named_mismatch(protocol, target)
        return f"{fault} ({named})" if named else str(fault)
    return ""


async def _fault_of_program(tunnel: Tunnel) -> str:
    try:
        far = await tunnel.plan.destination.open(_OURSELVES)
    except TunnelFault as fault:
        return str(fault)
    await far.stream.end()
    far.stream.abort("the check is over")
    if far.outcome is not None:
        await far.outcome()  # one that does not go by itself is put down
    return ""
