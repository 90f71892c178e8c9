"""A server that is told nonsense goes on serving, and nothing in it breaks."""

import pytest
from server_process import Server

from tests.fuzz.talk import LINES, talk_imap, talk_pop3

pytestmark = pytest.mark.system


@pytest.mark.parametrize("logged_in", [False, True])
def test_a_thousand_imap_lines(server: Server, logged_in: bool) -> None:
    assert talk_imap(server, 1, logged_in=logged_in) > LINES / 2


@pytest.mark.parametrize("logged_in", [False, True])
def test_a_thousand_pop3_lines(server: Server, logged_in: bool) -> None:
    assert talk_pop3(server, 1, logged_in=logged_in) > LINES / 2
