import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailaccess.ops.addresses import network_of, plain_host, read_address


@pytest.mark.parametrize(
    ("host", "network"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::1", "::/64"),
        ("", ""),
        ("/run/imap:socket", "/run/imap:socket"),
    ],
)
def test_network_of(host: str, network: str) -> None:
    assert network_of(host) == network


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("::FFFF:c000:201", "192.0.2.1"),
        ("fe80::1%eth0", "fe80::1"),
        ("2001:DB8::1", "2001:db8::1"),
        ("192.0.2", "None"),
        ("localhost", "None"),
        ("", "None"),
    ],
)
def test_read_address(host: str, address: str) -> None:
    assert str(read_address(host)) == address


@pytest.mark.parametrize(
    ("host", "written"),
    [
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("192.0.2.1", "192.0.2.1"),
        ("fe80::1%eth0", "fe80::1%eth0"),
        ("local", "local"),
        ("/run/imap:socket", "/run/imap:socket"),
    ],
)
def test_plain_host(host: str, written: str) -> None:
    assert plain_host(host) == written


@given(st.ip_addresses(v=6))
def test_neighbours_in_a_64_count_as_one(address: object) -> None:
    network = network_of(str(address))
    if network.endswith("/64"):
        assert network_of(network.removesuffix("/64")) == network
