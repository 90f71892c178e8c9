"""One server for all nonsense."""

from collections.abc import Iterator

import pytest
from corpus import deliver, messages
from server_process import Server, limits, start


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that forgives any number of bad commands."""
    folder = tmp_path_factory.mktemp("fuzz")
    many = {"bad_commands_before_login": 1_000_000, "bad_commands": 1_000_000}
    server = start(folder, limits(folder, **many, unauthenticated_connections_per_address=500))
    deliver(server.maildir, messages(5))
    yield server
    assert server.stop() == 0
