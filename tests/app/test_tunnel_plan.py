"""From a table to a service: what it becomes, and what cannot be."""

from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import pytest
import trustme
from twisted.internet.task import Clock

from mailaccess.app.config import read_table
from mailaccess.app.tunnel_plan import LOCAL, Tunnel, make_tunnel
from mailaccess.app.tunnel_table import TunnelTable
from mailaccess.errors import ConfigError
from mailaccess.net.certificates import CertificateFiles
from mailaccess.net.endpoints import TCPEndpoint
from mailaccess.tunnel.admission import Doors
from mailaccess.tunnel.destination import Programs, Servers
from mailaccess.tunnel.faults import Full
from mailaccess.tunnel.tlsside import TLSPeer
from mailaccess.tunnel.visitor import Visitor
from tests.net.doubles import Remembered
from tests.net.handshakes import write_authority, write_certificate


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with ``own.pem``, ``other.pem`` (their keys beside them) and ``ca.pem``."""
    folder = tmp_path_factory.mktemp("certificates")
    authority = trustme.CA()
    for name in ("own", "other"):
        write_certificate(folder, name, authority.issue_cert(f"{name}.example"))
    write_authority(folder, "ca", authority)
    (folder / "keys.psk").write_text(f"joe:{'ab' * 16}\n")
    (folder / "keys.psk").chmod(0o600)
    return folder


class Maker:
    """Makes tunnels; ``DIR`` in a value is the folder of the certificates."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.events = Remembered()
        self.asked = 0

    def __call__(self, **keys: Any) -> Tunnel:
        given = {key: self._placed(value) for key, value in keys.items()}
        table = read_table(TunnelTable, given, "tunnel")
        return make_tunnel(table, self._default, events=self.events, reactor=Clock(), key=lambda name: f"tunnel.{name}")

    def _placed(self, value: Any) -> Any:
        if isinstance(value, str):
            return value.replace("DIR", str(self.folder))
        if isinstance(value, list):
            return [self._placed(one) for one in value]
        if isinstance(value, dict):
            return {key: self._placed(one) for key, one in value.items()}
        return value

    def _default(self) -> CertificateFiles:
        self.asked += 1
        return CertificateFiles(self.folder / "own.pem", self.folder / "own-key.pem")


@pytest.fixture
def make(files: Path) -> Maker:
    return Maker(files)


# -- what it becomes


@pytest.mark.parametrize(
    ("keys", "protocol"),
    [
        ({"accept": "pop3s", "connect": "localhost:4711"}, "pop3"),
        ({"accept": "995", "connect": "4711"}, "pop3"),
        ({"accept": "127.0.0.1:imaps", "connect": "4711"}, "imap"),
        ({"accept": "systemd:submissions", "connect": "4711"}, "smtp"),
        ({"accept": "tcp:563", "connect": "4711"}, "nntp"),
        ({"accept": "4711", "connect": "localhost:imap"}, "imap"),
        ({"accept": "4711", "connect": ["a:4712", "b:110"]}, "pop3"),
        ({"accept": "pop3s", "connect": "localhost:imap"}, "pop3"),
        ({"accept": "pop3s", "connect": "localhost:imap", "protocol": "none"}, ""),
        ({"accept": "pop3s", "connect": "localhost:pop3", "protocol": "smtp"}, "smtp"),
        ({"accept": "4711", "connect": "4712"}, ""),
        ({"accept": "ldaps", "exec": "cat"}, "ldap"),
        ({"client": True, "accept": "4711", "connect": "db:postgresql"}, "postgresql"),
        ({"exec": "cat", "protocol": "imap"}, "imap"),
        ({"exec": "cat"}, ""),
    ],
)
def test_what_passes_through_is_what_the_services_are_called(make: Maker, keys: dict[str, Any], protocol: str) -> None:
    spoken = make(**keys).plan.protocol
    assert (spoken.name if spoken is not None else "") == protocol


@pytest.mark.parametrize(
    ("keys", "host"),
    [
        ({"client": True, "accept": "4711"}, LOCAL),
        ({"client": True, "accept": "192.0.2.1:4711"}, "192.0.2.1"),
        ({"client": True, "accept": "[::]:4711"}, "::"),
        ({"accept": "4711"}, None),
    ],
)
def test_a_client_side_listens_on_this_machine_alone_where_no_host_is_named(
    make: Maker, keys: dict[str, Any], host: str | None
) -> None:
    endpoint = make(connect="mail.example:4712", **keys).endpoint
    assert isinstance(endpoint, TCPEndpoint)
    assert (endpoint.host, endpoint.port) == (host, 4711)


