"""Whose PROXY header is believed."""

import pytest

from mailaccess.errors import ConfigError
from mailaccess.tunnel.proxies.trusted import TrustedNetworks


@pytest.mark.parametrize(
    ("texts", "inside", "outside"),
    [
        (["192.0.2.0/24"], ["192.0.2.0", "192.0.2.255", "::ffff:192.0.2.7"], ["192.0.3.0", "2001:db8::1", "local"]),
        (["192.0.2.7"], ["192.0.2.7"], ["192.0.2.8", ""]),
        (["::1", "2001:db8::/32"], ["::1", "2001:db8:ffff::1"], ["::2", "127.0.0.1", "2001:db9::"]),
        (["fe80::/10"], ["fe80::1%eth0"], ["fec0::1%eth0"]),
        (["::ffff:192.0.2.0/120"], ["192.0.2.7", "::ffff:192.0.2.7"], ["192.0.3.7"]),
        (["unix"], ["local"], ["unix", "127.0.0.1", "/run/socket"]),
        (["0.0.0.0/0"], ["203.0.113.1"], ["2001:db8::1"]),
        ([], [], ["127.0.0.1", "local"]),
    ],
)
def test_who_is_trusted(texts: list[str], inside: list[str], outside: list[str]) -> None:
    trusted = TrustedNetworks(texts, "--proxy-from")
    assert [host for host in inside + outside if host in trusted] == inside
    assert bool(trusted) is bool(texts)


@pytest.mark.parametrize("text", ["", "localhost", "192.0.2.1/24", "192.0.2.0/33", "192.0.2", "2001:db8::/129", "UNIX"])
def test_what_is_no_network_is_a_wrong_configuration(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        TrustedNetworks(["192.0.2.0/24", text], "tunnel.proxy_from")
    assert (caught.value.key, caught.value.value) == ("tunnel.proxy_from", text)
