"""FETCH and sections."""

import pytest

from mailaccess.imap.grammar import fetch
from mailaccess.imap.grammar import tokens as t
from mailaccess.imap.grammar.fetch import Attribute
from mailaccess.values import ModSeq, SequenceSet
from tests.imap.reading import arguments

ONE = SequenceSet(((1, 1),))


def fetched(text: bytes) -> tuple[fetch.FetchItem, ...]:
    return fetch.fetch_arguments(arguments(b" 1 " + text)).items


def test_fetch_macros() -> None:
    fast = (Attribute.FLAGS, Attribute.INTERNALDATE, Attribute.SIZE)
    assert fetched(b"fast") == fast
    assert fetched(b"ALL") == (*fast, Attribute.ENVELOPE)
    assert fetched(b"FULL") == (*fast, Attribute.ENVELOPE, Attribute.BODY)


def test_fetch_attributes() -> None:
    everything = b"FLAGS UID INTERNALDATE RFC822.SIZE ENVELOPE BODY BODYSTRUCTURE MODSEQ"
    assert fetched(b"(%b)" % everything) == tuple(Attribute)
    assert fetched(b"(flags uid FLAGS)") == (Attribute.FLAGS, Attribute.UID)
    assert fetched(b"UID") == (Attribute.UID,)


@pytest.mark.parametrize(
    ("text", "label", "peek", "partial"),
    [
        (b"BODY[]", b"BODY[]", False, None),
        (b"body.peek[header]", b"BODY[HEADER]", True, None),
        (b"BODY[TEXT]<0.1500>", b"BODY[TEXT]<0>", False, (0, 1500)),
        (b"BODY.PEEK[1]", b"BODY[1]", True, None),
        (b"BODY.PEEK[1.20.3.mime]", b"BODY[1.20.3.MIME]", True, None),
        (b"BODY[2.HEADER]", b"BODY[2.HEADER]", False, None),
        (b"BODY[2.TEXT]<5.1>", b"BODY[2.TEXT]<5>", False, (5, 1)),
        (b"BODY[HEADER.FIELDS (Date FROM)]", b"BODY[HEADER.FIELDS (Date FROM)]", False, None),
        (b'BODY.PEEK[1.header.fields.not ("a b" "X")]', b"", True, None),
        (b"BODY[HEADER.FIELDS ({4+}\r\nDate)]", b"BODY[HEADER.FIELDS (Date)]", False, None),
        (b'BODY[HEADER.FIELDS ("x\\"y")]', b'BODY[HEADER.FIELDS ("x\\"y")]', False, None),
        (b"BODY[]<9223372036854775807.9223372036854775807>", b"BODY[]<9223372036854775807>", False, (2**32, 2**32)),
        (b"RFC822", b"RFC822", False, None),
        (b"RFC822.HEADER", b"RFC822.HEADER", True, None),
        (b"rfc822.text", b"RFC822.TEXT", False, None),
    ],
)
def test_fetch_sections(text: bytes, label: bytes, peek: bool, partial: tuple[int, int] | None) -> None:
    if not label:
        with pytest.raises(t.BadSyntax, match="header field"):
            fetched(text)
        return
    (item,) = fetched(text)
    assert isinstance(item, fetch.SectionItem)
    assert (item.label, item.peek, item.partial) == (label, peek, partial)
    assert fetch.FetchArguments(ONE, (item,)).sets_seen is not peek


def test_fetch_changed_since() -> None:
    asked = fetch.fetch_arguments(arguments(b" 1:* FLAGS (CHANGEDSINCE 12345)"))
    assert asked == fetch.FetchArguments(SequenceSet(((1, None),)), (Attribute.FLAGS, Attribute.MODSEQ), ModSeq(12345))


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"()",
        b"(FLAGS",
        b"FLAGS UID",
        b"(FLAGS )",
        b"( FLAGS)",
        b"(FLAGS  UID)",
        b"(ALL)",
        b"(FLAGS FAST)",
        b"BODI",
        b"BINARY[1]",
        b"BODYSTRUCTURE[1]",
        b"RFC822[]",
        b"RFC822.SIZE[]",
        b"BODY[",
        b"BODY[]]",
        b"BODY[0]",
        b"BODY[01]",
        b"BODY[1.]",
        b"BODY[.1]",
        b"BODY[1.0]",
        b"BODY[1..2]",
        b"BODY[9999999999]",
        b"BODY[%b1]" % (b"1." * 200),
        b"BODY[MIME]",
        b"BODY[1.BODY]",
        b"BODY[HEADER.1]",
        b"BODY[HEADERX]",
        b"BODY[HEADER.FIELDS]",
        b"BODY[HEADER.FIELDS ()]",
        b"BODY[HEADER.FIELDS (a]",
        b"BODY[HEADER.FIELDS (a )]",
        b"BODY[HEADER.FIELDS.NOT(a)]",
        b'BODY[HEADER.FIELDS ("")]',
        b'BODY[HEADER.FIELDS ("a:")]',
        b"BODY[HEADER.FIELDS ({3+}\r\na\r\n)]",
        b"BODY[]<0>",
        b"BODY[]<0.0>",
        b"BODY[]<0.>",
        b"BODY[]<.1>",
        b"BODY[]<-1.1>",
        b"BODY[]<0.1",
        b"BODY[]<9223372036854775808.1>",
        b"BODY<0.1>",
        b"FLAGS ()",
        b"FLAGS (CHANGEDSINCE)",
        b"FLAGS (CHANGEDSINCE 0)",
        b"FLAGS (CHANGEDSINCE 1 VANISHED)",
        b"FLAGS (XYZ 1)",
        b"FLAGS (CHANGEDSINCE 1) x",
        b"(%b)" % b" ".join(b"BODY[%d]" % n for n in range(1, 502)),
    ],
)
def test_fetch_refused(text: bytes) -> None:
    with pytest.raises(t.BadSyntax):
        fetched(text)
