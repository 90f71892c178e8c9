"""SEARCH."""

from datetime import date

import pytest

from mailaccess.errors import ClientError, Code
from mailaccess.imap.grammar import search
from mailaccess.imap.grammar import tokens as t
from mailaccess.imap.grammar.search import SearchReturn
from mailaccess.mailbox import criteria as c
from mailaccess.values import ANSWERED, DELETED, SEEN, Flag, ModSeq, SequenceSet
from tests.imap.reading import arguments

ONE = SequenceSet(((1, 1),))


def searched(text: bytes) -> c.Criterion:
    return search.search_arguments(arguments(b" " + text)).program


DAY = date(2026, 2, 1)


@pytest.mark.parametrize(
    ("text", "program"),
    [
        (b"ALL", c.All()),
        (b"all", c.All()),
        (b"SEEN", c.FlagIs(SEEN)),
        (b"UNSEEN", c.FlagIs(SEEN, False)),
        (b"NEW", c.NEW),
        (b"OLD", c.OLD),
        (b"RECENT", c.Recent()),
        (b"ANSWERED UNDELETED", c.And((c.FlagIs(ANSWERED), c.FlagIs(DELETED, False)))),
        (b"KEYWORD $Work", c.FlagIs(Flag("$Work"))),
        (b"UNKEYWORD $Work", c.FlagIs(Flag("$Work"), False)),
        (b"1:*", c.Sequence(SequenceSet(((1, None),)))),
        (b"*", c.Sequence(SequenceSet(((None, None),)))),
        (b"UID 1", c.UIDs(ONE)),
        (b"LARGER 0", c.Larger(0)),
        (b"SMALLER 9223372036854775807", c.Smaller(2**63 - 1)),
        (b"BEFORE 1-Feb-2026", c.Before(DAY)),
        (b"ON 1-Feb-2026", c.On(DAY)),
        (b"SINCE 1-Feb-2026", c.Since(DAY)),
        (b'SENTBEFORE "1-Feb-2026"', c.SentBefore(DAY)),
        (b"SENTON 1-Feb-2026", c.SentOn(DAY)),
        (b"(SENTSINCE 1-Feb-2026)", c.SentSince(DAY)),
        (b"FROM joe", c.Header("From", "joe")),
        (b'BCC ""', c.Header("Bcc", "")),
        (b"CC x TO y", c.And((c.Header("Cc", "x"), c.Header("To", "y")))),
        (b"SUBJECT {5+}\r\na\r\n\xc3\xa9", c.Header("Subject", "a\r\né")),
        (b'HEADER X-Y ""', c.Header("X-Y", "")),
        (b"BODY x", c.Body("x")),
        (b'TEXT "(x"', c.Text("(x")),
        (b"MODSEQ 0", c.ModSeqFrom(ModSeq(0))),
        (rb'MODSEQ "/flags/\\draft" all 620162338', c.ModSeqFrom(ModSeq(620162338))),
        (b"NOT SEEN", c.Not(c.FlagIs(SEEN))),
        (b"NOT (SEEN 1)", c.Not(c.And((c.FlagIs(SEEN), c.Sequence(ONE))))),
        (b"OR SEEN NOT 1", c.Or(c.FlagIs(SEEN), c.Not(c.Sequence(ONE)))),
        (b"OR OR BODY a BODY b (BODY c)", c.Or(c.Or(c.Body("a"), c.Body("b")), c.Body("c"))),
        (b"CHARSET UTF-8 BODY {2+}\r\n\xc3\xa9", c.Body("é")),
        (b'CHARSET "us-ascii" ALL', c.All()),
        (b"CHARSET ISO-8859-1 BODY {1+}\r\n\xe9", c.Body("é")),
        (b"CHARSET windows-1252 BODY {1+}\r\n\x80", c.Body("€")),
        (b'BODY "\xc3\xa9"', c.Body("é")),
    ],
)
def test_search_keys(text: bytes, program: c.Criterion) -> None:
    assert searched(text) == program


@pytest.mark.parametrize(
    ("text", "returns"),
    [
        (b"ALL", None),
        (b"RETURN () ALL", {SearchReturn.ALL}),
        (b"return (min Max COUNT) CHARSET UTF-8 ALL", {SearchReturn.MIN, SearchReturn.MAX, SearchReturn.COUNT}),
        (b"RETURN (ALL) 1:*", {SearchReturn.ALL}),
    ],
)
def test_search_return(text: bytes, returns: set[SearchReturn] | None) -> None:
    assert search.search_arguments(arguments(b" " + text)).returns == returns


def test_search_asks_for_modseq() -> None:
    assert search.search_arguments(arguments(b" OR SEEN NOT MODSEQ 1")).asks_modseq
    assert not search.search_arguments(arguments(b" OR SEEN NOT 1")).asks_modseq


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"SEENX",
        b"ALL ",
        b"ALL  SEEN",
        b"()",
        b"(ALL",
        b"(ALL))",
        b"( ALL)",
        b"NOT",
        b"NOT ",
        b"OR ALL",
        b"OR ALL ",
        b"1,",
        b"0",
        b"$",
        b"UID",
        b"UID 99999999999999999999",
        b"FROM",
        b"HEADER x",
        b"HEADER \xc3\xa9 x",
        b"KEYWORD \\Seen",
        b"LARGER -1",
        b"LARGER 9223372036854775808",
        b"SINCE 2026-02-01",
        b"SENTON 31-Feb-2026",
        b"MODSEQ x",
        b'MODSEQ "/other/x" all 1',
        b'MODSEQ "/flags/x" mine 1',
        b"CHARSET UTF-8",
        b"CHARSET UTF-8 ",
        b"ALL CHARSET UTF-8",
        b"RETURN ALL",
        b"RETURN (SAVE) ALL",
        b"RETURN (PARTIAL 1:2) ALL",
        b"RETURN (MIN ) ALL",
        b"RETURN (MIN)",
        b"ALL RETURN (MIN)",
        b'BODY "\xe9"',
        b"CHARSET US-ASCII BODY {2+}\r\n\xc3\xa9",
        b"BODY {3+}\r\na\0b",
        b"OLDER 5",
    ],
)
def test_search_refused(text: bytes) -> None:
    with pytest.raises(t.BadSyntax):
        searched(text)


@pytest.mark.parametrize("charset", [b"x-unknown", b'"UTF-16"', b"{3+}\r\n\xff\xff\xff", b"utf_8", b"rot13"])
def test_search_in_a_charset_that_is_not_known(charset: bytes) -> None:
    with pytest.raises(search.BadCharset) as caught:
        searched(b"CHARSET %b ALL" % charset)
    assert caught.value.code is Code.BADCHARSET
    assert "UTF-8" in caught.value.charsets


@pytest.mark.parametrize("deeper", [b"NOT ", b"(", b"OR ALL ", b"OR (", b"NOT ("])
def test_search_keys_have_a_deepest_level(deeper: bytes) -> None:
    with pytest.raises(ClientError) as caught:
        searched(deeper * 10_000 + b"ALL")
    assert caught.value.code is Code.LIMIT


def test_the_deepest_search() -> None:
    assert isinstance(searched(b"NOT " * (c.MAX_DEPTH - 1) + b"ALL"), c.Not)
    with pytest.raises(ClientError, match="deep"):
        searched(b"NOT " * c.MAX_DEPTH + b"ALL")


def test_search_keys_have_a_greatest_number() -> None:
    with pytest.raises(ClientError) as caught:
        searched(b"ALL " * c.MAX_KEYS + b"ALL")
    assert caught.value.code is Code.LIMIT