@pytest.mark.parametrize(
    ("accept", "warned"),
    [
        ("4711", False),
        ("127.0.0.2:4711", False),
        ("[::1]:4711", False),
        ("localhost:4711", False),
        ("0.0.0.0:4711", True),
        ("[::]:4711", True),
        ("mail:4711", True),
        ("unix:/run/pop3", False),
    ],
)
def test_a_client_side_that_others_reach_is_a_line_in_the_log(make: Maker, accept: str, warned: bool) -> None:
    make(client=True, accept=accept, connect="mail.example:4712")
    assert ("clear_to_others" in make.events.names()) == warned


@pytest.mark.parametrize(
    ("keys", "mode", "near", "far"),
    [
        ({}, "TLS", (True, False), (False, False)),
        ({"starttls": True}, "STARTTLS", (True, True), (False, False)),
        ({"client": True}, "none", (False, False), (True, False)),
        ({"client": True, "starttls": True}, "none", (False, False), (True, True)),
    ],
)
def test_which_side_speaks_tls_and_when(
    make: Maker, keys: dict[str, Any], mode: str, near: tuple[bool, bool], far: tuple[bool, bool]
) -> None:
    tunnel = make(accept="4711", connect="mail.example:4712", protocol="imap", **keys)
    (servers,) = tunnel.servers
    assert tunnel.mode == mode
    assert (tunnel.plan.tls is not None, tunnel.plan.starttls) == near
    assert (servers.way.tls is not None, servers.way.starttls) == far
    assert len(tunnel.followed) == 1, "the files of one side"


def test_where_no_certificate_is_named_one_is_asked_for_once(make: Maker) -> None:
    make(accept="4711", connect="4712")
    assert make.asked == 1
    make(accept="4711", connect="4712", certificate="DIR/own.pem", private_key="DIR/own-key.pem")
    make(client=True, accept="4711", connect="mail.example:4712")
    make(accept="4711", connect="4712", psk="DIR/keys.psk")
    assert make.asked == 1


def test_times_and_numbers(make: Maker) -> None:
    tunnel = make(
        accept="4711",
        connect="4712",
        retries=3,
        source="127.0.0.2",
        connect_timeout_seconds=1,
        handshake_timeout_seconds=2,
        idle_timeout_seconds=3,
        close_timeout_seconds=4,
    )
    (servers,) = tunnel.servers
    plan, way = tunnel.plan, servers.way
    assert (plan.handshake_seconds, plan.idle_seconds, plan.close_seconds) == (2, 3, 4)
    assert (way.connect_seconds, way.handshake_seconds, way.source, servers.retries) == (1, 2, "127.0.0.2", 3)


def taken(doors: Doors) -> int:
    """How many come in from one address."""
    count = 0
    with ExitStack() as inside, suppress(Full):
        while True:
            inside.enter_context(doors.one_more())
            inside.enter_context(doors.one_more_from("192.0.2.1"))
            count += 1
    return count


def test_who_may_come_in(make: Maker) -> None:
    limits = {"connections": 7, "connections_per_address": 3}
    assert taken(make(accept="4711", connect="4712", **limits).plan.doors) == 3
    client = make(client=True, accept="4711", connect="mail.example:4712", **limits)
    assert taken(client.plan.doors) == 7, "the clients of a client side are all of this machine"


@pytest.mark.parametrize(
    ("keys", "name"),
    [
        ({"accept": "4711", "name": "own"}, "own"),
        ({"accept": "127.0.0.1:4711"}, "127.0.0.1:4711"),
        ({}, "inetd"),
    ],
)
def test_what_the_log_calls_it(make: Maker, keys: dict[str, Any], name: str) -> None:
    assert make(connect="4712", **keys).plan.name == name


@pytest.mark.parametrize(
    ("keys", "arguments", "how"),
    [
        ({"exec": "cat"}, ("cat",), "pipes"),
        ({"exec": "cat -u '/a b'"}, ("cat", "-u", "/a b"), "pipes"),
        ({"exec": ["cat", "-u /a b"]}, ("cat", "-u /a b"), "pipes"),
        ({"exec": "cat", "inetd": True}, ("cat",), "inetd"),
        ({"exec": "cat", "pty": True}, ("cat",), "pty"),
        ({"exec": ["tac"], "exec_file": "/bin/cat"}, ("tac",), "pipes"),
    ],
)
def test_a_program_with_its_arguments_as_a_shell_would_split_them(
    make: Maker, keys: dict[str, Any], arguments: tuple[str, ...], how: str
) -> None:
    destination = make(accept="4711", **keys).plan.destination
    assert isinstance(destination, Programs)
    assert (destination.program.arguments, destination.program.how) == (arguments, how)
    assert destination.program.file.endswith("/cat")


