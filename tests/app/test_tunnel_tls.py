"""The keys of a tunnel as they come to be seen at the other end of TLS."""

from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import trustme
from OpenSSL import SSL
from twisted.internet.task import Clock

from mailaccess.app.config import read_table
from mailaccess.app.tunnel_table import TunnelTable
from mailaccess.app.tunnel_tls import client_sides, server_side
from mailaccess.net.certificates import CertificateFiles
from mailaccess.net.following import Following
from mailaccess.tunnel.faults import TLSFailed
from mailaccess.tunnel.targets import parse_targets
from mailaccess.tunnel.tlsside import TLSPeer, TLSSide
from tests.net.doubles import Remembered
from tests.net.handshakes import shake_hands, write_authority, write_certificate

TARGETS = parse_targets(["mail.example:995", "192.0.2.1:995", "unix:/run/pop3"], "connect")
NAMED, NUMBERED, LOCAL = TARGETS


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("certificates")
    authority = trustme.CA()
    for name in ("mail.example", "a.example", "192.0.2.1", "localhost", "client.example"):
        write_certificate(folder, name, authority.issue_cert(name))
    write_certificate(folder, "stranger", trustme.CA().issue_cert("mail.example"))
    write_authority(folder, "ca", authority)
    (folder / "keys").write_text(f"joe:{'ab' * 16}\nann:{'cd' * 16}\n")
    (folder / "keys").chmod(0o600)
    return folder


