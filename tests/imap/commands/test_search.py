"""SEARCH: old and extended answers (RFC 9051 §6.4.4, RFC 4731, RFC 7162 §3.1.10)."""

import pytest

from tests.imap.scripted import Client, message


@pytest.fixture
def mail(client: Client) -> Client:
    """A client with three messages, of which the first was expunged, so that UIDs are 2 and 3."""
    for subject in ("zero", "one", "two"):
        client.append(message(subject))
    client.reply("STORE 1 +FLAGS (\\Deleted)")
    client.reply("EXPUNGE")
    return client


ANSWERS = [
    ("SEARCH ALL", b"* SEARCH 1 2"),
    ("UID SEARCH ALL", b"* SEARCH 2 3"),
    ("SEARCH SUBJECT two", b"* SEARCH 2"),
    ("SEARCH SUBJECT {3+}\r\ntwo", b"* SEARCH 2"),
    ("SEARCH DELETED", b"* SEARCH"),
    ("UID SEARCH RETURN () ALL", b'* ESEARCH (TAG "t9") UID ALL 2:3'),
    ("SEARCH RETURN (MIN MAX COUNT) ALL", b'* ESEARCH (TAG "t9") MIN 1 MAX 2 COUNT 2'),
    ("SEARCH RETURN (MIN ALL COUNT) DELETED", b'* ESEARCH (TAG "t9") COUNT 0'),
    ("SEARCH 2,1", b"* SEARCH 1 2"),
    ("SEARCH UID 1:3", b"* SEARCH 1 2"),
]


@pytest.mark.parametrize(("command", "line"), ANSWERS)
def test_answers(mail: Client, command: str, line: bytes) -> None:
    while mail._tags < 8:
        mail.reply("NOOP")
    assert mail.ask(command)[0] == line


def test_modseq_is_that_of_what_is_told(mail: Client) -> None:
    modseqs = [int(line.rpartition(b"(")[2].rstrip(b")")) for line in mail.ask("FETCH 1:2 MODSEQ")[1:-1]]
    mail.reply("STORE 1 +FLAGS.SILENT (\\Seen)")
    highest = int(mail.ask("FETCH 1 MODSEQ")[0].rpartition(b"(")[2].rstrip(b")"))
    assert mail.ask("SEARCH MODSEQ 1")[0].endswith(b" 1 2 (MODSEQ %d)" % highest)
    assert mail.ask("SEARCH RETURN (MAX) MODSEQ 1")[0].endswith(b" MAX 2 MODSEQ %d" % modseqs[1])
    assert mail.ask("SEARCH RETURN (MIN) MODSEQ 1")[0].endswith(b" MIN 1 MODSEQ %d" % highest)
    assert mail.ask("SEARCH RETURN (ALL) MODSEQ 1")[0].endswith(b" ALL 1:2 MODSEQ %d" % highest)
