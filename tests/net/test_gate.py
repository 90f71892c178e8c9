from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from zope.interface import implementer
from zope.interface.verify import verifyObject

from mailaccess.errors import ClientError, Code
from mailaccess.interfaces import IGate, ISession
from mailaccess.net.gate import ABORT_SECONDS, DRAIN_SECONDS, Gate
from mailaccess.ops.limits import Limits
from mailaccess.values import Peer
from tests.net.doubles import Remembered

LIMITS = replace(
    Limits(), connections_per_address=4, unauthenticated_connections=2, unauthenticated_connections_per_address=2
)


@implementer(ISession)
@dataclass(eq=False)
class Session:
    """Does as it is told, and closes when the test says so."""

    peer: Peer
    told: list[tuple[Code | None, str]] = field(default_factory=list)
    aborted: bool = False

    def say_goodbye(self, code: Code | None, text: str) -> None:
        self.told.append((code, text))

    def abort(self) -> None:
        self.aborted = True


def at(host: str) -> Session:
    return Session(Peer(host, 4711, 143))


@pytest.fixture
def clock() -> Any:
    return Clock()


@pytest.fixture
def gate(events: Remembered, clock: Any) -> Gate:
    return Gate(LIMITS, events, clock)


def test_it_is_the_gate_of_the_interface(gate: Gate) -> None:
    assert verifyObject(IGate, gate)
    assert verifyObject(ISession, at("192.0.2.1"))


def test_who_does_not_log_in_in_time_is_told_to_go(gate: Gate, clock: Any, events: Remembered) -> None:
    first, second, third = at("192.0.2.1"), at("192.0.2.2"), at("192.0.2.3")
    gate.opened(first)
    clock.advance(30)
    gate.opened(second)
    gate.authenticated(second, "joe")
    clock.advance(20)
    gate.opened(third)
    clock.advance(9)
    assert first.told == []
    clock.advance(1)
    assert first.told == [(None, "No login within the time allowed")]
    gate.closed(first)
    clock.advance(50)
    assert len(third.told) == 1
    gate.closed(third)
    clock.advance(10_000)
    assert second.told == []
    assert events.names() == ["login_timed_out"] * 2
    assert not clock.getDelayedCalls()


def test_the_oldest_that_waits_makes_room(gate: Gate, events: Remembered) -> None:
    sessions = [at("192.0.2.1"), at("192.0.2.2"), at("192.0.2.3")]
    for session in sessions:
        gate.opened(session)
    assert [len(session.told) for session in sessions] == [1, 0, 0]
    assert sessions[0].told[0][0] is Code.LIMIT
    assert events.events == [("login_pushed_out", {"address": "192.0.2.1", "by": "192.0.2.3"})]
    with pytest.raises(ClientError):
        gate.authenticated(sessions[0], "joe")


def test_neighbours_in_a_64_are_one_address(gate: Gate) -> None:
    for number in range(4):
        session = at(f"2001:db8::{number}")
        gate.opened(session)
        gate.authenticated(session, "joe")
    with pytest.raises(ClientError):
        gate.opened(at("2001:db8::ffff"))
    gate.opened(at("2001:db8:0:1::1"))


def test_a_refusal_is_logged(gate: Gate, events: Remembered) -> None:
    for _ in range(4):
        session = at("192.0.2.1")
        gate.opened(session)
        gate.authenticated(session, "joe")
    with pytest.raises(ClientError, match="Too many connections from your address"):
        gate.opened(at("192.0.2.1"))
    assert events.events == [("refused", {"address": "192.0.2.1", "reason": "Too many connections from your address"})]


def test_a_flood_of_those_who_do_not_go_is_cut_off(gate: Gate) -> None:
    sessions = [at(f"192.0.2.{number}") for number in range(10)]
    for session in sessions:
        gate.opened(session)
    assert [session.aborted for session in sessions] == [True] * 6 + [False] * 4


def test_refused_ones_count_among_those_who_must_go(gate: Gate) -> None:
    for _ in range(4):
        session = at("192.0.2.1")
        gate.opened(session)
        gate.authenticated(session, "joe")
    refused = [at("192.0.2.1") for _ in range(5)]
    for session in refused:
        with pytest.raises(ClientError):
            gate.opened(session)
    assert [session.aborted for session in refused] == [True] * 3 + [False] * 2


def test_kick(gate: Gate) -> None:
    joe, jane = at("192.0.2.1"), at("192.0.2.1")
    for session, user in ((joe, "joe"), (jane, "jane")):
        gate.opened(session)
        gate.authenticated(session, user)
    assert gate.kick("joe", "Closed by the administrator") == 1
    assert joe.told == [(None, "Closed by the administrator")]
    assert [connected.user for connected in gate.sessions().values()] == ["jane"]
    assert gate.kick("nobody", "") == 0


def begin_drain(gate: Gate) -> list[int]:
    results: list[int] = []
    Deferred.fromCoroutine(gate.drain()).addCallback(results.append)
    return results


def test_a_gate_that_nobody_passed_is_drained_at_once(gate: Gate) -> None:
    assert begin_drain(gate) == [0]


def test_draining_waits_until_everybody_is_gone(gate: Gate, clock: Any) -> None:
    inside, waiting = at("192.0.2.1"), at("192.0.2.2")
    gate.opened(inside)
    gate.authenticated(inside, "joe")
    gate.opened(waiting)
    results = begin_drain(gate)
    assert inside.told == waiting.told == [(Code.UNAVAILABLE, "The server is stopping")]
    gate.closed(waiting)
    assert results == []
    gate.closed(inside)
    assert results == [0]
    assert [inside.aborted, waiting.aborted] == [False, False]
    assert not clock.getDelayedCalls()


def test_draining_cuts_off_who_stays_too_long(gate: Gate, clock: Any) -> None:
    inside = at("192.0.2.1")
    gate.opened(inside)
    results = begin_drain(gate)
    clock.advance(DRAIN_SECONDS)
    assert inside.aborted
    assert results == []
    gate.closed(inside)
    assert results == [1]


def test_draining_ends_even_where_nobody_answers(gate: Gate, clock: Any) -> None:
    gate.opened(at("192.0.2.1"))
    results = begin_drain(gate)
    clock.advance(DRAIN_SECONDS)
    clock.advance(ABORT_SECONDS)
    assert results == [1]


def test_a_stopping_gate_refuses_and_hurts_nobody_who_finishes(gate: Gate, clock: Any) -> None:
    inside = [at(f"192.0.2.{number}") for number in range(4)]
    for session in inside:
        gate.opened(session)
        gate.authenticated(session, "joe")
    begin_drain(gate)
    for _ in range(3):
        with pytest.raises(ClientError) as raised:
            gate.opened(at("192.0.2.9"))
        assert raised.value.code is Code.UNAVAILABLE
    assert not any(session.aborted for session in inside)
