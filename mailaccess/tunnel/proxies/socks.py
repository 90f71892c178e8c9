"""The way out through a SOCKS proxy: version 5 (RFC 1928, RFC 1929), 4 and 4a (OpenSSH's and Tor's SOCKS4.protocol)."""

from ipaddress import IPv4Address, IPv6Address
from struct import pack

from mailaccess.ops.addresses import read_address
from mailaccess.tunnel.conversation import Conversation
from mailaccess.tunnel.faults import Refused

TEXT_BYTES = 255
"""The longest name, user or password of version 5: its length is one octet."""

_CONNECT = 1

# -- Version 5

_NO_PASSWORD, _PASSWORD, _NO_METHOD = 0, 2, 0xFF  # RFC 1928 §3
_IPV4, _NAME, _IPV6 = 1, 3, 4  # RFC 1928 §5
_ADDRESS_BYTES = {_IPV4: 4, _IPV6: 16}

REPLIES_5 = {
    1: "general failure",
    2: "the connection is not allowed by its rules",
    3: "the network is unreachable",
    4: "the host is unreachable",
    5: "the connection was refused",
    6: "the time to live ran out",
    7: "the command is not supported",
    8: "the type of address is not supported",
}
"""RFC 1928 §6."""


async def connect5(far: Conversation, host: str, port: int, user: str = "", password: str = "") -> None:
    """Have the proxy join us with ``host`` and ``port``; a name is resolved by the proxy.

    With ``user`` empty no password is offered. ``Refused`` where the proxy says no, or ``host`` cannot be said.
    """
    address = _address5(host)
    await _greet5(far, user, password)
    await far.say(bytes((5, _CONNECT, 0)) + address + pack("!H", port))
    version, reply, _, kind = await far.exactly(4)
    if version != 5:
        raise Refused("the proxy does not speak SOCKS 5")
    if reply != 0:
        raise Refused(f"the proxy says {_words(REPLIES_5, reply)}")
    if kind == _NAME:
        await far.exactly((await far.exactly(1))[0] + 2)
    elif kind in _ADDRESS_BYTES:
        await far.exactly(_ADDRESS_BYTES[kind] + 2)
    else:
        raise Refused(f"the proxy answers with an address of unknown type {kind}")


async def _greet5(far: Conversation, user: str, password: str) -> None:
    """Agree on a method, and log in (RFC 1928 §3, RFC 1929 §2)."""
    login = _counted(user, "user name") + _counted(password, "password")
    methods = bytes((_NO_PASSWORD, _PASSWORD)) if user else bytes((_NO_PASSWORD,))
    await far.say(bytes((5, len(methods))) + methods)
    version, method = await far.exactly(2)
    if version != 5:
        raise Refused("the proxy does not speak SOCKS 5")
    if method == _NO_METHOD or method not in methods:
        raise Refused(
            "the proxy takes none of our ways to log in" + ("" if user else ": it wants a user and a password")
        )
    if method == _PASSWORD:
        await far.say(b"\1" + login)
        _, status = await far.exactly(2)
        if status != 0:
            raise Refused("the proxy does not take our user and password")


def _address5(host: str) -> bytes:
    address = read_address(host)
    if address is None:
        return bytes((_NAME,)) + _counted(host, "host name")
    return bytes((_IPV4 if address.version == 4 else _IPV6,)) + address.packed


def _counted(text: str, what: str) -> bytes:
    octets = text.encode(errors="surrogateescape")
    if len(octets) > TEXT_BYTES:
        raise Refused(f"a {what} for the proxy has more than {TEXT_BYTES} octets")
    return bytes((len(octets),)) + octets


# -- Version 4

_GRANTED = 90

REPLIES_4 = {
    91: "the request is rejected or failed",
    92: "it cannot reach our identd",
    93: "our identd names another user",
}

_NAME_FOLLOWS = IPv4Address("0.0.0.1")  # what 4a sends in place of an address


async def connect4(far: Conversation, host: str, port: int, user: str = "") -> None:
    """Have the proxy join us with an IPv4 address; ``Refused`` where it says no, or ``host`` is none."""
    address = read_address(host)
    if not isinstance(address, IPv4Address):
        raise Refused(f"SOCKS 4 knows IPv4 addresses only, not {host!r}: socks4a:// takes names, socks5:// IPv6 too")
    await _ask4(far, address, port, user, b"")


async def connect4a(far: Conversation, host: str, port: int, user: str = "") -> None:
    """Have the proxy join us with a name or an IPv4 address; ``Refused`` where it says no."""
    address = read_address(host)
    if isinstance(address, IPv6Address):
        raise Refused(f"SOCKS 4a knows no IPv6 address ({host}): socks5:// does")
    if address is None:
        await _ask4(far, _NAME_FOLLOWS, port, user, _ended(host))
    else:
        await _ask4(far, address, port, user, b"")


async def _ask4(far: Conversation, address: IPv4Address, port: int, user: str, name: bytes) -> None:
    await far.say(pack("!BBH", 4, _CONNECT, port) + address.packed + _ended(user) + name)
    version, reply = (await far.exactly(8))[:2]
    if version != 0:
        raise Refused("the proxy does not speak SOCKS 4")
    if reply != _GRANTED:
        raise Refused(f"the proxy says {_words(REPLIES_4, reply)}")


def _ended(text: str) -> bytes:
    """A text, and the NUL at its end."""
    if "\0" in text:
        raise Refused("a text for the proxy has a NUL in it")
    return text.encode(errors="surrogateescape") + b"\0"


def _words(replies: dict[int, str], code: int) -> str:
    return replies.get(code, f"code {code}")