@pytest.mark.parametrize(("seconds", "targets", "checked"), [(10, 2, True), (0, 2, False), (10, 1, False)])
def test_of_several_targets_it_is_asked_whether_they_are_well(
    make: Maker, seconds: float, targets: int, checked: bool
) -> None:
    tunnel = make(accept="4711", connect=["a:1", "b:2"][:targets], health_seconds=seconds)
    assert len(tunnel.checks) == checked


@pytest.mark.parametrize("health_seconds", [0, 10])
def test_redirected_and_routed_clients_have_targets_of_their_own(make: Maker, health_seconds: float) -> None:
    tunnel = make(
        accept="4711",
        connect="own:1",
        redirect=["redirect:1", "redirect:2"],
        verify="chain",
        ca="DIR/ca.pem",
        health_seconds=health_seconds,
        sni=[
            {"name": "a.example", "connect": ["a:1", "a:2"]},
            {
                "name": "*.b.example",
                "connect": ["b:1"],
                "certificate": "DIR/other.pem",
                "private_key": "DIR/other-key.pem",
            },
            {"name": "c.example", "certificate": "DIR/other.pem", "private_key": "DIR/other-key.pem"},
        ],
    )

    def first(peer: TLSPeer | None) -> str:
        destination = tunnel.plan.destination_of(peer)
        assert isinstance(destination, Servers)
        return destination.balance.targets[0].host

    assert first(None) == "own"
    assert first(TLSPeer(trusted=False, server_name="a.example")) == "redirect"
    assert first(TLSPeer(trusted=True)) == "own"
    assert first(TLSPeer(trusted=True, server_name="a.example")) == "a"
    assert first(TLSPeer(trusted=True, server_name="x.b.example")) == "b"
    assert first(TLSPeer(trusted=True, server_name="x.y.b.example")) == "own"
    assert first(TLSPeer(trusted=True, server_name="c.example")) == "own"
    assert first(TLSPeer(trusted=True, server_name="bücher.example")) == "own"
    assert [servers.balance.targets[0].host for servers in tunnel.servers] == ["own", "a", "b", "redirect"]
    assert len(tunnel.checks) == (2 if health_seconds else 0)


# -- the PROXY header

VISITOR = Visitor("192.0.2.7", 1234, "203.0.113.1", 995)
SECURED = Visitor(
    "192.0.2.7",
    1234,
    "203.0.113.1",
    995,
    TLSPeer(True, "a.example", {"CN": "joe", "FINGERPRINT": "AB:CD"}),
    "TLSv1.3",
    "AES",
)
LOCAL_VISITOR = Visitor("local", 0, "local", 0)


def header(make: Maker, version: str, visitor: Visitor | None) -> bytes:
    (servers,) = make(accept="4711", connect="4712", proxy_send=version).servers
    assert servers.way.header is not None
    return servers.way.header(visitor)


@pytest.mark.parametrize(
    ("visitor", "line"),
    [
        (VISITOR, b"PROXY TCP4 192.0.2.7 203.0.113.1 1234 995\r\n"),
        (SECURED, b"PROXY TCP4 192.0.2.7 203.0.113.1 1234 995\r\n"),
        (LOCAL_VISITOR, b"PROXY UNKNOWN\r\n"),
        (None, b"PROXY UNKNOWN\r\n"),
    ],
)
def test_version_1_of_the_proxy_protocol(make: Maker, visitor: Visitor | None, line: bytes) -> None:
    assert header(make, "v1", visitor) == line


@pytest.mark.parametrize(
    ("visitor", "begins"),
    [(VISITOR, b"\x21\x11\x00\x0c"), (SECURED, b"\x21\x11"), (LOCAL_VISITOR, b"\x20\x00\x00\x00"), (None, b"\x20\x00")],
)
def test_version_2_of_the_proxy_protocol(make: Maker, visitor: Visitor | None, begins: bytes) -> None:
    said = header(make, "v2", visitor)
    assert said.startswith(b"\r\n\r\n\0\r\nQUIT\n" + begins)
    assert (b"joe" in said, b"TLSv1.3" in said, b"a.example" in said) == (visitor is SECURED,) * 3


