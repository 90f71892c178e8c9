"""Which server or program a connection gets, and that each is counted back whatever becomes of it."""

import os
import signal
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from listening import children, no_descriptor_left
from pairs import result_of
from scripted import Scripted
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import Clock
from zope.interface import implementer

from mailaccess.interfaces import IEvents
from mailaccess.tunnel.balance import BACK_OFF_SECONDS, Balance, Policy, State
from mailaccess.tunnel.destination import RETRY_SECONDS, Programs, Servers
from mailaccess.tunnel.far import Far
from mailaccess.tunnel.faults import Mismatch, Refused, StreamLost, TLSFailed, TunnelFault, Unreachable
from mailaccess.tunnel.programs import Program
from mailaccess.tunnel.protocols.table import SPOKEN
from mailaccess.tunnel.targets import Target, parse_targets
from mailaccess.tunnel.visitor import Visitor
from tests.net.doubles import Remembered
from tests.net.loopback import reactor

A, B, C = TARGETS = parse_targets(["a:110", "b:110", "c:110"], "connect")
VISITOR = Visitor("192.0.2.7", 1234, "203.0.113.1", 995)


class Ways:
    """Leads to targets whose faults are said before; ``dialled`` are those that were tried, in order."""

    def __init__(self, **faults: Any) -> None:
        self.faults = faults
        self.dialled: list[str] = []

    async def open(self, target: Target, visitor: Visitor | None) -> Far:
        assert visitor is VISITOR
        self.dialled.append(target.host)
        fault = self.faults.get(target.host)
        if isinstance(fault, Deferred):
            await fault
        elif fault is not None:
            raise fault
        return Far(Scripted(), str(target))


class World:
    """Three servers and a clock."""

    def __init__(self, retries: int = 1, policy: Policy = Policy.PRIORITY, **faults: Any) -> None:
        self.clock = Clock()
        self.balance = Balance(TARGETS, policy)
        self.ways = Ways(**faults)
        way: Any = self.ways
        self.events = Remembered()
        self.servers = Servers("pop3s", self.balance, way, self.clock, self.events, retries)

    def open(self) -> "Deferred[Far]":
        return Deferred.fromCoroutine(self.servers.open(VISITOR))

    def connections(self) -> list[int]:
        return [standing.connections for standing in self.balance.standings()]

    def states(self) -> list[State]:
        return [standing.state for standing in self.balance.standings()]


def outcome(opening: "Deferred[Far]") -> Any:
    outcomes: list[Any] = []
    opening.addBoth(outcomes.append)
    (one,) = outcomes
    return getattr(one, "value", one)


FAULTS = [Unreachable("away"), StreamLost("reset"), Refused("no"), Mismatch("imap"), TLSFailed("not him")]


def test_the_first_that_takes_it_is_counted_until_it_is_released() -> None:
    world = World()
    far = outcome(world.open())
    assert (far.name, world.ways.dialled, world.connections()) == ("a:110", ["a"], [1, 0, 0])
    far.release()
    assert world.connections() == [0, 0, 0]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: type(fault).__name__)
def test_one_that_fails_is_passed_over_and_counted_back(fault: TunnelFault) -> None:
    world = World(a=fault)
    far = outcome(world.open())
    assert (far.name, world.ways.dialled, world.connections()) == ("b:110", ["a", "b"], [0, 1, 0])
    assert world.states() == [State.DOUBTFUL, State.UP, State.UP]


def test_a_target_that_is_passed_over_is_in_the_log_once_and_when_it_is_back() -> None:
    fault = Unreachable("a:110 is away")
    world = World(a=fault)
    for _ in range(2):
        outcome(world.open())
        world.clock.advance(BACK_OFF_SECONDS)  # each time it is tried again
    doubtful: tuple[str, dict[str, object]] = ("target_doubtful", {"service": "pop3s", "target": A, "reason": fault})
    assert world.ways.dialled == ["a", "b", "a", "b"]
    assert world.events.events == [doubtful]
    world.ways.faults.clear()
    outcome(world.open())
    assert world.events.events == [doubtful, ("target_up", {"service": "pop3s", "target": A})]


