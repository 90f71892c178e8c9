"""``--check`` finds what is wrong before a client does."""

import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import trustme
from listening import Listening, Serve, children, greets, no_descriptor_left
from pairs import result_of

from mailaccess.app.config import read_table
from mailaccess.app.tunnel_check import FAULT_STATUS, check_tunnels, named_mismatch
from mailaccess.app.tunnel_plan import Tunnel, make_tunnel
from mailaccess.app.tunnel_table import TunnelTable
from mailaccess.net.certificates import CertificateFiles
from mailaccess.ops.services import known_service
from mailaccess.tunnel.balance import Balance, Policy
from mailaccess.tunnel.protocols.table import SPOKEN
from mailaccess.tunnel.targets import parse_target
from tests.net.doubles import Remembered
from tests.net.handshakes import write_certificate
from tests.net.loopback import reactor, turn_until

POP3 = greets(b"+OK ready\r\n", b"+OK bye\r\n")
IMAP = greets(b"* OK ready\r\n", b"t1 OK\r\n", b"* BYE\r\nt2 OK\r\n")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> CertificateFiles:
    folder = tmp_path_factory.mktemp("certificate")
    return write_certificate(folder, "own", trustme.CA().issue_cert("mail.example"))


Make = Callable[..., Tunnel]
Listen = Callable[[Serve], int]


@pytest.fixture
def make(certificate: CertificateFiles) -> Make:
    def made(**keys: Any) -> Tunnel:
        table = read_table(TunnelTable, {"accept": "pop3s", **keys}, "tunnel")
        return make_tunnel(table, lambda: certificate, events=Remembered(), reactor=reactor)

    return made


@pytest.fixture
def listen() -> Iterator[Listen]:
    servers: list[Listening] = []

    def port(serve: Serve) -> int:
        servers.append(Listening(serve))
        return servers[-1].port

    with no_descriptor_left():
        yield port
        for server in servers:
            server.stop()


def check(*tunnels: Tunnel, as_json: bool = False) -> tuple[int, list[str]]:
    said: list[str] = []
    return result_of(check_tunnels(tunnels, said.append, as_json=as_json)), said


def free_port() -> int:
    server = Listening(greets(b""))
    server.stop()
    return server.port


def called(tunnel: Tunnel, service: str) -> Tunnel:
    """The same, with a target that was called by a service's name; its port is the test's own."""
    (servers,) = tunnel.servers
    (target,) = servers.balance.targets
    named = replace(target, service=known_service(service))
    other = replace(servers, balance=Balance([named], Policy.ROUND_ROBIN))
    return replace(tunnel, plan=replace(tunnel.plan, destination=other), servers=[other])


# -- the mistake of the article: ``-d pop3s -r localhost:imap``


@pytest.mark.parametrize(
    ("protocol", "target", "wrong"),
    [
        ("pop3", "localhost:imap", "localhost:imap is imap's, and clients of this service speak pop3"),
        ("pop3", "143", "143 is imap's, and clients of this service speak pop3"),
        ("imap", "mail:pop3s", "mail:pop3s is pop3's, and clients of this service speak imap"),
        ("pop3", "localhost:pop3", ""),
        ("pop3", "localhost:4711", ""),
        ("pop3", "unix:/imap", ""),
        ("", "localhost:imap", ""),
    ],
)
def test_a_target_may_be_wrong_by_its_very_name(protocol: str, target: str, wrong: str) -> None:
    spoken = SPOKEN[protocol] if protocol else None
    assert named_mismatch(spoken, parse_target(target, "connect")) == wrong


def test_the_mistake_is_found_where_nothing_listens(make: Make) -> None:
    port = free_port()
    status, (line,) = check(called(make(connect=f"127.0.0.1:{port}"), "imap"))
    assert status == FAULT_STATUS
    assert line.startswith(f"pop3s to 127.0.0.1:{port}: cannot be reached: ")
    assert line.endswith(f" (127.0.0.1:{port} is imap's, and clients of this service speak pop3)")


def test_the_mistake_is_found_by_the_greeting(make: Make, listen: Listen) -> None:
    target = f"127.0.0.1:{listen(IMAP)}"
    status, (line,) = check(make(connect=target))
    assert status == FAULT_STATUS
    assert line == f"pop3s to {target}: imap greeting where pop3 is expected: '* OK ready'"


def test_who_has_the_right_protocol_at_the_wrong_port_is_good(make: Make, listen: Listen) -> None:
    assert check(called(make(connect=f"127.0.0.1:{listen(POP3)}"), "imap"))[0] == 0


# -- all that clients could be led to


def test_what_is_good_is_said_too(make: Make, listen: Listen) -> None:
    pop3, plain = listen(POP3), listen(greets(b""))
    tunnels = make(connect=f"127.0.0.1:{pop3}"), make(accept="4711", connect=f"127.0.0.1:{plain}")
    assert check(*tunnels) == (
        0,
        [
            f"pop3s to 127.0.0.1:{pop3}: good, it speaks pop3",
            f"4711 to 127.0.0.1:{plain}: good, it takes connections (without --protocol nothing is asked)",
        ],
    )


def test_every_target_is_asked(make: Make, listen: Listen, tmp_path: Path) -> None:
    good, routed, redirected = listen(POP3), listen(POP3), listen(IMAP)
    away = free_port()
    authority = tmp_path / "ca.pem"
    authority.write_bytes(trustme.CA().cert_pem.bytes())
    tunnel = make(
        connect=[f"127.0.0.1:{good}", f"127.0.0.1:{away}"],
        sni=[{"name": "a.example", "connect": [f"127.0.0.1:{routed}"]}],
        redirect=[f"127.0.0.1:{redirected}"],
        verify="chain",
        ca=str(authority),
    )
    status, said = check(tunnel)
    assert status == FAULT_STATUS
    assert [line.split()[2].rstrip(":") for line in said] == [
        f"127.0.0.1:{port}" for port in (good, away, routed, redirected)
    ]
    assert ["good" in line for line in said] == [True, False, True, False]


def test_as_json(make: Make, listen: Listen) -> None:
    good, wrong = listen(POP3), listen(IMAP)
    status, (said,) = check(make(connect=f"127.0.0.1:{good}"), make(connect=f"127.0.0.1:{wrong}"), as_json=True)
    assert status == FAULT_STATUS
    one, two = json.loads(said)
    assert one == {"service": "pop3s", "target": f"127.0.0.1:{good}", "protocol": "pop3", "fault": ""}
    assert "imap greeting" in two["fault"]


# -- programs


@pytest.mark.parametrize(
    ("script", "fault"),
    [
        ("print('+OK ready', flush=True); input()", ""),
        ("print('* OK ready', flush=True); input()", "imap greeting where pop3 is expected"),
        ("pass", "it closes connections before its greeting"),
    ],
)
def test_a_program_is_started(make: Make, script: str, fault: str) -> None:
    before = children()
    status, (line,) = check(make(exec=[sys.executable, "-c", script]))
    assert status == (FAULT_STATUS if fault else 0)
    assert (fault or "good, it speaks pop3") in line
    assert line.startswith(f"pop3s to {sys.executable} -c {script}: ")
    turn_until(lambda: children() <= before)
