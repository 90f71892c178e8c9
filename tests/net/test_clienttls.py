"""The client's side of a tunnel: who is talked to and who is not, over handshakes in memory."""

from base64 import b64encode
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
import trustme
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from OpenSSL import SSL
from twisted.internet.task import Clock

from mailaccess.errors import ConfigError
from mailaccess.net.certificates import CertificateFiles
from mailaccess.net.clienttls import ClientTLS
from mailaccess.net.policy import TLSSettings
from mailaccess.net.selfsigned import make_self_signed
from mailaccess.net.servertls import TunnelServerTLS
from mailaccess.net.trust import Trust
from mailaccess.ops.transport import openssl_reason
from mailaccess.tunnel.faults import TLSFailed
from mailaccess.tunnel.tlsside import TLSPeer
from tests.net.doubles import Remembered
from tests.net.handshakes import pass_on, shake_hands, write_authority, write_certificate

LONG_AGO = datetime.now(UTC) - timedelta(days=30)
YESTERDAY = datetime.now(UTC) - timedelta(days=1)

Make = Callable[..., ClientTLS]


@pytest.fixture
def clock() -> Any:
    return Clock()


@pytest.fixture
def ca(root: trustme.CA, tmp_path: Path) -> str:
    return str(write_authority(tmp_path, "ca", root))


@pytest.fixture
def serve(authority: trustme.CA, tmp_path: Path, events: Remembered, clock: Any) -> Callable[..., TunnelServerTLS]:
    """A server with a certificate for ``names``, or with these files."""

    def make(*names: str, files: CertificateFiles | None = None, **how: Any) -> TunnelServerTLS:
        issued = files or write_certificate(tmp_path, "server", authority.issue_cert(*names, **how))
        return TunnelServerTLS([issued], events, clock)

    return make


@pytest.fixture
def make(events: Remembered, clock: Any) -> Make:
    def client(trust: Trust, **how: Any) -> ClientTLS:
        return ClientTLS(trust, events, clock, **how)

    return client


def meet(client: ClientTLS, server: TunnelServerTLS, host: str = "mail.example.org") -> TLSPeer:
    """What the client thinks of the server after the handshake; ``SSL.Error`` where that ends."""
    side = client.to(host)
    ends = side.new_connection(), server.new_connection()
    shake_hands(*ends)
    return side.check(ends[0])


def pin_of(files: CertificateFiles) -> str:
    key = files.read().leaf.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return b64encode(sha256(key).digest()).decode()


def self_signed(folder: Path, *names: str, file: str = "self") -> CertificateFiles:
    files = CertificateFiles(folder / f"{file}.pem", folder / f"{file}-key.pem")
    make_self_signed(files.certificate, files.private_key, names)
    return files


# -- names


def test_a_server_that_is_who_it_must_be_is_trusted(make: Make, serve: Any, ca: str) -> None:
    peer = meet(make(Trust.written("full", ca)), serve("mail.example.org", common_name="The Mail"))
    assert peer.trusted
    assert peer.fields["CN"] == "The Mail"
    assert peer.fault == ""


@pytest.mark.parametrize(
    ("shown", "host"),
    [
        ("*.example.org", "mail.example.org"),
        ("mail.example.org", "MAIL.example.org."),
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8::7", "2001:DB8:0::7"),
        ("2001:db8::7", "[2001:db8::7]"),
        ("xn--bcher-kva.example", "bücher.example"),
        ("bücher.example", "xn--bcher-kva.example"),
    ],
)
def test_names_that_a_certificate_is_for(make: Make, serve: Any, ca: str, shown: str, host: str) -> None:
    assert meet(make(Trust.written("full", ca)), serve(shown), host).trusted


@pytest.mark.parametrize(
    ("shown", "host"),
    [
        ("mail.example.org", "localhost"),
        ("*.example.org", "example.org"),
        ("*.example.org", "a.mail.example.org"),
        ("mail.example.org", "192.0.2.7"),
        ("192.0.2.8", "192.0.2.7"),
        ("2001:db8::8", "2001:db8::7"),
        ("mail.example.org", "mail.example.org.evil.example"),
        ("xn--bcher-kva.example", "bucher.example"),
    ],
)
def test_names_that_it_is_not_for(make: Make, serve: Any, ca: str, shown: str, host: str) -> None:
    with pytest.raises(TLSFailed, match=f"its certificate is for .*, not for {host}$"):
        meet(make(Trust.written("full", ca)), serve(shown), host)


