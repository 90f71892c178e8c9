"""The PROXY protocol: the line or block with which a proxy says for whom it connects (HAProxy's proxy-protocol.txt).

Nobody but a named proxy is believed (``trusted``), and from that one the header must come: whether there is one is
never guessed (§5 there).
"""

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address

from mailaccess.ops.addresses import Address, read_address, unmapped
from mailaccess.ops.services import HIGHEST_PORT
from mailaccess.tunnel.conversation import Conversation
from mailaccess.tunnel.faults import Refused
from mailaccess.tunnel.visitor import LOCAL

V1_BYTES = 107
"""The longest line of version 1 (§2.1), with its end."""

V2_BYTES = 4096
"""The most that may follow version 2's first 16 octets: UNIX addresses are 216, certificates are not sent."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Both ends of the connection that a proxy took: host (an address, or ``LOCAL``) and port.

    An IPv4 address is always written as one, never as IPv6 (``::ffff:192.0.2.1``).
    """

    source: tuple[str, int]
    destination: tuple[str, int]


@dataclass(frozen=True, slots=True)
class ToldTLS:
    """What a target is told of a client's TLS, in version 2 (§2.2.6): empty texts are left out.

    ``certificate``: the client showed one; ``verified``: and it is good. ``common_name`` is that certificate's.
    """

    version: str = ""
    cipher: str = ""
    server_name: str = ""
    certificate: bool = False
    verified: bool = False
    common_name: str = ""


# -- Reading


async def read_header(near: Conversation) -> Origin | None:
    """What the header says, which must come first; None where the connection's own addresses are the true ones.

    ``Refused`` for whatever is no header of version 1 or 2.
    """
    try:
        return await _read(near)
    except Refused as fault:
        raise Refused(f"the PROXY header: {fault}") from fault


async def _read(near: Conversation) -> Origin | None:
    first = await near.peek(1)
    if first == b"P":
        return _read_v1(await near.line(V1_BYTES))
    if first == b"\r":
        start = await near.exactly(16)
        return _read_v2(start, await near.exactly(_length(start)))
    raise Refused("the connection does not begin with one")


# line    = "PROXY" SP (known / "UNKNOWN" [SP *octet]) CRLF
# known   = "TCP4" SP ipv4 SP ipv4 SP port SP port / "TCP6" SP ipv6 SP ipv6 SP port SP port
# port    = 0-65535 without leading zeros
# ipv6 has the form with an IPv4 tail too, which HAProxy sends (inet_ntop)
_V1 = re.compile(rb"PROXY (TCP[46]) ([0-9A-Fa-f.:]+) ([0-9A-Fa-f.:]+) (0|[1-9][0-9]{0,4}) (0|[1-9][0-9]{0,4})\r\n")
_V1_UNKNOWN = re.compile(rb"PROXY UNKNOWN(?: [^\r\n]*)?\r\n")


def _read_v1(line: bytes) -> Origin | None:
    if _V1_UNKNOWN.fullmatch(line):
        return None
    known = _V1.fullmatch(line)
    if known is None:
        raise Refused("its line is not in its form")
    kind = IPv4Address if known[1] == b"TCP4" else IPv6Address
    try:
        source, destination = kind(known[2].decode()), kind(known[3].decode())
    except ValueError:
        raise Refused("its line has an address that is none") from None
    ports = int(known[4]), int(known[5])
    if max(ports) > HIGHEST_PORT:
        raise Refused("its line has a port that is none")
    return Origin((_text(source), ports[0]), (_text(destination), ports[1]))


# block     = signature %x20 / %x21 (version 2; LOCAL or PROXY), family and transport (4 bits each), length (2 octets),
#             addresses, *tlv
# tlv       = type (1 octet), length (2 octets), value
_SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
_VERSION_AND_LOCAL, _VERSION_AND_PROXY = 0x20, 0x21
_UNIX_BYTES = 108
_ADDRESSES = {1: "!4s4sHH", 2: "!16s16sHH", 3: f"!{_UNIX_BYTES}s{_UNIX_BYTES}s"}  # by family; 0 is unspecified
_STREAM, _HIGHEST_TRANSPORT = 1, 2  # 0 is unspecified, 2 datagrams
_TYPE_AUTHORITY, _TYPE_CRC32C, _TYPE_SSL = 0x02, 0x03, 0x20
_SSL_VERSION, _SSL_CN, _SSL_CIPHER = 0x21, 0x22, 0x23


def _length(start: bytes) -> int:
    """How many octets follow the first 16."""
    if not start.startswith(_SIGNATURE):
        raise Refused("the connection does not begin with one")
    length = int.from_bytes(start[14:16])
    if length > V2_BYTES:
        raise Refused(f"it has more than {V2_BYTES} octets")
    return length


