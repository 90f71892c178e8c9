"""The tree of parts: what is well made, what is broken, what is hostile."""

from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailaccess.message import structure
from mailaccess.message.structure import Part, parse


def crlf(text: str) -> bytes:
    return text.replace("\n", "\r\n").encode()


def shape(part: Part) -> object:
    """Type and children, for comparison."""
    kind = b"/".join(part.kind).decode()
    return (kind, [shape(child) for child in part.children]) if part.children else kind


def bodies(part: Part, message: bytes) -> list[bytes]:
    """The bodies of the leaves."""
    if not part.children:
        return [message[part.body : part.end]]
    return [body for child in part.children for body in bodies(child, message)]


def test_a_message_without_mime_is_plain_text() -> None:
    message = b"Subject: x\r\n\r\none\r\ntwo\r\n"
    part = parse(message)
    assert (part.start, part.body, part.end, part.lines) == (0, 14, len(message), 2)
    assert part.kind == (b"text", b"plain")
    assert part.encoding == b"7bit"
    assert part.children == ()


def test_what_the_fields_say() -> None:
    part = parse(
        crlf(
            "Content-Type: Image/PNG; name=x\nContent-Transfer-Encoding: BASE64\nContent-ID: <1@x>\n"
            "Content-Description: a\n picture\nContent-MD5: abc==\nContent-Disposition: inline; filename=x.png\n"
            "Content-Language: de, fr\nContent-Location: http://x/\ncontent-type: text/html\n\n"
        )
    )
    assert (part.type, part.subtype, part.parameters) == (b"Image", b"PNG", ((b"name", b"x"),))
    assert (part.encoding, part.id, part.description, part.md5) == (b"BASE64", b"<1@x>", b"a picture", b"abc==")
    assert part.disposition == (b"inline", ((b"filename", b"x.png"),))
    assert (part.language, part.location) == ((b"de", b"fr"), b"http://x/")


MIXED = "Content-Type: multipart/mixed; boundary=b\n\n"


@pytest.mark.parametrize(
    ("text", "kind", "leaves"),
    [
        (MIXED + "pre\n--b\n\none\n--b\n\ntwo\n\n--b--\nepilogue\n", "multipart/mixed", ["one", "two\n"]),
        (MIXED + "--b\n\none\n--b \t\n\ntwo\n--b--", "multipart/mixed", ["one", "two"]),
        # unterminated: up to the end
        (MIXED + "--b\n\none\n--b\n\ntwo\n", "multipart/mixed", ["one", "two\n"]),
        # a boundary at the very end opens nothing
        (MIXED + "--b\n\none\n--b\n", "multipart/mixed", ["one"]),
        (MIXED + "--b\n\none\n--b", "multipart/mixed", ["one"]),
        # parts without a body, without an empty line, without anything
        (MIXED + "--b\nContent-ID: x\n--b\n\n--b\nContent-ID: x\n\n--b\n--b--", "multipart/mixed", [""] * 4),
        # what only begins like a boundary
        (MIXED + "--b\n\n--bb\n--b--b\n-- b\n --b\n--b--", "multipart/mixed", ["--bb\n--b--b\n-- b\n --b"]),
        # parts behind the last one
        (MIXED + "--b\n\none\n--b--\n--b\n\ntwo\n--b--", "multipart/mixed", ["one"]),
        # no boundary, or none that occurs
        ("Content-Type: multipart/mixed\n\n--b\n\none\n--b--", "text/plain", ["--b\n\none\n--b--"]),
        (MIXED + "one\n", "text/plain", ["one\n"]),
        (MIXED + "--b--\n", "text/plain", ["--b--\n"]),
        ("Content-Type: multipart/mixed; boundary=b\n", "text/plain", [""]),
        # header of the message that ends at the end
        ("Content-Type: text/html", "text/html", [""]),
    ],
)
def test_flat_multiparts(text: str, kind: str, leaves: list[str]) -> None:
    message = crlf(text)
    part = parse(message)
    assert bodies(part, message) == [crlf(leaf) for leaf in leaves]
    assert b"/".join(part.kind) == kind.encode()


