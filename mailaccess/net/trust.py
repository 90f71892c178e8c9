"""Who is trusted at the other end of a tunnel: authorities, host names, very certificates, public keys.

1. What OpenSSL finds wrong with a chain ends the handshake, and the peer learns why from the alert; where clients
   are redirected, it goes on, and what was found stays known to the connection and to the sessions resumed from it.
2. :meth:`Judge.judge` looks at all of it once more after every handshake, resumed or not: names and pins too, and
   whether the time has run out since the session began. Nothing is said before.
3. What asks for nothing (``Trust()``) trusts nobody.
"""

from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from hashlib import sha256
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from OpenSSL import SSL
from OpenSSL.crypto import X509StoreFlags
from service_identity import CertificateError, VerificationError
from service_identity.cryptography import verify_certificate_hostname, verify_certificate_ip_address

from mailaccess.errors import ConfigError
from mailaccess.net.authorities import Authorities, look
from mailaccess.net.hostnames import address_of, reference_name
from mailaccess.net.peers import (
    NO_HOST,
    UNREADABLE,
    WordyConnection,
    chain_fault,
    fields_of,
    names_in,
    peer_certificate,
    plain,
    public_key_pin,
)
from mailaccess.tunnel.faults import TLSFailed

_PIN_PREFIX = "sha256//"  # curl's --pinnedpubkey and RFC 7469's pin-sha256, which has none


class Verify(StrEnum):
    """What must be good of the other side's certificate."""

    NONE = "none"
    CHAIN = "chain"
    """It comes from an authority that is trusted."""
    FULL = "full"
    """And it is for one of the host names."""
    PEER = "peer"
    """It is itself in the file of authorities (stunnel's ``verifyPeer``), and valid now."""


@dataclass(frozen=True, slots=True)
class Trust:
    """The rules. ``written`` makes them of what an operator wrote."""

    verify: Verify = Verify.NONE
    ca: Path | None = None
    """PEM file, or a directory of some; None: the system's."""

    hosts: tuple[str, ...] = ()
    """Names or addresses, one of which the certificate must be for, beside all else."""

    pins: frozenset[bytes] = frozenset()
    """SHA-256 of public keys (SubjectPublicKeyInfo), one of which the certificate must have; beside all else."""

    @classmethod
    def written(cls, verify: str, ca: str = "", host: Sequence[str] = (), pin: Sequence[str] = ()) -> "Trust":
        """From the keys of a tunnel. ``ConfigError``."""
        if verify == Verify.PEER and not ca:
            raise ConfigError("verify", verify, "the file ca, with the certificate in it, is needed")
        for key, given in (("ca", ca), ("host", " ".join(host))):
            if given and verify == Verify.NONE:
                raise ConfigError(key, given, "verify is none, so it would not be looked at")
        names = tuple(reference_name("host", name) for name in host)
        return cls(Verify(verify), Path(ca) if ca else None, names, frozenset(map(_read_pin, pin)))

    def look(self) -> object:
        """How the files of authorities are now, for who follows them."""
        return self.ca and look(self.ca)

    @property
    def asks(self) -> bool:
        """Whether anything is asked of the other side."""
        return self.verify is not Verify.NONE or bool(self.pins)


class Judge:
    """Rules, with the authorities as their files were when it was made: for one generation of contexts.

    Everything raises ``ConfigError`` where those files cannot be read.
    """

    def __init__(self, trust: Trust) -> None:
        self.trust = trust
        self._authorities = Authorities.find(trust.ca) if trust.ca and trust.verify is not Verify.NONE else None
        self._very = frozenset[bytes]()
        if trust.verify is Verify.PEER:
            self._very = frozenset(_digest(one) for one in self.authorities())

    def authorities(self) -> list[x509.Certificate]:
        """The certificates in the operator's files."""
        return self._authorities.certificates() if self._authorities is not None else []

    def apply(self, context: SSL.Context, mode: int, *, go_on: bool = False) -> None:
        """Have ``context``, not used yet, verify chains; with ``go_on`` a bad one does not end the handshake."""
        self._prepare_store(context)
        if go_on or self.trust.verify is Verify.NONE:
            SSL._lib.SSL_CTX_set_verify(context._context, mode, _go_on)  # type: ignore[attr-defined]
        else:
            context.set_verify(mode)

    def judge(self, connection: SSL.Connection, target: str = "") -> dict[str, str]:
        """The fields of the peer's certificate, which is good; ``TLSFailed`` where it is not, or there is none.

        ``target`` is the host that it is for with ``full`` where the rules name none. Called after the handshake.
        """
        try:
            certificate = peer_certificate(connection)
            if certificate is None:
                raise TLSFailed("it showed no certificate")
            self._judge(connection, certificate)
            self._judge_names(certificate, target)
            return fields_of(certificate)
        except (*UNREADABLE, CertificateError) as error:
            raise TLSFailed(f"its certificate cannot be read: {plain(str(error))}") from error

    def _judge(self, connection: SSL.Connection, certificate: x509.Certificate) -> None:
        if self.trust.verify is not Verify.NONE:
            fault = chain_fault(connection)
            if fault:
                raise TLSFailed(fault)
            if certificate.not_valid_after_utc < datetime.now(UTC):  # since the session began that was resumed
                raise TLSFailed("its certificate has expired")
        if self.trust.verify is Verify.PEER and _digest(certificate) not in self._very:
            raise TLSFailed(f"its certificate is not one of those in {self.trust.ca}")
        if self.trust.pins and public_key_pin(certificate) not in self.trust.pins:
            raise TLSFailed("its public key is not one of those that are pinned")

    def _judge_names(self, certificate: x509.Certificate, target: str) -> None:
        hosts = self.trust.hosts or ((target,) if self.trust.verify is Verify.FULL else ())
        if not hosts:
            return
        names = names_in(certificate)
        if names == NO_HOST or not any(_is_for(certificate, host) for host in hosts):
            raise TLSFailed(f"its certificate is for {names}, not for {' or '.join(hosts)}")

    def _prepare_store(self, context: SSL.Context) -> None:
        if self.trust.verify is Verify.NONE:
            return
        if self._authorities is None:
            context.set_default_verify_paths()
        else:
            self._authorities.load_into(context)
        store = context.get_cert_store()
        if self.trust.verify is Verify.PEER and store is not None:
            store.set_flags(X509StoreFlags.PARTIAL_CHAIN)  # it vouches for itself, whoever signed it


def _is_for(certificate: x509.Certificate, host: str) -> bool:
    verify = verify_certificate_ip_address if address_of(host) else verify_certificate_hostname
    try:
        verify(certificate, host)
    except VerificationError:
        return False
    return True


def _read_pin(written: str) -> bytes:
    try:
        digest = b64decode(written.removeprefix(_PIN_PREFIX), validate=True)
    except (Base64Error, ValueError):
        digest = b""
    if len(digest) != sha256().digest_size:
        raise ConfigError("pin", written, "the SHA-256 of a public key in base64 is needed (sha256//…=)")
    return digest


def _digest(certificate: x509.Certificate) -> bytes:
    return sha256(certificate.public_bytes(Encoding.DER)).digest()


@SSL._ffi.callback("int(int, X509_STORE_CTX *)")  # type: ignore[attr-defined, untyped-decorator]
def _go_on(good: int, store: object) -> int:
    """Go on whatever was found, and leave it known: pyOpenSSL's own callbacks wipe it when they go on."""
    return 1


class JudgedConnection(WordyConnection):
    """A connection that keeps to the judge it began with, when others come into force."""

    judge: Judge
