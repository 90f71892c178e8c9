"""Header fields that are often asked for are found in the index, and are what the file would say."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailaccess.interfaces import IContent
from mailaccess.message import headers
from mailaccess.store import content
from mailaccess.store.account import MaildirAccount
from mailaccess.store.frequent import FREQUENT, KEPT_OCTETS, are_frequent
from mailaccess.store.mailbox import MaildirMailbox
from mailaccess.values import INBOX, UID

Open = Callable[[], MaildirAccount]

PIECES = (
    b"Subject: x",
    b"subject : ",
    b"X-Odd: y",
    b"To: a@b",
    b"\r\n",
    b"\r\n ",
    b"\r\n\r\n",
    b"junk",
    b": ",
    b"\r",
    b"\n",
)


def fields(mailbox: MaildirMailbox, names: tuple[bytes, ...]) -> list[bytes | None]:
    def look(message: IContent) -> bytes:
        return message.fields(names)

    return [found for _, found in mailbox.read(list(mailbox.folder.rows), look)]


def deliver(account: MaildirAccount, message: bytes) -> MaildirMailbox:
    (account.root / "new" / f"{len(message)}.M1.host").write_bytes(message)
    return account.open(INBOX)


@given(st.lists(st.sampled_from(PIECES), max_size=12).map(b"".join), st.sets(st.sampled_from(sorted(FREQUENT))))
def test_a_choice_of_the_frequent_fields_is_the_headers(octets: bytes, names: set[bytes]) -> None:
    header = octets[: headers.split(octets)]
    assert headers.select(headers.select(header, FREQUENT), names) == headers.select(header, names)


def test_what_was_read_once_needs_no_file(open_account: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    mailbox = deliver(open_account(), b"From: a@b\nX-Odd: y\nSUBJECT: =?utf-8?q?x?=\n\nbody\n")
    wanted = b"SUBJECT: =?utf-8?q?x?=\r\n\r\n"
    assert fields(mailbox, (b"subject", b"To")) == [wanted]
    monkeypatch.setattr(content.FileContent, "header", lambda self: pytest.fail("the file was read"))
    again = open_account().open(INBOX)
    assert fields(again, (b"Subject",)) == [wanted]
    assert fields(again, (b"FROM",)) == [b"From: a@b\r\n\r\n"]


def test_other_fields_are_read_from_the_file(account: MaildirAccount) -> None:
    mailbox = deliver(account, b"From: a@b\nX-Odd: y\n\n")
    assert not are_frequent((b"From", b"X-Odd"))
    assert fields(mailbox, (b"From", b"X-Odd")) == [b"From: a@b\r\nX-Odd: y\r\n\r\n"]


def test_a_long_header_is_not_kept(account: MaildirAccount) -> None:
    mailbox = deliver(account, b"To: a@b" + b",\n a@b" * KEPT_OCTETS + b"\n\n")
    for _ in range(2):
        assert fields(mailbox, (b"To",)) == [b"To: a@b" + b",\r\n a@b" * KEPT_OCTETS + b"\r\n\r\n"]
    assert not mailbox.folder.index.fields(mailbox.folder.index_key, [UID(1)])


def test_an_expunged_message_leaves_nothing(account: MaildirAccount) -> None:
    mailbox = deliver(account, b"To: a@b\n\n")
    fields(mailbox, (b"To",))
    assert mailbox.folder.index.fields(mailbox.folder.index_key, [UID(1)])
    mailbox.expunge([UID(1)])
    assert not mailbox.folder.index.fields(mailbox.folder.index_key, [UID(1)])
