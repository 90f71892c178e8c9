"""What the tests of the tunnel start, which ends with them."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tunnel import certificates, ours
from tunnel.certificates import Certificates
from tunnel.mail_user import MailUser, mail_user
from tunnel.ours import StartTunnel
from tunnel.plain import Plain, Serve, StartPlain
from tunnel.processes import Processes


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[Processes]:
    """Starts processes in the test's folder, and ends them afterwards."""
    started = Processes(tmp_path)
    yield started
    started.end()


@pytest.fixture
def tunnel(processes: Processes) -> StartTunnel:
    """Starts ``mailaccess tunnel`` with the options given, and waits until it is ready."""
    return lambda *options, **keywords: ours.tunnel(processes, *options, **keywords)


@pytest.fixture
def plain() -> Iterator[StartPlain]:
    """Starts a server that knows no TLS."""
    started: list[Plain] = []

    def begin(serve: Serve, port: int = 0) -> Plain:
        started.append(Plain(serve, port))
        return started[-1]

    yield begin
    for server in started:
        server.close()


@pytest.fixture(scope="session")
def pem(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """Certificates and their keys, in files."""
    return certificates.make(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="session")
def joe() -> Iterator[MailUser]:
    """A user of this machine, for daemons that know no others."""
    with mail_user() as user:
        yield user
