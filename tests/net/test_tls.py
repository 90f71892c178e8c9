"""TLS on real connections: certificates by name, their renewal under open sessions, and what clients may offer."""

import gc
import os
import shutil
import ssl
import subprocess
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import trustme
from cryptography import x509
from twisted.internet.interfaces import IOpenSSLServerConnectionCreator
from twisted.internet.protocol import Protocol, ServerFactory
from twisted.internet.task import Clock
from zope.interface.verify import verifyObject

from mailaccess.errors import ConfigError
from mailaccess.net.certificates import CertificateFiles, fingerprint
from mailaccess.net.policy import Profile
from mailaccess.net.tls import TICKET_KEY_SECONDS, Certificates, ServerTLS, TLSFactory
from tests.net.doubles import Issue, Remembered
from tests.net.loopback import TLSClient, connect, reactor, talk, turn_until


class Echo(Protocol):
    """Greets as mail servers do, then says what it hears."""

    def connectionMade(self) -> None:
        assert self.transport is not None
        self.transport.write(b"hello\n")

    def dataReceived(self, data: bytes) -> None:
        assert self.transport is not None
        self.transport.write(data)


@contextmanager
def serving(certificates: Certificates, protocol_name: bytes | None = b"imap") -> Iterator[int]:
    factory = ServerFactory()
    factory.noisy = False
    factory.protocol = Echo
    tls = TLSFactory(ServerTLS(certificates, protocol_name), factory, reactor)
    port = reactor.listenTCP(0, tls, interface="127.0.0.1")
    try:
        yield port.getHost().port
    finally:
        stopped: list[object] = []
        port.stopListening().addBoth(stopped.append)
        turn_until(lambda: stopped)
        turn_until(lambda: not tls.protocols)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def make(events: Remembered, clock: Any) -> Callable[..., Certificates]:
    def certificates(*files: CertificateFiles, profile: Profile = Profile.INTERMEDIATE) -> Certificates:
        return Certificates(files, events, clock, profile)

    return certificates


def open_client(port: int, context: ssl.SSLContext, name: str) -> TLSClient:
    client = TLSClient(connect(port), context, name)
    assert client.read(6) == b"hello\n"
    return client


def shown(port: int, context: ssl.SSLContext, name: str) -> tuple[str, ...]:
    """The names in the certificate that a client sees that asks for ``name``."""

    def client() -> tuple[str, ...]:
        tls = open_client(port, context, name)
        certificate = tls.tls.getpeercert(True)
        tls.close()
        assert certificate is not None
        names = x509.load_der_x509_certificate(certificate).extensions.get_extension_for_class(
            x509.SubjectAlternativeName
        )
        return tuple(names.value.get_values_for_type(x509.DNSName))

    return talk(client)


def test_a_client_that_verifies_everything_is_served(
    make: Callable[..., Certificates], issue: Issue, trusting: ssl.SSLContext
) -> None:
    """With the chain: the client knows the root only."""
    with serving(make(issue("mail.example.org"))) as port:

        def client() -> bytes:
            tls = open_client(port, trusting, "mail.example.org")
            tls.write(b"a noop\r\n")
            heard = tls.read(8)
            tls.close()
            return heard

        assert talk(client) == b"a noop\r\n"


def test_the_creator_is_what_twisted_asks_for(make: Callable[..., Certificates], issue: Issue) -> None:
    assert verifyObject(IOpenSSLServerConnectionCreator, ServerTLS(make(issue("mail.example.org"))))


def test_certificates_by_name(make: Callable[..., Certificates], issue: Issue, trusting: ssl.SSLContext) -> None:
    certificates = make(
        issue("mail.example.org"),
        issue("*.example.net", "example.net", file="wild"),
        issue("imap.example.net", file="imap"),
    )
    trusting.check_hostname = False
    with serving(certificates) as port:
        assert shown(port, trusting, "mail.example.org") == ("mail.example.org",)
        assert shown(port, trusting, "MX.example.net") == ("*.example.net", "example.net")
        assert shown(port, trusting, "imap.example.net") == ("imap.example.net",)
        assert shown(port, trusting, "unknown.example") == ("mail.example.org",)


