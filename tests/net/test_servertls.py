"""The server's side of a tunnel: which clients are trusted, refused or let in as strangers, resumed sessions too."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple, cast

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID
from OpenSSL import SSL
from OpenSSL.crypto import FILETYPE_ASN1
from twisted.internet.task import Clock

import mailaccess.net.trust
from mailaccess.errors import ConfigError
from mailaccess.net.certificates import CertificateFiles
from mailaccess.net.peers import public_key_pin
from mailaccess.net.policy import TLSSettings, show
from mailaccess.net.servertls import TunnelServerTLS
from mailaccess.net.trust import Trust
from mailaccess.tunnel.faults import TLSFailed
from mailaccess.tunnel.tlsside import TLSPeer
from tests.net.doubles import Issue, Remembered
from tests.net.handshakes import say, shake_hands, write_authority, write_certificate

LONG_AGO = datetime.now(UTC) - timedelta(days=30)
YESTERDAY = datetime.now(UTC) - timedelta(days=1)

VERSIONS = [SSL.TLS1_2_VERSION, SSL.TLS1_3_VERSION]

Serve = Callable[..., TunnelServerTLS]


@pytest.fixture
def clock() -> Any:
    return Clock()


@pytest.fixture
def ca(root: trustme.CA, tmp_path: Path) -> str:
    return str(write_authority(tmp_path, "ca", root))


@pytest.fixture
def serve(issue: Issue, events: Remembered, clock: Any) -> Serve:
    def make(clients: Trust | None = None, **how: Any) -> TunnelServerTLS:
        return TunnelServerTLS([issue("server.example")], events, clock, clients=clients, **how)

    return make


class Client:
    """A client that shows what it is told to, trusts everybody, and keeps a session to resume it."""

    def __init__(self, files: CertificateFiles | None = None, version: int = SSL.TLS1_3_VERSION) -> None:
        self._context = SSL.Context(SSL.TLS_CLIENT_METHOD)
        self._context.set_min_proto_version(version)
        self._context.set_max_proto_version(version)
        self.session: SSL.Session | None = None
        if files is not None:
            show(self._context, files.read())

    def meet(self, server: TunnelServerTLS, name: str = "") -> TLSPeer:
        """What the server thinks of this client; ``SSL.Error`` or ``TLSFailed`` where it is refused."""
        ours, theirs = SSL.Connection(self._context, None), server.new_connection()
        ours.set_connect_state()
        if name:
            ours.set_tlsext_host_name(name.encode())
        if self.session is not None:
            ours.set_session(self.session)
        shake_hands(ours, theirs)
        peer = server.check(theirs)
        say(theirs, ours, b"hello")
        self.resumed = bool(SSL._lib.SSL_session_reused(theirs._ssl))  # type: ignore[attr-defined]
        self.session = ours.get_session()
        ours.shutdown()  # else OpenSSL takes the session for a broken one
        self.authorities = ours.get_client_ca_list(as_cryptography=True)
        self.shown = ours.get_peer_certificate(as_cryptography=True)
        return peer


class Shown:
    """Certificates that clients show: good ones, and those that must not be."""

    def __init__(self, authority: trustme.CA, folder: Path) -> None:
        self._folder = folder
        self._authority = authority

    def good(self, *names: str, file: str = "good", **how: Any) -> CertificateFiles:
        return write_certificate(
            self._folder, file, self._authority.issue_cert(*(names or ["joe@example.org"]), common_name="Joe", **how)
        )

    def expired(self) -> CertificateFiles:
        return self.good(file="expired", not_before=LONG_AGO, not_after=YESTERDAY)

    def foreign(self) -> CertificateFiles:
        return write_certificate(self._folder, "foreign", trustme.CA().issue_cert("joe@example.org", common_name="Joe"))


@pytest.fixture
def shown(authority: trustme.CA, tmp_path: Path) -> Shown:
    return Shown(authority, tmp_path)


class Bad(NamedTuple):
    show: Callable[[Shown], CertificateFiles | None]
    reason: str


BAD = pytest.mark.parametrize(
    "bad",
    [
        Bad(lambda shown: None, "it showed no certificate"),
        Bad(Shown.expired, "its certificate has expired"),
        Bad(Shown.foreign, "no certificate authority that is trusted here signed its certificate"),
    ],
)


def test_where_nothing_is_asked_nobody_is_trusted(serve: Serve, shown: Shown) -> None:
    client = Client(shown.good())
    assert client.meet(serve(), "Server.Example.") == TLSPeer(trusted=False, server_name="server.example")
    assert client.authorities == []


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("redirect", [False, True])
def test_a_good_certificate(serve: Serve, shown: Shown, ca: str, version: int, redirect: bool) -> None:
    peer = Client(shown.good(), version).meet(serve(Trust.written("chain", ca), redirect=redirect), "server.example")
    assert (peer.trusted, peer.server_name, peer.fault) == (True, "server.example", "")
    assert peer.fields["CN"] == "Joe"
    assert peer.fields["EMAIL"] == "joe@example.org"


@pytest.mark.parametrize("version", VERSIONS)
@BAD
def test_a_bad_one_ends_the_handshake(serve: Serve, shown: Shown, ca: str, version: int, bad: Bad) -> None:
    with pytest.raises(SSL.Error, match=bad.reason.replace("it showed no", "did not return a")):
        Client(bad.show(shown), version).meet(serve(Trust.written("chain", ca)))


@pytest.mark.parametrize("version", VERSIONS)
@BAD
def test_a_bad_one_is_a_stranger_where_those_are_redirected(
    serve: Serve, shown: Shown, ca: str, version: int, bad: Bad
) -> None:
    peer = Client(bad.show(shown), version).meet(serve(Trust.written("chain", ca), redirect=True))
    assert peer == TLSPeer(trusted=False, fault=bad.reason)


def test_a_servers_certificate_is_for_another_purpose(serve: Serve, ca: str, root: trustme.CA, tmp_path: Path) -> None:
    files = write_certificate(tmp_path, "purpose", signed_for_servers(root))
    with pytest.raises(SSL.Error, match="is for another purpose"):
        Client(files).meet(serve(Trust.written("chain", ca)))


def signed_for_servers(root: trustme.CA) -> trustme.LeafCert:
    """trustme's certificates are for servers and clients: this is one with the first purpose only."""
    issued = root.issue_cert("server.example")
    old = x509.load_pem_x509_certificate(issued.cert_chain_pems[0].bytes())
    builder = x509.CertificateBuilder(
        old.issuer, old.subject, old.public_key(), 1, old.not_valid_before_utc, old.not_valid_after_utc
    ).add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=True)
    signing = load_pem_private_key(root.private_key_pem.bytes(), None)
    pem = builder.sign(signing, SHA256()).public_bytes(Encoding.PEM)  # type: ignore[arg-type]
    return trustme.LeafCert(issued.private_key_pem.bytes(), pem, [])


