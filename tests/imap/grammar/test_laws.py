"""What holds for every reader: nothing but its errors is raised, and time is linear."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailaccess.errors import ClientError
from mailaccess.imap.grammar import append, fetch, listing, login, mailboxes, search, status
from mailaccess.imap.grammar import store as storing
from mailaccess.imap.grammar import tokens as t
from mailaccess.imap.wire import Arguments
from tests.imap.reading import arguments, seconds

READERS = sorted(
    {
        login.no_arguments,
        login.login_arguments,
        login.authenticate_arguments,
        login.id_parameters,
        login.enable_names,
        mailboxes.mailbox_argument,
        mailboxes.rename_arguments,
        mailboxes.select_arguments,
        mailboxes.create_arguments,
        status.status_arguments,
        listing.lsub_arguments,
        listing.list_arguments,
        storing.set_arguments,
        storing.copy_arguments,
        storing.store_arguments,
        append.append_arguments,
        fetch.fetch_arguments,
        search.search_arguments,
    },
    key=lambda reader: reader.__name__,
)
WORDS = st.sampled_from(
    b'( ) ~ " \\ [ ] < > . , : * % {} {2+}\r\nab {1+}\r\n\0 NIL ALL OR NOT UID 1 0 1:* 4294967296 BODY[ HEADER.FIELDS '
    b"FLAGS +FLAGS.SILENT (UNCHANGEDSINCE (CHANGEDSINCE RETURN CHARSET UTF-8 STATUS (MESSAGES) \\Seen \\Recent USE "
    b'"" &- & = "17-Jul-1996 02:44:25 -0700" 1-Feb-2026 CONDSTORE KEYWORD MODSEQ \xc3\xa9'.split(b" ")
)


@pytest.mark.parametrize("reader", READERS)
@given(words=st.lists(WORDS | st.binary(max_size=4), max_size=12), glue=st.sampled_from([b" ", b""]))
def test_nothing_else_is_raised(reader: Callable[[Arguments], Any], words: list[bytes], glue: bytes) -> None:
    text = glue.join([b"", *words]).replace(b"\0", b"")
    try:
        command = arguments(text)
    except (ValueError, AssertionError):
        return  # no single command: that is the wire's business
    try:
        reader(command)
    except (t.BadSyntax, ClientError) as error:
        assert error.text.isprintable()  # noqa: PT017
        assert reader is search.search_arguments or isinstance(error, t.BadSyntax)  # noqa: PT017


@pytest.mark.parametrize(
    ("reader", "text"),
    [
        (storing.set_arguments, lambda n: b" " + b",".join(b"%d" % k for k in range(1, n, 2))),
        (storing.set_arguments, lambda n: b" " + b"1," * n),
        (storing.store_arguments, lambda n: b" 1 FLAGS (" + b"a " * n),
        (storing.store_arguments, lambda n: b" 1 FLAGS (" + b" ".join(b"k%d" % k for k in range(n // 10)) + b")"),
        (login.login_arguments, lambda n: b' "' + b'\\"' * n),
        (login.login_arguments, lambda n: b" " + b"{0+}\r\n" * n),
        (search.search_arguments, lambda n: b" " + b"OR " * n),
        (search.search_arguments, lambda n: b" ALL" * n),
        (fetch.fetch_arguments, lambda n: b" 1 BODY[HEADER.FIELDS (" + b"x " * n),
        (fetch.fetch_arguments, lambda n: b" 1 BODY[" + b"1." * n),
        (fetch.fetch_arguments, lambda n: b" 1 (" + b"FLAGS " * n),
        (status.status_arguments, lambda n: b" a (" + b"MESSAGES " * n),
        (mailboxes.mailbox_argument, lambda n: b" " + b"&AGE-" * n),
    ],
)
def test_time_is_linear(reader: Callable[[Arguments], Any], text: Callable[[int], bytes]) -> None:
    assert seconds(reader, text(20_000)) < 5 * seconds(reader, text(10_000)) + 0.01


def test_the_longest_set_is_read_in_milliseconds() -> None:
    assert seconds(storing.set_arguments, b" " + b",".join(b"%d" % k for k in range(1, 6500, 2))) < 0.05
