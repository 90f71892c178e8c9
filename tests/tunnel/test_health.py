from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from zope.interface import implementer

from mailaccess.interfaces import IEvents
from mailaccess.tunnel.balance import Balance, Policy, State
from mailaccess.tunnel.faults import Refused, TunnelFault
from mailaccess.tunnel.health import FAILURES_UNTIL_DOWN, HealthChecks
from mailaccess.tunnel.targets import Target, parse_targets

A, B = TARGETS = parse_targets(["a:110", "b:110"], "connect")
SECONDS = 10.0


@implementer(IEvents)
class Remembered:
    """The log."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def event(self, name: str, /, **fields: object) -> None:
        self.lines.append(" ".join([name, *(f"{key}={value}" for key, value in fields.items())]))

    def incident(self, what: str, error: BaseException) -> str:
        self.lines.append(f"incident {what}: {error}")
        return "id"


class Targets:
    """Targets that are asked, and when; each answers at once with what it has in ``ill``, or when it is told to."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.asked: list[tuple[float, str]] = []
        self.ill: dict[Target, Exception] = {}
        self.slow: dict[Target, Deferred[None]] = {}
        self.being_asked: list[Target] = []

    async def ask(self, target: Target) -> None:
        assert target not in self.being_asked
        self.asked.append((self._clock.seconds(), target.host))
        self.being_asked.append(target)
        try:
            if target in self.slow:
                await self.slow[target]
        finally:
            self.being_asked.remove(target)
        if target in self.ill:
            raise self.ill[target]


class World:
    """Two targets that are checked by a clock of our own."""

    def __init__(self, targets: tuple[Target, ...] = TARGETS, jitter: Callable[[], float] = lambda: 0.5) -> None:
        self.clock: Any = Clock()
        self.events = Remembered()
        self.targets = Targets(self.clock)
        self.balance = Balance(targets, Policy.PRIORITY)
        self.checks = HealthChecks(
            "pop3s", self.balance, self.targets.ask, self.clock, self.events, seconds=SECONDS, jitter=jitter
        )

    def state(self, target: Target = A) -> State:
        return next(one.state for one in self.balance.standings() if one.target == target)

    def pass_time(self, seconds: float) -> None:
        self.clock.pump([1.0] * int(seconds))


@pytest.fixture
def world() -> World:
    world = World()
    world.checks.start()
    return world


def test_targets_are_asked_one_after_the_other_and_again(world: World) -> None:
    world.clock.pump([0.5] * 40)
    assert world.targets.asked == [(2.5, "a"), (7.5, "b"), (12.5, "a"), (17.5, "b")]
    assert world.events.lines == []


def test_a_target_that_is_ill_goes_down_at_the_second_bad_answer(world: World) -> None:
    world.pass_time(5)
    world.targets.ill[A] = Refused("a:110 says '-ERR out of order'")
    world.pass_time(SECONDS)
    assert world.state() is State.UP
    world.pass_time(3 * SECONDS)
    assert world.state() is State.DOWN
    assert world.state(B) is State.UP
    assert world.balance.standings()[0].reason == "a:110 says '-ERR out of order'"
    assert world.events.lines == ["target_down service=pop3s target=a:110 reason=a:110 says '-ERR out of order'"]


def test_a_target_comes_up_at_the_first_good_answer(world: World) -> None:
    world.targets.ill[A] = TunnelFault("no")
    world.pass_time(5)
    del world.targets.ill[A]
    world.pass_time(SECONDS)
    assert world.state() is State.UP
    assert world.events.lines[1:] == ["target_up service=pop3s target=a:110"]


def test_the_very_first_answer_counts_by_itself(world: World) -> None:
    world.targets.ill[A] = TunnelFault("no")
    world.pass_time(3)
    assert world.state() is State.DOWN


def test_a_good_answer_between_bad_ones_keeps_a_target_up(world: World) -> None:
    world.pass_time(5)
    for _ in range(FAILURES_UNTIL_DOWN):
        world.targets.ill[A] = TunnelFault("no")
        world.pass_time(SECONDS)
        del world.targets.ill[A]
        world.pass_time(SECONDS)
    assert world.state() is State.UP
    assert world.events.lines == []


def test_a_good_answer_ends_the_doubt_without_a_word(world: World) -> None:
    world.balance.failed(A, "refused", 0.0)
    assert world.state() is State.DOUBTFUL
    world.pass_time(3)
    assert world.state() is State.UP
    assert world.events.lines == []


