r"""FETCH: every item, sections and partials, \Seen, and what is gone (RFC 9051 §6.4.5)."""

import re
from typing import Any

import pytest

from mailaccess.errors import StoreUnavailable
from mailaccess.imap.commands.contents import SLICE_BYTES
from mailaccess.values import UID
from tests.imap.scripted import Client, message, run

MULTIPART = (
    b"From: Ann <ann@example.org>\r\nSubject: parts\r\nX-Odd: 1\r\n"
    b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n'
    b"--b\r\nContent-Type: text/plain\r\n\r\nfirst\r\n"
    b"--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: inner\r\n\r\ninner text\r\n"
    b"--b--\r\n"
)


@pytest.fixture
def mail(client: Client) -> Client:
    """A client whose INBOX has one multipart message."""
    client.append(MULTIPART)
    return client


def fetched(client: Client, items: str) -> bytes:
    """What stands between the parentheses of one FETCH response."""
    answer = client.send(f"x FETCH 1 {items}\r\n".encode())
    found = re.match(rb"\* 1 FETCH \((.*)\)\r\nx OK ", answer, re.DOTALL)
    assert found, answer
    return found[1]


SECTIONS = [
    ("BODY.PEEK[]", MULTIPART),
    ("RFC822.HEADER", MULTIPART.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"),
    ("BODY.PEEK[HEADER]", MULTIPART.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"),
    ("BODY.PEEK[TEXT]", MULTIPART.partition(b"\r\n\r\n")[2]),
    ("BODY.PEEK[1]", b"first"),
    ("BODY.PEEK[1.MIME]", b"Content-Type: text/plain\r\n\r\n"),
    ("BODY.PEEK[2]", b"Subject: inner\r\n\r\ninner text"),
    ("BODY.PEEK[2.HEADER]", b"Subject: inner\r\n\r\n"),
    ("BODY.PEEK[2.TEXT]", b"inner text"),
    ("BODY.PEEK[2.1]", b"inner text"),
    ("BODY.PEEK[2.HEADER.FIELDS (Subject)]", b"Subject: inner\r\n\r\n"),
    ("BODY.PEEK[HEADER.FIELDS (x-odd FROM)]", b"From: Ann <ann@example.org>\r\nX-Odd: 1\r\n\r\n"),
    ("BODY.PEEK[]<5.4>", MULTIPART[5:9]),
    ("BODY.PEEK[]<100000.10>", b""),
    ("BODY.PEEK[1]<2.100>", b"rst"),
    ("BODY.PEEK[HEADER.FIELDS (X-Odd)]<2.3>", b"Odd"),
]


@pytest.mark.parametrize(("item", "octets"), SECTIONS)
def test_a_section_has_these_octets(mail: Client, item: str, octets: bytes) -> None:
    said = fetched(mail, item)
    assert said.endswith(b" {%d}\r\n%b" % (len(octets), octets))
    assert b"\\Seen" not in said


@pytest.mark.parametrize("item", ["BODY.PEEK[3]", "BODY.PEEK[1.1.1]", "BODY.PEEK[1.HEADER]", "BODY.PEEK[9.MIME]"])
def test_a_part_that_is_not_there_is_nil(mail: Client, item: str) -> None:
    assert fetched(mail, item).endswith(b" NIL")


@pytest.mark.parametrize("item", ["BODY[]", "BODY[1]", "RFC822", "RFC822.TEXT"])
def test_reading_sets_seen_and_tells_so(mail: Client, item: str) -> None:
    assert fetched(mail, item).startswith(b"FLAGS (\\Seen \\Recent) ")
    assert fetched(mail, "FLAGS") == b"FLAGS (\\Seen \\Recent)"


def test_flags_asked_for_are_those_after_reading(mail: Client) -> None:
    assert fetched(mail, "(BODY[1] FLAGS)").startswith(b"FLAGS (\\Seen \\Recent) BODY[1] ")


def test_reading_after_examine_changes_nothing(mail: Client) -> None:
    mail.reply("EXAMINE INBOX")
    assert fetched(mail, "BODY[1]") == b"BODY[1] {5}\r\nfirst"
    assert fetched(mail, "FLAGS") == b"FLAGS ()"


def test_mail_can_be_read_though_seen_cannot_be_kept(mail: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    async def refuse(*_: object) -> None:
        raise StoreUnavailable

    monkeypatch.setattr(mail.session.context.view.shared.mailbox, "store", refuse)
    assert fetched(mail, "BODY[1]") == b"BODY[1] {5}\r\nfirst"


def test_attributes(mail: Client) -> None:
    said = fetched(mail, "(FLAGS UID RFC822.SIZE INTERNALDATE ENVELOPE BODY BODYSTRUCTURE)")
    assert said.startswith(b"FLAGS (\\Recent) UID 1 RFC822.SIZE %d INTERNALDATE " % len(MULTIPART))
    assert b' ENVELOPE (NIL "parts" (("Ann" NIL "ann" "example.org")) ' in said
    assert b' BODYSTRUCTURE (("TEXT" "PLAIN" ' in said.upper()
    assert b' BODY (("TEXT" "PLAIN" ' in said.upper()


def test_uid_fetch_tells_the_uid(mail: Client) -> None:
    assert mail.ask("UID FETCH 1 FLAGS")[0] == b"* 1 FETCH (UID 1 FLAGS (\\Recent))"


def test_modseq_makes_every_later_answer_tell_it(mail: Client) -> None:
    assert b"MODSEQ" not in mail.ask("STORE 1 +FLAGS (\\Flagged)")[0]
    highest, told, _ = mail.ask("FETCH 1 MODSEQ")
    assert highest.startswith(b"* OK [HIGHESTMODSEQ ")
    assert b"MODSEQ (" in told
    assert b"MODSEQ (" in mail.ask("STORE 1 +FLAGS (\\Draft)")[0]
    assert fetched(mail, "BODY[1]").startswith(b"FLAGS (\\Flagged \\Seen \\Draft \\Recent) MODSEQ (")


def test_changed_since_leaves_out_what_did_not_change(mail: Client) -> None:
    mail.append(message("two"))
    first = int(re.findall(rb"MODSEQ \((\d+)\)", mail.ask("FETCH 1 MODSEQ")[1])[0])
    assert [line[:9] for line in mail.ask(f"FETCH 1:2 FLAGS (CHANGEDSINCE {first})")[:-1]] == [b"* 2 FETCH"]


def test_a_large_section_is_read_in_slices(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    body = "0123456789" * (SLICE_BYTES // 4)
    octets = message("large", body)
    client.append(octets)
    sizes: list[int] = []
    send = client.link.send

    def measured(data: bytes) -> None:
        sizes.append(len(data))
        send(data)

    monkeypatch.setattr(client.link, "send", measured)
    assert fetched(client, "BODY.PEEK[]") == b"BODY[] {%d}\r\n%b" % (len(octets), octets)
    assert max(sizes) < SLICE_BYTES + 1000
    assert fetched(client, f"BODY.PEEK[TEXT]<7.{SLICE_BYTES * 2}>").endswith(body[7 : 7 + SLICE_BYTES * 2].encode())


def test_many_items_are_answered_in_pieces(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    client.append(message("large", "x" * (SLICE_BYTES - 1000)))
    mailbox = client.session.context.view.shared.mailbox
    read: Any = mailbox.read
    octets: list[int] = []

    async def measured(*arguments: Any) -> Any:
        answer: Any = await read(*arguments)
        octets.append(sum(len(part) for _, found in answer for part in found.parts))
        return answer

    monkeypatch.setattr(mailbox, "read", measured)
    items = " ".join(f"BODY.PEEK[TEXT]<{number}.{SLICE_BYTES}>" for number in range(20))
    assert fetched(client, f"({items})").count(b"BODY[TEXT]<") == 20
    assert max(octets) < 2 * SLICE_BYTES


def test_a_message_that_goes_while_it_is_sent_ends_the_connection(client: Client) -> None:
    client.append(message("large", "x" * (SLICE_BYTES * 4)))
    client.link.slow = True
    client.send(b"x FETCH 1 BODY.PEEK[]\r\n")
    run(client.session.context.view.shared.mailbox.expunge([UID(1)]))
    while not client.link.closed:
        client.link.take()
    assert b"x OK" not in client.read()


@pytest.mark.parametrize("size", [1000, SLICE_BYTES * 3])
def test_a_nul_is_never_sent_however_a_section_goes_out(client: Client, size: int) -> None:
    client.append(message("nul", "x" * size + "\0" + "y" * size))
    client.reply("SELECT INBOX")
    answer = fetched(client, "BODY.PEEK[TEXT]")
    assert b"\0" not in answer
    assert b"xx\x80yy" in answer
