"""``mailaccess tunnel --check``: every target is asked before a client does."""

from collections.abc import AsyncIterator, Callable, Iterable

from mailaccess.app.tunnel_plan import Tunnel
from mailaccess.tunnel.destination import Servers
from mailaccess.tunnel.faults import TunnelFault
from mailaccess.tunnel.spoken import Spoken
from mailaccess.tunnel.targets import Target
from mailaccess.tunnel.visitor import Visitor

FAULT_STATUS = 1

_OURSELVES = Visitor("local", 0, "local", 0)


async def check_tunnels(tunnels: Iterable[Tunnel], say: Callable[[str], None]) -> int:
    """Reach everything that clients could be led to; says one line for each, and returns the exit status."""
    faults = 0
    for tunnel in tunnels:
        protocol = tunnel.plan.protocol
        async for name, fault in _asked(tunnel):
            faults += bool(fault)
            good = f"good, it speaks {protocol.name}" if protocol is not None else "good, it takes connections"
            say(f"{tunnel.plan.name} to {name}: {fault or good}")
    return FAULT_STATUS if faults else 0


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
    return ""