def nested(inner: str, outer_boundary: str = "a", inner_boundary: str = "b") -> str:
    return (
        f"Content-Type: multipart/mixed; boundary={outer_boundary}\n\n--{outer_boundary}\n"
        f"Content-Type: multipart/related; boundary={inner_boundary}\n\n{inner}"
    )


TWO = ("multipart/mixed", [("multipart/related", ["text/plain"]), "text/plain"])


def test_an_outer_boundary_ends_what_is_open_inside() -> None:
    message = crlf(nested("--b\n\none\n--a\n\ntwo\n--a--"))
    assert shape(parse(message)) == TWO
    assert bodies(parse(message), message) == [b"one", b"two"]


def test_a_boundary_may_begin_like_another() -> None:
    message = crlf(nested("--ab\n\none\n--ab--\n--a\n\ntwo\n--a--", "a", "ab"))
    assert shape(parse(message)) == TWO


def test_a_boundary_may_end_in_dashes() -> None:
    message = crlf(nested("--a--\n\none\n--a----\n--a\n\ntwo\n--a--", "a", "a--"))
    assert shape(parse(message)) == TWO


def test_the_same_boundary_again_belongs_to_the_innermost_until_its_end() -> None:
    message = crlf(nested("--a\n\none\n--a--\n--a\n\ntwo\n--a--", "a", "a"))
    assert shape(parse(message)) == TWO


def test_embedded_messages() -> None:
    embedded = "Content-Type: message/rfc822\n\nSubject: inner\n" + MIXED + "--b\n\none\n--b--\n"
    message = crlf(embedded)
    part = parse(message)
    assert shape(part) == ("message/rfc822", [("multipart/mixed", ["text/plain"])])
    assert part.is_message
    assert not part.is_multipart
    assert (part.children[0].start, part.children[0].end) == (part.body, part.end)
    assert part.lines == message[part.body :].count(b"\n")


def test_an_encoded_embedded_message_is_octets() -> None:
    for encoding, kind in (("base64", "application/octet-stream"), ("quoted-printable", "application/octet-stream")):
        part = parse(
            crlf(f"Content-Type: message/rfc822; name=x.eml\nContent-Transfer-Encoding: {encoding}\n\nU3ViamVjdDo=")
        )
        assert shape(part) == kind
        assert part.parameters == ((b"name", b"x.eml"),)
    assert shape(parse(crlf("Content-Type: message/rfc822\nContent-Transfer-Encoding: 8BIT\n\nSubject: x\n\n"))) == (
        "message/rfc822",
        ["text/plain"],
    )


def test_parts_of_a_digest_are_messages() -> None:
    digest = (
        "Content-Type: multipart/digest; boundary=b\n\n--b\n\nSubject: x\n\none\n--b\nContent-Type: text/html\n\n--b--"
    )
    assert shape(parse(crlf(digest))) == ("multipart/digest", [("message/rfc822", ["text/plain"]), "text/html"])


def test_a_header_ends_at_a_boundary() -> None:
    message = crlf(MIXED + "--b\nContent-Type: text/html\n--b\n\ntwo\n--b--")
    first = parse(message).children[0]
    assert message[first.start : first.body] == b"Content-Type: text/html\r\n"
    assert first.kind == (b"text", b"html")
    assert first.octets == 0


def test_an_embedded_message_that_is_cut_short_lies_within_its_part() -> None:
    message = crlf(MIXED + "--b\nContent-Type: message/rfc822\n\nSubject: x\n--b--")
    (part,) = parse(message).children
    assert message[part.body : part.end] == b"Subject: x\r\n"
    assert part.children[0].end == part.end


def depth(part: Part) -> int:
    deepest, level = 0, [part]
    while level:
        deepest += 1
        level = [child for part in level for child in part.children]
    return deepest


