"""The PROXY protocol, read and written."""

import struct
from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scripted import Scripted, octet_by_octet, run

from mailaccess.tunnel.conversation import Conversation
from mailaccess.tunnel.faults import Refused, TunnelFault
from mailaccess.tunnel.proxies.header import Origin, ToldTLS, crc32c, read_header, v1, v2

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
IPV4_ENDS = b"\xc0\x00\x02\x07\xc6\x33\x64\x09\xd4\x31\x03\xe1"  # 192.0.2.7, 198.51.100.9, 54321, 993
IPV4 = Origin(("192.0.2.7", 54321), ("198.51.100.9", 993))
IPV6 = Origin(("2001:db8::7", 54321), ("2001:db8::9", 993))


def block(command: int, family: int, *fields: bytes) -> bytes:
    rest = b"".join(fields)
    return SIGNATURE + bytes((command, family)) + len(rest).to_bytes(2) + rest


def tlv(kind: int, value: bytes) -> bytes:
    return struct.pack("!BH", kind, len(value)) + value


def read(*pieces: bytes) -> Origin | None:
    return run(read_header(Conversation(Scripted(*pieces))))


GOOD = {
    b"PROXY TCP4 192.0.2.7 198.51.100.9 54321 993\r\n": IPV4,
    b"PROXY TCP4 255.255.255.255 255.255.255.255 65535 0\r\n": Origin(
        ("255.255.255.255", 65535), ("255.255.255.255", 0)
    ),
    b"PROXY TCP6 2001:DB8::7 2001:db8:0:0::9 54321 993\r\n": IPV6,
    b"PROXY TCP6 ::ffff:192.0.2.7 ::ffff:c633:6409 54321 993\r\n": IPV4,
    b"PROXY UNKNOWN\r\n": None,
    b"PROXY UNKNOWN ffff::1 what ever 1\r\n": None,
    b"PROXY UNKNOWN " + b"f" * 91 + b"\r\n": None,  # 107 octets
    block(0x21, 0x11, IPV4_ENDS): IPV4,
    block(0x21, 0x21, IPv6Address("2001:db8::7").packed, IPv6Address("2001:db8::9").packed, b"\xd4\x31\x03\xe1"): IPV6,
    block(0x21, 0x31, bytes(216)): Origin(("local", 0), ("local", 0)),
    block(0x21, 0x11, IPV4_ENDS, tlv(4, b"padding"), tlv(2, b"imap.example"), tlv(2, b"\xff"), tlv(0x30, b"")): IPV4,
    block(0x21, 0x12, IPV4_ENDS): None,
    block(0x21, 0x00): None,
    block(0x21, 0x01, b"ignored"): None,
    block(0x20, 0x00): None,
    block(0x20, 0xFF, bytes(4096)): None,
}


@pytest.mark.parametrize("octets", GOOD)
@pytest.mark.parametrize("pieces", [lambda octets: [octets], octet_by_octet])
def test_a_header_is_read_and_nothing_behind_it(octets: bytes, pieces: object) -> None:
    assert callable(pieces)
    stream = Scripted(*pieces(octets + b"\r\nEHLO"))
    near = Conversation(stream)
    assert run(read_header(near)) == GOOD[octets]
    assert run(near.exactly(6)) == b"\r\nEHLO"


