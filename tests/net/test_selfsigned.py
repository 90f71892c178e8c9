import fcntl
import os
import ssl
import stat
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

from mailaccess.errors import ConfigError
from mailaccess.net import selfsigned
from mailaccess.net.certificates import CertificateFiles
from mailaccess.net.selfsigned import ensure_self_signed, make_self_signed

NOW = datetime(2026, 5, 4, 3, 2, 1, tzinfo=UTC)


@pytest.fixture
def files(tmp_path: Path) -> CertificateFiles:
    return CertificateFiles(tmp_path / "state" / "certificate.pem", tmp_path / "state" / "private-key.pem")


def test_what_it_is(files: CertificateFiles) -> None:
    make_self_signed(files.certificate, files.private_key, ["Mail.Example.org", "bücher.example", "192.0.2.1"], NOW)
    certified = files.read()
    assert isinstance(certified.key, EllipticCurvePrivateKey)
    assert certified.key.curve.name == "secp256r1"
    assert {"mail.example.org", "xn--bcher-kva.example", "localhost", os.uname().nodename.lower()} <= {*certified.names}
    names = certified.leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    addresses = names.get_values_for_type(x509.IPAddress)
    assert addresses == [ip_address("192.0.2.1"), ip_address("127.0.0.1"), ip_address("::1")]
    valid = certified.leaf.not_valid_after_utc - certified.leaf.not_valid_before_utc
    assert timedelta(days=360) < valid <= timedelta(days=366)
    assert certified.leaf.not_valid_before_utc < NOW < certified.leaf.not_valid_after_utc


def test_nobody_else_reads_the_key_and_nothing_is_left_beside_it(files: CertificateFiles) -> None:
    make_self_signed(files.certificate, files.private_key)
    assert stat.S_IMODE(files.private_key.stat().st_mode) == 0o600
    assert stat.S_IMODE(files.certificate.parent.stat().st_mode) == 0o700
    assert {path.name for path in files.certificate.parent.iterdir()} == {"certificate.pem", "private-key.pem"}


def test_names_that_no_certificate_can_say_are_left_out(files: CertificateFiles) -> None:
    make_self_signed(files.certificate, files.private_key, ["x" * 64 + ".example", "", "a" * 60 + ".b" * 20], NOW)
    assert "a" * 60 + ".b" * 20 in files.read().names
    assert not any(name.startswith("xxx") for name in files.read().names)


def test_a_strict_client_that_pins_it_is_content(files: CertificateFiles) -> None:
    make_self_signed(files.certificate, files.private_key)
    client = ssl.create_default_context(cafile=str(files.certificate))
    client.verify_flags |= ssl.VERIFY_X509_STRICT
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(files.certificate, files.private_key)
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = [
        client.wrap_bio(to_client, to_server, server_hostname="localhost"),
        server.wrap_bio(to_server, to_client, server_side=True),
    ]
    for turn in range(6):
        try:
            ends[turn % 2].do_handshake()
        except ssl.SSLWantReadError:
            continue
    assert ends[0].getpeercert()


def test_it_is_kept_while_it_is_good(files: CertificateFiles) -> None:
    first = ensure_self_signed(files, now=NOW)
    assert ensure_self_signed(files, now=NOW + timedelta(days=350)).leaf == first.leaf
    assert ensure_self_signed(files, now=NOW + timedelta(days=360)).leaf != first.leaf


def test_a_damaged_pair_is_made_anew(files: CertificateFiles) -> None:
    first = ensure_self_signed(files, now=NOW)
    files.private_key.write_text("")
    second = ensure_self_signed(files, now=NOW)
    assert second.leaf != first.leaf
    assert files.read().leaf == second.leaf


def test_a_place_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file where the folder should be")
    with pytest.raises(ConfigError, match="cannot be written"):
        ensure_self_signed(CertificateFiles(tmp_path / "state" / "c.pem", tmp_path / "state" / "k.pem"))


def test_a_failed_write_leaves_nothing(files: CertificateFiles) -> None:
    files.private_key.mkdir(parents=True)
    with pytest.raises(ConfigError, match="cannot be written"):
        ensure_self_signed(files)
    assert [path.name for path in files.private_key.parent.iterdir()] == ["private-key.pem"]


def test_it_is_made_while_no_other_process_makes_one(files: CertificateFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    tried = []

    def watched(*given: Any) -> None:
        other = os.open(files.certificate.parent, os.O_RDONLY)
        with pytest.raises(BlockingIOError):
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.close(other)
        tried.append(given)
        make_self_signed(*given)

    monkeypatch.setattr(selfsigned, "make_self_signed", watched)
    made = ensure_self_signed(files)
    assert len(tried) == 1
    assert ensure_self_signed(files).leaf == made.leaf  # the lock was let go
