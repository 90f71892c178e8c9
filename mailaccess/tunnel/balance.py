"""Which of several targets gets the next connection.

A target is in one of three states:

``up``        Connections are given to it by the policy.
``doubtful``  The last connection to it failed. For ``BACK_OFF_SECONDS`` it comes after all that are up, as the last
            resort; then one connection at a time tries it again among those that are up (nginx's ``fail_timeout``).
``down``    Health checks say so, and only they say otherwise: nothing is tried there. Where all are down a client is
            refused at once, instead of after as many time-outs as there are targets (HAProxy).

So without health checks no target is ever given up: where all are doubtful all are tried, in the policy's order
(stunnel). With them, a connection that fails makes its target doubtful until the next check, which decides.

Invariants:

1. A connection is offered each target at most once, and none that is down.
2. A target that is doubtful is offered only after all that are up, but for the one trial when its time has come.
3. Connections are counted from the attempt on, or else a burst would find one target the emptiest many times over.
4. Round robin means: who had no connection for longest. It stays fair whoever goes and comes back, and breaks the ties
   of ``least-connections``. ``priority`` goes back to the first as soon as it is up.

Pure: time is an argument, in seconds of the caller's clock.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from mailaccess.tunnel.targets import Target

BACK_OFF_SECONDS = 10.0
"""As long as health checks leave between two of theirs; and a host that does not answer costs its client as much."""


class Policy(StrEnum):
    """How the next target is chosen, as ``balance`` in the configuration names it."""

    ROUND_ROBIN = "round-robin"
    PRIORITY = "priority"
    LEAST_CONNECTIONS = "least-connections"


class State(StrEnum):
    """What is thought of a target."""

    UP = "up"
    DOUBTFUL = "doubtful"
    DOWN = "down"


@dataclass(slots=True)
class _Account:
    """What is known of a target. ``turn`` counts up with each connection that any target gets."""

    target: Target
    place: int
    turn: int
    connections: int = 0
    retry_at: float | None = None
    down: bool = False
    reason: str = ""

    @property
    def state(self) -> State:
        if self.down:
            return State.DOWN
        return State.UP if self.retry_at is None else State.DOUBTFUL

    def is_due(self, now: float) -> bool:
        """Whether it is doubtful, and to be tried again though others are up."""
        return self.retry_at is not None and self.retry_at <= now

    def lift(self) -> None:
        self.down = False
        self.retry_at = None
        self.reason = ""


@dataclass(frozen=True, slots=True)
class Standing:
    """A target, for the status page; ``reason`` is empty where it is up."""

    target: Target
    state: State
    connections: int
    reason: str


class Balance:
    """The targets of a service, each once, in the order of their priority."""

    def __init__(self, targets: Sequence[Target], policy: Policy) -> None:
        self.targets = tuple(targets)
        self._policy = policy
        self._accounts = {target: _Account(target, place, place) for place, target in enumerate(self.targets)}
        self._turns = len(self.targets)

    def order(self, now: float) -> Iterator[Target]:
        """The targets to try for one connection, best first; none where all are down.

        Each is chosen when it is asked for, by what is known then. Of each that is tried, say that it is ``taken``,
        and how that went.
        """
        left = dict(self._accounts)
        while True:
            possible = [account for account in left.values() if not account.down]
            if not possible:
                return
            chosen = min(possible, key=lambda account: self._rank(account, now))
            del left[chosen.target]
            if chosen.is_due(now):
                chosen.retry_at = now + BACK_OFF_SECONDS  # one at a time: others wait for what becomes of this trial
            yield chosen.target

    def _rank(self, account: _Account, now: float) -> tuple[bool, int, int]:
        doubtful = account.retry_at is not None and not account.is_due(now)
        match self._policy:
            case Policy.PRIORITY:
                return doubtful, account.place, 0
            case Policy.LEAST_CONNECTIONS:
                return doubtful, account.connections, account.turn
            case Policy.ROUND_ROBIN:
                return doubtful, account.turn, 0

    # -- connections

    def taken(self, target: Target) -> None:
        """A connection is attempted; it counts until it is released."""
        account = self._accounts[target]
        account.connections += 1
        account.turn = self._turns
        self._turns += 1

    def released(self, target: Target) -> None:
        """A connection is over, or its attempt has failed: once for each that was taken."""
        account = self._accounts[target]
        assert account.connections > 0, f"{target} was released more often than taken"
        account.connections -= 1

    def failed(self, target: Target, reason: str, now: float) -> bool:
        """An attempt has failed. Returns whether that is news: the target was up."""
        account = self._accounts[target]
        news = account.state is State.UP
        if not account.down:
            account.retry_at = now + BACK_OFF_SECONDS
            account.reason = reason
        return news

    def well(self, target: Target) -> bool:
        """A connection was answered as it should be. Returns whether that is news: the target was doubtful."""
        account = self._accounts[target]
        news = account.state is State.DOUBTFUL
        if news:
            account.lift()
        return news

    # -- health checks

    def mark_down(self, target: Target, reason: str) -> bool:
        """Give no more connections to a target. Returns whether that is news: it was not down."""
        account = self._accounts[target]
        news = not account.down
        account.down = True
        account.reason = reason
        return news

    def mark_up(self, target: Target) -> bool:
        """A target is up, whatever was thought of it. Returns whether that is news: it was down."""
        account = self._accounts[target]
        news = account.down
        account.lift()
        return news

    # -- status

    def standings(self) -> list[Standing]:
        """What is thought of each target, and how many connections it has."""
        return [
            Standing(account.target, account.state, account.connections, account.reason)
            for account in self._accounts.values()
        ]
