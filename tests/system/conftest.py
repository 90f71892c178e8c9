"""Servers for the tests of this folder, each in the test's own folder."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from server_process import Server, StartServer, start


@pytest.fixture
def start_server(tmp_path: Path) -> Iterator[StartServer]:
    """Starts servers in the test's folder, and stops them afterwards."""
    running: list[Server] = []

    def begin(*options: str, **kwargs: str) -> Server:
        running.append(start(tmp_path, *options, **kwargs))
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
