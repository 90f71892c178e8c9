"""Host names and addresses as TLS speaks of them."""

import pytest

from mailaccess.errors import ConfigError
from mailaccess.net.hostnames import address_of, asked_of, reference_name


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:DB8:0:0::7", "2001:db8::7"),
        ("[::1]", "::1"),
        ("fe80::1%eth0", "fe80::1"),
        ("a.example", ""),
        ("192.0.2", ""),
        ("", ""),
    ],
)
def test_addresses_and_names(host: str, address: str) -> None:
    assert address_of(host) == address


@pytest.mark.parametrize(
    ("written", "name"),
    [("LOCALHOST", "localhost"), ("_imap.a.example.", "_imap.a.example"), ("Bücher.Example", "xn--bcher-kva.example")],
)
def test_names_as_they_are_compared(written: str, name: str) -> None:
    assert reference_name("host", written) == name


@pytest.mark.parametrize(
    "written", ["", ".", "a..b", "a b", "a/b", "a\nb", "*.a.example", "x" * 64, "12345", "1_2", "é" * 64]
)
def test_what_is_no_name(written: str) -> None:
    with pytest.raises(ConfigError) as caught:
        reference_name("host", written)
    assert caught.value.key == "host"
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("host", "asked"),
    [("", b""), ("::1", b""), ("192.0.2.7", b""), ("A.Example.", b"a.example"), ("é.example", b"xn--9ca.example")],
)
def test_names_that_are_asked_for(host: str, asked: bytes) -> None:
    assert asked_of("connect", host) == asked
