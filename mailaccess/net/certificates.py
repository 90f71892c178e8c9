"""A server's certificate as one value: the chain, the key, and the names it is good for."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ed448 import Ed448PrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from mailaccess.errors import ConfigError

PrivateKey = RSAPrivateKey | EllipticCurvePrivateKey | Ed25519PrivateKey | Ed448PrivateKey
_KINDS = (RSAPrivateKey, EllipticCurvePrivateKey, Ed25519PrivateKey, Ed448PrivateKey)

Stamp = tuple[int, int, int]
"""What changes when a file is replaced or written: modification time in ns, size in octets, inode."""

_KEY = re.compile(rb"-----BEGIN ([A-Z ]*PRIVATE KEY)-----.*?-----END \1-----", re.DOTALL)
_FILE_BYTES = 1 << 20  # a chain has a few KiB: this guards against a path that names something else


@dataclass(frozen=True, slots=True)
class CertificateFiles:
    """Where a certificate lies, and what the two places are called in the configuration.

    Both paths may name the same file.
    """

    certificate: Path
    private_key: Path
    option: str = "--certificate"
    key_option: str = "--private-key"

    def stamps(self) -> tuple[Stamp | None, Stamp | None]:
        """How both files are now; None for one that cannot be looked at."""
        return stamp(self.certificate), stamp(self.private_key)

    def read(self) -> "CertifiedKey":
        """Both files as one value. ``ConfigError`` in one line for whatever is wrong with them."""
        chain = _read_chain(self.option, self.certificate)
        key = _read_key(self.key_option, self.private_key)
        if key.public_key() != chain[0].public_key():
            reason = f"{self.certificate} begins with the certificate of another key"
            raise ConfigError(self.key_option, str(self.private_key), reason)
        return CertifiedKey(chain, key)


@dataclass(frozen=True, slots=True)
class CertifiedKey:
    """A private key, its certificate, and the certificates that lead from there towards a root."""

    chain: tuple[x509.Certificate, ...]
    key: PrivateKey

    @property
    def leaf(self) -> x509.Certificate:
        """The server's own certificate."""
        return self.chain[0]

    @property
    def names(self) -> tuple[str, ...]:
        """The host names it is good for, as A-labels in lower case; some may begin with ``*.`` (RFC 6125 §6.4.3)."""
        try:
            names = self.leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        except x509.ExtensionNotFound:
            return ()
        return tuple(name.lower() for name in names.get_values_for_type(x509.DNSName))

    def time_left(self, now: datetime) -> timedelta:
        """How long it stays valid after ``now`` (aware); negative where it has expired."""
        return self.leaf.not_valid_after_utc - now


def fingerprint(certificate: x509.Certificate) -> str:
    """SHA-256 of the certificate, as ``openssl x509 -fingerprint -sha256`` writes it: ``AB:CD:…``."""
    return certificate.fingerprint(SHA256()).hex(":").upper()


def stamp(path: Path) -> Stamp | None:
    """How a file is now; None where it cannot be looked at."""
    try:
        status = path.stat()
    except OSError:  # gone for the moment of a replacement, or for ever: reading it says which
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino


def _read(option: str, path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_FILE_BYTES)
    except OSError as error:
        raise ConfigError(option, str(path), f"the file cannot be read ({error.strerror})") from error


def _read_chain(option: str, path: Path) -> tuple[x509.Certificate, ...]:
    try:
        chain = tuple(x509.load_pem_x509_certificates(_read(option, path)))
        for certificate in chain:
            certificate.public_key()
            _ = certificate.extensions
    except (ValueError, UnsupportedAlgorithm) as error:
        raise ConfigError(option, str(path), "a PEM file with the certificate and then its chain is needed") from error
    return chain


def _read_key(option: str, path: Path) -> PrivateKey:
    found = _KEY.search(_read(option, path))
    if found is None:
        raise ConfigError(option, str(path), "there is no private key in PEM format in it")
    try:
        key = load_pem_private_key(found.group() + b"\n", None)
    except TypeError as error:
        raise ConfigError(option, str(path), "a key without a passphrase is needed") from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise ConfigError(option, str(path), "the private key in it cannot be read") from error
    if not isinstance(key, _KINDS):
        raise ConfigError(option, str(path), "an RSA, ECDSA or EdDSA key is needed")
    return key
