"""Files of authorities, good and bad."""

from pathlib import Path

import pytest
import trustme
from cryptography import x509
from OpenSSL import SSL

from mailaccess.errors import ConfigError
from mailaccess.net.authorities import Authorities, look
from tests.net.handshakes import write_authority


def certificate(authority: trustme.CA) -> x509.Certificate:
    return x509.load_pem_x509_certificate(authority.cert_pem.bytes())


def test_a_file_of_several(tmp_path: Path) -> None:
    first, second = trustme.CA(), trustme.CA()
    found = Authorities.find(write_authority(tmp_path, "ca", first, second))
    assert found.certificates() == [certificate(first), certificate(second)]


def test_a_directory_has_other_files_too(tmp_path: Path) -> None:
    first, second = trustme.CA(), trustme.CA()
    write_authority(tmp_path, "a", first)
    write_authority(tmp_path, "b", second)
    (tmp_path / "README").write_text("Put them here.")
    (tmp_path / "ca.key").write_bytes(first.private_key_pem.bytes())
    (tmp_path / "folder").mkdir()
    found = Authorities.find(tmp_path)
    assert found.certificates() == [certificate(first), certificate(second)]
    found.load_into(SSL.Context(SSL.TLS_METHOD))


@pytest.mark.parametrize("content", ["", "Put them here.", "-----BEGIN PRIVATE KEY-----\nAAAA\n"])
def test_where_there_are_none(tmp_path: Path, content: str) -> None:
    (tmp_path / "ca.pem").write_text(content)
    for place in (tmp_path, tmp_path / "ca.pem"):
        with pytest.raises(ConfigError, match="there is no certificate in PEM format in it") as caught:
            Authorities.find(place)
        assert (caught.value.key, caught.value.value) == ("ca", str(place))


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="No such file"):
        Authorities.find(tmp_path / "ca.pem")


def test_a_file_that_is_damaged(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    found = Authorities.find(tmp_path / "ca.pem")
    with pytest.raises(ConfigError, match="no certificate"):
        found.load_into(SSL.Context(SSL.TLS_METHOD))
    with pytest.raises(ConfigError, match="no certificate"):
        found.certificates()


def test_changes_are_seen(tmp_path: Path) -> None:
    path = write_authority(tmp_path, "ca", trustme.CA())
    for place in (path, tmp_path):
        before = look(place)
        assert look(place) == before
        write_authority(tmp_path, "ca", trustme.CA(), trustme.CA())
        assert look(place) != before
    before = look(tmp_path)
    write_authority(tmp_path, "other", trustme.CA())
    assert look(tmp_path) != before
    before = look(path)
    path.unlink()
    assert look(path) != before
