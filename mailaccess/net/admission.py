"""The table of connections: who may come in, and who must go when there are too many.

Rules:

1. A connection counts for its network (``ops.addresses``) from its first moment, and for its user and network from its
   login on.
2. Who is not logged in has ``login_timeout_seconds``, whatever he says meanwhile. Where too many wait to log in, from
   one network or from all, the one that waits longest goes. So a flood cannot keep a mail program out for longer than
   it takes to say a password, and nobody who is logged in is ever asked to go.
3. A network that has all the connections it may have gets no more.
4. Every operation costs the same, however many connections there are.

Pure: sessions are any hashable things, time is an argument.
"""

from collections import Counter, OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

from mailaccess.errors import ClientError, Code
from mailaccess.ops.limits import Limits

S = TypeVar("S", bound=Hashable)
T = TypeVar("T")


@dataclass(slots=True)
class Connected:
    """What is known of a connection; ``user`` is None before the login, ``since`` in seconds by the caller's clock."""

    network: str
    since: float
    user: str | None = None


class Admission(Generic[S]):
    """The connections of one process, those that wait for their login in the order in which they came."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._all: dict[S, Connected] = {}
        # A plain dict looks for its first entry among all that were removed before it.
        self._waiting: OrderedDict[S, None] = OrderedDict()
        self._waiting_by_network: dict[str, OrderedDict[S, None]] = {}
        self._by_network: Counter[str] = Counter()
        self._by_user: Counter[tuple[str, str]] = Counter()

    def __len__(self) -> int:
        return len(self._all)

    def __contains__(self, session: S) -> bool:
        return session in self._all

    def connected(self) -> dict[S, Connected]:
        """Everybody, in the order in which they came."""
        return dict(self._all)

    def enter(self, session: S, network: str, now: float) -> S | None:
        """Let a new session in; returns the one, if any, that has left the table for its sake.

        ``ClientError(LIMIT)`` where its network has all the connections it may have.
        """
        if self._by_network[network] >= self._limits.connections_per_address:
            raise ClientError(Code.LIMIT, "Too many connections from your address")
        gone = self._who_goes_for(network)
        if gone is not None:
            self.leave(gone)
        self._all[session] = Connected(network, now)
        self._by_network[network] += 1
        self._waiting[session] = None
        self._waiting_by_network.setdefault(network, OrderedDict())[session] = None
        return gone

    def _who_goes_for(self, network: str) -> S | None:
        neighbours = self._waiting_by_network.get(network)
        if neighbours and len(neighbours) >= self._limits.unauthenticated_connections_per_address:
            return next(iter(neighbours))
        if len(self._waiting) >= self._limits.unauthenticated_connections:
            return next(iter(self._waiting))
        return None

    def log_in(self, session: S, user: str) -> None:
        """A session that waits has proven to be ``user``.

        ``ClientError(LIMIT)`` where this user has all the sessions he may have from this network, and
        ``ClientError(UNAVAILABLE)`` where the session was told to go in the meantime; it stays as it was then.
        """
        connected = self._all.get(session)
        if connected is None:
            raise ClientError(Code.UNAVAILABLE, "This connection is being closed")
        account = user, connected.network
        if self._by_user[account] >= self._limits.connections_per_user_and_address:
            raise ClientError(Code.LIMIT, "Too many connections of this user from your address")
        if connected.user is not None:
            self._count_down(self._by_user, (connected.user, connected.network))
        self._by_user[account] += 1
        connected.user = user
        self._end_wait(session, connected.network)

    def leave(self, session: S) -> None:
        """A session is gone, or told to go; harmless where it is not in the table."""
        connected = self._all.pop(session, None)
        if connected is None:
            return
        self._count_down(self._by_network, connected.network)
        if connected.user is not None:
            self._count_down(self._by_user, (connected.user, connected.network))
        self._end_wait(session, connected.network)

    def overdue(self, now: float) -> list[S]:
        """Takes those out of the table who had their time to log in, and returns them."""
        late: list[S] = []
        for session in self._waiting:
            if self._deadline(session) > now:
                break
            late.append(session)
        for session in late:
            self.leave(session)
        return late

    def next_deadline(self) -> float | None:
        """When ``overdue`` has something to say next, if nobody logs in; None where nobody waits."""
        return self._deadline(next(iter(self._waiting))) if self._waiting else None

    def _deadline(self, session: S) -> float:
        return self._all[session].since + self._limits.login_timeout_seconds

    def _end_wait(self, session: S, network: str) -> None:
        self._waiting.pop(session, None)
        neighbours = self._waiting_by_network.get(network)
        if neighbours is not None:
            neighbours.pop(session, None)
            if not neighbours:
                del self._waiting_by_network[network]

    @staticmethod
    def _count_down(counts: Counter[T], key: T) -> None:
        """One less; what is at nothing takes no room."""
        counts[key] -= 1
        if not counts[key]:
            del counts[key]
