import dataclasses
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import dsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from mailaccess.errors import ConfigError
from mailaccess.net.certificates import CertificateFiles, fingerprint
from tests.net.doubles import Issue


def test_a_fullchain_is_read_whole_with_its_names(issue: Issue) -> None:
    certified = issue("Mail.Example.org", "*.example.net").read()
    assert certified.names == ("mail.example.org", "*.example.net")
    assert [c.issuer for c in certified.chain[:-1]] == [c.subject for c in certified.chain[1:]]
    assert len(certified.chain) == 2


@pytest.mark.parametrize("key_type", list(trustme.KeyType))
def test_one_file_may_hold_both(issue: Issue, tmp_path: Path, key_type: trustme.KeyType) -> None:
    files = issue("mail.example.org", key_type=key_type)
    both = tmp_path / "both.pem"
    both.write_bytes(files.certificate.read_bytes() + files.private_key.read_bytes())
    certified = CertificateFiles(both, both).read()
    assert certified.names == ("mail.example.org",)
    assert len(certified.chain) == 2


def test_time_left(issue: Issue) -> None:
    certified = issue("mail.example.org").read()
    end = certified.leaf.not_valid_after_utc
    assert certified.time_left(end - timedelta(days=3)) == timedelta(days=3)
    assert certified.time_left(datetime.max.replace(tzinfo=UTC)) < timedelta()


def test_the_fingerprint_is_what_openssl_prints(issue: Issue) -> None:
    assert re.fullmatch("([0-9A-F]{2}:){31}[0-9A-F]{2}", fingerprint(issue("mail.example.org").read().leaf))


def test_stamps_tell_of_replacement_and_absence(issue: Issue) -> None:
    files = issue("mail.example.org")
    before = files.stamps()
    assert before == files.stamps()
    issue("mail.example.org")
    assert before != files.stamps()
    files.certificate.unlink()
    assert files.stamps()[0] is None


def wrong(files: CertificateFiles) -> ConfigError:
    with pytest.raises(ConfigError) as raised:
        files.read()
    assert "\n" not in str(raised.value)
    return raised.value


def test_a_missing_certificate(issue: Issue, tmp_path: Path) -> None:
    files = dataclasses.replace(issue("mail.example.org"), certificate=tmp_path / "none.pem", option="sni.certificate")
    error = wrong(files)
    assert error.key == "sni.certificate"
    assert error.value == str(tmp_path / "none.pem")
    assert "No such file" in error.allowed


@pytest.mark.parametrize(
    "content",
    [b"", b"hello\n", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", b"\0" * 100],
)
def test_what_is_no_certificate(issue: Issue, content: bytes) -> None:
    files = issue("mail.example.org")
    files.certificate.write_bytes(content)
    assert wrong(files).key == "--certificate"


def test_a_certificate_that_is_cut_short(issue: Issue) -> None:
    files = issue("mail.example.org")
    files.certificate.write_bytes(files.certificate.read_bytes()[:300])
    assert wrong(files).key == "--certificate"


def test_the_key_of_another_certificate(issue: Issue) -> None:
    files, other = issue("mail.example.org"), issue("mail.example.net", file="other")
    error = wrong(CertificateFiles(files.certificate, other.private_key))
    assert error.key == "--private-key"
    assert "another key" in error.allowed


def test_a_file_without_a_key(issue: Issue) -> None:
    files = issue("mail.example.org")
    error = wrong(CertificateFiles(files.certificate, files.certificate))
    assert error.key == "--private-key"


def test_a_damaged_key(issue: Issue) -> None:
    files = issue("mail.example.org")
    files.private_key.write_text("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")
    assert "cannot be read" in wrong(files).allowed


def test_a_key_with_a_passphrase(issue: Issue) -> None:
    files = issue("mail.example.org")
    key = load_pem_private_key(files.private_key.read_bytes(), None)
    locked = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"x"))
    files.private_key.write_bytes(locked)
    assert "passphrase" in wrong(files).allowed


def test_a_key_of_a_kind_that_tls_has_not(issue: Issue) -> None:
    files = issue("mail.example.org")
    key = dsa.generate_private_key(1024)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    files.private_key.write_bytes(pem)
    assert "RSA" in wrong(files).allowed


def test_a_certificate_without_names_serves_as_default_only(tmp_path: Path) -> None:
    authority = trustme.CA()
    files = CertificateFiles(tmp_path / "ca.pem", tmp_path / "ca-key.pem")
    authority.cert_pem.write_to_path(str(files.certificate))
    authority.private_key_pem.write_to_path(str(files.private_key))
    assert isinstance(files.read().leaf, x509.Certificate)
    assert files.read().names == ()
