"""How a connection ends: programs, stops, clients that are lost, whatever is waited for."""

from collections.abc import Callable
from typing import Any

import pytest
from pairs import result_of
from scripted import Scripted
from stories import CLIENT, Make, Opens, World, hears, hears_to_the_end, is_lost, says, started
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from mailaccess.tunnel.faults import StreamLost, Unreachable
from mailaccess.tunnel.protocols.table import SPOKEN
from mailaccess.tunnel.proxies.trusted import TrustedNetworks
from mailaccess.tunnel.session import UNAVAILABLE
from tests.net.loopback import turn_until

pytest_plugins = ["worlds"]

# -- programs


class Ends:
    """A program's end, when the test says so."""

    def __init__(self) -> None:
        self.status: Deferred[str] = Deferred()

    def __call__(self) -> "Deferred[str]":
        return self.status


def finished(ends: Ends, make: Make) -> tuple[World, Scripted]:
    """Both sides have said all they have."""
    program = Scripted(b"+OK")
    world = make(Opens(outcome=ends, far=program))
    world.begin()
    hears_to_the_end(world.client, b"+OK")
    result_of(world.client.end())
    turn_until(lambda: program.ended)
    return world, program


def test_how_a_program_ended_is_logged(make: Make) -> None:
    ends = Ends()
    world, program = finished(ends, make)
    assert world.events.events == []
    assert program.aborted is None
    ends.status.callback("3")
    result_of(world.done)
    assert world.logged()[1]["status"] == "3"


def test_a_program_that_goes_on_after_its_output_has_its_time(make: Make) -> None:
    ends = Ends()
    world, program = finished(ends, make)
    world.clock.advance(59)
    before = program.aborted
    world.clock.advance(2)
    assert (before, program.aborted) == (None, "the program's end took more than 60 s")
    ends.status.callback("SIGTERM")
    result_of(world.done)
    assert world.logged()[1]["status"] == "SIGTERM"


def test_a_stop_puts_down_a_program_that_is_waited_for(make: Make) -> None:
    ends = Ends()
    world, program = finished(ends, make)
    world.stop()
    assert program.aborted == "the test is over"
    ends.status.callback("SIGTERM")
    result_of(world.done)
    assert world.logged()[1]["status"] == "SIGTERM"


def test_a_program_whose_client_is_lost_is_put_down_at_once(make: Make) -> None:
    ends = Ends()
    world = make(Opens(outcome=ends))
    world.begin()
    says(world.client, b"x")
    hears(world.destination.server, b"x")
    world.client.abort("gone")
    turn_until(lambda: world.destination.far._lost)
    ends.status.callback("SIGTERM")
    result_of(world.done)
    assert world.logged()[1]["status"] == "SIGTERM"
    assert world.logged()[1]["reason"]


# -- the end, whatever is waited for


def waits_for_the_header(make: Make) -> World:
    world = make(proxy_from=TrustedNetworks([CLIENT], "proxy_from"))
    world.begin()
    return world


def waits_for_the_handshake(make: Make) -> World:
    world = make(tls="tls")
    world.begin()
    return world


def waits_for_a_target(make: Make) -> World:
    world = make(Opens(opened=Deferred()), protocol="pop3")
    world.begin()
    return world


def waits_for_starttls(make: Make) -> World:
    return started(make, "imap")


def waits_for_an_octet(make: Make) -> World:
    world = make()
    world.begin()
    says(world.client, b"x")
    hears(world.destination.server, b"x")
    return world


def waits_for_the_client_to_go(make: Make) -> World:
    world = make(Opens(fault=Unreachable("nobody")), protocol="pop3")
    world.begin()
    hears_to_the_end(world.client, SPOKEN["pop3"].unavailable(UNAVAILABLE))
    return world


def was_lost(failure: Failure) -> None:
    failure.trap(StreamLost)  # type: ignore[no-untyped-call]


def waits_for_a_client_that_does_not_read(make: Make) -> World:
    world = make()
    world.begin()
    flood = Deferred.fromCoroutine(world.destination.server.write(bytes(16 << 20)))
    flood.addErrback(was_lost)
    turn_until(lambda: world.near._full)
    return world


WAITS = [
    waits_for_the_header,
    waits_for_the_handshake,
    waits_for_a_target,
    waits_for_starttls,
    waits_for_an_octet,
    waits_for_the_client_to_go,
    waits_for_a_client_that_does_not_read,
]


@pytest.mark.parametrize("waits", WAITS, ids=lambda waits: waits.__name__)
def test_a_stop_ends_whatever_is_waited_for(make: Make, waits: Callable[[Make], World]) -> None:
    world = waits(make)
    world.stop()
    result_of(world.done)


@pytest.mark.parametrize("waits", WAITS, ids=lambda waits: waits.__name__)
def test_a_client_that_is_lost_ends_whatever_is_waited_for(make: Make, waits: Callable[[Make], World]) -> None:
    world = waits(make)
    world.client.abort("gone")
    result_of(world.done)


def test_a_client_that_is_lost_stops_the_way_to_a_target(make: Make) -> None:
    stopped: list[Deferred[None]] = []
    opened: Deferred[None] = Deferred(stopped.append)
    world = make(Opens(opened=opened), protocol="pop3")
    world.begin()
    world.client.abort("gone")
    result_of(world.done)
    assert stopped == [opened]
    assert world.logged()[0] == "tunnel_lost"


def test_a_client_that_has_said_everything_is_still_served(make: Make) -> None:
    opened: Deferred[None] = Deferred()
    world = make(Opens(b"+OK\r\n", opened=opened), protocol="pop3")
    world.begin()
    says(world.client, b"QUIT\r\n")
    result_of(world.client.end())
    turn_until(lambda: world.near._read_ended)
    opened.callback(None)
    hears_to_the_end(world.destination.server, b"QUIT\r\n")
    result_of(world.destination.server.end())
    hears_to_the_end(world.client, b"+OK\r\n")
    result_of(world.done)
    assert "reason" not in world.logged()[1]


def test_what_is_no_fault_of_a_client_or_a_target_is_raised_and_everything_let_go_of(make: Make) -> None:
    world = make(Opens(fault=ZeroDivisionError("ours")), protocol="pop3")
    done = world.begin()
    failures: list[Any] = []
    done.addErrback(failures.append)
    is_lost(world.client)
    (failure,) = failures
    assert failure.check(ZeroDivisionError)
    world.lines = 0