@pytest.mark.parametrize(
    ("offered", "chosen"),
    [(["imap"], "imap"), (["h2", "imap"], "imap"), (["pop3"], None), (["http/1.1"], None), ([], None)],
)
def test_clients_that_offer_protocols_are_served(
    make: Callable[..., Certificates], issue: Issue, trusting: ssl.SSLContext, offered: list[str], chosen: str | None
) -> None:
    certificates = make(issue("mail.example.org"), issue("other.example", file="other"))
    if offered:
        trusting.set_alpn_protocols(offered)
    with serving(certificates) as port:

        def client(name: str) -> str | None:
            tls = open_client(port, trusting, name)
            tls.close()
            return tls.tls.selected_alpn_protocol()

        assert talk(lambda: client("mail.example.org")) == chosen
        assert talk(lambda: client("other.example")) == chosen


def test_a_listener_without_a_protocol_name_chooses_none(
    make: Callable[..., Certificates], issue: Issue, trusting: ssl.SSLContext
) -> None:
    trusting.set_alpn_protocols(["imap"])
    with serving(make(issue("mail.example.org")), None) as port:
        client = talk(lambda: open_client(port, trusting, "mail.example.org"))
        assert client.tls.selected_alpn_protocol() is None
        client.close()


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_sessions_are_resumed(
    make: Callable[..., Certificates], issue: Issue, trusting: ssl.SSLContext, version: ssl.TLSVersion
) -> None:
    trusting.maximum_version = version
    with serving(make(issue("mail.example.org"))) as port:

        def client() -> bool:
            first = open_client(port, trusting, "mail.example.org")
            session = first.tls.session
            first.close()
            second = trusting.wrap_socket(connect(port), server_hostname="mail.example.org", session=session)
            assert second.recv(100) == b"hello\n"
            reused = bool(second.session_reused)
            second.close()
            return reused

        assert talk(client)


def test_renewed_files_are_for_new_connections_and_open_ones_live_on(
    make: Callable[..., Certificates], issue: Issue, trusting: ssl.SSLContext, clock: Any, events: Remembered
) -> None:
    certificates = make(issue("mail.example.org"))
    certificates.watch(10.0)
    with serving(certificates) as port:
        old = talk(lambda: open_client(port, trusting, "mail.example.org"))
        before = old.tls.getpeercert(True)
        renewed = issue("mail.example.org").read()
        clock.advance(10.0)

        def client() -> bytes | None:
            tls = open_client(port, trusting, "mail.example.org")
            tls.close()
            return tls.tls.getpeercert(True)

        after = talk(client)
        talk(lambda: old.write(b"still here\n"))
        assert talk(lambda: old.read(11)) == b"still here\n"
        old.close()
    certificates.unwatch()
    assert before != after
    assert after is not None
    assert x509.load_der_x509_certificate(after) == renewed.leaf == certificates.default.leaf
    assert events.events == [("certificate_loaded", {"fingerprint": fingerprint(renewed.leaf)})]
    assert not clock.getDelayedCalls()


def test_files_that_stay_are_not_read_again(make: Callable[..., Certificates], issue: Issue) -> None:
    certificates = make(issue("mail.example.org"))
    context = certificates.context()
    assert not certificates.reload_if_changed()
    assert certificates.context() is context


def test_a_new_key_that_comes_later_than_its_certificate_is_waited_for(
    make: Callable[..., Certificates], issue: Issue, events: Remembered, tmp_path: Path
) -> None:
    files = issue("mail.example.org")
    certificates = make(files)
    first = certificates.default
    other = issue("mail.example.org", file="other")
    shutil.copy(other.certificate, files.certificate)
    assert not certificates.reload_if_changed()
    assert not certificates.reload_if_changed()
    assert certificates.default is first
    assert events.names() == ["certificate_refused"]
    shutil.copy(other.private_key, files.private_key)
    assert certificates.reload_if_changed()
    assert certificates.default.leaf != first.leaf


def test_a_file_that_vanishes_leaves_the_old_certificate_in_force(
    make: Callable[..., Certificates], issue: Issue, events: Remembered, trusting: ssl.SSLContext
) -> None:
    files = issue("mail.example.org")
    certificates = make(files)
    files.certificate.unlink()
    with serving(certificates) as port:
        assert not certificates.reload()
        assert shown(port, trusting, "mail.example.org") == ("mail.example.org",)
    [(name, fields)] = events.events
    assert name == "certificate_refused"
    assert "No such file" in str(fields["reason"])


def test_one_broken_certificate_of_several_changes_none(make: Callable[..., Certificates], issue: Issue) -> None:
    first, second = issue("mail.example.org"), issue("other.example", file="other")
    certificates = make(first, second)
    before = certificates.default
    issue("mail.example.org")
    second.private_key.write_text("")
    assert not certificates.reload_if_changed()
    assert certificates.default is before