def test_without_the_proxy_protocol_nothing_is_said(make: Maker) -> None:
    (servers,) = make(accept="4711", connect="4712").servers
    assert servers.way.header is None


# -- what cannot be

SERVER = {"accept": "4711", "connect": "4712"}
CLIENT = {"accept": "4711", "connect": "mail.example:4712", "client": True}
PROGRAM = {"accept": "4711", "exec": "cat"}

REFUSED: list[tuple[dict[str, Any], str, str]] = [
    ({"accept": "4711"}, "connect", "either targets or a program"),
    ({**SERVER, "exec": "cat"}, "connect", "either targets or a program"),
    ({**SERVER, "accept": "off"}, "accept", "a tunnel has to listen somewhere"),
    ({**SERVER, "accept": "nonsense:x:y"}, "accept", ""),
    ({**SERVER, "accept": "70000"}, "accept", "a port is 0 to 65535"),
    ({**SERVER, "connect": "mail:0"}, "connect", "HOST:PORT"),
    ({**SERVER, "connect": ["a:1", "a:1"]}, "connect", "it is the same target"),
    ({**SERVER, "host": ["mail"]}, "host", "it belongs to a client side"),
    ({**SERVER, "host": ["mail", "pop"]}, "host", "'mail pop' is not possible"),
    ({**SERVER, "server_name": "mail"}, "server_name", "it belongs to a client side"),
    ({**SERVER, "psk_identity": "joe"}, "psk_identity", "it belongs to a client side"),
    ({**CLIENT, "redirect": "4713", "pin": ["x"]}, "redirect", "a client side cannot have it"),
    ({**CLIENT, "sni": [{"name": "a"}]}, "sni", "'a' is not possible: a client side cannot have it"),
    ({**PROGRAM, "client": True}, "exec", "a client side cannot have it"),
    ({**SERVER, "inetd": True}, "inetd", "'true' is not possible: it belongs to a program to exec"),
    ({**SERVER, "pty": True}, "pty", "it belongs to a program to exec"),
    ({**SERVER, "exec_file": "/bin/cat"}, "exec_file", "it belongs to a program to exec"),
    ({**PROGRAM, "inetd": True, "pty": True}, "pty", "either a socket or a terminal"),
    ({**PROGRAM, "exec": ""}, "exec", "the name of a program is needed"),
    ({**PROGRAM, "exec": "  "}, "exec", "the name of a program is needed"),
    ({**PROGRAM, "exec": "cat 'half"}, "exec", "a quotation mark"),
    ({**PROGRAM, "exec": "cat half\\"}, "exec", "what follows a backslash"),
    ({**PROGRAM, "exec": "/nonexistent/popa3d"}, "exec", "there is no such program"),
    ({**PROGRAM, "exec_file": "/nonexistent/popa3d"}, "exec_file", "there is no such program"),
    ({**SERVER, "verify": "full"}, "verify", "clients have no host name"),
    ({**SERVER, "verify": "chain"}, "verify", "ca"),
    ({**SERVER, "verify": "peer"}, "verify", "ca"),
    ({**SERVER, "ca": "DIR/ca.pem"}, "ca", "verify is none"),
    ({**SERVER, "redirect": "4713"}, "redirect", "must say who is good"),
    ({**SERVER, "redirect": "4713", "verify": "none"}, "redirect", "must say who is good"),
    ({**SERVER, "redirect": "x y", "verify": "chain", "ca": "DIR/ca.pem"}, "redirect", "HOST:PORT"),
    ({**SERVER, "starttls": True}, "starttls", "a protocol is needed, one of imap pop3 smtp nntp ldap postgresql"),
    (
        {**SERVER, "starttls": True, "protocol": "none"},
        "starttls",
        "a protocol is needed, one of imap pop3 smtp nntp ldap postgresql",
    ),
    ({**SERVER, "source": "eth0"}, "source", "an address of this machine"),
    ({**SERVER, "proxy_from": ["everybody"]}, "proxy_from", "an address, a network"),
    ({**SERVER, "via": "ftp://proxy:1"}, "via", "http://"),
    ({**SERVER, "sni": [{"connect": ["a:1"]}]}, "sni.name", "a host name is needed"),
    ({**SERVER, "sni": [{"name": "a", "connect": ["x y"]}]}, "sni.connect", "HOST:PORT"),
    ({**SERVER, "sni": [{"name": "a", "private_key": "DIR/own-key.pem"}]}, "sni.private_key", "a key needs its"),
    ({**SERVER, "sni": [{"name": "a", "certificate": "/nope.pem"}]}, "sni.certificate", ""),
    ({**SERVER, "certificate": "/nope.pem"}, "certificate", ""),
    ({**SERVER, "private_key": "DIR/own-key.pem"}, "private_key", "a key needs its certificate"),
    ({**SERVER, "certificate": "DIR/own.pem", "private_key": "DIR/other-key.pem"}, "private_key", ""),
    ({**SERVER, "tls_minimum": "1.3", "tls_maximum": "1.2"}, "tls_minimum", "it is above tls_maximum"),
    ({**SERVER, "ciphers": "NONSENSE"}, "ciphers", ""),
    ({**SERVER, "ciphersuites": "NONSENSE"}, "ciphersuites", ""),
    ({**SERVER, "groups": "NONSENSE"}, "groups", ""),
    ({**SERVER, "pin": ["sha256//short"]}, "pin", "SHA-256"),
    ({**CLIENT, "ca": "/nope.pem"}, "ca", ""),
    ({**CLIENT, "verify": "none", "host": ["mail"]}, "host", "verify is none"),
    ({**CLIENT, "host": ["a b"]}, "host", "a host name or an address"),
    ({**CLIENT, "server_name": "a b"}, "server_name", "a host name or an address"),
    ({**CLIENT, "connect": "a..b:1"}, "connect", "a host name or an address"),
    ({**CLIENT, "psk_identity": "joe"}, "psk_identity", "the file psk with its key is needed"),
    ({**CLIENT, "psk": "/nope.psk"}, "psk", "cannot be read"),
    ({**SERVER, "psk": "/nope.psk"}, "psk", "cannot be read"),
    ({**SERVER, "accept": "haproxy:tcp:995"}, "accept", "proxy_from"),
    ({**SERVER, "accept": "ssl:995"}, "accept", "a tunnel speaks TLS by itself"),
    ({**SERVER, "via": "http://proxy:3128", "connect": ["unix:/run/pop3"]}, "connect", "no proxy leads"),
    ({"accept": "995", "exec": ["true"], "via": "http://proxy:3128"}, "via", "it belongs to targets"),
    ({"accept": "995", "exec": ["true"], "proxy_send": "v2"}, "proxy_send", "it belongs to targets"),
    ({"accept": "995", "exec": ["true"], "source": "127.0.0.1"}, "source", "it belongs to targets"),
    ({**SERVER, "idle_timeout_seconds": 0.0}, "idle_timeout_seconds", "a number above 0"),
    ({**SERVER, "sni": [{"name": "a"}, {"name": "A"}]}, "sni.name", "another table has this name"),
    ({**SERVER, "psk": "DIR/keys.psk", "sni": [{"name": "a", "certificate": "x"}]}, "sni.certificate", "psk takes"),
    ({**SERVER, "psk": "DIR/keys.psk", "certificate": "DIR/own.pem"}, "certificate", "psk takes its place"),
    ({**SERVER, "psk": "DIR/keys.psk", "verify": "chain"}, "verify", "psk takes its place"),
    ({**CLIENT, "psk": "DIR/keys.psk", "ca": "DIR/ca.pem"}, "ca", "psk takes its place"),
    ({**CLIENT, "psk": "DIR/keys.psk", "host": ["mail"]}, "host", "psk takes its place"),
    ({**CLIENT, "psk": "DIR/keys.psk", "pin": ["x"]}, "pin", "psk takes its place"),
]


@pytest.mark.parametrize(("keys", "key", "why"), REFUSED)
def test_what_cannot_be_is_refused_with_its_key(make: Maker, keys: dict[str, Any], key: str, why: str) -> None:
    with pytest.raises(ConfigError) as caught:
        make(**keys)
    assert caught.value.key == f"tunnel.{key}"
    assert why in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_option_is_named_as_an_option(files: Path) -> None:
    own = CertificateFiles(files / "own.pem", files / "own-key.pem")
    with pytest.raises(ConfigError) as caught:
        make_tunnel(TunnelTable(exec=("cat",), exec_file="/nope"), lambda: own, events=Remembered(), reactor=Clock())
    assert caught.value.key == "--exec-file"
