"""APPEND."""

import pytest

from mailaccess.imap.grammar import append
from mailaccess.imap.grammar import tokens as t
from mailaccess.values import SEEN
from tests.imap.reading import arguments


def test_append() -> None:
    with_all = append.append_arguments(arguments(b' Sent (\\Seen) "17-Jul-1996 02:44:25 -0700" {3+}\r\na\0b'))
    (message,) = with_all.messages
    assert (with_all.mailbox, message.flags, message.literal.data) == ("Sent", frozenset({SEEN}), b"a\0b")
    assert message.internal_date == 837596665
    (bare,) = append.append_arguments(arguments(b" Sent {0+}\r\n")).messages
    assert (bare.flags, bare.internal_date, bare.literal.size) == (frozenset(), None, 0)
    (large,) = append.append_arguments(arguments(b" Sent () {1001+}\r\n" + b"m" * 1001)).messages
    assert large.literal.file is not None
    assert (large.literal.size, large.literal.file.read()) == (1001, b"m" * 1001)


@pytest.mark.parametrize(
    "text",
    [
        b" Sent",
        b" Sent ",
        b' Sent "message"',
        b" Sent message",
        b" Sent {}",
        b" Sent{1+}\r\nx",
        b" Sent () () {1+}\r\nx",
        b" Sent {1+}\r\nx {1+}\r\ny",
        b" Sent {1+}\r\nx ",
        b" Sent ~{1+}\r\nx",
        b" Sent (\\Recent) {1+}\r\nx",
    ],
)
def test_append_refused(text: bytes) -> None:
    with pytest.raises(t.BadSyntax):
        append.append_arguments(arguments(text))
