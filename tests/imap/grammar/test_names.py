"""Mailbox names and patterns."""

import pytest

from mailaccess.imap.grammar import names
from mailaccess.imap.wire import Arguments
from tests.imap.reading import read_all, refused


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (b"inbox", "inbox"),
        (b'"Sent Mail"', "Sent Mail"),
        (b"Entw&APw-rfe", "Entwürfe"),
        (b"R&-D", "R&D"),
        (b"{5+}\r\na b/c", "a b/c"),
        (b"x]", "x]"),
    ],
)
def test_mailbox_names(text: bytes, name: str) -> None:
    assert read_all(names.mailbox, text) == name
    assert read_all(names.list_mailbox, text) == name


@pytest.mark.parametrize(
    "text", [b"", b"R&D", b'"Entw\xc3\xbcrfe"', b"x\xc3\xbc", b"%", b'"a', b"{4+}\r\na\0/.", b"a b"]
)
def test_what_is_no_mailbox_name(text: bytes) -> None:
    assert refused(names.mailbox, text)


def test_names_in_utf8_where_they_were_enabled() -> None:
    def mailbox(cursor: Arguments) -> str:
        return names.mailbox(cursor, utf8=True)

    assert read_all(mailbox, b'"Entw\xc3\xbcrfe"') == "Entwürfe"
    assert read_all(mailbox, b"R&D") == "R&D"
    assert refused(mailbox, b'"\xfc"')


@pytest.mark.parametrize(
    ("text", "pattern"), [(b"*", "*"), (b"a/%", "a/%"), (b'"%"', "%"), (b"]*", "]*"), (b"&APw-%", "ü%")]
)
def test_patterns(text: bytes, pattern: str) -> None:
    assert read_all(names.list_mailbox, text) == pattern
