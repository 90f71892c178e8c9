"""How many connections a service has at once, in all and from each network.

Not ``net.admission``: that one knows who has logged in, and sends those away who are slow to. A tunnel does not see
the login, so nobody can be asked to go for another's sake; who comes when all is taken is refused.

Pure. Each operation costs the same however many there are, and who is gone takes no room.
"""

from mailaccess.ops.addresses import network_of
from mailaccess.tunnel.faults import Refused


class Doors:
    """Lets at most ``connections`` in, and ``per_address`` from one network (``ops.addresses``)."""

    def __init__(self, connections: int, per_address: int) -> None:
        self._most = connections
        self._most_of_network = per_address
        self._inside = 0
        self._by_network: dict[str, int] = {}

    def __len__(self) -> int:
        """How many are inside."""
        return self._inside

    def enter(self, host: str) -> None:
        """Count a connection from ``host``. ``Refused`` where there are too many; it is not counted then."""
        if self._inside >= self._most:
            raise Refused(f"the service has {self._most} connections, which is all it may have")
        network = network_of(host)
        neighbours = self._by_network.get(network, 0)
        if neighbours >= self._most_of_network:
            raise Refused(f"{network} has {self._most_of_network} connections, which is all it may have")
        self._inside += 1
        self._by_network[network] = neighbours + 1

    def leave(self, host: str) -> None:
        """A connection that entered is gone: once for each."""
        network = network_of(host)
        left = self._by_network[network] - 1
        self._inside -= 1
        if left:
            self._by_network[network] = left
        else:
            del self._by_network[network]
