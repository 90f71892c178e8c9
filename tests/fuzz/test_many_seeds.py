"""``pytest -m soak tests/fuzz``: nonsense from many seeds, for a quarter of an hour. A failure names its seed."""

import pytest
from server_process import Server

from tests.fuzz.talk import talk_imap, talk_pop3

pytestmark = pytest.mark.soak


@pytest.mark.parametrize("seed", range(2, 52))
def test_a_seed(server: Server, seed: int) -> None:
    for logged_in in (True, False):
        talk_imap(server, seed, logged_in=logged_in)
        talk_pop3(server, seed, logged_in=logged_in)
