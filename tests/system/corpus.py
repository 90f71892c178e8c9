"""Deterministic mail: plain, multipart, 8-bit, long lines, dots at line starts, empty bodies."""

import base64
import itertools
import os
import random
from collections.abc import Iterator
from pathlib import Path

TEXT = "the mail that lies in a folder is read by whoever may open it über naïve 日本語 ελληνικά"
WORDS = TEXT.split()


_deliveries = itertools.count()


def messages(count: int, seed: int = 1) -> Iterator[bytes]:
    """``count`` messages with LF line ends."""
    chance = random.Random(seed)
    for number in range(1, count + 1):
        yield message(number, chance)


def message(number: int, chance: random.Random) -> bytes:
    """One message; its shape follows from ``number``."""
    text = "\n".join(" ".join(chance.choices(WORDS, k=chance.randint(1, 12))) for _ in range(chance.randint(1, 40)))
    head = (
        f"From: Sender {number} <sender{number}@example.org>\nTo: joe@example.org\n"
        f"Subject: Message number {number}\nDate: Mon, {1 + number % 28} Jun 2026 10:00:{number % 60:02d} +0200\n"
        f"Message-ID: <{number}.{chance.getrandbits(48):x}@example.org>\nMIME-Version: 1.0\n"
    )
    body = (plain, eight_bit, dots, attachment, empty)[number % 5](text, chance)
    return head.encode() + body


def plain(text: str, chance: random.Random) -> bytes:
    return b"Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: base64\n\n" + base64.encodebytes(
        text.encode()
    )


def eight_bit(text: str, chance: random.Random) -> bytes:
    return b"Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n" + text.encode() + b"\n"


def dots(text: str, chance: random.Random) -> bytes:
    return (
        b"Content-Type: text/plain\n\n.\n..\n.leading dot\n"
        + (b"x" * 997 + b"\n") * chance.randint(1, 17)
        + b".\nend\n"
    )


def attachment(text: str, chance: random.Random) -> bytes:
    data = base64.encodebytes(chance.randbytes(chance.randint(100, 40000))).decode()
    return (
        'Content-Type: multipart/mixed; boundary="=-b"\n\n--=-b\nContent-Type: text/plain\n\nsee attachment\n'
        "--=-b\nContent-Type: application/octet-stream; name=data.bin\nContent-Disposition: attachment\n"
        f"Content-Transfer-Encoding: base64\n\n{data}--=-b--\n"
    ).encode()


def empty(text: str, chance: random.Random) -> bytes:
    return b"\n"


def deliver(maildir: Path, contents: Iterator[bytes]) -> list[bytes]:
    """Put messages into ``new/`` as a deliverer does: through ``tmp/``, with a rename."""
    for folder in ("cur", "new", "tmp"):
        (maildir / folder).mkdir(parents=True, exist_ok=True)
    delivered = []
    for content in contents:
        number = next(_deliveries)
        name = f"{1_780_000_000 + number}.M{number}P{os.getpid()}.test"
        (maildir / "tmp" / name).write_bytes(content)
        (maildir / "tmp" / name).rename(maildir / "new" / name)
        delivered.append(content)
    return delivered


def crlf(content: bytes) -> bytes:
    """As it crosses the wire."""
    return content.replace(b"\n", b"\r\n")
