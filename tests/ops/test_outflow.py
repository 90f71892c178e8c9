"""Output waits for the client, for the others' turn, and ends with the connection."""

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from mailaccess.errors import Disconnected
from mailaccess.ops.outflow import TURN_SECONDS, Outflow


class Outcome:
    """An Outflow on a clock, and how its wait ended."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.stalled = 0
        self.flow = Outflow(self.clock, 300, self.stall)
        self.results: list[object] = []

    def stall(self) -> None:
        self.stalled += 1

    def wait(self) -> None:
        Deferred.fromCoroutine(self.flow.room()).addBoth(self.results.append)


@pytest.fixture
def outcome() -> Outcome:
    return Outcome()


def test_room_gives_the_others_a_turn(outcome: Outcome) -> None:
    full = [outcome.flow.full]
    outcome.clock.advance(TURN_SECONDS * 2)
    full.append(outcome.flow.full)
    outcome.wait()
    assert outcome.results == []
    outcome.clock.advance(0)
    assert outcome.results == [None]
    full.append(outcome.flow.full)
    assert full == [False, True, False]


def test_a_slow_client_is_waited_for(outcome: Outcome) -> None:
    outcome.flow.pauseProducing()
    assert outcome.flow.full
    outcome.wait()
    outcome.clock.advance(1)
    assert outcome.results == []
    outcome.flow.resumeProducing()
    assert outcome.results == [None]


def test_a_pause_during_the_others_turn_counts(outcome: Outcome) -> None:
    outcome.wait()
    outcome.flow.pauseProducing()
    outcome.clock.advance(0)
    assert outcome.results == []
    outcome.flow.resumeProducing()
    assert outcome.results == [None]


def test_a_client_that_takes_nothing_is_given_up(outcome: Outcome) -> None:
    outcome.flow.pauseProducing()
    outcome.flow.pauseProducing()
    outcome.clock.advance(299)
    assert outcome.stalled == 0
    outcome.clock.advance(1)
    assert outcome.stalled == 1


def test_a_client_that_takes_something_is_not(outcome: Outcome) -> None:
    outcome.flow.pauseProducing()
    outcome.clock.advance(299)
    outcome.flow.resumeProducing()
    outcome.clock.advance(299)
    assert outcome.stalled == 0
    assert outcome.clock.getDelayedCalls() == []


def test_a_lost_connection_ends_the_wait(outcome: Outcome) -> None:
    outcome.flow.pauseProducing()
    outcome.wait()
    outcome.flow.stopProducing()
    outcome.wait()
    outcome.flow.stopProducing()
    assert [type(result.value) for result in outcome.results] == [Disconnected, Disconnected]  # type: ignore[attr-defined]
    assert outcome.clock.getDelayedCalls() == []
    assert outcome.flow.full
