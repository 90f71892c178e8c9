"""One stunnel.conf, run by stunnel and by ``mailaccess tunnel --stunnel-conf``: clients see the same."""

import socket
import ssl
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from server_process import environment, program
from tunnel.certificates import Certificates
from tunnel.ours import COMMAND
from tunnel.plain import IMAP, POP3, StartPlain, echo
from tunnel.processes import Processes

pytestmark = pytest.mark.system

OURS = [*COMMAND, "--stunnel-conf"]

CONFIGURATION = """\
; global
foreground = yes
pid = {folder}/tunnel.pid
syslog = no
debug = info
TIMEOUTclose = 5

[virtual]
accept = 127.0.0.1:{virtual}
cert = {pem.server}
connect = {echo}

[named]
sni = virtual:other.example.org
cert = {pem.other}
connect = {pop3}

[everywhere]
accept = :::{everywhere}
cert = {pem.server}
connect = {echo}

[guarded]
accept = 127.0.0.1:{guarded}
cert = {pem.server}
connect = {echo}
CAfile = {pem.ca}
verifyChain = yes
redirect = {pop3}

[program]
accept = 127.0.0.1:{program}
cert = {pem.server}
exec = /bin/sh
execArgs = called -c echo${{IFS}}$0${{IFS}}$REMOTE_HOST

[origin]
accept = 127.0.0.1:{origin}
cert = {pem.server}
connect = {echo}
protocol = proxy

[imap]
accept = 127.0.0.1:{imap}
cert = {pem.server}
connect = {imap_server}
protocol = imap

[keys]
accept = 127.0.0.1:{keys}
connect = {echo}
PSKsecrets = {folder}/keys.txt

include = {folder}/clients.d
"""

CLIENTS = """\
client = no

[to_virtual]
client = yes
accept = 127.0.0.1:{to_virtual}
connect = 127.0.0.1:{virtual}
CAfile = {pem.ca}
verifyChain = yes
checkHost = localhost

[to_other]
client = yes
accept = 127.0.0.1:{to_other}
connect = 127.0.0.1:{virtual}
sni = other.example.org
CAfile = {pem.ca}
verifyChain = yes
checkHost = other.example.org

[to_stranger]
client = yes
accept = 127.0.0.1:{to_stranger}
connect = 127.0.0.1:{virtual}
CAfile = {pem.ca}
verifyChain = yes
checkHost = wrong.example.org

[to_imap]
client = yes
accept = 127.0.0.1:{to_imap}
connect = 127.0.0.1:{imap}
protocol = imap
CAfile = {pem.server}
verifyPeer = yes

[to_keys]
client = yes
accept = 127.0.0.1:{to_keys}
connect = 127.0.0.1:{keys}
PSKsecrets = {folder}/keys.txt
"""

SERVICES = (
    *("virtual", "guarded", "program", "origin", "imap", "keys"),
    *("to_virtual", "to_other", "to_stranger", "to_imap", "to_keys"),
)


@dataclass
class Services:
    """What runs, by the names of its sections."""

    ports: dict[str, int]
    pem: Certificates
    folder: Path

    def in_clear(self, service: str) -> socket.socket:
        """A client that knows no TLS."""
        return socket.create_connection(("127.0.0.1", self.ports[service]), 10)

    def in_tls(self, service: str, certificate: str = "") -> ssl.SSLSocket:
        """A client that verifies, and shows ``certificate``."""
        context = ssl.create_default_context(cafile=self.pem.ca)
        if certificate:
            context.load_cert_chain(certificate)
        return context.wrap_socket(self.in_clear(service), server_hostname="localhost")


@pytest.fixture
def ports(processes: Processes) -> Iterator[dict[str, int]]:
    """Ports that are free; one of them is so on every address, and stays bound here, without listening."""
    with socket.socket(socket.AF_INET6) as held:
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.bind(("::", 0))
        yield {name: processes.free_port() for name in SERVICES} | {"everywhere": held.getsockname()[1]}