def test_the_reason_names_both(make: Make, serve: Any, ca: str) -> None:
    names = [f"{label}.example.org" for label in "abcde"]
    with pytest.raises(TLSFailed) as caught:
        meet(make(Trust.written("full", ca)), serve(*names), "localhost")
    assert str(caught.value) == (
        "its certificate is for a.example.org, b.example.org, c.example.org and 2 more, not for localhost"
    )


def test_a_common_name_is_no_hosts_name(make: Make, serve: Any, ca: str) -> None:
    with pytest.raises(TLSFailed, match=r"is for no host, not for mail\.example\.org$"):
        meet(make(Trust.written("full", ca)), serve(common_name="mail.example.org"))


def test_one_of_several_hosts_is_enough(make: Make, serve: Any, ca: str) -> None:
    trust = Trust.written("full", ca, ["imap.example.org", "MAIL.example.org"])
    assert meet(make(trust), serve("mail.example.org"), "127.0.0.1").trusted
    with pytest.raises(TLSFailed, match=r"not for imap\.example\.org or mail\.example\.org$"):
        meet(make(trust), serve("127.0.0.1"), "127.0.0.1")


def test_hosts_count_without_full_too(make: Make, serve: Any, ca: str) -> None:
    with pytest.raises(TLSFailed, match="not for imap"):
        meet(make(Trust.written("chain", ca, ["imap.example.org"])), serve("mail.example.org"))


def test_a_socket_of_this_machine_needs_a_name(make: Make, serve: Any, ca: str) -> None:
    with pytest.raises(ConfigError, match="host: '' is not possible"):
        make(Trust.written("full", ca)).to("")
    assert meet(make(Trust.written("full", ca, ["mail.example.org"])), serve("mail.example.org"), "").trusted


# -- chains


def test_without_names_the_chain_decides(make: Make, serve: Any, ca: str) -> None:
    assert meet(make(Trust.written("chain", ca)), serve("other.example")).trusted


def test_an_authority_that_is_not_known(make: Make, serve: Any, tmp_path: Path) -> None:
    other = str(write_authority(tmp_path, "other", trustme.CA()))
    for verify in ("chain", "full"):
        with pytest.raises(SSL.Error, match="no certificate authority that is trusted here signed"):
            meet(make(Trust.written(verify, other)), serve("mail.example.org"))


def test_a_certificate_that_has_expired(make: Make, serve: Any, ca: str) -> None:
    server = serve("mail.example.org", not_before=LONG_AGO, not_after=YESTERDAY)
    with pytest.raises(SSL.Error, match="its certificate has expired"):
        meet(make(Trust.written("full", ca)), server)


def test_a_certificate_that_signed_itself(make: Make, serve: Any, ca: str, tmp_path: Path) -> None:
    files = self_signed(tmp_path, "mail.example.org")
    with pytest.raises(SSL.Error, match="is self-signed, and not trusted here"):
        meet(make(Trust.written("full", ca)), serve(files=files))
    assert meet(make(Trust.written("full", str(files.certificate))), serve(files=files)).trusted


def test_the_server_learns_why(make: Make, serve: Any, tmp_path: Path) -> None:
    side = make(Trust.written("chain", str(write_authority(tmp_path, "other", trustme.CA())))).to("mail.example.org")
    client, server = side.new_connection(), serve("mail.example.org").new_connection()
    with pytest.raises(SSL.Error):
        shake_hands(client, server)
    server.bio_write(client.bio_read(65536))
    with pytest.raises(SSL.Error, match="unknown ca"):
        server.do_handshake()


