"""How many connections a service has at once, in all and from each network.

Not ``net.admission``: that one knows who has logged in, and sends those away who are slow to. A tunnel does not see
the login, so nobody can be asked to go for another's sake; who comes when all is taken is refused.

Pure. Each operation costs the same however many there are, and who is gone takes no room.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from mailaccess.ops.addresses import network_of
from mailaccess.tunnel.faults import Full


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

    @contextmanager
    def one_more(self) -> Iterator[None]:
        """Count a connection, from its first moment to its last. ``Full`` where there are too many."""
        if self._inside >= self._most:
            raise Full(f"the service has {self._most} connections, which is all it may have")
        self._inside += 1
        try:
            yield
        finally:
            self._inside -= 1

    @contextmanager
    def one_more_from(self, host: str) -> Iterator[None]:
        """Count it for its network too, as soon as that is known. ``Full`` where there are too many from there."""
        network = network_of(host)
        neighbours = self._by_network.get(network, 0)
        if neighbours >= self._most_of_network:
            raise Full(f"{network} has {self._most_of_network} connections, which is all it may have")
        self._by_network[network] = neighbours + 1
        try:
            yield
        finally:
            left = self._by_network[network] - 1
            if left:
                self._by_network[network] = left
            else:
                del self._by_network[network]
