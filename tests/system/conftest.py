"""Servers for the tests of this folder, each in the test's own folder."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from server_process import PASSWORD, Server, StartServer, limits, start

USERS = [f"user{number}" for number in range(2000)]
_unused = iter(USERS)


@pytest.fixture
def start_server(tmp_path: Path) -> Iterator[StartServer]:
    """Starts servers in the test's folder, and stops them afterwards."""
    running: list[Server] = []

    def begin(*options: str, users: str | None = None, confined: bool = False) -> Server:
        running.append(start(tmp_path, *options, users=users, confined=confined))
        return running[-1]

    yield begin
    for server in running:
        if server.process.poll() is None:
            server.process.terminate()
            server.process.wait(15)


@pytest.fixture
def server(start_server: StartServer) -> Server:
    """A fresh server with one user."""
    return start_server()


@pytest.fixture(scope="session")
def many_users(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for all tests that do no harm to it; it forgives any number of bad commands."""
    folder = tmp_path_factory.mktemp("many")
    users = "".join(f"{user}:{{PLAIN}}{PASSWORD}\n" for user in USERS)
    server = start(folder, limits(folder, bad_commands_before_login=100_000, bad_commands=100_000), users=users)
    yield server
    assert server.stop() == 0


@pytest.fixture
def shared(many_users: Server) -> Server:
    """The server of ``many_users``, with a user that nobody else has."""
    return replace(many_users, user=next(_unused))


@pytest.fixture
def another(many_users: Server) -> Server:
    """The same server, with one more user."""
    return replace(many_users, user=next(_unused))
