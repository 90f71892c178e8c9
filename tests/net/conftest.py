"""Certificates of a test authority, and who trusts it."""

import ssl
from pathlib import Path

import pytest
import trustme

from mailaccess.net.certificates import CertificateFiles
from tests.net.doubles import Issue, Remembered


@pytest.fixture
def events() -> Remembered:
    return Remembered()


@pytest.fixture(scope="session")
def root() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="session")
def authority(root: trustme.CA) -> trustme.CA:
    """An intermediate authority, so that a chain is needed."""
    return root.create_child_ca()


@pytest.fixture
def trusting(root: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context()
    root.configure_trust(context)
    return context


@pytest.fixture
def issue(authority: trustme.CA, tmp_path: Path) -> Issue:
    """Writes a certificate for ``names`` with its chain, and its key, to files that may exist already."""

    def write(*names: str, file: str = "server", key_type: trustme.KeyType = trustme.KeyType.ECDSA) -> CertificateFiles:
        issued = authority.issue_cert(*names, key_type=key_type)
        files = CertificateFiles(tmp_path / f"{file}.pem", tmp_path / f"{file}-key.pem")
        for path, content in (
            (files.certificate, b"".join(part.bytes() for part in issued.cert_chain_pems)),
            (files.private_key, issued.private_key_pem.bytes()),
        ):
            beside = path.with_suffix(".new")
            beside.write_bytes(content)
            beside.replace(path)
        return files

    return write
