"""Which octets a section names."""

import pytest

from mailaccess.message import sections
from mailaccess.message.sections import Kind, Section, UnknownEncoding, decoded, extract, locate, span
from mailaccess.message.structure import Part, parse

# The example of RFC 9051 §6.4.5.1, in which every part is its own number.
MESSAGE = """Subject: 0
Content-Type: multipart/mixed; boundary=a

--a

1
--a
Content-Type: application/octet-stream

2
--a
Content-Type: message/rfc822

Subject: 3
Content-Type: multipart/mixed; boundary=b

--b

3.1
--b
Content-Type: application/octet-stream

3.2
--b--
--a
Content-Type: multipart/mixed; boundary=c

--c
Content-Type: image/gif

4.1
--c
Content-Type: message/rfc822

Subject: 4.2
Content-Type: multipart/mixed; boundary=d

--d

4.2.1
--d
Content-Type: multipart/alternative; boundary=e

--e

4.2.2.1
--e
Content-Type: text/richtext

4.2.2.2
--e--
--d--
--c--
--a--
""".replace("\n", "\r\n").encode()

ROOT = parse(MESSAGE)


def path(numbers: str) -> tuple[int, ...]:
    return tuple(map(int, numbers.split(".")))


@pytest.mark.parametrize("numbers", ["1", "2", "3.1", "3.2", "4.1", "4.2.1", "4.2.2.1", "4.2.2.2"])
def test_numbers_name_parts(numbers: str) -> None:
    assert extract(MESSAGE, Section(path(numbers))) == numbers.encode()
    assert extract(MESSAGE, Section(path(numbers)), ROOT) == numbers.encode()


@pytest.mark.parametrize(
    "numbers", ["0", "5", "1.1", "1.0", "2.1", "3.0", "3.3", "3.1.1", "4.3", "4.1.1", "4.2.2.3", "4.2.3"]
)
def test_what_is_not_there_is_none(numbers: str) -> None:
    for kind in Kind:
        assert extract(MESSAGE, Section(path(numbers), kind, (b"subject",))) is None


def test_the_header_and_text_of_an_embedded_message() -> None:
    header = b"Subject: 3\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
    text = b"--b\r\n\r\n3.1\r\n--b\r\nContent-Type: application/octet-stream\r\n\r\n3.2\r\n--b--"
    assert extract(MESSAGE, Section((3,), Kind.HEADER)) == header
    assert extract(MESSAGE, Section((3,), Kind.TEXT)) == text
    assert extract(MESSAGE, Section((3,))) == header + text
    assert extract(MESSAGE, Section((3,), Kind.MIME)) == b"Content-Type: message/rfc822\r\n\r\n"
    assert extract(MESSAGE, Section((4, 2), Kind.FIELDS, (b"SUBJECT",))) == b"Subject: 4.2\r\n\r\n"
    assert extract(MESSAGE, Section((4, 2), Kind.FIELDS_NOT, (b"content-type",))) == b"Subject: 4.2\r\n\r\n"


@pytest.mark.parametrize("kind", [Kind.HEADER, Kind.TEXT, Kind.FIELDS, Kind.FIELDS_NOT])
@pytest.mark.parametrize("numbers", ["1", "4", "4.1"])
def test_only_embedded_messages_have_header_and_text(numbers: str, kind: Kind) -> None:
    assert extract(MESSAGE, Section(path(numbers), kind)) is None


def test_the_message_itself() -> None:
    header = b"Subject: 0\r\nContent-Type: multipart/mixed; boundary=a\r\n\r\n"
    assert extract(MESSAGE, Section()) == MESSAGE
    assert extract(MESSAGE, Section((), Kind.HEADER)) == header
    assert extract(MESSAGE, Section((), Kind.TEXT)) == MESSAGE[len(header) :]
    assert extract(MESSAGE, Section((), Kind.FIELDS, (b"Subject", b"To"))) == b"Subject: 0\r\n\r\n"
    assert extract(MESSAGE, Section((), Kind.MIME)) is None


def test_no_structure_is_made_where_none_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(sections, "parse")
    for kind in Kind:
        extract(MESSAGE, Section((), kind))
    assert extract(MESSAGE, Section((1,)), ROOT) == b"1"


def test_a_single_part_message_has_part_1() -> None:
    message = b"Subject: x\r\n\r\none"
    assert extract(message, Section((1,))) == b"one"
    assert extract(message, Section((1,), Kind.MIME)) == b"Subject: x\r\n\r\n"
    assert extract(message, Section((1, 1))) is None
    assert extract(message, Section((2,))) is None


def test_a_message_that_is_a_message() -> None:
    message = b"Content-Type: message/rfc822\r\n\r\nSubject: x\r\n\r\none"
    assert extract(message, Section((1,))) == b"Subject: x\r\n\r\none"
    assert extract(message, Section((1,), Kind.HEADER)) == b"Subject: x\r\n\r\n"
    assert extract(message, Section((1, 1))) == b"one"
    assert extract(message, Section((1, 1, 1))) is None


def walk(part: Part, numbers: tuple[int, ...] = ()) -> list[tuple[int, ...]]:
    inside = part.children[0] if part.is_message and numbers else part
    if not inside.is_multipart:
        return [numbers, (*numbers, 1)] if inside is not part or not numbers else [numbers]
    paths = [numbers]
    for number, child in enumerate(inside.children, 1):
        paths += walk(child, (*numbers, number))
    return paths


@pytest.mark.parametrize("numbers", walk(ROOT))
@pytest.mark.parametrize("kind", [Kind.WHOLE, Kind.HEADER, Kind.TEXT, Kind.MIME])
def test_a_span_is_where_the_octets_stand(numbers: tuple[int, ...], kind: Kind) -> None:
    section = Section(numbers, kind)
    found = span(ROOT, section)
    assert extract(MESSAGE, section) == (None if found is None else MESSAGE[found[0] : found[1]])


def test_decoding_for_binary() -> None:
    message = b"Content-Transfer-Encoding: base64\r\n\r\naGVs\r\nbG8=\r\n"
    part = locate(parse(message), (1,))
    assert part is not None
    assert decoded(message, part) == b"hello"
    broken = message.replace(b"bG8=", b"b")
    with pytest.raises(UnknownEncoding):
        decoded(broken, parse(broken))
