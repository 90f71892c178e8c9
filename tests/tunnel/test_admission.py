from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailaccess.ops.addresses import network_of
from mailaccess.tunnel.admission import Doors
from mailaccess.tunnel.faults import Refused


def test_a_network_has_as_many_as_it_may() -> None:
    doors = Doors(10, 2)
    doors.enter("2001:db8::1")
    doors.enter("2001:db8::2")
    with pytest.raises(Refused, match=r"^2001:db8::/64 has 2 connections, which is all it may have$"):
        doors.enter("2001:db8::3")
    doors.enter("192.0.2.1")
    assert len(doors) == 3
    doors.leave("2001:db8::2")
    doors.enter("2001:db8::3")


def test_a_service_has_as_many_as_it_may() -> None:
    doors = Doors(2, 2)
    doors.enter("192.0.2.1")
    doors.enter("192.0.2.2")
    with pytest.raises(Refused, match=r"^the service has 2 connections, which is all it may have$"):
        doors.enter("192.0.2.3")
    doors.leave("192.0.2.1")
    doors.enter("192.0.2.3")


def test_an_address_is_one_however_it_comes_in() -> None:
    doors = Doors(10, 1)
    doors.enter("::ffff:192.0.2.1")
    with pytest.raises(Refused):
        doors.enter("192.0.2.1")


HOSTS = ["192.0.2.1", "::ffff:192.0.2.1", "192.0.2.2", "2001:db8::1", "2001:db8::2", "local"]


@given(st.lists(st.tuples(st.booleans(), st.sampled_from(HOSTS)), max_size=80))
def test_any_order_of_events_keeps_the_limits(steps: list[tuple[bool, str]]) -> None:
    """Against a model that counts anew each time; when all are gone nothing is remembered of them."""
    doors = Doors(5, 3)
    inside: list[str] = []
    for enters, host in steps:
        if enters:
            full = len(inside) == 5 or Counter(map(network_of, inside))[network_of(host)] == 3
            try:
                doors.enter(host)
            except Refused:
                assert full
            else:
                assert not full
                inside.append(host)
        elif host in inside:
            doors.leave(host)
            inside.remove(host)
        assert len(doors) == len(inside)
    for host in inside:
        doors.leave(host)
    assert len(doors) == 0
    assert not doors._by_network
