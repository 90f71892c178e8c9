"""Who waits how long, on a clock that the test turns."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.task import Clock

from mailaccess.auth import penalties
from mailaccess.auth.penalties import DECAY_SECONDS, MAX_SECONDS, REMEMBERED_ATTEMPTS, Penalties

HERE, ELSEWHERE = "192.0.2.1", "192.0.2.2"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def table(clock: Clock) -> Penalties:
    return Penalties(clock.seconds)


def _fail(table: Penalties, *guesses: str, address: str = HERE) -> list[float]:
    delays = []
    for guess in guesses:
        table.failed(address, table.attempt("joe", guess))
        delays.append(table.delay_seconds(address))
    return delays


def test_nobody_waits_who_did_not_fail(table: Penalties) -> None:
    assert table.delay_seconds(HERE) == 0
    table.succeeded(HERE)
    assert table.delay_seconds(HERE) == 0


def test_it_doubles_to_a_ceiling(table: Penalties) -> None:
    assert _fail(table, *"abcdefgh") == [2, 4, 8, 15, 15, 15, 15, 15]


def test_the_same_wrong_password_does_not_add_up(table: Penalties) -> None:
    assert _fail(table, "old", "old", "old", "older", "old", "older") == [2, 2, 2, 4, 4, 4]


def test_the_same_password_for_many_users_does(table: Penalties) -> None:
    for user in ("joe", "ann", "bob"):
        table.failed(HERE, table.attempt(user, "123456"))
    assert table.delay_seconds(HERE) == 8


def test_name_and_password_do_not_run_together(table: Penalties) -> None:
    assert table.attempt("ab", "c") != table.attempt("a", "bc")
    assert table.attempt("joe", "x") == table.attempt("joe", "x")
    assert table.attempt("joe\udcff", "x\ud800")


def test_guesses_are_told_from_process_to_process_apart(clock: Clock) -> None:
    assert Penalties(clock.seconds).attempt("joe", "x") != Penalties(clock.seconds).attempt("joe", "x")


def test_others_are_not_affected(table: Penalties) -> None:
    _fail(table, *"abcdef")
    assert table.delay_seconds(ELSEWHERE) == 0


def test_neighbours_in_an_ipv6_64_count_as_one(table: Penalties) -> None:
    _fail(table, "a", address="2001:db8::1")
    assert table.delay_seconds("2001:db8::ffff:1") == 2
    assert table.delay_seconds("2001:db8:0:1::1") == 0


def test_success_forgets(table: Penalties) -> None:
    _fail(table, *"abc")
    table.succeeded(HERE)
    assert table.delay_seconds(HERE) == 0
    assert _fail(table, "a") == [2]


def test_time_forgets_one_by_one(table: Penalties, clock: Clock) -> None:
    _fail(table, *"abcd")
    delays = []
    for _ in range(5):
        clock.advance(DECAY_SECONDS)
        delays.append(table.delay_seconds(HERE))
    assert delays == [8, 4, 2, 0, 0]


def test_a_failure_after_a_while_goes_on_from_what_is_left(table: Penalties, clock: Clock) -> None:
    _fail(table, *"abcd")
    clock.advance(2 * DECAY_SECONDS)
    assert _fail(table, "e") == [8]
    clock.advance(10 * DECAY_SECONDS)
    assert _fail(table, "e") == [2]


def test_few_guesses_are_remembered(table: Penalties) -> None:
    guesses = [str(number) for number in range(REMEMBERED_ATTEMPTS + 1)]
    _fail(table, *guesses)
    assert len(table._records[HERE].attempts) == REMEMBERED_ATTEMPTS


def test_the_table_is_bounded(table: Penalties, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(penalties, "MAX_NETWORKS", 3)
    for host in ("10.0.0.1", "10.0.0.2", "10.0.0.3"):
        _fail(table, "a", address=host)
    _fail(table, "b", address="10.0.0.1")
    _fail(table, "a", address="10.0.0.4")
    assert [table.delay_seconds(f"10.0.0.{n}") for n in (1, 2, 3, 4)] == [4, 0, 2, 2]


@given(st.lists(st.one_of(st.sampled_from("abcdefgh"), st.floats(0, 300), st.just(None)), max_size=40))
def test_it_is_never_longer_than_it_may_be(events: list[str | float | None]) -> None:
    clock = Clock()
    table = Penalties(clock.seconds)
    for event in events:
        if isinstance(event, str):
            table.failed(HERE, table.attempt("joe", event))
            assert table.delay_seconds(HERE) >= 2
        elif event is None:
            table.succeeded(HERE)
            assert table.delay_seconds(HERE) == 0
        else:
            before = table.delay_seconds(HERE)
            clock.advance(event)
            assert table.delay_seconds(HERE) <= before
        assert 0 <= table.delay_seconds(HERE) <= MAX_SECONDS
        assert table.delay_seconds(ELSEWHERE) == 0