def test_the_very_certificate(serve: Serve, shown: Shown, tmp_path: Path) -> None:
    files, other = shown.good(), shown.good(file="other")
    known = str(
        write_authority(
            tmp_path, "known", files.certificate.read_bytes().partition(b"-----END")[0] + b"-----END CERTIFICATE-----\n"
        )
    )
    server = serve(Trust.written("peer", known))
    assert Client(files).meet(server).trusted
    with pytest.raises(SSL.Error, match="no certificate authority"):
        Client(other).meet(server)


def test_the_very_certificate_among_those_of_an_authority_that_is_known_too(
    serve: Serve, shown: Shown, tmp_path: Path
) -> None:
    files, other = shown.good(), shown.good(file="other")
    server = serve(Trust.written("peer", str(files.certificate)), redirect=True)  # it has the chain in it
    assert Client(files).meet(server).trusted
    assert "is not one of those in" in Client(other).meet(server).fault


def test_a_pin_alone(serve: Serve, shown: Shown) -> None:
    files = shown.foreign()
    pins = frozenset([public_key_pin(files.read().leaf)])
    for redirect in (False, True):
        server = serve(Trust(pins=pins), redirect=redirect)
        assert Client(files).meet(server).trusted
    assert not Client(shown.good()).meet(server).trusted
    assert not Client().meet(server).trusted
    with pytest.raises(TLSFailed, match="pinned"):
        Client(shown.good()).meet(serve(Trust(pins=pins)))
    with pytest.raises(SSL.Error, match="did not return a certificate"):
        Client().meet(serve(Trust(pins=pins)))


