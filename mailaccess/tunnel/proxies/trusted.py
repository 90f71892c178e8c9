"""Whose PROXY header is believed."""

from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Network, ip_network

from mailaccess.errors import ConfigError
from mailaccess.ops.addresses import read_address
from mailaccess.tunnel.visitor import LOCAL

Network = IPv4Network | IPv6Network


class TrustedNetworks:
    """Whose header is believed: ``"192.0.2.7" in trusted``.

    ``texts`` are addresses (``::1``), networks (``192.0.2.0/24``) or ``unix`` for whoever comes by a UNIX socket.
    ``ConfigError`` with ``key`` for what is none of them.
    """

    def __init__(self, texts: Iterable[str], key: str) -> None:
        self._local = False
        networks: list[Network] = []
        for text in texts:
            if text == "unix":
                self._local = True
                continue
            try:
                networks.append(_unmapped(ip_network(text)))
            except ValueError:
                allowed = "an address, a network (192.0.2.0/24, no bits beyond its length) or unix is allowed"
                raise ConfigError(key, text, allowed) from None
        self._networks = tuple(networks)

    def __bool__(self) -> bool:
        """Whether anybody is trusted."""
        return self._local or bool(self._networks)

    def __contains__(self, host: str) -> bool:
        """Whether ``host``, as the connection itself has it (an address, or ``LOCAL``), is one of them."""
        if host == LOCAL:
            return self._local
        address = read_address(host)
        return address is not None and any(address in network for network in self._networks)


def _unmapped(network: Network) -> Network:
    """A network of IPv4 addresses as one of IPv4."""
    mapped = getattr(network.network_address, "ipv4_mapped", None)
    return network if mapped is None else IPv4Network((mapped, max(network.prefixlen - 96, 0)))