@pytest.mark.parametrize(
    "octets",
    [
        b"EHLO client\r\n",
        b"\x16\x03\x01",
        b"PROXY\r\n",
        b"PROXY \r\n",
        b"PASS secret\r\n",
        b"PROXY TCP4 192.0.2.7 198.51.100.9 54321 993\n",
        b"PROXY TCP4 192.0.2.7 198.51.100.9 54321\r\n",
        b"PROXY TCP4 192.0.2.7 198.51.100.9 54321 993 \r\n",
        b"PROXY  TCP4 192.0.2.7 198.51.100.9 54321 993\r\n",
        b"PROXY\tTCP4 192.0.2.7 198.51.100.9 54321 993\r\n",
        b"PROXY TCP4 192.0.2.7 198.51.100.9 65536 993\r\n",
        b"PROXY TCP4 192.0.2.7 198.51.100.9 054321 993\r\n",
        b"PROXY TCP4 192.0.2.7 198.51.100.9 -1 993\r\n",
        b"PROXY TCP4 192.0.2.07 198.51.100.9 54321 993\r\n",
        b"PROXY TCP4 192.0.2.256 198.51.100.9 54321 993\r\n",
        b"PROXY TCP4 2001:db8::7 2001:db8::9 54321 993\r\n",
        b"PROXY TCP6 192.0.2.7 198.51.100.9 54321 993\r\n",
        b"PROXY TCP6 fe80::1%eth0 2001:db8::9 54321 993\r\n",
        b"PROXY TCP5 192.0.2.7 198.51.100.9 54321 993\r\n",
        b"PROXY UNKNOWNS\r\n",
        b"PROXY UNKNOWN \r x\r\n",
        b"PROXY UNKNOWN " + b"f" * 92 + b"\r\n",
        b"PROXY UNKNOWN " + b"f" * 5000,
        SIGNATURE.replace(b"Q", b"q") + b"\x21\x11\0\x0c" + IPV4_ENDS,
        block(0x11, 0x11, IPV4_ENDS),
        block(0x22, 0x11, IPV4_ENDS),
        block(0x21, 0x41, IPV4_ENDS),
        block(0x21, 0x13, IPV4_ENDS),
        block(0x21, 0x11, IPV4_ENDS[:-1]),
        block(0x21, 0x21, IPV4_ENDS),
        block(0x21, 0x31, bytes(215)),
        block(0x20, 0x00, bytes(4097)),
        block(0x21, 0x11, IPV4_ENDS, b"\x04"),
        block(0x21, 0x11, IPV4_ENDS, b"\x04\x00"),
        block(0x21, 0x11, IPV4_ENDS, b"\x04\x00\x02x"),
        block(0x21, 0x11, IPV4_ENDS, tlv(3, b"\1\2\3\4")),
        block(0x21, 0x11, IPV4_ENDS, tlv(3, b"")),
    ],
)
def test_what_is_no_header_is_refused(octets: bytes) -> None:
    with pytest.raises(Refused, match="PROXY"):
        read(octets)
    with pytest.raises(Refused, match="PROXY"):
        read(*octet_by_octet(octets))


@pytest.mark.parametrize("octets", GOOD)
def test_a_header_that_is_cut_off_is_refused(octets: bytes) -> None:
    for place in range(len(octets)):
        with pytest.raises(Refused, match="PROXY"):
            read(octets[:place])


def test_the_first_octet_tells_who_is_no_proxy() -> None:
    stream = Scripted(b"\x16", b"never read")
    with pytest.raises(Refused, match="PROXY header: the connection does not begin with one"):
        run(read_header(Conversation(stream)))
    assert run(stream.read()) == b"never read"


def test_a_checksum_is_looked_at() -> None:
    assert crc32c(b"123456789") == 0xE3069283  # the check value of CRC-32C
    zeroed = block(0x21, 0x11, IPV4_ENDS, tlv(3, bytes(4)), tlv(4, b"behind"))
    at = zeroed.index(b"\x03\x00\x04") + 3
    assert read(zeroed[:at] + crc32c(zeroed).to_bytes(4) + zeroed[at + 4 :]) == IPV4
    longer = block(0x21, 0x11, IPV4_ENDS, tlv(3, bytes(5)))
    with pytest.raises(Refused, match="checksum"):
        read(longer[:-5] + crc32c(longer).to_bytes(5))


def test_version_1_is_written() -> None:
    assert v1(IPV4) == b"PROXY TCP4 192.0.2.7 198.51.100.9 54321 993\r\n"
    assert v1(IPV6) == b"PROXY TCP6 2001:db8::7 2001:db8::9 54321 993\r\n"
    assert v1(Origin(("fe80::1%eth0", 1), ("fe80::2", 2))) == b"PROXY TCP6 fe80::1 fe80::2 1 2\r\n"
    assert v1(Origin(("::ffff:192.0.2.7", 1), ("192.0.2.8", 2))) == b"PROXY TCP4 192.0.2.7 192.0.2.8 1 2\r\n"
    assert v1(None) == v1(Origin(("local", 0), ("local", 0))) == b"PROXY UNKNOWN\r\n"


