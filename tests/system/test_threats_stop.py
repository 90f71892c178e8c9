"""The end of a server, wanted or not: clients are told, and what was acknowledged stays."""

import signal
import time

import pytest
from corpus import deliver, messages
from server_process import Server, StartServer, eventually
from wire import IMAP, POP3

pytestmark = pytest.mark.system


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_says_bye_and_ends_in_order(server: Server, number: signal.Signals) -> None:
    deliver(server.maildir, messages(5))
    silent, selected, idling, fresh, clear, pop = (
        IMAP(server).login(),
        IMAP(server).login(),
        IMAP(server).login(),
        IMAP(server),
        IMAP(server, clear=True),
        POP3(server).login(),
    )
    selected.select()
    idling.select()
    idling.begin(b"IDLE")
    assert idling.line().startswith(b"+")
    never_reads = IMAP(server, source="127.0.0.2").login()
    never_reads.select()
    never_reads.begin(b"FETCH " + b",".join([b"1:*"] * 10_000) + b" BODY.PEEK[]")
    began = time.monotonic()
    server.process.send_signal(number)
    for client in (silent, selected, idling, fresh, clear):
        assert b"* BYE" in client.rest()
    pop.rest()
    assert server.process.wait(12) == 0
    assert time.monotonic() - began < 10
    assert "Traceback" not in server.words()


def test_a_second_signal_does_no_harm(server: Server) -> None:
    with IMAP(server) as client:
        client.login()
        for _ in range(2):
            server.process.send_signal(signal.SIGTERM)
        assert b"BYE" in client.rest()
        assert server.process.wait(12) == 0


def test_what_was_acknowledged_survives_kill(start_server: StartServer) -> None:
    server = start_server()
    with IMAP(server) as client:
        client.login()
        client.ok(b"CREATE Work")
        uids = [_uid(client.append(b"Subject: %d\r\n\r\nx\r\n" % n).last, 2) for n in range(5)]
        client.select()
        copied = _uid(client.ok(b"COPY 2 Work").last, 3)
        moved = client.ok(b"MOVE 3 Work")
        assert moved.status == b"OK"
        client.ok(rb"STORE 1 +FLAGS (\Flagged $Kept)")
        client.ok(rb"STORE 4 +FLAGS (\Deleted)")
        client.ok(b"EXPUNGE")
        client.ok(b"SUBSCRIBE Work")
        last = _uid(client.append(b"Subject: last\r\n\r\nx\r\n").last, 2)
        validity = [line for line in client.select().lines if b"UIDVALIDITY" in line]
        server.process.kill()
        server.process.wait()
    began = time.monotonic()
    again = start_server()
    with IMAP(again) as client:
        client.login()
        selected = client.select()
        assert time.monotonic() - began < 5
        assert [line for line in selected.lines if b"UIDVALIDITY" in line] == validity
        fetched = client.ok(b"FETCH 1:* (UID FLAGS)").lines[:-1]
        assert [int(line.partition(b"UID ")[2].split(b" ")[0].rstrip(b")")) for line in fetched] == [
            uids[0], uids[1], uids[3], last,
        ]  # fmt: skip
        assert rb"\Flagged" in fetched[0]
        assert b"$Kept" in fetched[0]
        assert b'"." Work' in client.ok(b'LSUB "" "*"').text
        assert b"* 2 EXISTS" in client.select(b"Work").lines
        assert b"UID %d" % copied in client.ok(b"FETCH 1 UID").text
        assert not list((again.maildir / "tmp").iterdir())


def _uid(line: bytes, position: int) -> int:
    """The last UID in ``[APPENDUID validity uid]`` or ``[COPYUID validity source target]``."""
    return int(line.partition(b"[")[2].partition(b"]")[0].split()[position])


def test_an_append_cut_short_leaves_nothing(start_server: StartServer) -> None:
    server = start_server()
    with IMAP(server) as client:
        client.login().select()
        client.send(b"a APPEND INBOX {1000000+}\r\n" + b"x" * 500_000)
    with IMAP(server) as client:
        client.login().select()
        client.send(b"a APPEND INBOX {1000000+}\r\n" + b"x" * 500_000)
        server.process.kill()
        server.process.wait()
    again = start_server()
    with IMAP(again) as client:
        client.login()
        assert b"* 0 EXISTS" in client.select().lines
    assert not [path for part in ("cur", "new", "tmp") for path in (again.maildir / part).iterdir()]


def test_clients_that_vanish_leave_no_descriptor(shared: Server) -> None:
    deliver(shared.maildir, messages(20))
    with IMAP(shared) as client:
        client.login().select()
    eventually(lambda: f"logout protocol=imap address=127.0.0.1 user={shared.user}" in shared.words())
    before = shared.descriptors()
    for turn in range(20):
        with IMAP(shared, source=f"127.0.7.{turn + 1}") as client:
            client.login().select()
            client.begin((b"FETCH 1:* BODY.PEEK[]", b"IDLE", b"APPEND INBOX {100000}", b"SEARCH BODY x")[turn % 4])
    eventually(lambda: shared.descriptors() <= before + 1)