@pytest.mark.parametrize("kind", ["message/rfc822", "multipart/mixed; boundary=b{0}", "multipart/mixed; boundary=b"])
def test_nesting_is_bounded_and_the_rest_is_text(kind: str) -> None:
    dashes = "" if kind.startswith("message") else "--b{0}\n" if "{0}" in kind else "--b\n"
    layer = f"Content-Type: {kind}\n\n{dashes}"
    message = crlf("".join(layer.format(number) for number in range(1000)) + "Subject: x\n\nend")
    part = parse(message)
    assert depth(part) == structure.MAX_DEPTH
    while part.children:
        part = part.children[-1]
    assert part.kind == (b"text", b"plain")
    assert message[part.body : part.end].endswith(b"end")


class Searched(bytes):
    """Octets that count how many of them were searched."""

    octets = 0

    def find(self, sub: Any, start: Any = 0, end: Any = None, /) -> int:
        found = super().find(sub, start, end)
        last = len(self) if end is None else min(end, len(self))
        type(self).octets += (last if found < 0 else found) - start
        return found


@pytest.mark.parametrize("kind", ["message/rfc822", "multipart/mixed; boundary=b{0}"])
def test_nesting_does_not_multiply_the_search(kind: str) -> None:
    dashes = "" if kind.startswith("message") else "--b{0}\n"
    layers = "".join(f"Content-Type: {kind}\n\n{dashes}".format(number) for number in range(99))
    message = Searched(crlf(layers + "\n" + "text\n" * 10_000))
    Searched.octets = 0
    parse(message)
    assert Searched.octets < 3 * len(message)


def test_the_number_of_parts_is_bounded_and_the_last_holds_the_rest() -> None:
    message = crlf(MIXED + "--b\nContent-Type: text/html\n\nx\n" * 20_000 + "--b--\n")
    part = parse(message)
    assert len(part.children) == structure.MAX_PARTS - 1
    *others, last = part.children
    assert {child.kind for child in others} == {(b"text", b"html")}
    assert last.kind == (b"text", b"plain")
    assert last.start == last.body
    assert last.end == part.end == len(message)


def test_messages_within_messages_count_as_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(structure, "MAX_PARTS", 4)
    message = crlf(MIXED + "--b\nContent-Type: message/rfc822\n\nSubject: x\n\none\n" * 5 + "--b--")
    assert shape(parse(message)) == ("multipart/mixed", [("message/rfc822", ["text/plain"]), "text/plain"])


@dataclass(frozen=True)
class Made:
    """A message in the making, and the shape that it must have."""

    text: str
    shape: object


def plain(text: str) -> Made:
    return Made("Content-Type: text/html\n\n" + text, "text/html")


def embedding(inner: Made) -> Made:
    return Made("Content-Type: message/rfc822\n\n" + inner.text, ("message/rfc822", [inner.shape]))


def multipart(inner: tuple[list[Made], str, bool]) -> Made:
    children, preamble, is_closed = inner
    name = f"b{abs(hash(tuple(child.text for child in children)))}"
    body = "".join(f"\n--{name}\n{child.text}" for child in children)
    end = f"\n--{name}--\n" if is_closed else ""
    return Made(
        f"Content-Type: multipart/mixed; boundary={name}\n\n{preamble}{body}{end}",
        ("multipart/mixed", [child.shape for child in children]),
    )


made = st.recursive(
    st.sampled_from(["", "text", "--\n", "a\n\nb\n"]).map(plain),
    lambda inner: (
        inner.map(embedding)
        | st.tuples(st.lists(inner, min_size=1, max_size=3), st.sampled_from(["", "--x\n"]), st.booleans()).map(
            multipart
        )
    ),
    max_leaves=12,
)


@given(made)
def test_what_is_well_made_is_found(made: Made) -> None:
    assert shape(parse(crlf(made.text))) == made.shape


@given(made, st.integers(0, 400))
def test_a_message_that_was_cut_has_a_structure(made: Made, at: int) -> None:
    message = crlf(made.text)[:at]
    part = parse(message)
    assert part.end == len(message)
