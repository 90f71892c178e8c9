r"""Conversations as the RFCs write them: every file in ``transcripts/``.

* ``C: text`` the client sends a line; ``\x00`` and its like are octets, ``\`` at the end sends no line end
* ``S: text`` the server's next line; ``...`` at its end stands for anything
* ``@ clear|tls`` a new connection, in clear or inside TLS; ``cleartext`` one on which passwords in clear are allowed
* ``! act`` something happens: see ``Play``
* ``= fact`` what is so now: see ``Play``
* ``#`` a comment

At the end, and before each ``@``, the server must have said nothing more.
"""

import re
from pathlib import Path

import pytest

from mailaccess.changes import Reset
from mailaccess.errors import OverQuota, StoreUnavailable
from tests.pop3.doubles import Connection, Drop

TRANSCRIPTS = sorted((Path(__file__).parent / "transcripts").glob("*.txt"))

MESSAGES = (
    b"Subject: one\r\n\r\nfirst line\r\n.dot\r\n..\r\nlast\r\n",
    b"Subject: two\r\n\r\n.",
    b"Subject: three\r\n\r\n",
)


class Play:
    """One transcript on its stage: acts and facts are methods' names."""

    def __init__(self) -> None:
        self.drop = Drop(MESSAGES)
        self.stage: Connection | None = None
        self.said = b""

    @property
    def connection(self) -> Connection:
        assert self.stage is not None, "a transcript begins with @"
        return self.stage

    def connect(self, how: str) -> None:
        self.silent()
        self.stage = Connection(self.drop, tls=how == "tls", cleartext_allowed=how == "cleartext")

    def silent(self) -> None:
        self.listen()
        assert not self.said, f"the server also said {self.said!r}"

    def listen(self) -> None:
        if self.stage is not None:
            self.said += self.stage.heard()

    def client(self, text: str) -> None:
        octets = re.sub(r"\\x(..)", lambda escape: chr(int(escape[1], 16)), text).encode("latin-1")
        self.connection.server.dataReceived(octets[:-1] if octets.endswith(b"\\") else octets + b"\r\n")

    def server(self, expected: str) -> None:
        self.listen()
        line, end, self.said = self.said.partition(b"\r\n")
        assert end, f"the server said {line!r} and no more"
        said = line.decode("latin-1")
        same = said.startswith(expected[:-3]) if expected.endswith("...") else said == expected
        assert same, f"the server said {said!r}"

    # -- acts

    def lose_line(self) -> None:
        self.connection.drop_line()

    def wait(self, seconds: str) -> None:
        self.connection.clock.advance(float(seconds))

    def expunge(self, number: str) -> None:
        self.drop.remove(int(number))

    def replace_mailbox(self) -> None:
        self.drop.change(Reset("another UIDVALIDITY"))

    def lock(self) -> None:
        self.drop.locked = True

    def disk_fails(self) -> None:
        self.drop.error = StoreUnavailable()

    def disk_full(self) -> None:
        self.drop.error = OverQuota()

    def bug(self) -> None:
        self.drop.error = ZeroDivisionError("a secret of the programmer")

    def goodbye(self) -> None:
        self.connection.server.say_goodbye(None, "The server stops")

    # -- facts

    def closed(self) -> None:
        assert self.connection.closed

    def open(self) -> None:
        assert not self.connection.closed

    def unlocked(self) -> None:
        assert not self.drop.locked
        assert not self.drop.listeners
        assert self.connection.login.sessions == 0

    def locked(self) -> None:
        assert self.drop.locked

    def left(self, *numbers: str) -> None:
        assert [uid // 10 for uid in self.drop.messages] == [int(number) for number in numbers]

    def passwords_asked(self, number: str) -> None:
        assert len(self.connection.login.asked) == int(number)


def act(play: Play, line: str) -> None:
    kind, _, rest = line.partition(" ")
    match kind:
        case "C:":
            play.client(rest)
        case "S:":
            play.server(rest)
        case "@":
            play.connect(rest)
        case "!" | "=":
            name, *arguments = rest.split()
            getattr(play, name.replace("-", "_"))(*arguments)
        case _:
            assert re.fullmatch("#.*|", line), "not a line of a transcript"


@pytest.mark.parametrize("path", TRANSCRIPTS, ids=lambda path: path.stem)
def test_transcript(path: Path) -> None:
    play = Play()
    failure = ""
    for number, line in enumerate([*path.read_text().splitlines(), "= silent"], 1):
        try:
            act(play, line)
        except AssertionError as error:
            failure = f"{path.name}:{number}: {line}\n{error}"
            break
    if failure:
        pytest.fail(failure, pytrace=False)
