r"""Conversations of two or more clients with one server: every ``*.txt`` beside this file.

* ``@ A``: client A connects under TLS; ``@ A INBOX``: logs in too, and opens a mailbox; ``@ A -``: logs in
* ``A> text``: client A sends a line; ``\r``, ``\n`` and ``\\`` are octets, a ``\`` at the end sends no line end
* ``A< text``: the next line that A gets; ``...`` in it stands for anything
* ``A= nothing``: A has been told no more; before a client sends, this is so without saying
* ``! act``: something happens, see ``Play``
* ``#``: a comment

At the end no client may have been told more.
"""

import re
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest

from mailaccess.interfaces import Upload
from mailaccess.values import MailboxName
from tests.imap.scripted import Client, Events, message, new_account, run

TRANSCRIPTS = sorted(Path(__file__).parent.glob("*.txt"))

_ESCAPES = {"r": "\r", "n": "\n", "\\": "\\"}


class Play:
    """One transcript on its stage; acts are methods' names."""

    def __init__(self) -> None:
        self.account = new_account()
        self.events = Events()
        self.clients: dict[str, Client] = {}
        self.heard: dict[str, bytes] = {}

    def connect(self, name: str, mailbox: str | None = None) -> None:
        client = Client(self.account, self.events)
        if mailbox is not None:
            client.login(None if mailbox == "-" else mailbox)
        self.clients[name] = client
        self.heard[name] = b""

    def send(self, name: str, text: str) -> None:
        self.silent(name)
        octets = re.sub(r"\\([rn\\])", lambda escape: _ESCAPES[escape[1]], text).encode("latin-1")
        self.clients[name].session.receive(octets[:-1] if octets.endswith(b"\\") else octets + b"\r\n")

    def expect(self, name: str, wanted: str) -> None:
        self.heard[name] += self.clients[name].read()
        line, end, self.heard[name] = self.heard[name].partition(b"\r\n")
        assert end, f"{name} got {line!r} and no more"
        said = line.decode("latin-1")
        pattern = ".*".join(re.escape(piece) for piece in wanted.split("..."))
        assert re.fullmatch(pattern, said), f"{name} got {said!r}"

    def silent(self, name: str) -> None:
        self.heard[name] += self.clients[name].read()
        assert not self.heard[name], f"{name} also got {self.heard[name]!r}"

    # -- acts

    def deliver(self, subject: str, mailbox: str = "INBOX") -> None:
        """A message arrives that no client stored."""
        octets = message(subject)
        run(self.account.append(MailboxName((mailbox,)), [Upload(BytesIO(octets), len(octets))]))

    def remove_mailbox(self, mailbox: str) -> None:
        run(self.account.delete(MailboxName((mailbox,))))

    def disconnect(self, name: str) -> None:
        self.clients[name].disconnect()

    def closed(self, name: str) -> None:
        assert self.clients[name].link.closed, f"{name} is still connected"


def act(play: Play, line: str) -> None:
    kind, _, rest = line.partition(" ")
    match [*kind]:
        case ["@"]:
            play.connect(*rest.split())
        case [name, ">"]:
            play.send(name, rest)
        case [name, "<"]:
            play.expect(name, rest)
        case [name, "="]:
            play.silent(name)
        case ["!"]:
            verb, *arguments = rest.split()
            getattr(play, verb.replace("-", "_"))(*arguments)
        case _:
            assert re.fullmatch("#.*|", line), "not a line of a transcript"


def lines(path: Path) -> Iterator[tuple[int, str]]:
    return enumerate(path.read_text(encoding="utf-8").splitlines(), 1)


@pytest.mark.parametrize("path", TRANSCRIPTS, ids=lambda path: path.stem)
def test_transcript(path: Path) -> None:
    play = Play()
    failure = ""
    for number, line in lines(path):
        try:
            act(play, line)
        except AssertionError as error:
            failure = f"{path.name}:{number}: {line}\n{error}"
            break
    else:
        for name in play.clients:
            play.silent(name)
    if failure:
        pytest.fail(failure, pytrace=False)
    assert play.events.incidents == []