def test_a_pin_lifts_nothing_else(serve: Serve, shown: Shown, ca: str) -> None:
    files = shown.foreign()
    trust = Trust.written("chain", ca)
    both = Trust(trust.verify, trust.ca, pins=frozenset([public_key_pin(files.read().leaf)]))
    assert "no certificate authority" in Client(files).meet(serve(both, redirect=True)).fault


def test_clients_with_a_hosts_name(serve: Serve, shown: Shown, ca: str) -> None:
    server = serve(Trust.written("full", ca, ["relay.example"]), redirect=True)
    assert Client(shown.good("relay.example")).meet(server).trusted
    assert "not for relay.example" in Client(shown.good("other.example")).meet(server).fault


@pytest.mark.parametrize("redirect", [False, True])
def test_a_client_without_certificate_by_way_of_an_anonymous_suite(serve: Serve, ca: str, redirect: bool) -> None:
    settings = TLSSettings(ciphers="aNULL:@SECLEVEL=0")
    server = serve(Trust.written("chain", ca), settings=settings, redirect=redirect)
    client = Client(version=SSL.TLS1_2_VERSION)
    client._context.set_cipher_list(b"aNULL:@SECLEVEL=0")
    if redirect:
        assert client.meet(server) == TLSPeer(trusted=False, fault="it showed no certificate")
    else:
        with pytest.raises(SSL.Error, match="unexpected message"):
            client.meet(server)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_certificate_that_openssl_takes_and_nobody_can_read(
    serve: Serve, shown: Shown, tmp_path: Path, version: int
) -> None:
    files = shown.foreign()
    der = files.read().leaf.public_bytes(Encoding.DER)
    assert b"\xa0\x03\x02\x01\x02" in der
    (tmp_path / "v2.der").write_bytes(der.replace(b"\xa0\x03\x02\x01\x02", b"\xa0\x03\x02\x01\x01"))
    client = Client(version=version)
    client._context.use_certificate_file(tmp_path / "v2.der", FILETYPE_ASN1)
    client._context.use_privatekey(files.read().key)
    trust = Trust(pins=frozenset([public_key_pin(files.read().leaf)]))
    assert "its certificate cannot be read" in client.meet(serve(trust, redirect=True)).fault
    client.session = None
    with pytest.raises(TLSFailed, match="its certificate cannot be read"):
        client.meet(serve(trust))


# -- resumption


@pytest.mark.parametrize("version", VERSIONS)
def test_a_resumed_session_is_as_trusted_as_it_was(serve: Serve, shown: Shown, ca: str, version: int) -> None:
    server = serve(Trust.written("chain", ca))
    client = Client(shown.good(), version)
    first = client.meet(server)
    assert not client.resumed
    assert client.meet(server) == first
    assert client.resumed


@pytest.mark.parametrize("version", VERSIONS)
@BAD
def test_resumption_does_not_lift_verification(serve: Serve, shown: Shown, ca: str, version: int, bad: Bad) -> None:
    server = serve(Trust.written("chain", ca), redirect=True)
    client = Client(bad.show(shown), version)
    client.meet(server)
    assert client.meet(server) == TLSPeer(trusted=False, fault=bad.reason)
    assert client.resumed


