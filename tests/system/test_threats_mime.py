"""Messages that are built to cost much: answered in seconds, nobody else notices (CVE-2020-12100, CVE-2024-23184)."""

import re
import time
from collections.abc import Callable

import pytest
from server_process import Server
from wire import IMAP

pytestmark = pytest.mark.system

MIB = 1024 * 1024
SECONDS = 20
"""For everything that is asked about one hostile message."""


def nested(depth: int) -> bytes:
    heads = (b'Content-Type: multipart/mixed; boundary="b%d"\r\n\r\n--b%d\r\n' % (n, n) for n in range(depth))
    return b"Subject: nested\r\n" + b"".join(heads) + b"\r\nx\r\n"


def one_boundary(depth: int) -> bytes:
    return b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\n' * depth + b"\r\nx\r\n"


def embedded(depth: int) -> bytes:
    return b"Subject: in\r\nContent-Type: message/rfc822\r\n\r\n" * depth + b"Subject: x\r\n\r\nx\r\n"


def empty_parts(count: int) -> bytes:
    return b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n' + b"--b\r\n\r\n" * count + b"--b--\r\n"


def addresses(count: int) -> bytes:
    return b"To: " + b",\r\n ".join(b"a%d <a%d@example.org>" % (n, n) for n in range(count)) + b"\r\n\r\nx\r\n"


def fields(count: int) -> bytes:
    return b"".join(b"X-%d: y\r\n" % n for n in range(count)) + b"\r\nx\r\n"


def same_field(count: int) -> bytes:
    return b"To: a@example.org\r\n" * count + b"\r\nx\r\n"


def groups(count: int) -> bytes:
    return b"To: " + b"g:" * count + b"\r\n\r\nx\r\n"


def comments(count: int) -> bytes:
    return b"To: " + b"(" * count + b"\r\nSubject: " + b"=?utf-8?q?" * count + b"\r\n\r\nx\r\n"


def parameters(count: int) -> bytes:
    pieces = b"".join(b";\r\n name*%d*=%%41" % n for n in range(count))
    return b"Content-Type: text/plain" + pieces + b"\r\nContent-Disposition: attachment" + pieces + b"\r\n\r\nx\r\n"


def references(count: int) -> bytes:
    return b"References:" + b"".join(b"\r\n <%d@x>" % n for n in range(count)) + b"\r\n\r\nx\r\n"


def dashes(count: int) -> bytes:
    return b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n' + b"--x\r\n" * count


HOSTILE: list[Callable[[], bytes]] = [
    lambda: nested(100),
    lambda: nested(20_000),
    lambda: one_boundary(20_000),
    lambda: embedded(20_000),
    lambda: empty_parts(100_000),
    lambda: addresses(100_000),
    lambda: fields(500_000),
    lambda: same_field(200_000),
    lambda: groups(500_000),
    lambda: comments(500_000),
    lambda: parameters(50_000),
    lambda: references(200_000),
    lambda: dashes(1_000_000),
    lambda: b"Subject: " + b"x" * 10_000_000 + b"\r\n\r\nx\r\n",
    lambda: b"Content-Transfer-Encoding: base64\r\n\r\n" + b"eHh4eHh4eHh4\r\n" * 3_000_000,
    lambda: b" " * 2_000_000 + b"\r\n" * 2_000_000,
]


@pytest.mark.parametrize("number", range(len(HOSTILE)))
def test_hostile_structure(shared: Server, number: int) -> None:
    with IMAP(shared, seconds=SECONDS) as client, IMAP(shared, seconds=SECONDS) as other, IMAP(shared) as stranger:
        for each in (client, other):
            each.login().select()
        tag = client.append(HOSTILE[number]())
        assert tag.status == b"OK"
        client.ok(b"NOOP")
        before = shared.resident()
        began = time.monotonic()
        for command in (
            b"FETCH 1 BODYSTRUCTURE",
            b"FETCH 1 ENVELOPE",
            b"FETCH 1 BODY",
            b"FETCH 1 BODY.PEEK[1.1.1.1]",
            b"FETCH 1 BODY.PEEK[9999.MIME]",
            b"FETCH 1 BODY.PEEK[HEADER.FIELDS (TO X-1)]<0.100>",
            b"SEARCH SUBJECT y HEADER To z BODY w",
        ):
            waiting = client.begin(command)
            asked = time.monotonic()
            stranger.ok(b"NOOP")
            assert time.monotonic() - asked < 1, command
            assert client.answer(waiting).status in (b"OK", b"NO"), command
        assert time.monotonic() - began < SECONDS
        assert shared.resident() - before < 96 * MIB
        described = client.ok(b"FETCH 1 (BODYSTRUCTURE)").text
        assert _depth(described) < 250, "100 parts within parts, each with its lists"
        assert len(described) < 4 * MIB
        assert described.count(b'"text" "plain"') <= 10_000


def _depth(structure: bytes) -> int:
    """How many parentheses are open at most."""
    depth = deepest = 0
    for mark in re.sub(rb'"(?:[^"\\]|\\.)*"', b"", structure):
        depth += (mark == ord("(")) - (mark == ord(")"))
        deepest = max(deepest, depth)
    return deepest
