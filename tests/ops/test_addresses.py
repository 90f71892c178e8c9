import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailaccess.ops.addresses import network_of


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


@given(st.ip_addresses(v=6))
def test_neighbours_in_a_64_count_as_one(address: object) -> None:
    network = network_of(str(address))
    if network.endswith("/64"):
        assert network_of(network.removesuffix("/64")) == network