def test_a_slow_target_is_not_asked_twice_at_a_time(world: World) -> None:
    world.targets.slow[A] = Deferred()
    world.pass_time(5 * SECONDS)
    assert [host for _, host in world.targets.asked].count("a") == 1
    answer = world.targets.slow.pop(A)
    answer.callback(None)
    world.pass_time(SECONDS - 1)
    assert [host for _, host in world.targets.asked].count("a") == 1
    world.pass_time(1)
    assert [host for _, host in world.targets.asked].count("a") == 2


def test_a_fault_of_our_own_is_an_incident_and_says_nothing_of_the_target(world: World) -> None:
    world.targets.ill[A] = KeyError("ours")
    world.pass_time(2 * SECONDS)
    assert world.events.lines == ["incident the health check of a:110: 'ours'"] * 2
    assert world.state() is State.UP


def test_stop_ends_the_wait(world: World) -> None:
    world.checks.stop()
    assert world.clock.getDelayedCalls() == []
    world.pass_time(5 * SECONDS)
    assert world.targets.asked == []


def test_stop_cancels_what_is_under_way(world: World) -> None:
    cancelled: list[Deferred[None]] = []
    world.targets.slow[A] = Deferred(cancelled.append)
    world.pass_time(3)
    assert world.targets.being_asked == [A]
    world.checks.stop()
    assert cancelled == [world.targets.slow[A]]
    assert world.targets.being_asked == []
    assert world.clock.getDelayedCalls() == []
    assert world.events.lines == []


@pytest.mark.parametrize("fault", [None, TunnelFault("cut")])
def test_what_is_answered_after_stop_moves_nothing(fault: TunnelFault | None) -> None:
    """As by a check that takes being cancelled for an answer."""
    world = World()
    world.balance.mark_down(B, "from before")
    world.targets.slow[A] = Deferred(lambda answer: answer.errback(fault) if fault else answer.callback(None))
    world.targets.slow[B] = Deferred(lambda answer: answer.errback(fault) if fault else answer.callback(None))
    world.checks.start()
    world.pass_time(SECONDS)
    world.checks.stop()
    assert (world.state(A), world.state(B)) == (State.UP, State.DOWN)
    assert world.events.lines == []
    assert world.clock.getDelayedCalls() == []


def test_start_and_stop_are_harmless_twice_and_can_come_again(world: World) -> None:
    world.checks.start()
    world.pass_time(5)
    assert len(world.targets.asked) == 1
    world.checks.stop()
    world.checks.stop()
    world.checks.start()
    world.pass_time(5)
    assert len(world.targets.asked) == 2


@given(st.integers(1, 6), st.data())
def test_no_two_targets_are_first_asked_in_the_same_part_of_the_interval(count: int, data: st.DataObject) -> None:
    moments = st.floats(0.0, 1.0, exclude_max=True)
    targets = parse_targets((f"{letter}:110" for letter in "abcdef"[:count]), "connect")
    world = World(targets, lambda: data.draw(moments))
    world.checks.start()
    for place, target in enumerate(targets):
        world.clock.advance((place + 1) * SECONDS / count - world.clock.seconds())
        assert [host for _, host in world.targets.asked].count(target.host) == 1
        assert len({host for _, host in world.targets.asked}) >= place + 1
    world.checks.stop()


ANSWERS = st.lists(st.booleans(), min_size=1, max_size=30)


@given(ANSWERS)
def test_any_answers_lead_to_down_and_up_by_turns(answers: list[bool]) -> None:
    """Against the rule as it is written, and one line in the log for each change."""
    world = World((A,), lambda: 0.0)
    world.checks.start()
    changes = []
    down, failures = False, FAILURES_UNTIL_DOWN - 1
    for well in answers:
        world.targets.ill = {} if well else {A: TunnelFault("no")}
        world.clock.advance(SECONDS if world.targets.asked else 0.0)
        failures = 0 if well else failures + 1
        now_down = failures >= FAILURES_UNTIL_DOWN or (down and not well)
        if now_down != down:
            changes.append("target_down" if now_down else "target_up")
        down = now_down
        assert world.state() is (State.DOWN if down else State.UP)
    assert [line.split()[0] for line in world.events.lines] == changes
    assert len(world.targets.asked) == len(answers)
