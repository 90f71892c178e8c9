"""Python's imaplib and poplib, and IMAPClient, do each operation they have."""

import contextlib
import imaplib
import poplib
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import pytest
from corpus import crlf, deliver, messages
from imapclient import IMAPClient  # type: ignore[import-untyped]
from server_process import Server

pytestmark = pytest.mark.system


@pytest.fixture(params=["imaps", "imap"])
def imap(server: Server, request: pytest.FixtureRequest) -> Iterator[imaplib.IMAP4]:
    deliver(server.maildir, messages(10))
    client: imaplib.IMAP4
    if request.param == "imaps":
        client = imaplib.IMAP4_SSL("localhost", server.ports["imaps"], ssl_context=server.tls())
    else:
        client = imaplib.IMAP4("localhost", server.ports["imap"])
        client.starttls(server.tls())
    client.login(server.user, server.password)
    yield client
    with contextlib.suppress(imaplib.IMAP4.abort, OSError):
        client.logout()


def ok(answer: Any) -> Any:
    assert answer[0] == "OK", answer
    return answer[1]


def test_imaplib(imap: imaplib.IMAP4) -> None:
    assert "IDLE" in ok(imap.capability())[0].decode().split()
    assert ok(imap.namespace()) == [b'(("" ".")) NIL NIL']
    assert ok(imap.select()) == [b"10"]
    ok(imap.noop())
    ok(imap.check())
    ok(imap.create("Work"))
    ok(imap.create("Work.&AMQ-rger"))
    ok(imap.subscribe("Work"))
    assert imap.lsub()[1][0] is not None
    assert len(ok(imap.list())) == 3
    ok(imap.rename("Work", "Play"))
    ok(imap.unsubscribe("Work"))
    assert ok(imap.status("INBOX", "(MESSAGES UIDNEXT UIDVALIDITY UNSEEN RECENT)"))[0].startswith(b"INBOX (MESSAGES 10")
    assert ok(imap.search(None, "SUBJECT", '"number 3"')) == [b"3"]
    assert ok(imap.uid("SEARCH", "CHARSET", "UTF-8", "ALL")) == [b"1 2 3 4 5 6 7 8 9 10"]
    fetched = ok(imap.fetch("2", "(UID FLAGS BODY.PEEK[HEADER.FIELDS (SUBJECT)])"))
    assert fetched[0][1] == b"Subject: Message number 2\r\n\r\n"
    assert ok(imap.store("1:3", "+FLAGS", r"(\Flagged $Label1)"))
    ok(imap.copy("1:2", "Play"))
    ok(imap.append("Play", r"(\Seen)", imaplib.Time2Internaldate(time.time()), crlf(next(messages(1, seed=3)))))
    ok(imap.store("9:10", "+FLAGS.SILENT", r"(\Deleted)"))
    assert ok(imap.expunge()) == [b"10", b"9"]
    ok(imap.select("Play"))
    assert ok(imap.search(None, "SEEN")) == [b"3"]
    assert ok(imap.search(None, "KEYWORD", "$Label1")) == [b"1 2"]
    ok(imap.close())
    ok(imap.delete("Play.&AMQ-rger"))
    assert imap.delete("Nowhere")[0] == "NO"
    ok(imap.enable("CONDSTORE"))


def test_imapclient(server: Server) -> None:
    sent = deliver(server.maildir, messages(10))
    with IMAPClient("localhost", port=server.ports["imaps"], ssl_context=server.tls()) as client:
        client.plain_login(server.user, server.password)
        assert client.has_capability("UIDPLUS")
        assert client.id_({"name": "test"})
        assert client.select_folder("INBOX")[b"EXISTS"] == 10
        everything = client.search("ALL")
        assert everything == list(range(1, 11))
        fetched = client.fetch(everything, ["BODY.PEEK[]", "RFC822.SIZE", "ENVELOPE", "BODYSTRUCTURE", "INTERNALDATE"])
        for number, content in enumerate(sent, 1):
            row = fetched[number]
            assert row[b"BODY[]"] == crlf(content)
            assert row[b"RFC822.SIZE"] == len(crlf(content))
            assert row[b"ENVELOPE"].subject == f"Message number {number}".encode()
        assert fetched[3][b"BODYSTRUCTURE"].is_multipart
        client.create_folder("Über-x-y")
        assert "Über-x-y" in [name for _, _, name in client.list_folders()]
        client.subscribe_folder("Über-x-y")
        assert [name for _, _, name in client.list_sub_folders()] == ["Über-x-y"]
        client.add_flags([1, 2], [b"\\Answered", b"$Work"])
        assert b"$Work" in client.get_flags([1])[1]
        client.remove_flags([1], [b"$Work"])
        client.set_flags([3], [b"\\Seen"])
        assert client.search(["UNANSWERED", "SINCE", date(2020, 1, 1)]) == list(range(3, 11))
        client.copy([1, 2], "Über-x-y")
        client.move([3], "Über-x-y")
        assert client.folder_status("Über-x-y", ["MESSAGES"])[b"MESSAGES"] == 3
        client.append("Über-x-y", crlf(sent[0]), flags=[b"\\Draft"], msg_time=datetime(2026, 1, 2, tzinfo=UTC))
        client.delete_messages([4, 5])
        client.uid_expunge([4])
        assert client.search("ALL") == [1, 2, 5, 6, 7, 8, 9, 10]
        client.expunge()
        assert 5 not in client.search("ALL")
        client.rename_folder("Über-x-y", "Anders")
        assert client.select_folder("Anders", readonly=True)[b"EXISTS"] == 4
        client.unselect_folder()
        client.delete_folder("Anders")
        client.select_folder("INBOX")
        client.idle()
        deliver(server.maildir, messages(1, seed=5))
        assert (8, b"EXISTS") in client.idle_check(timeout=5)
        client.idle_done()
        client.noop()
        client.close_folder()


@pytest.mark.parametrize("listener", ["pop3s", "pop3"])
def test_poplib(server: Server, listener: str) -> None:
    sent = deliver(server.maildir, messages(9))
    count = len(sent)

    def connect() -> poplib.POP3:
        if listener == "pop3s":
            client: poplib.POP3 = poplib.POP3_SSL("localhost", server.ports["pop3s"], context=server.tls())
        else:
            client = poplib.POP3("localhost", server.ports["pop3"])
            client.stls(server.tls())
        assert client.utf8().startswith(b"+OK")
        client.user(server.user)
        client.pass_(server.password)
        return client

    client = connect()
    assert "UIDL" in client.capa()
    assert client.stat() == (count, sum(len(crlf(content)) for content in sent))
    assert len(client.list()[1]) == len(client.uidl()[1]) == count
    assert b"\r\n".join(client.retr(2)[1]) + b"\r\n" == crlf(sent[1])
    assert client.top(1, 0)[1][0] == b"From: Sender 1 <sender1@example.org>"
    client.dele(1)
    client.dele(count)
    client.rset()
    client.dele(2)
    client.noop()
    uidls = [line.split()[1] for line in client.uidl()[1]]
    client.quit()
    client = connect()
    assert [line.split()[1] for line in client.uidl()[1]] == uidls
    assert client.stat()[0] == count - 1
    client.dele(1)
    client.close()  # a dropped line deletes nothing
    client = connect()
    assert client.stat()[0] == count - 1
    client.quit()
