from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailaccess.errors import ClientError, Code
from mailaccess.net.admission import Admission
from mailaccess.ops.limits import Limits

LIMITS = replace(
    Limits(),
    connections_per_address=6,
    unauthenticated_connections=5,
    unauthenticated_connections_per_address=3,
    connections_per_user_and_address=2,
    login_timeout_seconds=60,
)


@pytest.fixture
def table() -> Admission[str]:
    return Admission(LIMITS)


def test_one_network_cannot_have_all_connections(table: Admission[str]) -> None:
    for number in range(6):
        table.enter(f"a{number}", "a", 0.0)
        table.log_in(f"a{number}", f"user{number}")
    with pytest.raises(ClientError) as raised:
        table.enter("a6", "a", 0.0)
    assert raised.value.code is Code.LIMIT
    assert table.enter("b0", "b", 0.0) is None
    table.leave("a0")
    assert table.enter("a6", "a", 0.0) is None


def test_of_those_who_wait_from_one_network_the_oldest_goes(table: Admission[str]) -> None:
    table.enter("other", "b", 0.0)
    assert [table.enter(name, "a", 1.0) for name in "wxyz"] == [None, None, None, "w"]
    assert [*table.connected()] == ["other", "x", "y", "z"]


def test_of_all_who_wait_the_oldest_goes(table: Admission[str]) -> None:
    names = "uvwxyz"
    assert [table.enter(name, name, 0.0) for name in names] == [None] * 5 + ["u"]


def test_who_is_logged_in_stays(table: Admission[str]) -> None:
    table.enter("in", "a", 0.0)
    table.log_in("in", "joe")
    for number in range(50):
        table.enter(str(number), str(number), 0.0)
        if number % 10 == 0:
            table.enter(f"a{number}", "a", 0.0)
    assert "in" in table
    assert table.connected()["in"].user == "joe"
    assert len(table) == 6


def test_a_user_may_have_so_many_from_one_network(table: Admission[str]) -> None:
    for name in "123":
        table.enter(name, "a", 0.0)
    table.log_in("1", "joe")
    table.log_in("2", "joe")
    with pytest.raises(ClientError) as raised:
        table.log_in("3", "joe")
    assert raised.value.code is Code.LIMIT
    table.log_in("3", "jane")
    table.enter("4", "b", 0.0)
    table.log_in("4", "joe")
    table.leave("1")
    table.enter("5", "a", 0.0)
    table.log_in("5", "joe")


def test_who_was_refused_as_one_user_still_has_his_time_limit(table: Admission[str]) -> None:
    for name in "123":
        table.enter(name, "a", 0.0)
        if name != "3":
            table.log_in(name, "joe")
    with pytest.raises(ClientError):
        table.log_in("3", "joe")
    assert table.overdue(60.0) == ["3"]


def test_the_time_to_log_in_is_absolute(table: Admission[str]) -> None:
    assert table.next_deadline() is None
    table.enter("first", "a", 10.0)
    table.enter("second", "a", 20.0)
    assert table.next_deadline() == 70.0
    assert table.overdue(69.9) == []
    assert table.overdue(70.0) == ["first"]
    table.log_in("second", "joe")
    assert table.next_deadline() is None
    assert table.overdue(1e9) == []


def test_who_was_told_to_go_cannot_log_in(table: Admission[str]) -> None:
    table.enter("late", "a", 0.0)
    table.overdue(60.0)
    with pytest.raises(ClientError) as raised:
        table.log_in("late", "joe")
    assert raised.value.code is Code.UNAVAILABLE


def test_who_logs_in_anew_is_counted_once(table: Admission[str]) -> None:
    table.enter("1", "a", 0.0)
    table.log_in("1", "joe")
    table.log_in("1", "jane")
    for name in "23":
        table.enter(name, "a", 0.0)
        table.log_in(name, "joe")
    assert [connected.user for connected in table.connected().values()] == ["jane", "joe", "joe"]


def test_leaving_twice_is_harmless(table: Admission[str]) -> None:
    table.enter("1", "a", 0.0)
    table.leave("1")
    table.leave("1")
    table.leave("never")
    assert len(table) == 0


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["enter", "log_in", "leave", "overdue"]),
        st.integers(0, 30),
        st.sampled_from(["a", "b", "c", "d"]),
    ),
    max_size=120,
)


@given(STEPS)
def test_any_order_of_events_keeps_the_limits(steps: list[tuple[str, int, str]]) -> None:
    """Against a model that counts anew each time."""
    table: Admission[int] = Admission(LIMITS)
    model: dict[int, tuple[str, str | None]] = {}
    for now, (step, session, word) in enumerate(steps):
        if step == "enter" and session not in model:
            try:
                gone = table.enter(session, word, float(now))
            except ClientError:
                assert sum(network == word for network, _ in model.values()) == 6
            else:
                if gone is not None:
                    assert model.pop(gone)[1] is None
                model[session] = word, None
        elif step == "log_in" and session in model:
            network = model[session][0]
            try:
                table.log_in(session, word)
            except ClientError:
                assert sum(known == (network, word) for known in model.values()) == 2
            else:
                model[session] = network, word
        elif step == "leave":
            table.leave(session)
            model.pop(session, None)
        elif step == "overdue":
            for late in table.overdue(float(now)):
                assert model.pop(late)[1] is None
        assert {s: (c.network, c.user) for s, c in table.connected().items()} == model
        waiting = [network for network, user in model.values() if user is None]
        assert len(waiting) <= 5
        assert all(waiting.count(network) <= 3 for network in waiting)
        assert all(sum(n == network for n, _ in model.values()) <= 6 for network, _ in model.values())
    for session in list(model):
        table.leave(session)
    assert not table._by_network
    assert not table._by_user
    assert not table._waiting
    assert not table._waiting_by_network