def _read_v2(start: bytes, block: bytes) -> Origin | None:
    command, family, transport = start[12], start[13] >> 4, start[13] & 0xF
    if command == _VERSION_AND_LOCAL:
        return None
    if command != _VERSION_AND_PROXY:
        raise Refused("it has a version or a command that is not known")
    if family > max(_ADDRESSES) or transport > _HIGHEST_TRANSPORT:
        raise Refused("it has a family of addresses that is not known")
    if family == 0 or transport != _STREAM:
        return None
    form = struct.Struct(_ADDRESSES[family])
    if len(block) < form.size:
        raise Refused("it is shorter than its addresses")
    _check_fields(start + block, 16 + form.size)
    if family == 3:
        return Origin((LOCAL, 0), (LOCAL, 0))
    source, destination, source_port, destination_port = form.unpack_from(block)
    return Origin((_text(ip_address(source)), source_port), (_text(ip_address(destination)), destination_port))


def _check_fields(header: bytes, place: int) -> None:
    """``Refused`` where the TLVs that begin at ``place`` are broken, or the checksum is wrong.

    What they say is not used: a host name without the certificates that go with it chooses nothing here.
    """
    for kind, at, value in _tlvs(header, place):
        if kind == _TYPE_CRC32C:
            zeroed = header[:at] + bytes(len(value)) + header[at + len(value) :]
            if len(value) != 4 or crc32c(zeroed) != int.from_bytes(value):
                raise Refused("it has a wrong checksum")


def _tlvs(header: bytes, place: int) -> Iterator[tuple[int, int, bytes]]:
    """Type, place of the value, value."""
    while place < len(header):
        begin = place + 3
        end = begin + int.from_bytes(header[place + 1 : begin])
        if end > len(header):
            raise Refused("it has a field that is cut off")
        yield header[place], begin, header[begin:end]
        place = end


def _crc32c_table() -> tuple[int, ...]:
    table = []
    for value in range(256):
        for _ in range(8):
            value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)  # noqa: PLW2901
        table.append(value)
    return tuple(table)


_CRC32C = _crc32c_table()


def crc32c(data: bytes) -> int:
    """The checksum of RFC 9260, Appendix A (CRC32c)."""
    value = 0xFFFFFFFF
    for octet in data:
        value = value >> 8 ^ _CRC32C[(value ^ octet) & 0xFF]
    return value ^ 0xFFFFFFFF


# -- Writing

_VALUE_BYTES = 255
"""The longest value: host names have this bound. A longer one is not sent: cut, it would be another's name."""


def v1(origin: Origin | None) -> bytes:
    """The line of version 1; ``UNKNOWN`` where there are no addresses."""
    ends = _same_family(origin)
    if origin is None or ends is None:
        return b"PROXY UNKNOWN\r\n"
    source, destination = ends
    ports = f"{origin.source[1]} {origin.destination[1]}"
    return f"PROXY TCP{source.version} {source} {destination} {ports}\r\n".encode()


def v2(origin: Origin | None, tls: ToldTLS | None = None) -> bytes:
    """The block of version 2; ``LOCAL`` where there are no addresses, which targets take as the connection's own.

    A client on a UNIX socket is such a one too: Postfix closes connections of any other family.
    """
    ends = _same_family(origin)
    if origin is None or ends is None:
        return _SIGNATURE + bytes((_VERSION_AND_LOCAL, 0, 0, 0))
    source, destination = ends
    family = 1 if source.version == 4 else 2
    form = _ADDRESSES[family]
    block = struct.pack(form, source.packed, destination.packed, origin.source[1], origin.destination[1])
    if tls is not None:
        block += _tlv(_TYPE_AUTHORITY, tls.server_name.encode()) + _tlv(_TYPE_SSL, _ssl(tls), longest=V2_BYTES)
    return _SIGNATURE + bytes((_VERSION_AND_PROXY, family << 4 | _STREAM)) + len(block).to_bytes(2) + block


def _ssl(tls: ToldTLS) -> bytes:
    over_tls, in_connection, in_session = 0x01, 0x02, 0x04
    client = over_tls | (in_connection | in_session if tls.certificate else 0)
    verify = 0 if tls.certificate and tls.verified else 1
    return (
        struct.pack("!BI", client, verify)
        + _tlv(_SSL_VERSION, tls.version.encode())
        + _tlv(_SSL_CN, tls.common_name.encode() if tls.certificate else b"")
        + _tlv(_SSL_CIPHER, tls.cipher.encode())
    )


def _tlv(kind: int, value: bytes, longest: int = _VALUE_BYTES) -> bytes:
    """A field; nothing for a value that is empty or too long."""
    return struct.pack("!BH", kind, len(value)) + value if 0 < len(value) <= longest else b""


# -- Addresses


def _text(address: Address) -> str:
    return str(unmapped(address))


def _same_family(origin: Origin | None) -> tuple[Address, Address] | None:
    """Both ends' addresses, both of IPv6 where one is; None where one has none."""
    if origin is None:
        return None
    source, destination = read_address(origin.source[0]), read_address(origin.destination[0])
    if source is None or destination is None:
        return None
    if source.version == destination.version:
        return source, destination
    return _mapped(source), _mapped(destination)


def _mapped(address: Address) -> Address:
    return IPv6Address(f"::ffff:{address}") if address.version == 4 else address