@pytest.mark.parametrize("version", VERSIONS)
def test_resumption_does_not_lift_pins_and_very_certificates(serve: Serve, shown: Shown, ca: str, version: int) -> None:
    files, other = shown.good(), shown.good(file="other")
    for trust in (
        Trust.written("peer", str(files.certificate)),
        Trust(pins=frozenset([public_key_pin(files.read().leaf)])),
    ):
        server = serve(trust, redirect=True)
        client = Client(other, version)
        assert not client.meet(server).trusted
        assert not client.meet(server).trusted
        assert client.resumed


@pytest.mark.parametrize("version", VERSIONS)
def test_time_runs_out_for_a_resumed_session(
    serve: Serve, shown: Shown, ca: str, version: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Later(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return datetime.now(tz) + timedelta(days=2)

    server = serve(Trust.written("chain", ca), redirect=True)
    client = Client(shown.good(not_after=datetime.now(UTC) + timedelta(days=1)), version)
    assert client.meet(server).trusted
    monkeypatch.setattr(mailaccess.net.trust, "datetime", Later)
    assert client.meet(server) == TLSPeer(trusted=False, fault="its certificate has expired")
    assert client.resumed


@pytest.mark.parametrize("version", VERSIONS)
def test_a_session_is_good_in_its_own_service_only(
    serve: Serve, shown: Shown, ca: str, tmp_path: Path, version: int
) -> None:
    elsewhere = str(write_authority(tmp_path, "elsewhere", trustme.CA()))
    client = Client(shown.good(), version)
    assert client.meet(serve(Trust.written("chain", ca), redirect=True)).trusted
    assert not client.meet(serve(Trust.written("chain", elsewhere), redirect=True)).trusted
    assert not client.resumed

    stranger = Client(None, version)
    stranger.meet(serve())
    with pytest.raises(SSL.Error, match="did not return a certificate"):
        stranger.meet(serve(Trust.written("chain", ca)))


@pytest.mark.parametrize("version", VERSIONS)
def test_no_session_outlives_the_authorities_it_began_with(
    serve: Serve, shown: Shown, root: trustme.CA, tmp_path: Path, version: int
) -> None:
    path = write_authority(tmp_path, "known", root)
    server = serve(Trust.written("chain", str(path)), redirect=True)
    client = Client(shown.good(), version)
    assert client.meet(server).trusted
    write_authority(tmp_path, "known", trustme.CA(), trustme.CA())
    assert server.certificates.reload_if_changed()
    assert not client.meet(server).trusted
    assert not client.resumed


@pytest.mark.parametrize("version", VERSIONS)
def test_clients_are_judged_alike_behind_each_certificate(
    issue: Issue, events: Remembered, shown: Shown, ca: str, version: int
) -> None:
    files, clock = [issue("a.example", file="a"), issue("b.example", file="b")], cast(Any, Clock())
    server = TunnelServerTLS(files, events, clock, clients=Trust.written("chain", ca), redirect=True)
    client, stranger = Client(shown.good(), version), Client(shown.foreign(), version)
    for name in ("a.example", "b.example", "b.example", "a.example"):
        assert client.meet(server, name).trusted
        assert not stranger.meet(server, name).trusted
    strict = TunnelServerTLS(files, events, clock, clients=Trust.written("chain", ca))
    for name in ("a.example", "b.example"):
        with pytest.raises(SSL.Error, match="no certificate authority"):
            Client(shown.foreign(), version).meet(strict, name)


def test_very_certificates_are_followed(serve: Serve, shown: Shown, tmp_path: Path) -> None:
    files, other = shown.good(), shown.good(file="other")
    known = tmp_path / "known.pem"
    known.write_bytes(files.certificate.read_bytes())
    server = serve(Trust.written("peer", str(known)), redirect=True)
    known.write_bytes(b"\n" + other.certificate.read_bytes())
    assert server.certificates.reload_if_changed()
    assert Client(other).meet(server).trusted
    assert not Client(files).meet(server).trusted


# -- what is shown and said


def names_of(client: Client) -> list[str]:
    assert client.shown is not None
    found = client.shown.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return found.get_values_for_type(x509.DNSName)


def test_certificates_by_the_names_that_routes_have(issue: Issue, events: Remembered, clock: Any) -> None:
    own, other = issue("a.example", "d.example", "y.c.example", file="a"), issue("b.example", file="b")
    server = TunnelServerTLS([own, other], events, clock, names={other: ["*.c.example", "d.example"]})
    client = Client()
    for name, certificate in (("y.c.example", "b"), ("d.example", "b"), ("b.example", "a"), ("a.example", "a")):
        client.session = None
        assert client.meet(server, name).server_name == name
        assert names_of(client)[0] == f"{certificate}.example"


def test_clients_are_told_whose_certificates_are_wanted(
    serve: Serve, shown: Shown, ca: str, root: trustme.CA, tmp_path: Path
) -> None:
    subject = x509.load_pem_x509_certificate(root.cert_pem.bytes()).subject
    client = Client(shown.good())
    client.meet(serve(Trust.written("chain", ca)))
    assert client.authorities == [subject]
    known = str(shown.good(file="known").certificate)
    client = Client(shown.good())
    client.meet(serve(Trust.written("peer", known), redirect=True))
    assert client.authorities == []


@pytest.mark.parametrize(
    ("offered", "chosen"), [([b"postgresql"], b"postgresql"), ([b"imap", b"postgresql"], b"postgresql"), ([b"h2"], b"")]
)
def test_the_protocol_is_chosen_where_it_is_offered(serve: Serve, offered: list[bytes], chosen: bytes) -> None:
    client = Client()
    client._context.set_alpn_protos(offered)
    ours, theirs = SSL.Connection(client._context, None), serve(protocol_name=b"postgresql").new_connection()
    ours.set_connect_state()
    shake_hands(ours, theirs)
    assert ours.get_alpn_proto_negotiated() == chosen


@pytest.mark.parametrize(
    ("name", "told"),
    [("Server.Example", "server.example"), ("a\nb", ""), ("a b", ""), ("a/../b", ""), ("x" * 254, ""), ("..", "")],
)
def test_the_name_that_a_client_asks_for_is_a_hosts(serve: Serve, name: str, told: str) -> None:
    assert Client().meet(serve(), name).server_name == told


# -- settings


def test_settings_hold_for_every_certificate(issue: Issue, events: Remembered, clock: Any) -> None:
    files = [issue("a.example", file="a"), issue("b.example", file="b")]
    server = TunnelServerTLS(files, events, clock, TLSSettings(tls_maximum="1.2"))
    for name in ("a.example", "b.example"):
        Client(version=SSL.TLS1_2_VERSION).meet(server, name)
        with pytest.raises(SSL.Error):
            Client(version=SSL.TLS1_3_VERSION).meet(server, name)


@pytest.mark.parametrize(
    ("trust", "redirect", "key"),
    [
        (Trust.written("chain"), False, "verify"),
        (Trust.written("full"), False, "verify"),
        (Trust(), True, "redirect"),
        (Trust.written("chain", "/nonexistent/ca.pem"), False, "ca"),
    ],
)
def test_what_cannot_be_is_said_at_the_start(serve: Serve, trust: Trust, redirect: bool, key: str) -> None:
    with pytest.raises(ConfigError) as caught:
        serve(trust, redirect=redirect)
    assert caught.value.key == key


def test_full_needs_names(serve: Serve, ca: str) -> None:
    with pytest.raises(ConfigError, match="clients have no host names"):
        serve(Trust.written("full", ca))
