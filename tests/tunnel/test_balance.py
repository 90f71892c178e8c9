from collections import Counter
from itertools import islice, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from mailaccess.app.tunnel_table import BALANCE
from mailaccess.tunnel.balance import BACK_OFF_SECONDS, Balance, Policy, State
from mailaccess.tunnel.targets import Target, parse_targets

A, B, C = TARGETS = parse_targets(["a:110", "b:110", "c:110"], "connect")


def take(balance: Balance, now: float = 0.0) -> Target:
    """The first choice, which takes the connection."""
    target = next(balance.order(now))
    balance.taken(target)
    return target


def names(balance: Balance, now: float = 0.0) -> str:
    """All choices in their order, by their letters."""
    return "".join(target.host for target in balance.order(now))


def test_the_configuration_names_each_policy() -> None:
    assert tuple(Policy) == BALANCE


def test_round_robin_goes_round() -> None:
    balance = Balance(TARGETS, Policy.ROUND_ROBIN)
    assert [take(balance) for _ in range(7)] == [A, B, C, A, B, C, A]
    assert names(balance) == "bca"


def test_priority_takes_the_first_that_is_up() -> None:
    balance = Balance(TARGETS, Policy.PRIORITY)
    assert [take(balance), take(balance)] == [A, A]
    balance.mark_down(A, "ill")
    assert names(balance) == "bc"
    balance.mark_up(A)
    assert names(balance) == "abc"


def test_least_connections_takes_the_emptiest_and_goes_round_where_all_are_alike() -> None:
    balance = Balance(TARGETS, Policy.LEAST_CONNECTIONS)
    assert [take(balance) for _ in range(4)] == [A, B, C, A]
    balance.released(C)
    assert names(balance) == "cba"
    balance.released(A)
    balance.released(A)
    assert names(balance) == "cab"


def test_a_target_that_failed_comes_last_until_its_time_has_come() -> None:
    balance = Balance(TARGETS, Policy.PRIORITY)
    assert balance.failed(A, "refused", 100.0)
    assert not balance.failed(A, "refused", 100.0)
    assert names(balance, 100.0) == "bca"
    assert names(balance, 100.0 + BACK_OFF_SECONDS - 0.1) == "bca"
    assert names(balance, 100.0 + BACK_OFF_SECONDS) == "abc"


def test_one_connection_at_a_time_tries_a_target_that_failed() -> None:
    balance = Balance(TARGETS, Policy.PRIORITY)
    balance.failed(A, "refused", 0.0)
    due = BACK_OFF_SECONDS
    assert next(balance.order(due)) == A
    assert names(balance, due) == "bca"
    assert balance.well(A)
    assert not balance.well(A)
    assert names(balance, due) == "abc"


def test_where_all_have_failed_all_are_tried() -> None:
    balance = Balance(TARGETS, Policy.ROUND_ROBIN)
    for target in TARGETS:
        balance.failed(target, "refused", 0.0)
    assert names(balance, 1.0) == "abc"


def test_where_all_are_down_none_is_tried() -> None:
    balance = Balance(TARGETS, Policy.ROUND_ROBIN)
    assert all(balance.mark_down(target, "ill") for target in TARGETS)
    assert not balance.mark_down(A, "still ill")
    assert names(balance, 1e9) == ""
    assert not balance.well(A)  # a connection from before the check
    assert names(balance, 1e9) == ""
    assert balance.mark_up(B)
    assert not balance.mark_up(B)
    assert names(balance, 1e9) == "b"


def test_a_good_check_ends_the_doubt() -> None:
    balance = Balance(TARGETS, Policy.PRIORITY)
    balance.failed(A, "refused", 0.0)
    assert not balance.mark_up(A)
    assert names(balance) == "abc"


def test_what_goes_down_while_another_is_tried_is_not_tried() -> None:
    balance = Balance(TARGETS, Policy.ROUND_ROBIN)
    order = balance.order(0.0)
    assert next(order) == A
    balance.mark_down(B, "ill")
    assert list(order) == [C]


def test_a_target_that_comes_back_gets_no_more_than_its_share() -> None:
    balance = Balance(TARGETS, Policy.ROUND_ROBIN)
    balance.mark_down(B, "ill")
    assert [take(balance) for _ in range(4)] == [A, C, A, C]
    balance.mark_up(B)
    assert [take(balance) for _ in range(4)] == [B, A, C, B]


