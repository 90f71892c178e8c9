"""What a certificate says of the one who shows it, in words for the log and for the environment of programs.

All of it was chosen by somebody else: values are one line each, of printable characters, and not long.
"""

import re
from collections.abc import Iterator
from datetime import datetime
from hashlib import sha256

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID
from OpenSSL import SSL

from mailaccess.net.certificates import fingerprint
from mailaccess.ops.transport import openssl_reason

VALUE_CHARACTERS = 1024
"""Longer values are cut: a program's environment has bounds, and an attacker fills what has none."""

NO_HOST = "no host"

_NAMES_TOLD = 3  # of a certificate with a hundred names, in one line of the log
_HOST_NAME = re.compile(rb"[a-z0-9_-]+(\.[a-z0-9_-]+)*")
_HOST_NAME_OCTETS = 253
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

_UNKNOWN_ISSUER = "no certificate authority that is trusted here signed its certificate"
_WORDS = {
    2: _UNKNOWN_ISSUER,  # X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT
    10: "its certificate has expired",
    9: "its certificate is not valid yet",
    18: "its certificate is self-signed, and not trusted here",
    19: _UNKNOWN_ISSUER,  # X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN
    20: _UNKNOWN_ISSUER,  # X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY
    21: _UNKNOWN_ISSUER,  # X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE
    26: "its certificate is for another purpose",
}
"""OpenSSL's numbers (``x509_vfy.h``, which never change) for what operators meet. It has words for all others."""

UNREADABLE = (
    ValueError,
    UnsupportedAlgorithm,
    x509.DuplicateExtension,
    x509.InvalidVersion,
    x509.UnsupportedGeneralNameType,
)
"""What every function here that is given a certificate raises where OpenSSL took what cryptography cannot read."""


def chain_fault(connection: SSL.Connection) -> str:
    """What OpenSSL found wrong with the peer's chain, in a few words; empty where nothing.

    Of a session that was resumed it is what was found when it began (RFC 8446 §2.2).
    """
    code: int = SSL._lib.SSL_get_verify_result(connection._ssl)  # type: ignore[attr-defined]
    if code == 0:
        return ""
    return _WORDS.get(code) or SSL._ffi.string(SSL._lib.X509_verify_cert_error_string(code)).decode()  # type: ignore[attr-defined]


class WordyConnection(SSL.Connection):
    """A connection whose handshake fails with OpenSSL's reason for refusing a certificate, as its last word."""

    def do_handshake(self) -> None:
        """Go on with the handshake. ``SSL.WantReadError`` where octets are awaited, ``SSL.Error``."""
        try:
            super().do_handshake()
        except SSL.WantReadError:
            raise
        except SSL.Error as error:
            if openssl_reason(error) != "certificate verify failed":
                raise
            raise SSL.Error([*error.args[0], ("X509", "", chain_fault(self))]) from error


def peer_certificate(connection: SSL.Connection) -> x509.Certificate | None:
    """The certificate that the peer showed. ``UNREADABLE``."""
    return connection.get_peer_certificate(as_cryptography=True)


def asked_name(connection: SSL.Connection) -> str:
    """The host that a client asks for (RFC 6066 §3), in lower case; empty where it is none, or not a host's name."""
    name = (connection.get_servername() or b"").lower().rstrip(b".")
    if len(name) > _HOST_NAME_OCTETS or not _HOST_NAME.fullmatch(name):
        return ""
    return name.decode()


def names_in(certificate: x509.Certificate) -> str:
    """The hosts and addresses that a certificate is for, in words; ``NO_HOST`` for none. ``UNREADABLE``."""
    names = list(_names(certificate))
    if not names:
        return NO_HOST
    more = [f"{len(names) - _NAMES_TOLD} more"] if len(names) > _NAMES_TOLD else []
    return " and ".join(plain(part) for part in [", ".join(names[:_NAMES_TOLD]), *more])


def fields_of(certificate: x509.Certificate) -> dict[str, str]:
    """A certificate as programs get it, under mod_ssl's names without its prefix. ``UNREADABLE``.

    DN and I_DN (RFC 4514), CN and EMAIL where there are some, SERIAL (hexadecimal), V_START and V_END (times as OpenSSL
    writes them), FINGERPRINT (SHA-256).
    """
    return {key: plain(value) for key, value in _fields(certificate) if value}


def public_key_pin(certificate: x509.Certificate) -> bytes:
    """SHA-256 of its SubjectPublicKeyInfo (RFC 7469 §2.4). ``UNREADABLE``."""
    key = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return sha256(key).digest()


def _fields(certificate: x509.Certificate) -> Iterator[tuple[str, str]]:
    subject = certificate.subject
    yield "DN", subject.rfc4514_string()
    yield "I_DN", certificate.issuer.rfc4514_string()
    yield "CN", _first(subject, NameOID.COMMON_NAME)
    yield "EMAIL", _email(certificate) or _first(subject, NameOID.EMAIL_ADDRESS)
    yield "SERIAL", _hexadecimal(certificate.serial_number)
    yield "V_START", _time(certificate.not_valid_before_utc)
    yield "V_END", _time(certificate.not_valid_after_utc)
    yield "FINGERPRINT", fingerprint(certificate)


def _first(subject: x509.Name, kind: x509.ObjectIdentifier) -> str:
    found = subject.get_attributes_for_oid(kind)
    return str(found[0].value) if found else ""


def _alternatives(certificate: x509.Certificate) -> x509.SubjectAlternativeName | None:
    try:
        return certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return None


def _names(certificate: x509.Certificate) -> Iterator[str]:
    found = _alternatives(certificate)
    if found is not None:
        yield from found.get_values_for_type(x509.DNSName)
        yield from map(str, found.get_values_for_type(x509.IPAddress))


def _email(certificate: x509.Certificate) -> str:
    found = _alternatives(certificate)
    addresses = found.get_values_for_type(x509.RFC822Name) if found is not None else []
    return addresses[0] if addresses else ""


def _hexadecimal(number: int) -> str:
    """Whole octets, as OpenSSL writes serial numbers."""
    digits = f"{abs(number):X}"
    return "-" * (number < 0) + digits.zfill(len(digits) + len(digits) % 2)


def _time(moment: datetime) -> str:
    """``Nov  6 09:05:00 2026 GMT``: ``strftime`` would speak the operator's language."""
    return f"{_MONTHS[moment.month - 1]} {moment.day:2} {moment:%H:%M:%S} {moment.year:04} GMT"


def plain(text: str) -> str:
    """``text`` as it may stand in a log or an environment."""
    return "".join(c if c.isprintable() else "?" for c in text[:VALUE_CHARACTERS])
