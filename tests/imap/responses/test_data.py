"""Untagged data, and the names, sets and flags in it."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailaccess.imap.grammar.names import mailbox
from mailaccess.imap.grammar.sets import sequence_set
from mailaccess.imap.grammar.tokens import end, sp
from mailaccess.imap.responses import data, strings
from mailaccess.imap.responses.flags import flag_list
from mailaccess.imap.wire import Arguments
from mailaccess.values import ANSWERED, DELETED, DRAFT, FLAGGED, SEEN, Flag, ModSeq, flags
from tests.imap.reading import arguments


def test_server_and_account() -> None:
    assert data.capability(("IMAP4rev1", "IDLE")) == b"* CAPABILITY IMAP4rev1 IDLE\r\n"
    assert data.enabled(("CONDSTORE",)) == b"* ENABLED CONDSTORE\r\n"
    assert data.enabled(()) == b"* ENABLED\r\n"
    assert data.identification({"name": "mailaccess"}) == b'* ID ("name" "mailaccess")\r\n'
    assert data.identification({}) == b"* ID NIL\r\n"
    assert data.namespace("/") == b'* NAMESPACE (("" "/")) NIL NIL\r\n'


def test_mailbox() -> None:
    assert data.flags((SEEN, Flag("$Label1"))) == b"* FLAGS (\\Seen $Label1)\r\n"
    assert data.exists(172) == b"* 172 EXISTS\r\n"
    assert data.recent(0) == b"* 0 RECENT\r\n"
    assert data.expunge([4, 4, 3]) == b"* 4 EXPUNGE\r\n* 4 EXPUNGE\r\n* 3 EXPUNGE\r\n"
    assert data.expunge([]) == b""


def test_list() -> None:
    assert data.list_line("INBOX", ("\\HasNoChildren",), "/") == b'* LIST (\\HasNoChildren) "/" INBOX\r\n'
    assert data.list_line("a b", (), None) == b'* LIST () NIL "a b"\r\n'
    assert data.list_line("a", (), "\\", lsub=True) == b'* LSUB () "\\\\" a\r\n'
    assert data.list_line("a", ("\\NonExistent",), "/", child_info=("SUBSCRIBED",)) == (
        b'* LIST (\\NonExistent) "/" a ("CHILDINFO" ("SUBSCRIBED"))\r\n'
    )
    assert data.list_line("", ("\\Noselect",), "/") == b'* LIST (\\Noselect) "/" ""\r\n'


def test_status() -> None:
    assert data.status("a b", {"MESSAGES": 231, "UIDNEXT": 44292}) == b'* STATUS "a b" (MESSAGES 231 UIDNEXT 44292)\r\n'
    assert data.status("x", {"APPENDLIMIT": None}) == b"* STATUS x (APPENDLIMIT NIL)\r\n"


def test_search() -> None:
    assert data.search([2, 3, 6]) == b"* SEARCH 2 3 6\r\n"
    assert data.search([2], ModSeq(917)) == b"* SEARCH 2 (MODSEQ 917)\r\n"
    assert data.search([]) == b"* SEARCH\r\n"
    assert data.search([], ModSeq(917)) == b"* SEARCH\r\n"


def test_esearch() -> None:
    assert data.esearch(b"A1", True, every=[1, 2, 3, 9]) == b'* ESEARCH (TAG "A1") UID ALL 1:3,9\r\n'
    assert data.esearch(b"A1", False, minimum=2, maximum=47, count=25, modseq=ModSeq(9)) == (
        b'* ESEARCH (TAG "A1") MIN 2 MAX 47 COUNT 25 MODSEQ 9\r\n'
    )
    assert data.esearch(b"A1", False, every=[], count=0) == b'* ESEARCH (TAG "A1") COUNT 0\r\n'


@pytest.mark.parametrize(
    ("name", "octets"),
    [
        ("INBOX", b"INBOX"),
        ("a/b", b"a/b"),
        ("a b", b'"a b"'),
        ("", b'""'),
        ("NIL", b'"NIL"'),
        ("nil", b'"nil"'),
        ("NILE", b"NILE"),
        ('"\\', b'"\\"\\\\"'),
        ("*%", b'"*%"'),
        ("x]", b"x]"),
        ("R&D", b"R&-D"),
        ("Entwürfe", b"Entw&APw-rfe"),
    ],
)
def test_names(name: str, octets: bytes) -> None:
    assert strings.mailbox_name(name) == octets


def test_names_in_utf8() -> None:
    assert strings.mailbox_name("R&D", utf8=True) == b"R&D"
    assert strings.mailbox_name('Entwürfe "1\\2"', utf8=True) == '"Entwürfe \\"1\\\\2\\""'.encode()
    assert strings.mailbox_name("ü\r\n", utf8=True) == b"{4}\r\n\xc3\xbc\r\n"


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"])), st.booleans())
def test_any_name_comes_back(name: str, utf8: bool) -> None:
    octets = strings.mailbox_name(name, utf8).replace(b"}\r\n", b"+}\r\n")
    cursor = arguments(b" " + octets)
    sp(cursor)
    assert mailbox(cursor, utf8) == name
    end(cursor)


@given(st.sets(st.integers(1, 2**32 - 1) | st.integers(1, 50), min_size=1))
def test_any_set_comes_back(numbers: set[int]) -> None:
    octets = strings.number_set(sorted(numbers))
    assert set(sequence_set(Arguments([octets])).resolve(0)) == numbers


def test_sets() -> None:
    assert strings.number_set([]) == b""
    assert strings.number_set([1, 2, 3, 5, 6, 9]) == b"1:3,5:6,9"
    assert strings.number_set([3, 2, 1]) == b"3,2,1"


def test_flags_are_told_in_one_order_and_made_once() -> None:
    every = flags([Flag("b"), DRAFT, SEEN, DELETED, Flag("A"), FLAGGED, ANSWERED])
    assert flag_list(every) == rb"(\Answered \Flagged \Deleted \Seen \Draft A b)"
    assert flag_list(every) is flag_list(frozenset(every))
    assert flag_list(flags([]), True) == rb"(\Recent)"
    assert flag_list(flags([])) == b"()"


@pytest.mark.parametrize("name", ["a b", "a)", "a\r\n* BYE", "", "é", "\\", "a]", '"'])
def test_what_is_no_flag_is_not_told(name: str) -> None:
    assert flag_list(flags([Flag(name), SEEN])) == rb"(\Seen)"


def test_hundred_thousand_numbers_are_quick() -> None:
    start = time.process_time()
    assert len(data.search(range(1, 100_001))) > 500_000
    assert strings.number_set(range(1, 100_001)) == b"1:100000"
    assert time.process_time() - start < 1
