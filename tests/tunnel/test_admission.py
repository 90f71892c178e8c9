from collections import Counter
from contextlib import ExitStack

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailaccess.ops.addresses import network_of
from mailaccess.tunnel.admission import Doors
from mailaccess.tunnel.faults import Full


def enter(doors: Doors, host: str) -> ExitStack:
    """A connection that is inside until it is closed."""
    with ExitStack() as entering:
        entering.enter_context(doors.one_more())
        entering.enter_context(doors.one_more_from(host))
        return entering.pop_all()


def test_a_network_has_as_many_as_it_may() -> None:
    doors = Doors(10, 2)
    first = enter(doors, "2001:db8::1")
    second = enter(doors, "2001:db8::2")
    with pytest.raises(Full, match=r"^2001:db8::/64 has 2 connections, which is all it may have$"):
        enter(doors, "2001:db8::3")
    other = enter(doors, "192.0.2.1")
    assert len(doors) == 3
    second.close()
    third = enter(doors, "2001:db8::3")
    for connection in (first, other, third):
        connection.close()
    assert len(doors) == 0


def test_a_service_has_as_many_as_it_may() -> None:
    doors = Doors(2, 2)
    with enter(doors, "192.0.2.1"):
        with (
            enter(doors, "192.0.2.2"),
            pytest.raises(Full, match=r"^the service has 2 connections, which is all it may"),
        ):
            enter(doors, "192.0.2.3")
        enter(doors, "192.0.2.3").close()


def test_who_has_not_said_yet_where_he_comes_from_is_counted() -> None:
    doors = Doors(2, 1)
    with doors.one_more(), doors.one_more():
        assert len(doors) == 2
        with pytest.raises(Full):
            enter(doors, "192.0.2.1")
    enter(doors, "192.0.2.1").close()


def test_an_address_is_one_however_it_comes_in() -> None:
    doors = Doors(10, 1)
    with enter(doors, "::ffff:192.0.2.1"), pytest.raises(Full):
        enter(doors, "192.0.2.1")


HOSTS = ["192.0.2.1", "::ffff:192.0.2.1", "192.0.2.2", "2001:db8::1", "2001:db8::2", "local"]


@given(st.lists(st.tuples(st.booleans(), st.sampled_from(HOSTS)), max_size=80))
def test_any_order_of_events_keeps_the_limits(steps: list[tuple[bool, str]]) -> None:
    """Against a model that counts anew each time; when all are gone nothing is remembered of them."""
    doors = Doors(5, 3)
    inside: list[tuple[str, ExitStack]] = []
    for enters, host in steps:
        there = [one for one in inside if one[0] == host]
        if enters:
            full = len(inside) == 5 or Counter(network_of(each) for each, _ in inside)[network_of(host)] == 3
            try:
                inside.append((host, enter(doors, host)))
            except Full:
                assert full
            else:
                assert not full
        elif there:
            inside.remove(there[0])
            there[0][1].close()
        assert len(doors) == len(inside)
    for _, connection in inside:
        connection.close()
    assert len(doors) == 0
    assert not doors._by_network