class Sides:
    """Makes both sides of TLS from the keys of two tunnels."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.events = Remembered()
        self.defaults = 0

    def shown(self, name: str) -> dict[str, str]:
        return {"certificate": f"{self.folder}/{name}.pem", "private_key": f"{self.folder}/{name}-key.pem"}

    @property
    def ca(self) -> str:
        return f"{self.folder}/ca.pem"

    def _default(self) -> CertificateFiles:
        self.defaults += 1
        files = self.shown("mail.example")
        return CertificateFiles(Path(files["certificate"]), Path(files["private_key"]))

    def server(self, protocol: str = "", **keys: Any) -> TLSSide:
        return self.server_and_files(protocol, **keys)[0]

    def server_and_files(self, protocol: str = "", **keys: Any) -> tuple[TLSSide, Following]:
        table = read_table(TunnelTable, {"accept": "4711", **keys}, "tunnel")
        return server_side(table, protocol, self._default, self.events, Clock())

    def client(self, protocol: str = "", target: Any = NAMED, **keys: Any) -> TLSSide:
        table = read_table(TunnelTable, {"accept": "4711", "client": True, **keys}, "tunnel")
        towards, _ = client_sides(table, protocol, TARGETS, self.events, Clock())
        return towards(target)


@pytest.fixture
def sides(files: Path) -> Sides:
    return Sides(files)


def met(client: TLSSide, server: TLSSide) -> tuple[TLSPeer, TLSPeer]:
    """What each side thinks of the other. ``TLSFailed`` where one does not like it."""
    asking, answering = client.new_connection(), server.new_connection()
    try:
        shake_hands(asking, answering)
    except SSL.Error as error:
        raise TLSFailed(str(error)) from error
    return client.check(asking), server.check(answering)


def serial_shown(client: TLSSide, server: TLSSide) -> int:
    asking = client.new_connection()
    with suppress(SSL.Error):
        shake_hands(asking, server.new_connection())
    certificate = asking.get_peer_certificate()
    assert certificate is not None
    return certificate.get_serial_number()


def serial(sides: Sides, name: str) -> int:
    files = sides.shown(name)
    return CertificateFiles(Path(files["certificate"]), Path(files["private_key"])).read().leaf.serial_number


@pytest.mark.parametrize(("target", "name"), [(NAMED, "mail.example"), (NUMBERED, "192.0.2.1"), (LOCAL, "localhost")])
def test_a_client_side_verifies_by_itself(sides: Sides, target: Any, name: str) -> None:
    client = sides.client(target=target, ca=sides.ca)
    peer, _ = met(client, sides.server(**sides.shown(name)))
    assert peer.trusted
    for other in ("a.example", "stranger"):
        with pytest.raises(TLSFailed):
            met(client, sides.server(**sides.shown(other)))


def test_an_authority_of_nobody_is_not_one_of_the_systems(sides: Sides) -> None:
    with pytest.raises(TLSFailed):
        met(sides.client(), sides.server(**sides.shown("mail.example")))


@pytest.mark.parametrize(
    ("keys", "shown", "good"),
    [
        ({"verify": "none"}, "stranger", True),
        ({"verify": "chain"}, "a.example", True),
        ({"verify": "chain"}, "stranger", False),
        ({"host": ["a.example", "b.example"]}, "a.example", True),
        ({"host": ["b.example"]}, "a.example", False),
        ({"verify": "peer"}, "mail.example", False),
    ],
)
def test_how_a_client_side_verifies(sides: Sides, keys: dict[str, Any], shown: str, good: bool) -> None:
    ca = {} if keys.get("verify") == "none" else {"ca": sides.ca}
    try:
        met(sides.client(**keys, **ca), sides.server(**sides.shown(shown)))
    except TLSFailed:
        assert not good
    else:
        assert good


@pytest.mark.parametrize(
    ("keys", "target", "asked"),
    [
        ({}, NAMED, "mail.example"),
        ({}, NUMBERED, ""),
        ({"server_name": "a.example"}, NAMED, "a.example"),
        ({"server_name": "a.example"}, NUMBERED, "a.example"),
    ],
)
@pytest.mark.parametrize("psk", [False, True])
def test_the_name_that_a_client_side_asks_for(
    sides: Sides, psk: bool, keys: dict[str, Any], target: Any, asked: str
) -> None:
    terms = {"psk": f"{sides.folder}/keys"} if psk else {"verify": "none"}
    server = sides.server(psk=f"{sides.folder}/keys") if psk else sides.server()
    _, peer = met(sides.client(target=target, **keys, **terms), server)
    assert peer.server_name == asked


def test_a_certificate_for_each_name(sides: Sides) -> None:
    server = sides.server(
        sni=[{"name": "*.b.example", **sides.shown("a.example")}, {"name": "c.example", **sides.shown("a.example")}]
    )
    for name, shown in (
        ("x.b.example", "a.example"),
        ("c.example", "a.example"),
        ("mail.example", "mail.example"),
        ("unknown.example", "mail.example"),
    ):
        assert serial_shown(sides.client(verify="none", server_name=name), server) == serial(sides, shown)
    assert sides.defaults == 1


@pytest.mark.parametrize(
    ("keys", "shows", "good"),
    [
        ({"verify": "chain"}, "client.example", True),
        ({"verify": "chain"}, "stranger", False),
        ({"verify": "chain"}, "", False),
        ({"verify": "none"}, "stranger", True),
        ({}, "", True),
    ],
)
def test_what_is_asked_of_clients(sides: Sides, keys: dict[str, Any], shows: str, good: bool) -> None:
    ca = {"ca": sides.ca} if keys.get("verify") == "chain" else {}
    client = sides.client(verify="none", **(sides.shown(shows) if shows else {}))
    try:
        _, peer = met(client, sides.server(**keys, **ca))
    except TLSFailed:
        assert not good
    else:
        assert good
        assert peer.trusted == bool(ca)


@pytest.mark.parametrize(("shows", "trusted"), [("client.example", True), ("stranger", False), ("", False)])
def test_who_is_redirected_is_let_in_and_not_trusted(sides: Sides, shows: str, trusted: bool) -> None:
    client = sides.client(verify="none", **(sides.shown(shows) if shows else {}))
    _, peer = met(client, sides.server(verify="chain", ca=sides.ca, redirect="4713"))
    assert peer.trusted == trusted
    assert bool(peer.fault) != trusted


@pytest.mark.parametrize("identity", ["", "joe", "ann"])
def test_keys_instead_of_certificates(sides: Sides, identity: str) -> None:
    server = sides.server(psk=f"{sides.folder}/keys")
    peer, _ = met(sides.client(psk=f"{sides.folder}/keys", psk_identity=identity), server)
    assert peer.trusted
    assert sides.defaults == 0, "no certificate is shown"


def test_who_has_another_key_or_none_does_not_get_in(sides: Sides, tmp_path: Path) -> None:
    other = tmp_path / "keys"
    other.write_text(f"joe:{'00' * 16}\n")
    other.chmod(0o600)
    server = sides.server(psk=f"{sides.folder}/keys")
    for client in (sides.client(psk=str(other)), sides.client(verify="none")):
        with pytest.raises(TLSFailed):
            met(client, server)


def test_the_files_of_a_side_are_followed(sides: Sides, tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    keys.write_bytes((sides.folder / "keys").read_bytes())
    keys.chmod(0o600)
    server, followed = sides.server_and_files(psk=str(keys))
    client = sides.client(psk=f"{sides.folder}/keys")
    met(client, server)
    keys.write_text(f"joe:{'00' * 16}\n")
    followed.reload()
    with pytest.raises(TLSFailed):
        met(client, server)


def offered(connection: Any, protocols: list[bytes]) -> bytes:
    chosen.append(protocols)
    return protocols[0]


chosen: list[list[bytes]] = []


@pytest.mark.parametrize(
    ("protocol", "keys", "asked"),
    [
        ("postgresql", {}, [[b"postgresql"]]),
        ("postgresql", {"starttls": True}, []),
        ("imap", {}, []),
        ("", {}, []),
    ],
)
def test_what_a_client_side_asks_for_by_alpn(
    sides: Sides, protocol: str, keys: dict[str, Any], asked: list[list[bytes]]
) -> None:
    chosen.clear()
    context = SSL.Context(SSL.TLS_SERVER_METHOD)
    files = sides.shown("mail.example")
    context.use_certificate_chain_file(files["certificate"])
    context.use_privatekey_file(files["private_key"])
    context.set_alpn_select_callback(offered)
    server = SSL.Connection(context, None)
    server.set_accept_state()
    shake_hands(sides.client(protocol, verify="none", **keys).new_connection(), server)
    assert chosen == asked


@pytest.mark.parametrize(
    ("protocol", "offers", "gets"), [("imap", b"imap", b"imap"), ("pop3", b"imap", b""), ("", b"x", b"")]
)
def test_what_a_server_side_chooses_by_alpn(sides: Sides, protocol: str, offers: bytes, gets: bytes) -> None:
    context = SSL.Context(SSL.TLS_CLIENT_METHOD)
    context.set_alpn_protos([offers])
    client = SSL.Connection(context, None)
    client.set_connect_state()
    try:
        shake_hands(client, sides.server(protocol).new_connection())
    except SSL.Error:  # no_application_protocol (RFC 7301 §3.2)
        assert gets == b""
    else:
        assert client.get_alpn_proto_negotiated() == gets


@pytest.mark.parametrize(
    ("keys", "version"),
    [({}, "TLSv1.3"), ({"tls_maximum": "1.2"}, "TLSv1.2"), ({"tls_minimum": "1.3"}, "TLSv1.3")],
)
@pytest.mark.parametrize("whose", ["client", "server"])
def test_versions_and_suites_are_those_of_the_table(
    sides: Sides, whose: str, keys: dict[str, Any], version: str
) -> None:
    settings: dict[str, dict[str, Any]] = {"client": {}, "server": {}}
    settings[whose] = {**keys, "ciphers": "ECDHE-ECDSA-AES256-GCM-SHA384", "ciphersuites": "TLS_AES_256_GCM_SHA384"}
    client = sides.client(verify="none", **settings["client"]).new_connection()
    shake_hands(client, sides.server(**settings["server"]).new_connection())
    assert client.get_protocol_version_name() == version
    assert client.get_cipher_name() == (
        "TLS_AES_256_GCM_SHA384" if version == "TLSv1.3" else "ECDHE-ECDSA-AES256-GCM-SHA384"
    )


def test_that_nothing_is_verified_is_in_the_log(sides: Sides) -> None:
    sides.client(verify="none", name="mail")
    ((name, fields),) = sides.events.events
    assert (name, fields["service"]) == ("tls_unverified", "mail")
