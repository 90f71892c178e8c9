"""Programs of search keys, as values."""

import pytest

from mailaccess.errors import ClientError, Code
from mailaccess.mailbox.criteria import (
    MAX_DEPTH,
    MAX_KEYS,
    All,
    And,
    Body,
    Criterion,
    FlagIs,
    Not,
    Or,
    check_limits,
    every,
)
from mailaccess.values import SEEN


def test_every_key_of_a_program() -> None:
    inner = Or(Body("a"), Not(FlagIs(SEEN)))
    program = And((All(), inner))
    assert set(every(program)) == {program, All(), inner, Body("a"), Not(FlagIs(SEEN)), FlagIs(SEEN)}


@pytest.mark.parametrize("levels", [MAX_DEPTH + 1, 100_000])
def test_depth_is_bounded(levels: int) -> None:
    program: Criterion = All()
    for _ in range(levels - 1):
        program = Not(program)
    with pytest.raises(ClientError, match="nested") as caught:
        check_limits(program)
    assert caught.value.code is Code.LIMIT


def test_the_number_of_keys_is_bounded() -> None:
    check_limits(And((All(),) * (MAX_KEYS - 1)))
    with pytest.raises(ClientError, match="keys") as caught:
        check_limits(And((All(),) * MAX_KEYS))
    assert caught.value.code is Code.LIMIT


def test_a_shared_key_counts_each_time() -> None:
    program: Criterion = All()
    for _ in range(60):
        program = Or(program, program)
    with pytest.raises(ClientError, match="keys"):
        check_limits(program)
