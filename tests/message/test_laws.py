"""What holds for every message, however broken: no peer is needed to check it."""

from collections.abc import Iterator

from hypothesis import given
from hypothesis import strategies as st

from mailaccess.message.bodystructure import body
from mailaccess.message.envelope import envelope
from mailaccess.message.lines import to_crlf
from mailaccess.message.sections import Kind, Section, extract, span
from mailaccess.message.structure import Part, parse

LINES = [
    b"Content-Type: multipart/mixed; boundary=b\n",
    b"Content-Type: multipart/digest; boundary=c\n",
    b"Content-Type: message/rfc822\n",
    b"Content-Type: text/html; charset*0*=utf-8''x; charset*1=\"y\n",
    b"Content-Type: (\n",
    b"Content-Transfer-Encoding: base64\n",
    b'Content-Disposition: attachment; filename="a\\"b\n',
    b'From: a <b@c>, g: "d\n',
    b"Subject: x\0\xff\n",
    b"--b\n",
    b"--b--\n",
    b"--c\n",
    b"--c--\n",
    b"\n",
    b"\n",
    b" folded\n",
    b"text\r",
]

messages = st.binary().map(to_crlf) | st.lists(st.sampled_from(LINES), max_size=40).map(b"".join).map(to_crlf)

Tree = list["Tree"] | bytes | None


def parts(root: Part) -> Iterator[tuple[Section, Part]]:
    """All numbered parts, by the rules of RFC 9051 §6.4.5.1."""
    waiting: list[tuple[tuple[int, ...], Part]] = [((), root)]
    while waiting:
        path, message = waiting.pop()
        inner = list(enumerate(message.children, 1)) if message.is_multipart else [(1, message)]
        for number, part in inner:
            numbers = (*path, number)
            yield Section(numbers), part
            if part.is_message:
                waiting.append((numbers, part.children[0]))
            elif part.is_multipart:
                waiting.append((numbers, part))


def read(wire: bytes) -> Tree:
    """A response item as lists, strings and None. Fails if it is not well formed."""
    lists: list[list[Tree]] = [[]]
    at = 0
    while at < len(wire):
        octet = wire[at : at + 1]
        if octet == b"(":
            lists.append([])
            at += 1
        elif octet == b")":
            done = lists.pop()
            assert done
            lists[-1].append(done)
            at += 1
        elif octet == b" ":
            at += 1
        elif octet == b'"':
            end = at + 1
            while wire[end : end + 1] != b'"':
                end += 2 if wire[end : end + 1] == b"\\" else 1
            assert not set(wire[at:end]) & {0, 10, 13}
            assert max(wire[at:end]) < 128
            lists[-1].append(wire[at : end + 1])
            at = end + 1
        elif octet == b"{":
            size, _, _ = wire[at + 1 :].partition(b"}\r\n")
            begin = at + len(size) + 4
            at = begin + int(size)
            assert b"\0" not in wire[begin:at]
            assert at <= len(wire)
            lists[-1].append(b"{" + wire[begin:at])
        else:
            end = at
            while end < len(wire) and wire[end : end + 1] not in (b" ", b")"):
                end += 1
            atom = wire[at:end]
            assert atom == b"NIL" or atom.isdigit()
            lists[-1].append(None if atom == b"NIL" else atom)
            at = end
    ((tree,),) = lists
    return tree


def without_extension(tree: Tree) -> Tree:
    """BODY, made from BODYSTRUCTURE (RFC 9051 §9)."""
    assert isinstance(tree, list)
    if isinstance(tree[0], list):
        size = next(number for number, item in enumerate(tree) if not isinstance(item, list))
        assert len(tree) == size + 5
        return [*map(without_extension, tree[:size]), tree[size]]
    assert isinstance(tree[0], bytes)
    assert isinstance(tree[1], bytes)
    kind = tree[0].lower(), tree[1].lower()
    if kind in ((b'"message"', b'"rfc822"'), (b'"message"', b'"global"')):
        assert len(tree) == 14
        return [*tree[:8], without_extension(tree[8]), tree[9]]
    size = 8 if kind[0] == b'"text"' else 7
    assert len(tree) == size + 4
    return tree[:size]


@given(messages)
def test_header_and_text_are_the_whole(message: bytes) -> None:
    header, text = extract(message, Section((), Kind.HEADER)), extract(message, Section((), Kind.TEXT))
    assert header is not None
    assert text is not None
    assert header + text == extract(message, Section()) == message
    root = parse(message)
    assert (root.start, root.body, root.end) == (0, len(header), len(message))


@given(messages)
def test_octets_and_lines_agree_with_the_section(message: bytes) -> None:
    root = parse(message)
    for section, part in parts(root):
        octets = extract(message, section, root)
        assert octets is not None
        assert part.octets == len(octets)
        assert part.lines == octets.count(b"\n")
        assert extract(message, section) == octets


@given(messages)
def test_parts_lie_within_their_parents_in_order(message: bytes) -> None:
    for _, part in parts(parse(message)):
        assert part.start <= part.body <= part.end
        places = [part.body, *(offset for child in part.children for offset in (child.start, child.end)), part.end]
        assert places == sorted(places)


@given(messages)
def test_an_embedded_message_is_its_header_and_text(message: bytes) -> None:
    root = parse(message)
    for section, part in parts(root):
        header = extract(message, Section(section.path, Kind.HEADER), root)
        text = extract(message, Section(section.path, Kind.TEXT), root)
        if part.is_message:
            assert header is not None
            assert text is not None
            assert header + text == extract(message, section, root)
        else:
            assert header is text is None


@given(messages)
def test_body_agrees_with_bodystructure(message: bytes) -> None:
    root = parse(message)
    assert without_extension(read(body(message, root, True))) == read(body(message, root, False))


@given(messages)
def test_an_envelope_has_ten_members(message: bytes) -> None:
    tree = read(envelope(message[: parse(message).body]))
    assert isinstance(tree, list)
    assert len(tree) == 10
    for member in tree[2:8]:
        assert member is None or all(isinstance(address, list) and len(address) == 4 for address in member)


@given(messages, st.integers(0, 300), st.integers(0, 300))
def test_a_partial_is_the_slice(message: bytes, offset: int, length: int) -> None:
    root = parse(message)
    for section, _ in parts(root):
        whole = extract(message, section, root)
        place = span(root, section)
        assert whole is not None
        assert place is not None
        begin = min(place[0] + offset, place[1])
        assert message[begin : min(begin + length, place[1])] == whole[offset : offset + length]
