"""Whatever one user does, another is answered within a second."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from corpus import deliver, messages
from server_process import Server
from wire import IMAP

pytestmark = pytest.mark.system

MIB = 1024 * 1024
LARGE = b"Subject: large\n\n" + (b"y" * 76 + b"\n") * (16 * MIB // 77)

HEAVY = [
    b"FETCH 1:* (FLAGS ENVELOPE BODYSTRUCTURE RFC822.SIZE)",
    b"FETCH 1:* (BODY.PEEK[])",
    b"SEARCH BODY nowhere TEXT zzz",
    rb"STORE 1:* +FLAGS (\Flagged $One $Two)",
    b"COPY 1:* Work",
    b"FETCH 1:* (BODY.PEEK[1] BODY.PEEK[HEADER.FIELDS (X-NONE)])",
    b"MOVE 1:500 Work",
    rb"STORE 1:* FLAGS.SILENT (\Deleted)",
    b"EXPUNGE",
    b"STATUS Work (MESSAGES UNSEEN)",
]


def test_heavy_commands_delay_nobody(shared: Server, another: Server) -> None:
    deliver(shared.maildir, messages(1500))
    deliver(shared.maildir, iter([LARGE] * 3))
    slowest: dict[bytes, float] = {}
    with IMAP(shared, seconds=60) as client, IMAP(another) as neighbour, ThreadPoolExecutor(1) as beside:
        neighbour.login().select()
        client.login()
        client.ok(b"CREATE Work")
        client.select()
        for command in HEAVY:
            answer = beside.submit(client.ask, command)
            slowest[command] = 0
            while not answer.done():
                began = time.monotonic()
                neighbour.ok(b"NOOP")
                slowest[command] = max(slowest[command], time.monotonic() - began)
            assert answer.result().status == b"OK", command
    assert max(slowest.values()) < 1, slowest


def test_a_large_message_comes_in_beside_others(shared: Server, another: Server) -> None:
    content = LARGE.replace(b"\n", b"\r\n") * 4
    slowest = 0.0
    with IMAP(shared, seconds=60) as client, IMAP(another) as neighbour, ThreadPoolExecutor(1) as beside:
        neighbour.login().select()
        client.login()
        before = shared.resident()
        answer = beside.submit(client.append, content)
        while not answer.done():
            began = time.monotonic()
            neighbour.ok(b"NOOP")
            slowest = max(slowest, time.monotonic() - began)
            assert shared.resident() - before < 32 * MIB
        assert answer.result().status == b"OK"
        client.select()
        assert b"RFC822.SIZE %d" % len(content) in client.ok(b"FETCH 1 RFC822.SIZE").text
    assert slowest < 1