def test_version_2_is_written() -> None:
    assert v2(IPV4) == block(0x21, 0x11, IPV4_ENDS)
    assert v2(None) == v2(Origin(("local", 0), ("192.0.2.7", 1))) == block(0x20, 0x00)


def test_version_2_tells_of_the_client_s_tls() -> None:
    tls = ToldTLS("TLSv1.3", "TLS_AES_128_GCM_SHA256", "imap.example.org", True, True, "joe")
    names = tlv(2, b"imap.example.org")
    about = tlv(0x21, b"TLSv1.3") + tlv(0x22, b"joe") + tlv(0x23, b"TLS_AES_128_GCM_SHA256")
    assert v2(IPV4, tls) == block(0x21, 0x11, IPV4_ENDS, names, tlv(0x20, b"\x07\0\0\0\0" + about))


@pytest.mark.parametrize(
    ("tls", "told"),
    [
        (ToldTLS("TLSv1.2"), b"\x01\0\0\0\1" + tlv(0x21, b"TLSv1.2")),
        (ToldTLS("TLSv1.2", certificate=True), b"\x07\0\0\0\1" + tlv(0x21, b"TLSv1.2")),
        (ToldTLS(verified=True, common_name="nobody"), b"\x01\0\0\0\1"),
        (ToldTLS(certificate=True, verified=True, common_name="j" * 256), b"\x07\0\0\0\0"),
    ],
)
def test_no_certificate_is_never_told_as_a_good_one(tls: ToldTLS, told: bytes) -> None:
    assert v2(IPV4, tls) == block(0x21, 0x11, IPV4_ENDS, tlv(0x20, told))


PORTS = st.integers(0, 65535)
HOSTS = st.one_of(
    st.ip_addresses(v=4), st.ip_addresses(v=6).filter(lambda address: getattr(address, "ipv4_mapped", None) is None)
).map(str)
ENDS = st.tuples(HOSTS, PORTS)
NAMES = st.from_regex(r"[a-z0-9-]{1,20}(\.[a-z0-9-]{1,20}){0,3}", fullmatch=True)


@given(ENDS, ENDS, NAMES)
def test_what_is_written_is_read(source: tuple[str, int], destination: tuple[str, int], name: str) -> None:
    origin = Origin(source, destination)
    assert read(v1(origin)) == origin
    assert len(v1(origin)) <= 107
    assert read(*octet_by_octet(v2(origin))) == origin
    assert read(v2(origin, ToldTLS("TLSv1.3", server_name=name))) == origin


@given(
    st.one_of(
        st.binary(),
        st.binary(max_size=110).map(lambda rest: b"PROXY " + rest),
        st.binary(max_size=100).map(lambda rest: b"PROXY TCP6 " + rest + b"\r\n"),
        st.from_regex(rb"PROXY TCP[46] [0-9a-f.:]{3,40} [0-9a-f.:]{3,40} [0-9]{1,6} [0-9]{1,6}\r\n", fullmatch=True),
        st.builds(block, st.just(0x21), st.sampled_from([0x11, 0x21, 0x31]), st.binary(max_size=300)),
        st.binary(max_size=300).map(lambda rest: block(0x21, 0x11, IPV4_ENDS, rest)),
        st.binary().map(lambda rest: SIGNATURE + rest),
    )
)
def test_nothing_but_a_fault_comes_of_any_octets(octets: bytes) -> None:
    try:
        origin = read(octets)
    except TunnelFault:
        return
    assert origin is None or read(v2(origin)) in (origin, None)


def test_an_address_of_any_form_in_a_line_is_written_as_one_text() -> None:
    origin = read(b"PROXY TCP6 0:0:0:0:0:FFFF:C000:0207 ::1 1 2\r\n")
    assert origin == Origin((str(IPv4Address("192.0.2.7")), 1), ("::1", 2))
