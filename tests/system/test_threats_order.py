"""Answers come in the order of the commands, and no faster than a client takes them; no mail's author ends a reply."""

import time
from collections.abc import Iterable

import pytest
from corpus import crlf, deliver, messages
from server_process import Server, eventually
from wire import IMAP, POP3

pytestmark = pytest.mark.system

MIB = 1024 * 1024


def test_ten_thousand_commands_in_one_breath(shared: Server) -> None:
    with IMAP(shared) as client:
        client.login()
        began = time.monotonic()
        client.send(b"".join(b"n%d NOOP\r\n" % n for n in range(10_000)))
        assert [client.line().split()[0] for _ in range(10_000)] == [b"n%d" % n for n in range(10_000)]
        assert time.monotonic() - began < 2
    with POP3(shared) as pop:
        pop.login()
        pop.send(b"NOOP\r\nSTAT\r\n" * 5000)
        answers = [pop.line() for _ in range(10_000)]
        assert answers[1::2] == [b"+OK 0 0"] * 5000
        assert set(answers[::2]) == {answers[0]}


def test_commands_that_change_what_later_ones_see(shared: Server) -> None:
    deliver(shared.maildir, messages(30))
    with IMAP(shared) as client:
        client.login().select()
        script = []
        for turn in range(10):
            script += [
                b"a%d FETCH 1 UID" % turn,
                rb"b%d STORE 1 +FLAGS.SILENT (\Deleted)" % turn,
                b"c%d FETCH 1 FLAGS" % turn,
                b"d%d EXPUNGE" % turn,
                b"e%d SEARCH ALL" % turn,
            ]
        client.send(b"\r\n".join(script) + b"\r\nz NOOP\r\n")
        answer = client.answer(b"z").lines
        tags = [line.split()[0] for line in answer if not line.startswith(b"*")]
        assert tags == [command.split()[0] for command in script] + [b"z"]
        for turn in range(10):
            fetched, stored, seen, expunged, found = (
                answer.index(next(line for line in answer if line.startswith(b"%c%d OK" % (letter, turn))))
                for letter in b"abcde"
            )
            assert b"* 1 FETCH (UID %d)" % (turn + 1) in answer[:fetched]
            assert any(rb"\Deleted" in line for line in answer[stored:seen])
            assert b"* 1 EXPUNGE" in answer[seen:expunged]
            assert b"* SEARCH " + b" ".join(b"%d" % n for n in range(1, 30 - turn)) in answer[expunged:found]


def test_commands_in_single_octets(shared: Server) -> None:
    (content,) = deliver(shared.maildir, messages(1))
    with IMAP(shared) as client:
        client.login()
        for octet in b"a SELECT {5}\r\n":
            client.send(bytes([octet]))
        assert client.line().startswith(b"+")
        for octet in b"INBOX\r\nb FETCH 1 BODY.PEEK[]\r\n":
            client.send(bytes([octet]))
        assert crlf(content) in client.answer(b"b").text


EDGE = 16 * 1024


@pytest.mark.parametrize("shift", range(-3, 4))
@pytest.mark.parametrize("end", [b".\n", b"..\n", b".\r\n", b"x\n.\n", b".", b"", b"\n.\n\n.\n+OK 0 octets\n"])
def test_dots_on_every_edge_of_a_buffer(shared: Server, shift: int, end: bytes) -> None:
    """A dot behind a line end that is the last octet of a chunk (CVE-class: the 16 KiB hole)."""
    head = b"Subject: dots\n\n"
    sizes = [EDGE + shift, 2 * EDGE + shift, 4 * EDGE + shift]
    sent = []
    for size in sizes:
        lines = (size - len(head)) // 64 + 1
        wire = crlf(head + (b"x" * 62 + b"\n") * lines)[: size - 2]
        sent.append(wire.replace(b"\r\n", b"\n").rstrip(b"\n") + b"\n" + end + b".quit\n" + end)
    deliver(shared.maildir, iter(sent))
    with POP3(shared) as client:
        client.login()
        for number, content in enumerate(sent, 1):
            received = b"\r\n".join(client.listing(b"RETR %d" % number)) + b"\r\n"
            expected = crlf(content.replace(b"\r\n", b"\n"))
            assert received == expected or received == expected + b"\r\n"
        assert client.ask(b"NOOP").startswith(b"+OK")


def _ask_and_never_read(client: IMAP | POP3, commands: Iterable[bytes]) -> None:
    for command in commands:
        client.send(command + b"\r\n")


def _most(server: Server) -> int:
    """The most memory that the server holds during a second."""
    measured: list[int] = []

    def enough() -> bool:
        measured.append(server.resident())
        return len(measured) == 50

    eventually(enough)
    return max(measured)


def test_a_client_that_never_reads_costs_no_memory(shared: Server) -> None:
    large = b"Subject: large\n\n" + (b"y" * 76 + b"\n") * (16 * MIB // 77)
    deliver(shared.maildir, iter([large] * 10))
    with IMAP(shared) as client, POP3(shared) as pop, IMAP(shared) as other:
        client.login().select()
        other.login().select()
        client.ok(b"FETCH 1 BODY.PEEK[]<0.100>")
        before = shared.resident()
        _ask_and_never_read(client, [b"x FETCH 1:10 (BODY.PEEK[])"] * 3)
        for _ in range(50):
            other.ok(b"NOOP")
        assert _most(shared) - before < 16 * MIB
        pop.login()
        _ask_and_never_read(pop, [b"RETR %d" % n for n in range(1, 11)])
        assert _most(shared) - before < 32 * MIB
        began = time.monotonic()
        other.ok(b"FETCH 1:* FLAGS")
        assert time.monotonic() - began < 1
