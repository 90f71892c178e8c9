"""What certificates say of who shows them, hostile ones too."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from ipaddress import ip_address

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from mailaccess.net.certificates import fingerprint
from mailaccess.net.peers import (
    NO_HOST,
    UNREADABLE,
    VALUE_CHARACTERS,
    fields_of,
    names_in,
    plain,
    public_key_pin,
)

KEY = ec.generate_private_key(ec.SECP256R1())


def certificate(
    *subject: tuple[x509.ObjectIdentifier, str],
    alternatives: Sequence[x509.GeneralName] = (),
    serial: int = 1,
    start: datetime = datetime(2026, 2, 6, 9, 5, tzinfo=UTC),
) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(kind, value, _validate=False) for kind, value in subject])
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Example, Inc.")]))
        .public_key(KEY.public_key())
        .serial_number(serial)
        .not_valid_before(start)
        .not_valid_after(datetime(2049, 12, 31, 23, 59, 59, tzinfo=UTC))
    )
    if alternatives:
        builder = builder.add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
    return builder.sign(KEY, SHA256())


FULL = certificate(
    (NameOID.COMMON_NAME, "a.example"),
    alternatives=[
        x509.DNSName("a.example"),
        x509.RFC822Name("joe@example.org"),
        x509.IPAddress(ip_address("192.0.2.7")),
    ],
)


def test_the_fields_of_a_certificate() -> None:
    shown = certificate(
        (NameOID.COUNTRY_NAME, "AT"),
        (NameOID.COMMON_NAME, "Jö, the Client"),
        alternatives=[x509.DNSName("a.example"), x509.RFC822Name("joe@example.org")],
        serial=0xABC,
    )
    assert fields_of(shown) == {
        "DN": "CN=Jö\\, the Client,C=AT",
        "I_DN": "O=Example\\, Inc.",
        "CN": "Jö, the Client",
        "EMAIL": "joe@example.org",
        "SERIAL": "0ABC",
        "V_START": "Feb  6 09:05:00 2026 GMT",
        "V_END": "Dec 31 23:59:59 2049 GMT",
        "FINGERPRINT": fingerprint(shown),
    }


def test_what_a_certificate_does_not_say_is_no_field() -> None:
    assert set(fields_of(certificate())) == {"I_DN", "SERIAL", "V_START", "V_END", "FINGERPRINT"}


def test_an_address_in_the_subject() -> None:
    assert fields_of(certificate((NameOID.EMAIL_ADDRESS, "joe@example.org")))["EMAIL"] == "joe@example.org"


@pytest.mark.parametrize("hostile", ["a\nREMOTE_HOST=trusted", "a\0b", "a\x1b[2J", "a\r\n", "a\u2028b", "a\u202eb"])
def test_values_are_one_line_of_printable_characters(hostile: str) -> None:
    fields = fields_of(certificate((NameOID.COMMON_NAME, hostile)))
    assert all(value.isprintable() for value in fields.values())
    assert fields["CN"].startswith("a?")
    assert fields["DN"].startswith("CN=a")


@pytest.mark.filterwarnings("ignore:Attribute.s length")
def test_values_are_not_long() -> None:
    fields = fields_of(certificate((NameOID.COMMON_NAME, "x" * 100_000)))
    assert len(fields["CN"]) == len(fields["DN"]) == VALUE_CHARACTERS


@given(st.text())
def test_whatever_is_plain_can_be_printed(text: str) -> None:
    assert plain(text).isprintable()
    assert len(plain(text)) <= VALUE_CHARACTERS
    assert plain(plain(text)) == plain(text)
    plain(text).encode()


def test_names_in_words() -> None:
    hosts = [x509.DNSName(f"{label}.example") for label in "abcd"]
    assert names_in(certificate(alternatives=hosts[:1])) == "a.example"
    assert names_in(certificate(alternatives=hosts[:3])) == "a.example, b.example, c.example"
    assert names_in(certificate(alternatives=hosts)) == "a.example, b.example, c.example and 1 more"
    assert names_in(certificate((NameOID.COMMON_NAME, "a.example"))) == NO_HOST
    assert names_in(certificate(alternatives=[x509.DNSName("a.example\nb")])) == "a.example?b"


def broken(good: x509.Certificate, old: bytes, new: bytes) -> x509.Certificate:
    der = good.public_bytes(Encoding.DER)
    assert old in der
    assert len(old) == len(new)
    return x509.load_der_x509_certificate(der.replace(old, new))


def test_what_cannot_be_read() -> None:
    name = broken(certificate((NameOID.COMMON_NAME, "abc")), b"\x0c\x03abc", b"\x0c\x03\xff\xfe\xfd")
    with pytest.raises(UNREADABLE):
        fields_of(name)
    alternative = broken(certificate(alternatives=[x509.DNSName("abc")]), b"\x82\x03abc", b"\x82\x03\xff\xfe\xfd")
    with pytest.raises(UNREADABLE):
        names_in(alternative)
    curve = broken(certificate(), b"\x2a\x86\x48\xce\x3d\x03\x01\x07", b"\x2a\x86\x48\xce\x3d\x03\x01\x7f")
    with pytest.raises(UNREADABLE):
        public_key_pin(curve)


@given(st.data())
def test_no_certificate_raises_anything_else(data: st.DataObject) -> None:
    der = bytearray(FULL.public_bytes(Encoding.DER))
    for _ in range(data.draw(st.integers(1, 3))):
        der[data.draw(st.integers(0, len(der) - 1))] = data.draw(st.integers(0, 255))
    for look in (fields_of, names_in, public_key_pin):
        with suppress(*UNREADABLE):
            look(x509.load_der_x509_certificate(bytes(der)))