def test_what_is_thought_of_each() -> None:
    balance = Balance(TARGETS, Policy.ROUND_ROBIN)
    take(balance)
    balance.failed(B, "refused", 0.0)
    balance.mark_down(C, "says no")
    balance.failed(C, "late news", 0.0)
    assert [(one.target, one.state, one.connections, one.reason) for one in balance.standings()] == [
        (A, State.UP, 1, ""),
        (B, State.DOUBTFUL, 0, "refused"),
        (C, State.DOWN, 0, "says no"),
    ]
    balance.mark_up(C)
    assert balance.standings()[2].reason == ""


def test_who_was_never_taken_cannot_be_released() -> None:
    balance = Balance(TARGETS, Policy.ROUND_ROBIN)
    with pytest.raises(AssertionError, match="a:110"):
        balance.released(A)


@given(st.integers(1, 8), st.data())
def test_round_robin_is_fair_among_those_that_are_up(count: int, data: st.DataObject) -> None:
    """Whatever came before: in each round of n connections each of n targets gets one."""
    targets = parse_targets((f"host{number}:110" for number in range(count)), "connect")
    balance = Balance(targets, Policy.ROUND_ROBIN)
    for target in data.draw(st.lists(st.sampled_from(targets))):
        balance.taken(target)
    down = data.draw(st.sets(st.sampled_from(targets), max_size=count - 1))
    for target in down:
        balance.mark_down(target, "ill")
    up = set(targets) - down
    for _ in range(3):
        assert {take(balance) for _ in up} == up


@given(st.lists(st.sampled_from([None, *TARGETS]), max_size=60))
def test_least_connections_keeps_targets_level(steps: list[Target | None]) -> None:
    """None: a connection comes; a target: one of its connections goes."""
    balance = Balance(TARGETS, Policy.LEAST_CONNECTIONS)
    open_ones = Counter(dict.fromkeys(TARGETS, 0))
    for step in steps:
        if step is None:
            fewest = min(open_ones.values())
            target = take(balance)
            assert open_ones[target] == fewest
            open_ones[target] += 1
        elif open_ones[step]:
            balance.released(step)
            open_ones[step] -= 1


class AnythingHappens(RuleBasedStateMachine):
    """Connections come and go, targets fail and are checked, in any order; the laws of an order hold."""

    policy: Policy

    def __init__(self) -> None:
        super().__init__()
        self.balance = Balance(TARGETS, self.policy)
        self.now = 0.0
        self.open: list[Target] = []

    @rule(seconds=st.sampled_from([0.0, 1.0, BACK_OFF_SECONDS]))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds

    @rule(tries=st.integers(0, 3))
    def a_connection_comes(self, tries: int) -> None:
        for target in islice(self.balance.order(self.now), tries):
            self.balance.taken(target)
            self.open.append(target)

    @precondition(lambda self: self.open)
    @rule(data=st.data())
    def a_connection_goes(self, data: st.DataObject) -> None:
        target = data.draw(st.sampled_from(self.open))
        self.open.remove(target)
        self.balance.released(target)

    @rule(which=st.sampled_from(TARGETS))
    def a_connection_fails(self, which: Target) -> None:
        self.balance.failed(which, "refused", self.now)

    @rule(which=st.sampled_from(TARGETS))
    def a_connection_is_well(self, which: Target) -> None:
        self.balance.well(which)

    @rule(which=st.sampled_from(TARGETS))
    def a_check_fails(self, which: Target) -> None:
        self.balance.mark_down(which, "ill")

    @rule(which=st.sampled_from(TARGETS))
    def a_check_is_well(self, which: Target) -> None:
        self.balance.mark_up(which)

    @invariant()
    def connections_are_counted(self) -> None:
        for one in self.balance.standings():
            assert one.connections == self.open.count(one.target)

    @rule()
    def the_laws_of_an_order(self) -> None:
        states = {one.target: one.state for one in self.balance.standings()}
        order = list(self.balance.order(self.now))
        assert len(order) == len(set(order))
        assert set(order) == {target for target, state in states.items() if state is not State.DOWN}
        again = [states[target] for target in self.balance.order(self.now)]  # trials are under way: none is due
        assert (State.DOUBTFUL, State.UP) not in set(pairwise(again))


class RoundRobin(AnythingHappens):
    policy = Policy.ROUND_ROBIN


class Priority(AnythingHappens):
    policy = Policy.PRIORITY


class LeastConnections(AnythingHappens):
    policy = Policy.LEAST_CONNECTIONS


TestRoundRobin = RoundRobin.TestCase
TestPriority = Priority.TestCase
TestLeastConnections = LeastConnections.TestCase
