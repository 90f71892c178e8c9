"""BER as LDAP uses it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scripted import Scripted, octet_by_octet, run

from mailaccess.tunnel.conversation import Conversation
from mailaccess.tunnel.faults import Refused
from mailaccess.tunnel.protocols import ber
from mailaccess.tunnel.protocols.ber import Element, Malformed

LIMIT = 100_000


def read(octets: bytes, limit: int = LIMIT) -> Element:
    return run(ber.read_element(Conversation(Scripted(*octet_by_octet(octets))), limit))


@pytest.mark.parametrize(
    ("octets", "element"),
    [
        (b"\x04\0", Element(0x04, b"")),
        (b"\x30\3abc", Element(0x30, b"abc")),
        (b"\x04\x7f" + b"x" * 127, Element(0x04, b"x" * 127)),
        (b"\x04\x81\x80" + b"x" * 128, Element(0x04, b"x" * 128)),
        (b"\x04\x82\x01\0" + b"x" * 256, Element(0x04, b"x" * 256)),
        (b"\x04\x83\x01\0\0" + b"x" * 65536, Element(0x04, b"x" * 65536)),
    ],
)
def test_elements_are_read_and_written(octets: bytes, element: Element) -> None:
    assert read(octets) == element
    assert list(ber.elements(octets + octets)) == [element, element]
    assert element.encode() == octets


@pytest.mark.parametrize("octets", [b"\x30\x84\0\0\0\3abc", b"\x30\x81\3abc", b"\x30\x83\0\0\3abc"])
def test_lengths_may_be_longer_than_they_need_be(octets: bytes) -> None:
    assert read(octets) == Element(0x30, b"abc")
    assert list(ber.elements(octets)) == [Element(0x30, b"abc")]


@pytest.mark.parametrize(
    "octets",
    [
        b"\x30\x80abc\0\0",  # indefinite
        b"\x30\xff" + bytes(200),
        b"\x30\x85\0\0\0\0\3abc",
        b"\x1f\x01\0",
        b"\xff\x01\0",
    ],
)
def test_what_is_not_used_by_ldap_is_malformed(octets: bytes) -> None:
    with pytest.raises(Malformed):
        read(octets)
    with pytest.raises(Malformed):
        list(ber.elements(octets))


@pytest.mark.parametrize("octets", [b"\x30", b"\x30\1", b"\x30\x82", b"\x30\x82\1", b"\x30\x82\0\1", b"\x30\5abcd"])
def test_what_is_cut_off_is_refused(octets: bytes) -> None:
    with pytest.raises(Refused):
        read(octets)
    with pytest.raises(Malformed):
        list(ber.elements(b"\x04\0" + octets))


def test_an_element_that_is_too_large_is_not_read() -> None:
    stream = Scripted(b"\x30\x84\x7f\xff\xff\xff", b"never read")
    with pytest.raises(Malformed, match="more than 100000 octets"):
        run(ber.read_element(Conversation(stream), LIMIT))
    assert run(stream.read()) == b"never read"
    assert read(b"\x30\2ab", limit=2) == Element(0x30, b"ab")


@pytest.mark.parametrize(
    ("value", "octets"), [(0, b"\0"), (127, b"\x7f"), (128, b"\0\x80"), (2**31 - 1, b"\x7f\xff\xff\xff")]
)
def test_numbers(value: int, octets: bytes) -> None:
    assert ber.number(value) == bytes((ber.INTEGER, len(octets))) + octets
    assert ber.unsigned(octets) == value
    assert ber.unsigned(octets.rjust(4, b"\0")) == value


@pytest.mark.parametrize("octets", [b"", b"\x80", b"\xff", b"\0\0\0\0\1", b"\x80\0\0\0"])
def test_what_is_no_number_from_0_on(octets: bytes) -> None:
    with pytest.raises(Malformed):
        ber.unsigned(octets)


@given(st.integers(0, 255).filter(lambda tag: tag & 0x1F != 0x1F), st.binary() | st.binary(min_size=120, max_size=300))
def test_what_is_written_is_read(tag: int, contents: bytes) -> None:
    assert read(ber.element(tag, contents)) == Element(tag, contents)
    assert list(ber.elements(ber.element(tag, contents))) == [Element(tag, contents)]


@given(st.binary())
def test_nothing_but_malformed_comes_of_any_octets(octets: bytes) -> None:
    try:
        parts = list(ber.elements(octets))
    except Malformed:
        return
    assert sum(len(part.contents) + 2 for part in parts) <= len(octets)