def test_who_is_doubtful_is_the_last_resort() -> None:
    world = World(a=Unreachable("away"))
    outcome(world.open())
    assert outcome(world.open()).name == "b:110"
    assert world.ways.dialled == ["a", "b", "b"]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: type(fault).__name__)
@pytest.mark.parametrize("retries", [0, 1, 3])
def test_all_are_tried_again_where_a_second_may_mend_it(fault: TunnelFault, retries: int) -> None:
    world = World(retries, a=fault, b=fault, c=fault)
    opening = world.open()
    rounds = retries + 1 if isinstance(fault, Unreachable | StreamLost) else 1
    for done in range(1, rounds):
        assert len(world.ways.dialled) == 3 * done
        assert not opening.called
        world.clock.advance(RETRY_SECONDS)
    assert outcome(opening) is fault
    assert len(world.ways.dialled) == 3 * rounds
    assert world.connections() == [0, 0, 0]
    assert world.clock.getDelayedCalls() == []


def test_one_that_may_be_mended_is_enough_to_try_all_again_and_the_last_fault_is_told() -> None:
    world = World(a=Unreachable("away"), b=Mismatch("imap"), c=Refused("no"))
    opening = world.open()
    assert not opening.called
    world.clock.advance(RETRY_SECONDS)
    assert str(outcome(opening)) == "no"
    assert len(world.ways.dialled) == 6


def test_a_server_that_is_back_after_a_second_gets_the_connection() -> None:
    world = World(a=Unreachable("away"), b=Unreachable("away"), c=Unreachable("away"))
    opening = world.open()
    world.ways.faults.clear()
    world.clock.advance(RETRY_SECONDS)
    far = outcome(opening)
    assert far.name == "a:110"
    assert world.connections() == [1, 0, 0]
    assert world.states()[0] is State.UP


def test_where_all_are_down_nobody_is_tried_and_nobody_waits() -> None:
    world = World(3)
    for target in TARGETS:
        world.balance.mark_down(target, "ill")
    fault = outcome(world.open())
    assert (fault.event, str(fault)) == ("tunnel_unreachable", "no target is up")
    assert world.ways.dialled == []


@pytest.mark.parametrize("when", ["on the way", "between two rounds"])
def test_who_gives_up_leaves_no_count_no_timer_and_no_doubt(when: str) -> None:
    world = World(a=Deferred()) if when == "on the way" else World(a=FAULTS[0], b=FAULTS[0], c=FAULTS[0])
    opening = world.open()
    before = world.states()
    opening.cancel()
    assert isinstance(outcome(opening), CancelledError)
    assert world.connections() == [0, 0, 0]
    assert world.clock.getDelayedCalls() == []
    assert world.states() == before, "that a client went is not the target's fault"
    assert world.ways.dialled in (["a"], ["a", "b", "c"])


def test_a_fault_of_our_own_is_raised_and_counted_back() -> None:
    world = World(a=ZeroDivisionError())
    assert isinstance(outcome(world.open()), ZeroDivisionError)
    assert world.connections() == [0, 0, 0]
    assert world.ways.dialled == ["a"]


def test_a_burst_is_spread_over_all_while_the_first_is_still_on_its_way() -> None:
    world = World(policy=Policy.LEAST_CONNECTIONS, a=Deferred())
    opening = [world.open() for _ in range(3)]
    assert world.ways.dialled == ["a", "b", "c"]
    opening[0].cancel()
    outcome(opening[0])
    assert world.connections() == [0, 1, 1]


# -- programs


@implementer(IEvents)
class Quiet:
    """A log that nobody reads."""

    def event(self, name: str, /, **fields: object) -> None:
        pass

    def incident(self, what: str, error: BaseException) -> str:
        raise error


def program(script: str, protocol: str = "", clock: Any = None, greeting_seconds: float = 30.0) -> Programs:
    return Programs(
        Program((sys.executable, "-c", script)),
        "pop3s",
        SPOKEN[protocol] if protocol else None,
        clock or reactor,
        Quiet(),
        greeting_seconds,
    )


