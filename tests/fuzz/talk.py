"""Says spoiled commands on many connections, and looks whether the server still serves and whether anything broke."""

import re
import time
from collections.abc import Iterator
from itertools import count, islice

from server_process import Server
from wire import IMAP, POP3

from tests.fuzz.nonsense import IMAP_COMMANDS, POP3_COMMANDS, lines

LINES = 1000
LINES_AT_ONCE = 25
"""For one connection: whose nonsense is a wrong password waits, and so does what comes behind it."""

WAY_OUT = b"\r\n" + b"x" * 5000 + b"\r\nDONE\r\n*\r\n.\r\n"
"""Ends whatever was begun: a literal, IDLE, a SASL exchange."""

_sources = count()


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


def talk_imap(server: Server, seed: int, *, logged_in: bool) -> int:
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


def talk_pop3(server: Server, seed: int, *, logged_in: bool) -> int:
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