def test_ticket_keys_do_not_live_for_ever(make: Callable[..., Certificates], issue: Issue, clock: Any) -> None:
    certificates = make(issue("mail.example.org"))
    context = certificates.context()
    clock.advance(TICKET_KEY_SECONDS - 1)
    certificates.reload_if_changed()
    assert certificates.context() is context
    clock.advance(1)
    assert not certificates.reload_if_changed()
    assert certificates.context() is not context


def test_a_certificate_that_openssl_refuses_is_one_line(make: Callable[..., Certificates], tmp_path: Path) -> None:
    files = CertificateFiles(tmp_path / "weak.pem", tmp_path / "weak-key.pem")
    command = ["openssl", "req", "-x509", "-newkey", "rsa:512", "-nodes", "-subj", "/CN=weak", "-days", "2"]
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    made = subprocess.run(
        [*command, "-out", files.certificate, "-keyout", files.private_key], capture_output=True, check=False
    )
    if made.returncode:
        pytest.skip("this openssl makes no weak keys")
    with pytest.raises(ConfigError) as raised:
        make(files)
    assert raised.value.key == "--certificate"
    assert "ee key too small" in raised.value.allowed


@pytest.mark.parametrize(("days", "told"), [(-1, ["certificate_expired"]), (5, ["certificate_expires"]), (60, [])])
def test_the_end_of_a_certificate_is_told(
    make: Callable[..., Certificates], events: Remembered, tmp_path: Path, days: int, told: list[str]
) -> None:
    until = datetime.now(UTC) + timedelta(days=days)
    issued = trustme.CA().issue_cert("mail.example.org", not_before=until - timedelta(days=90), not_after=until)
    both = tmp_path / "both.pem"
    both.write_bytes(issued.private_key_and_cert_chain_pem.bytes())
    make(CertificateFiles(both, both))
    assert events.names() == told


def test_old_contexts_are_not_kept(make: Callable[..., Certificates], issue: Issue) -> None:
    certificates = make(issue("mail.example.org"), issue("other.example", file="other"))
    old = weakref.ref(certificates.context())
    issue("mail.example.org")
    assert certificates.reload_if_changed()
    gc.collect()
    assert old() is None


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
def test_openssl_sees_the_chain_and_the_profile(
    make: Callable[..., Certificates], issue: Issue, root: trustme.CA, tmp_path: Path
) -> None:
    root.cert_pem.write_to_path(str(tmp_path / "root.pem"))

    def s_client(port: int, *options: str) -> str:
        command = ["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-servername", "mail.example.org"]
        trust = ["-CAfile", str(tmp_path / "root.pem"), "-verify_return_error", "-showcerts"]
        done = subprocess.run(
            [*command, *trust, *options], input=b"", capture_output=True, check=False, timeout=30, env=os.environ
        )
        return (done.stdout + done.stderr).decode(errors="replace")

    with serving(make(issue("mail.example.org"))) as port:
        seen = talk(lambda: s_client(port, "-alpn", "h2,imap", "-groups", "X448:P-256"))
        refused = talk(lambda: s_client(port, "-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-SHA256"))
        old = talk(lambda: s_client(port, "-tls1_1", "-cipher", "ALL:@SECLEVEL=0"))
    assert seen.count("BEGIN CERTIFICATE") == 2
    assert "Verify return code: 0 (ok)" in seen
    assert "ALPN protocol: imap" in seen
    assert "P-256" in seen or "prime256v1" in seen
    assert "handshake failure" in refused
    assert "protocol version" in old


def test_a_handshake_that_fails_ends_the_connection_only(
    make: Callable[..., Certificates], issue: Issue, trusting: ssl.SSLContext
) -> None:
    with serving(make(issue("mail.example.org"))) as port:

        def nonsense() -> bytes:
            with connect(port) as wire:
                wire.sendall(b"a LOGIN joe secret\r\n")
                got = b""
                while chunk := wire.recv(100):
                    got += chunk
                return got

        assert b"hello" not in talk(nonsense)
        assert shown(port, trusting, "mail.example.org") == ("mail.example.org",)


def test_modern_refuses_tls_1_2(make: Callable[..., Certificates], issue: Issue, trusting: ssl.SSLContext) -> None:
    trusting.maximum_version = ssl.TLSVersion.TLSv1_2
    with serving(make(issue("mail.example.org"), profile=Profile.MODERN)) as port, pytest.raises(ssl.SSLError):
        talk(lambda: open_client(port, trusting, "mail.example.org"))
