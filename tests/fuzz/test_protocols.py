"""A server that is told nonsense goes on serving, and nothing in it breaks.

``pytest -m soak tests/fuzz`` tries many seeds; a failure names its seed.
"""

import re
import time
from collections.abc import Iterator
from itertools import count, islice

import pytest
from corpus import deliver, messages
from server_process import Server, limits, start
from wire import IMAP, POP3

from tests.fuzz.nonsense import IMAP_COMMANDS, POP3_COMMANDS, lines

pytestmark = pytest.mark.system

LINES = 1000
LINES_AT_ONCE = 25
"""For one connection: whose nonsense is a wrong password waits, and so does what comes behind it."""

WAY_OUT = b"\r\n" + b"x" * 5000 + b"\r\nDONE\r\n*\r\n.\r\n"
"""Ends whatever was begun: a literal, IDLE, a SASL exchange."""

_sources = count()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that forgives any number of bad commands."""
    folder = tmp_path_factory.mktemp("fuzz")
    many = {"bad_commands_before_login": 1_000_000, "bad_commands": 1_000_000}
    server = start(folder, limits(folder, **many, unauthenticated_connections_per_address=500))
    deliver(server.maildir, messages(5))
    yield server
    assert server.stop() == 0


def _source() -> str:
    """A loopback address that nobody failed from."""
    number = next(_sources)
    return f"127.2.{number // 250}.{number % 250 + 1}"


def _rest(client: IMAP | POP3) -> bytes:
    """What the server says up to the end of the connection; a literal may have taken the word that asks for it."""
    client.wait_up_to(20)
    try:
        return client.rest()
    finally:
        client.close()


def _spoken(seed: int, commands: list[bytes], *, tagged: bool) -> Iterator[bytes]:
    """What each connection says."""
    said = list(islice(lines(seed, commands, tagged), LINES))
    for first in range(0, LINES, LINES_AT_ONCE):
        yield b"\r\n".join(said[first : first + LINES_AT_ONCE]) + WAY_OUT


def _serves(server: Server, seed: int) -> None:
    began = time.monotonic()
    with IMAP(server) as client, POP3(server, source="127.0.0.2") as pop:
        client.login().select()
        client.ok(b"FETCH 1:* FLAGS")
        pop.login()
    assert time.monotonic() - began < 1
    broken = [line for line in server.words().splitlines() if "incident" in line or "Traceback" in line]
    assert not broken, f"seed {seed}: {broken[0]}"


def _try_imap(server: Server, seed: int, *, logged_in: bool) -> int:
    """Talk on many connections at once; how many replies there were."""
    clients = []
    for octets in _spoken(seed, IMAP_COMMANDS, tagged=True):
        client = IMAP(server, source=_source())
        if logged_in:
            client.login().select()
        client.send(octets + b"z LOGOUT\r\n")
        clients.append(client)
    replies = sum(len(re.findall(rb"^\S+ (?:OK|NO|BAD)", _rest(client), re.MULTILINE)) for client in clients)
    _serves(server, seed)
    return replies


def _try_pop3(server: Server, seed: int, *, logged_in: bool) -> int:
    """Talk on many connections: at once before the login, then one after the other, for each has the maildrop."""
    said = b""
    clients = []
    for octets in _spoken(seed, POP3_COMMANDS, tagged=False):
        client = POP3(server, source=_source())
        if logged_in:
            client.login()
        client.send(octets + b"RSET\r\nQUIT\r\n")
        if logged_in:
            said += _rest(client)
        else:
            clients.append(client)
    said += b"".join(map(_rest, clients))
    _serves(server, seed)
    return len(re.findall(rb"^(?:\+OK|-ERR)", said, re.MULTILINE))


@pytest.mark.parametrize("logged_in", [False, True])
def test_a_thousand_imap_lines(server: Server, logged_in: bool) -> None:
    assert _try_imap(server, 1, logged_in=logged_in) > LINES / 2


@pytest.mark.parametrize("logged_in", [False, True])
def test_a_thousand_pop3_lines(server: Server, logged_in: bool) -> None:
    assert _try_pop3(server, 1, logged_in=logged_in) > LINES / 2


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(2, 52))
def test_many_seeds(server: Server, seed: int) -> None:
    for logged_in in (True, False):
        _try_imap(server, seed, logged_in=logged_in)
        _try_pop3(server, seed, logged_in=logged_in)