@pytest.fixture(params=["stunnel", "ours"])
def services(
    request: pytest.FixtureRequest, processes: Processes, ports: dict[str, int], plain: StartPlain, pem: Certificates
) -> Services:
    folder = processes.folder
    values = {"folder": folder, "pem": pem, **ports}
    servers = {"echo": plain(echo).target, "pop3": plain(POP3).target, "imap_server": plain(IMAP).target}
    keys = folder / "keys.txt"
    keys.write_text(f"joe:{'0f' * 32}\n")
    keys.chmod(0o600)
    (folder / "clients.d").mkdir()
    (folder / "clients.d" / "10-clients.conf").write_text(CLIENTS.format(**values))
    configuration = folder / "stunnel.conf"
    configuration.write_text(CONFIGURATION.format(**values, **servers))
    command = OURS if request.param == "ours" else [program("stunnel4")]
    running = processes.start([*command, str(configuration)], environment=environment())
    for port in ports.values():
        running.listens(port)
    return Services(ports, pem, folder)


def echoed(client: socket.socket) -> bytes:
    """What comes back when a line is sent and the client then has no more to say."""
    with client:
        client.sendall(b"NOOP\r\n")
        if isinstance(client, ssl.SSLSocket):
            return client.recv(1000)
        client.shutdown(socket.SHUT_WR)
        return client.makefile("rb").read()


def first_line(client: socket.socket) -> bytes:
    with client, client.makefile("rb") as lines:
        return lines.readline()


def test_a_server(services: Services) -> None:
    assert echoed(services.in_tls("virtual")) == b"NOOP\r\n"


def test_a_server_on_all_addresses(services: Services) -> None:
    assert echoed(services.in_tls("everywhere")) == b"NOOP\r\n"


def test_a_client_to_a_server(services: Services) -> None:
    assert echoed(services.in_clear("to_virtual")) == b"NOOP\r\n"


def test_a_client_to_a_named_server(services: Services) -> None:
    assert first_line(services.in_clear("to_other")) == b"+OK plain pop3\r\n"


def test_a_client_to_a_server_of_another_name(services: Services) -> None:
    with services.in_clear("to_stranger") as client:
        assert nothing(client)


def nothing(client: socket.socket) -> bool:
    """Whether the connection ends without an octet."""
    try:
        return client.recv(1) == b""
    except ConnectionResetError:
        return True


def test_who_shows_no_certificate_is_redirected(services: Services) -> None:
    assert echoed(services.in_tls("guarded", services.pem.client)) == b"NOOP\r\n"
    assert first_line(services.in_tls("guarded")) == b"+OK plain pop3\r\n"


def test_a_program_has_the_name_that_it_is_told(services: Services) -> None:
    assert first_line(services.in_tls("program")) == b"called 127.0.0.1\n"


def test_a_target_is_told_where_a_client_comes_from(services: Services) -> None:
    client = services.in_tls("origin")
    mine, there = client.getsockname()[1], services.ports["origin"]
    client.sendall(b"\n")
    assert first_line(client) == f"PROXY TCP4 127.0.0.1 127.0.0.1 {mine} {there}\r\n".encode()


def test_starttls_in_both_roles(services: Services) -> None:
    with services.in_clear("to_imap") as client, client.makefile("rb") as lines:
        assert lines.readline().startswith(b"* OK ")
        client.sendall(b"a LOGIN joe secret\r\n")
        assert lines.readline() == b"a OK done\r\n"


def test_a_shared_key_in_both_roles(services: Services) -> None:
    assert echoed(services.in_clear("to_keys")) == b"NOOP\r\n"


def test_the_number_of_the_process_is_written(services: Services) -> None:
    number = int((services.folder / "tunnel.pid").read_text())
    assert Path(f"/proc/{number}").exists()


@pytest.mark.parametrize("command", [["stunnel4"], OURS], ids=["stunnel", "ours"])
def test_a_file_without_sections_serves_one_connection(command: list[str], tmp_path: Path, pem: Certificates) -> None:
    configuration = tmp_path / "stunnel.conf"
    configuration.write_text(f"cert = {pem.server}\nexec = /bin/cat\nsyslog = no\npid =\nRNDbytes = 5\n")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = socket.create_connection(listener.getsockname(), 10)
        connection, _ = listener.accept()
        with connection:
            fd = connection.fileno()
            one = subprocess.Popen(
                [program(command[0]), *command[1:], str(configuration)],
                stdin=fd, stdout=fd, stderr=fd, env=environment(),
            )  # fmt: skip
    context = ssl.create_default_context(cafile=pem.ca)
    assert echoed(context.wrap_socket(client, server_hostname="localhost")) == b"NOOP\r\n"
    one.wait(10)
