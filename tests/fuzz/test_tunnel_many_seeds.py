"""``pytest -m soak tests/fuzz/test_tunnel_many_seeds.py``: a hundred thousand connections, in some minutes."""

import pytest

from tests.fuzz.tunnel_stories import tell_all

pytestmark = [pytest.mark.soak, pytest.mark.timeout(600)]

SEEDS = 2000


@pytest.mark.parametrize("first", range(1000, 101_000, SEEDS))
def test_seeds(first: int) -> None:
    assert len(tell_all(range(first, first + SEEDS))) == SEEDS
