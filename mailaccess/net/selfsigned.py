"""The certificate that a server without one makes for itself: clients can pin it, none trusts it unasked."""

import fcntl
import os
import secrets
import socket
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from mailaccess.errors import ConfigError
from mailaccess.net.certificates import CertificateFiles, CertifiedKey

VALID_DAYS = 365
"""With the hour below within the 366 days that Mozilla's intermediate profile and Apple's clients allow."""
_BACKDATED = timedelta(hours=1)  # for clients whose clocks are slow
RENEWED_BEFORE = timedelta(days=7)
LOCAL_NAMES = ("localhost", "127.0.0.1", "::1")
_COMMON_NAME_CHARACTERS = 64  # X.520's ub-common-name


def own_names() -> tuple[str, ...]:
    """The names that this host goes by, without asking the network."""
    return (socket.gethostname(), *LOCAL_NAMES)


def ensure_self_signed(files: CertificateFiles, names: Iterable[str] = (), now: datetime | None = None) -> CertifiedKey:
    """The certificate in ``files``; a new one where there is none, or it ends within a week, or it is damaged.

    For files of the server's own making only. ``ConfigError`` where they cannot be written.
    """
    now = now or datetime.now(UTC)
    try:
        with _alone(files.certificate.parent):
            return _ensured(files, names, now)
    except OSError as error:
        raise ConfigError(files.option, str(files.certificate), f"it cannot be written ({error.strerror})") from error


def _ensured(files: CertificateFiles, names: Iterable[str], now: datetime) -> CertifiedKey:
    try:
        certified = files.read()
    except ConfigError:
        pass
    else:
        if certified.time_left(now) > RENEWED_BEFORE:
            return certified
    make_self_signed(files.certificate, files.private_key, names, now)
    return files.read()


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """While no other process is: of two that begin at once, one would keep its key, the other its certificate."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def make_self_signed(
    certificate: Path, private_key: Path, names: Iterable[str] = (), now: datetime | None = None
) -> None:
    """Write a new ECDSA P-256 key (mode 0600) and its certificate, each atomically.

    It is good for ``names`` (hosts or addresses), the host's own name and the loopback addresses.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    signed = _sign(key, _general_names((*names, *own_names())), now or datetime.now(UTC))
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    _write(private_key, pem, 0o600)
    _write(certificate, signed.public_bytes(Encoding.PEM), 0o644)


def _sign(key: ec.EllipticCurvePrivateKey, names: list[x509.GeneralName], now: datetime) -> x509.Certificate:
    common = next((str(n.value) for n in names if len(str(n.value)) <= _COMMON_NAME_CHARACTERS), "mailaccess")
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _BACKDATED)
        .not_valid_after(now + timedelta(days=VALID_DAYS))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_KEY_USAGE, critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(identifier, critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier), critical=False)
        .sign(key, SHA256())
    )


_KEY_USAGE = x509.KeyUsage(
    digital_signature=True,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    key_cert_sign=False,
    crl_sign=False,
    encipher_only=False,
    decipher_only=False,
)


def _general_names(names: Iterable[str]) -> list[x509.GeneralName]:
    """Host names (as A-labels) and addresses; what is neither is left out."""
    general: dict[x509.GeneralName, None] = {}
    for name in filter(None, names):
        try:
            general[x509.IPAddress(ip_address(name))] = None
        except ValueError:
            try:
                general[x509.DNSName(name.encode("idna").decode().lower())] = None
            except ValueError:  # a host may call itself what no certificate can say
                continue
    return list(general)


def _write(path: Path, content: bytes, mode: int) -> None:
    """Replace ``path``: a reader sees the old file or the new one, and never one that others may read too early."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, path)
    except OSError:
        beside.unlink(missing_ok=True)
        raise
