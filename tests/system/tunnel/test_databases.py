"""OpenLDAP and PostgreSQL, whose TLS begins in messages of their own: with stunnel at the other end too."""

import subprocess
from collections.abc import Iterator

import pytest
from server_process import program
from tunnel.certificates import Certificates
from tunnel.ours import StartTunnel
from tunnel.peers import PostgreSQL, folder_of, postgres_program, postgresql, slapd, stunnel
from tunnel.plain import StartPlain, hears
from tunnel.processes import Processes
from wire import Wire

pytestmark = pytest.mark.system


def ldapwhoami(port: int, ca: str = "") -> "subprocess.CompletedProcess[bytes]":
    """Who the server says that we are, after a login with a password; with STARTTLS where ``ca`` is given."""
    command = [program("ldapwhoami"), "-x", *(["-ZZ"] if ca else []), "-H", f"ldap://127.0.0.1:{port}"]
    return subprocess.run(
        [*command, "-D", "cn=config", "-w", "secret", "-o", "nettimeout=10"],
        capture_output=True, env={"LDAPTLS_CACERT": ca}, timeout=20, check=False,
    )  # fmt: skip


def test_ldap_clients_begin_tls_with_our_server_side(
    tunnel: StartTunnel, processes: Processes, pem: Certificates
) -> None:
    target = f"127.0.0.1:{slapd(processes)}"
    ours = tunnel("--protocol", "ldap", "--starttls", "--connect", target, "--certificate", pem.server)
    assert ldapwhoami(ours.port, pem.ca).stdout == b"dn:cn=config\n"
    in_clear = ldapwhoami(ours.port)
    assert in_clear.returncode != 0
    assert b"onfidential" in in_clear.stderr, in_clear.stderr


def test_our_client_side_begins_tls_with_slapd(tunnel: StartTunnel, processes: Processes, pem: Certificates) -> None:
    port = slapd(processes, pem.server)
    assert b"onfidential" in ldapwhoami(port).stderr
    ours = tunnel("--client", "--protocol", "ldap", "--starttls", "--connect", f"127.0.0.1:{port}", "--ca", pem.ca)
    assert ldapwhoami(ours.port).stdout == b"dn:cn=config\n"


def test_stunnel_begins_ldap_with_our_server_side(tunnel: StartTunnel, processes: Processes, pem: Certificates) -> None:
    target = f"127.0.0.1:{slapd(processes)}"
    ours = tunnel("--protocol", "ldap", "--starttls", "--connect", target, "--certificate", pem.server)
    common = ["client = yes", f"CAfile = {pem.ca}", "verifyChain = yes"]
    theirs = stunnel(processes, near=[*common, f"connect = 127.0.0.1:{ours.port}", "protocol = ldap"])
    assert ldapwhoami(theirs.ports["near"]).stdout == b"dn:cn=config\n"


@pytest.fixture(scope="module")
def databases(tmp_path_factory: pytest.TempPathFactory, pem: Certificates) -> Iterator[dict[str, PostgreSQL]]:
    """One database that knows no TLS, and one that demands it."""
    processes = Processes(tmp_path_factory.mktemp("databases"))
    with folder_of("postgres") as plain, folder_of("postgres") as secure:
        try:
            yield {"plain": postgresql(processes, plain), "secure": postgresql(processes, secure, pem.server)}
        finally:
            processes.end()


def psql(port: int, how: str) -> "subprocess.CompletedProcess[bytes]":
    """Ask the database something, with a password; ``how`` says which TLS the client wants."""
    words = f"host=localhost port={port} user=postgres password=secret connect_timeout=10 {how}"
    command = [postgres_program("psql"), words, "--no-psqlrc", "--tuples-only", "--no-align", "--command", "SELECT 6*7"]
    return subprocess.run(command, capture_output=True, timeout=20, check=False)


def test_psql_begins_tls_with_our_server_side(
    tunnel: StartTunnel, databases: dict[str, PostgreSQL], pem: Certificates
) -> None:
    target = f"127.0.0.1:{databases['plain'].port}"
    ours = tunnel("--protocol", "postgresql", "--starttls", "--connect", target, "--certificate", pem.server)
    answer = psql(ours.port, f"sslmode=verify-full sslrootcert={pem.ca}")
    assert answer.stdout == b"42\n", answer.stderr
    for fallback in ("sslmode=disable", "sslmode=require gssencmode=disable"):
        answer = psql(ours.port, fallback)
        assert (answer.returncode == 0) == ("require" in fallback), answer.stderr


def test_our_client_side_begins_tls_with_postgresql(
    tunnel: StartTunnel, databases: dict[str, PostgreSQL], pem: Certificates
) -> None:
    port = databases["secure"].port
    assert psql(port, "sslmode=disable").returncode != 0
    ours = tunnel(
        "--client", "--protocol", "postgresql", "--starttls", "--connect", f"localhost:{port}", "--ca", pem.ca
    )
    for how in ("sslmode=disable", "sslmode=prefer"):
        answer = psql(ours.port, how)
        assert answer.stdout == b"42\n", answer.stderr


def test_stunnel_begins_postgresql_with_our_server_side(
    tunnel: StartTunnel, databases: dict[str, PostgreSQL], processes: Processes, pem: Certificates
) -> None:
    target = f"127.0.0.1:{databases['plain'].port}"
    ours = tunnel("--protocol", "postgresql", "--starttls", "--connect", target, "--certificate", pem.server)
    common = ["client = yes", f"CAfile = {pem.ca}", "verifyChain = yes"]
    theirs = stunnel(processes, near=[*common, f"connect = 127.0.0.1:{ours.port}", "protocol = pgsql"])
    answer = psql(theirs.ports["near"], "sslmode=disable")
    assert answer.stdout == b"42\n", answer.stderr


def test_our_client_side_begins_postgresql_with_stunnel(
    tunnel: StartTunnel, databases: dict[str, PostgreSQL], processes: Processes, pem: Certificates
) -> None:
    target = f"127.0.0.1:{databases['plain'].port}"
    theirs = stunnel(processes, far=[f"connect = {target}", f"cert = {pem.server}", "protocol = pgsql"])
    far = f"localhost:{theirs.ports['far']}"
    ours = tunnel("--client", "--protocol", "postgresql", "--starttls", "--connect", far, "--ca", pem.ca)
    answer = psql(ours.port, "sslmode=disable")
    assert answer.stdout == b"42\n", answer.stderr


@pytest.mark.parametrize("protocol", ["ldap", "postgresql"])
def test_nothing_in_clear_reaches_the_server(
    tunnel: StartTunnel, plain: StartPlain, pem: Certificates, protocol: str
) -> None:
    heard: list[bytes] = []
    server = plain(hears(heard))
    ours = tunnel("--protocol", protocol, "--starttls", "--connect", server.target, "--certificate", pem.server)
    with Wire(ours.port, None) as wire:
        wire.send(b"\x00\x00\x00\x08\x00\x03\x00\x00")  # PostgreSQL's start in clear; nonsense in LDAP
        wire.rest()
    ours.logs("tunnel_refused")
    assert not heard