def test_the_systems_authorities_are_the_default(
    make: Make, serve: Any, ca: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(SSL.Error, match="no certificate authority"):
        meet(make(Trust.written("full")), serve("mail.example.org"))
    monkeypatch.setenv("SSL_CERT_FILE", ca)
    assert meet(make(Trust.written("full")), serve("mail.example.org")).trusted


def test_a_directory_of_authorities(make: Make, serve: Any, root: trustme.CA, tmp_path: Path) -> None:
    folder = tmp_path / "authorities"
    folder.mkdir()
    (folder / "README").write_text("Put them here.")
    with pytest.raises(ConfigError, match="there is no certificate in PEM format in it"):
        make(Trust.written("full", str(folder)))
    write_authority(folder, "other", trustme.CA())
    write_authority(folder, "root", root)
    assert meet(make(Trust.written("full", str(folder))), serve("mail.example.org")).trusted


# -- the very certificate, and keys


@pytest.mark.parametrize("in_file", ["leaf", "leaf and root"])
def test_the_very_certificate(make: Make, serve: Any, root: trustme.CA, tmp_path: Path, in_file: str) -> None:
    server = serve("mail.example.org")
    leaf = server.certificates.default.leaf.public_bytes(Encoding.PEM)
    known = str(write_authority(tmp_path, "known", leaf, *[root] * (in_file != "leaf")))
    assert meet(make(Trust.written("peer", known)), server, "localhost").trusted


def test_another_certificate_of_the_same_authority(
    make: Make, serve: Any, root: trustme.CA, authority: trustme.CA, tmp_path: Path
) -> None:
    known = str(
        write_authority(tmp_path, "known", root, authority.issue_cert("mail.example.org").cert_chain_pems[0].bytes())
    )
    with pytest.raises(TLSFailed, match="is not one of those in"):
        meet(make(Trust.written("peer", known)), serve("mail.example.org"))


def test_the_very_certificate_after_its_time(make: Make, serve: Any, tmp_path: Path) -> None:
    server = serve("mail.example.org", not_before=LONG_AGO, not_after=YESTERDAY)
    known = str(write_authority(tmp_path, "known", server.certificates.default.leaf.public_bytes(Encoding.PEM)))
    with pytest.raises(SSL.Error, match="has expired"):
        meet(make(Trust.written("peer", known)), server)


@pytest.mark.parametrize("prefix", ["", "sha256//"])
def test_a_pin_alone_decides(make: Make, serve: Any, tmp_path: Path, prefix: str) -> None:
    files, other = self_signed(tmp_path), self_signed(tmp_path, file="other")
    trust = Trust.written("none", pin=[prefix + pin_of(other), prefix + pin_of(files)])
    assert meet(make(trust), serve(files=files)).trusted
    with pytest.raises(TLSFailed, match="its public key is not one of those that are pinned"):
        meet(make(Trust.written("none", pin=[prefix + pin_of(other)])), serve(files=files))


def test_a_pin_is_beside_all_else(make: Make, serve: Any, ca: str, tmp_path: Path) -> None:
    server = serve("mail.example.org")
    good = pin_of(CertificateFiles(tmp_path / "server.pem", tmp_path / "server-key.pem"))
    assert meet(make(Trust.written("full", ca, pin=[good])), server).trusted
    with pytest.raises(TLSFailed, match="not for localhost"):
        meet(make(Trust.written("full", ca, pin=[good])), server, "localhost")
    with pytest.raises(TLSFailed, match="pinned"):
        meet(make(Trust.written("full", ca, pin=[pin_of(self_signed(tmp_path))])), server)


def test_nothing_asked_is_nobody_trusted_and_logged_once(
    make: Make, serve: Any, events: Remembered, tmp_path: Path
) -> None:
    client = make(Trust.written("none"), service="pop3")
    warnings = [fields for name, fields in events.events if name == "tls_unverified"]
    assert warnings == [{"service": "pop3", "reason": "verify is none: any server is taken for the right one"}]
    server = serve(files=self_signed(tmp_path))
    assert meet(client, server) == TLSPeer(trusted=False)
    assert events.names().count("tls_unverified") == 1


def test_where_something_is_asked_nobody_is_warned(make: Make, events: Remembered, ca: str, tmp_path: Path) -> None:
    make(Trust.written("full", ca))
    make(Trust.written("none", pin=[pin_of(self_signed(tmp_path))]))
    assert "tls_unverified" not in events.names()


@pytest.mark.parametrize("verify", ["chain", "full"])
def test_a_server_without_certificate_is_refused(make: Make, ca: str, verify: str) -> None:
    anonymous = SSL.Context(SSL.TLS_SERVER_METHOD)
    anonymous.set_max_proto_version(SSL.TLS1_2_VERSION)
    anonymous.set_cipher_list(b"aNULL:@SECLEVEL=0")
    server = SSL.Connection(anonymous, None)
    server.set_accept_state()
    side = make(Trust.written(verify, ca), settings=TLSSettings(ciphers="aNULL:@SECLEVEL=0")).to("mail.example.org")
    client = side.new_connection()
    shake_hands(client, server)
    with pytest.raises(TLSFailed, match="it showed no certificate"):
        side.check(client)


# -- what the server sees


@pytest.mark.parametrize(
    ("host", "server_name", "asked"),
    [
        ("Mail.example.org.", "", "mail.example.org"),
        ("bücher.example", "", "xn--bcher-kva.example"),
        ("192.0.2.7", "", ""),
        ("::1", "", ""),
        ("[::1]", "", ""),
        ("fe80::1%lo", "", ""),
        ("", "", ""),
        ("192.0.2.7", "mail.example.org", "mail.example.org"),
    ],
)
def test_names_that_are_asked_for(make: Make, serve: Any, host: str, server_name: str, asked: str) -> None:
    server = serve("mail.example.org")
    client = make(Trust(), server_name=server_name).to(host).new_connection()
    other = server.new_connection()
    shake_hands(client, other)
    assert (other.get_servername() or b"").decode() == asked
    assert server.check(other).server_name == asked


def test_the_protocol_is_asked_for_where_it_has_a_name(make: Make, events: Remembered, clock: Any, issue: Any) -> None:
    server = TunnelServerTLS([issue("a.example")], events, clock, protocol_name=b"postgresql")
    for wanted, chosen in ((b"postgresql", b"postgresql"), (b"imap", b""), (None, b"")):
        client = make(Trust(), protocol_name=wanted).to("a.example").new_connection()
        shake_hands(client, server.new_connection())
        assert client.get_alpn_proto_negotiated() == chosen


def test_our_certificate_is_shown_and_followed(make: Make, events: Remembered, clock: Any, ca: str, issue: Any) -> None:
    server = TunnelServerTLS([issue("a.example")], events, clock, clients=Trust.written("chain", ca))

    def shown() -> TLSPeer:
        client, other = side.new_connection(), server.new_connection()
        shake_hands(client, other)
        return server.check(other)

    files = issue("joe@example.org", file="client")
    ours = make(Trust.written("full", ca), certificate=files)
    side = ours.to("a.example")
    assert shown().fields["EMAIL"] == "joe@example.org"
    assert not ours.reload_if_changed()
    issue("jane@example.org", file="client")
    assert shown().fields["EMAIL"] == "joe@example.org"
    assert ours.reload_if_changed()
    assert shown().fields["EMAIL"] == "jane@example.org"
    files.certificate.write_text("not a certificate")
    assert not ours.reload_if_changed()
    assert events.names()[-1] == "certificate_refused"
    assert shown().fields["EMAIL"] == "jane@example.org"


def test_authorities_are_followed(make: Make, serve: Any, root: trustme.CA, tmp_path: Path, clock: Any) -> None:
    path = write_authority(tmp_path, "known", trustme.CA())
    client = make(Trust.written("full", str(path)))
    client.watch(5.0)
    with pytest.raises(SSL.Error):
        meet(client, serve("mail.example.org"))
    write_authority(tmp_path, "known", trustme.CA(), root)
    clock.advance(5.0)
    assert meet(client, serve("mail.example.org")).trusted
    client.unwatch()


# -- settings


def test_versions_are_kept_to(make: Make, serve: Any) -> None:
    for written, version in (("1.2", SSL.TLS1_2_VERSION), ("1.3", SSL.TLS1_3_VERSION)):
        client = make(Trust(), settings=TLSSettings(written, written)).to("").new_connection()
        shake_hands(client, serve("a.example").new_connection())
        assert client.get_protocol_version() == version


def test_other_failures_keep_their_words(make: Make, events: Remembered, clock: Any, issue: Any) -> None:
    server = TunnelServerTLS([issue("a.example")], events, clock, TLSSettings(tls_maximum="1.2"))
    client = make(Trust.written("full"), settings=TLSSettings(tls_minimum="1.3")).to("a.example").new_connection()
    other = server.new_connection()
    with pytest.raises(SSL.Error):
        shake_hands(client, other)
    pass_on(other, client)
    with pytest.raises(SSL.Error) as caught:
        client.do_handshake()
    assert "alert protocol version" in openssl_reason(caught.value)


@pytest.mark.parametrize("server_name", ["no such name", "a..b", "-" * 64, "a/b"])
def test_names_that_cannot_be_asked_for(make: Make, server_name: str) -> None:
    with pytest.raises(ConfigError, match="server_name"):
        make(Trust(), server_name=server_name)
