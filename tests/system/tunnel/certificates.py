"""Certificates for the tests, in PEM files: one authority, a server, a client, and a stranger's."""

import base64
import hashlib
from dataclasses import dataclass
from pathlib import Path

import trustme
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat


@dataclass(frozen=True)
class Certificates:
    """Each file but ``ca`` has a certificate with its chain and its key."""

    folder: Path

    @property
    def ca(self) -> str:
        """The authority that vouches for the server and the client."""
        return str(self.folder / "ca.pem")

    @property
    def server(self) -> str:
        """Of ``localhost`` and ``127.0.0.1``; fetchmail wants a common name too."""
        return str(self.folder / "server.pem")

    @property
    def other(self) -> str:
        """Of ``other.example.org``, from the same authority."""
        return str(self.folder / "other.pem")

    @property
    def client(self) -> str:
        """Of the client ``joe``, from the same authority."""
        return str(self.folder / "client.pem")

    @property
    def stranger(self) -> str:
        """Of ``localhost``, from an authority that nobody trusts."""
        return str(self.folder / "stranger.pem")


def make(folder: Path) -> Certificates:
    """Make them all in ``folder``."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(folder / "ca.pem")
    issued = {
        "server": authority.issue_cert("localhost", "127.0.0.1", common_name="localhost"),
        "other": authority.issue_cert("other.example.org"),
        "client": authority.issue_cert("joe@example.org", common_name="joe"),
        "stranger": trustme.CA().issue_cert("localhost"),
    }
    for name, certificate in issued.items():
        certificate.private_key_and_cert_chain_pem.write_to_path(folder / f"{name}.pem")
    return Certificates(folder)


def pin(path: str) -> str:
    """The public key of a file's certificate as curl writes it: ``sha256//`` and the hash in base64."""
    certificate = x509.load_pem_x509_certificates(Path(path).read_bytes())[0]
    der = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return "sha256//" + base64.b64encode(hashlib.sha256(der).digest()).decode()