@pytest.fixture(autouse=True)
def others() -> Iterator[set[int]]:
    """Nothing is left of a test; the children that were there before."""
    before = children()
    with no_descriptor_left():
        yield before
    assert children() <= before


def test_a_program_is_told_of_its_client_and_its_greeting_is_heard() -> None:
    script = (
        "import os; print('+OK', os.environ['REMOTE_HOST'], end='\\r\\n', flush=True); input(); os.write(1, b'bye')"
    )
    far = result_of(program(script, "pop3").open(VISITOR))
    assert (far.greeting, far.name) == (b"+OK 192.0.2.7\r\n", sys.executable)
    result_of(far.stream.write(b"QUIT\r\n"))
    assert result_of(far.stream.read()) == b"bye"
    assert far.outcome is not None
    outcome: Any = far.outcome()
    assert result_of(outcome) == "0"
    far.stream.abort("over")
    far.release()


def test_a_program_without_a_protocol_is_not_waited_for() -> None:
    far = result_of(program("input(); raise SystemExit(3)").open(VISITOR))
    assert far.greeting == b""
    result_of(far.stream.end())
    assert far.outcome is not None
    outcome: Any = far.outcome()
    assert result_of(outcome) == "1"  # EOFError
    far.stream.abort("over")


@pytest.mark.parametrize(
    ("script", "kind", "why"),
    [
        ("print('* OK imap', flush=True); input()", Mismatch, "imap greeting where pop3 is expected"),
        ("print('-ERR full', flush=True); input()", Refused, "the server greets with '-ERR full'"),
        ("raise SystemExit", Unreachable, "it closes connections before its greeting"),
        ("print('+OK half', end='')", Refused, "in the middle of the conversation"),
        ("while True: print('x' * 1000, end='')", Refused, "a line has more than 8192 octets"),
    ],
)
def test_a_program_that_is_of_no_use_is_put_down(script: str, kind: type[TunnelFault], why: str) -> None:
    with pytest.raises(kind) as caught:
        result_of(program(script, "pop3").open(VISITOR))
    assert str(caught.value).startswith(f"{sys.executable}: ")
    assert why in str(caught.value)


def test_a_program_that_says_nothing_has_its_time() -> None:
    with pytest.raises(StreamLost, match=r"python\S*: the greeting took more than 0.2 s"):
        result_of(program("input()", "pop3", greeting_seconds=0.2).open(VISITOR))


def test_a_client_that_gives_up_takes_its_program_along() -> None:
    opening = Deferred.fromCoroutine(program("input()", "pop3").open(VISITOR))
    reactor.iterate(0)
    opening.cancel()
    with pytest.raises(CancelledError):
        result_of(opening)


def test_a_program_that_cannot_be_started_is_unreachable() -> None:
    programs = Programs(Program(("/nonexistent/popa3d",)), "pop3s", None, reactor, Quiet(), 30.0)
    with pytest.raises(Unreachable, match="/nonexistent/popa3d cannot be started: No such file"):
        result_of(programs.open(VISITOR))


def test_a_signal_is_the_outcome_of_a_program_that_gets_one() -> None:
    far = result_of(program(f"import os; os.kill(os.getpid(), {signal.SIGKILL:d})").open(VISITOR))
    assert result_of(far.stream.read()) == b""
    assert far.outcome is not None
    outcome: Any = far.outcome()
    assert result_of(outcome) == "SIGKILL"
    far.stream.abort("over")


def test_one_that_does_not_go_at_once_is_waited_for(others: set[int]) -> None:
    """Its connection is over by then: a service that stops is the last that knows of it."""
    programs = program(
        "import signal, time; signal.signal(signal.SIGTERM, lambda *_: (time.sleep(0.5), exit()));"
        "print('-ERR', flush=True); time.sleep(60)",
        "pop3",
    )
    with pytest.raises(Refused):
        result_of(programs.open(VISITOR))
    (pid,) = children() - others
    assert os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None, "it has gone at once"
    result_of(programs.gone())
    assert children() <= others
