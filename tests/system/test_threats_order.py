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
"""Every size of a chunk is a multiple of this."""


def _dots_at_edges(size: int, shift: int, dots: bytes) -> bytes:
    """A message as on the wire where, ``shift`` octets from each edge, a line ends and the next begins with dots."""
    message = bytearray(b"Subject: dots\r\n\r\n")
    for edge in range(EDGE, size, EDGE):
        missing = edge + shift - len(message) - 2
        message += (b"x" * 62 + b"\r\n") * (missing // 64 - 1)
        message += b"y" * (edge + shift - len(message) - 2) + b"\r\n"
        assert len(message) == edge + shift
        message += dots
    return bytes(message)


@pytest.mark.parametrize("size", [20 * EDGE, 300 * EDGE], ids=["at once", "in slices"])
@pytest.mark.parametrize("dots", [b".\r\n", b"..\r\n.\r\n+OK\r\n"])
def test_dots_on_every_edge_of_a_buffer(shared: Server, size: int, dots: bytes) -> None:
    sent = [_dots_at_edges(size, shift, dots) for shift in range(-2, 3)] + [b"Subject: x\r\n\r\n.", b".\r\n"]
    deliver(shared.maildir, (content.replace(b"\r\n", b"\n") for content in sent))
    with POP3(shared) as client:
        client.login()
        for number, content in enumerate(sent, 1):
            received = b"\r\n".join(client.listing(b"RETR %d" % number))
            assert received == content.removesuffix(b"\r\n")
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
