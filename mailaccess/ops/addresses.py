"""Addresses as connections have them, and the networks in which connections and failed logins are counted."""

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

IPV6_PREFIX_BITS = 64
"""A subscriber has at least a /64 to choose addresses from, so an IPv6 address by itself means nothing."""


Address = IPv4Address | IPv6Address


def read_address(host: str) -> Address | None:
    """``host`` as an address, without its zone (``%eth0``); None where it is none.

    An IPv4 address that came in by an IPv6 socket (``::ffff:192.0.2.1``) is that IPv4 address.
    """
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return None
    return unmapped(address)


def unmapped(address: Address) -> Address:
    """An IPv4 address that is written as one of IPv6 as the IPv4 address that it is; any other as it stands."""
    return getattr(address, "ipv4_mapped", None) or address


def plain_host(host: str) -> str:
    """``host`` as a socket has it; an IPv4 address that came in by an IPv6 socket is written as one of IPv4."""
    address = read_address(host) if ":" in host else None
    return str(address) if isinstance(address, IPv4Address) else host


def network_of(host: str) -> str:
    """The network that is counted as one: an IPv4 address itself, an IPv6 address's /64.

    What is no address, as the path of a UNIX socket, is taken as it stands.
    """
    address = read_address(host) if ":" in host else None
    if isinstance(address, IPv6Address):
        return str(IPv6Network((address, IPV6_PREFIX_BITS), strict=False))
    return host if address is None else str(address)
