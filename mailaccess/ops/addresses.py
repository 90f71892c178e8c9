"""Which network an address belongs to: the unit in which connections and failed logins are counted."""

from ipaddress import AddressValueError, IPv6Address, IPv6Network

IPV6_PREFIX_BITS = 64
"""A subscriber has at least a /64 to choose addresses from, so an IPv6 address by itself means nothing."""


def network_of(host: str) -> str:
    """The network that is counted as one: an IPv4 address itself, an IPv6 address's /64.

    An IPv4 address that came in by an IPv6 socket (``::ffff:192.0.2.1``) is that IPv4 address. What is no address,
    as the path of a UNIX socket, is taken as it stands.
    """
    if ":" not in host:
        return host
    try:
        address = IPv6Address(host.partition("%")[0])
    except AddressValueError:
        return host
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(IPv6Network((address, IPV6_PREFIX_BITS), strict=False))
