"""What IMAP, POP3, SMTP and NNTP have in common: lines, a server that greets first, a command that begins TLS."""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import Enum

from mailaccess.tunnel.conversation import Conversation
from mailaccess.tunnel.faults import Mismatch, Refused, shown
from mailaccess.tunnel.spoken import BAD_COMMANDS, Spoken

REPLY_LINES = 100
"""Lines of one reply, or before it: EHLO and CAPABILITY have up to twenty; a server that never ends is refused."""

READY = b"Ready"
"""The text of a greeting that is ours: see ``Spoken.ask_for_tls``."""

TOO_MANY = "Too many commands without TLS"
"""The good-bye to a client that does not begin TLS."""

_CONTINUES = re.compile(rb"[0-9]{3}-")


@dataclass(frozen=True, slots=True)
class _Greetings:
    """How a server's first line begins; ``good`` where it serves, ``bad`` where it does not."""

    good: re.Pattern[bytes]
    bad: re.Pattern[bytes]


_GREETINGS = {
    # greeting = "*" SP (resp-cond-auth / resp-cond-bye) CRLF   (RFC 9051 §9, RFC 3501 §9)
    "imap": _Greetings(re.compile(rb"\* (?:OK|PREAUTH)[ \r\n]", re.IGNORECASE), re.compile(rb"\* BYE[ \r\n]", re.I)),
    # greeting = "+OK" [resp-code] *CHAR CRLF   (RFC 2449 §3, RFC 1939 §3)
    "pop3": _Greetings(re.compile(rb"\+OK[ \r\n]"), re.compile(rb"-ERR[ \r\n]")),
    # Greeting = ( "220 " … CRLF ) / ( "220-" … "220" … CRLF )   (RFC 5321 §4.2; 421 and 554: §3.1, §4.3.2)
    "smtp": _Greetings(re.compile(rb"220[- \r\n]"), re.compile(rb"(?:421|554)[- \r\n]")),
    # 200 posting allowed, 201 prohibited, 400 temporarily and 502 permanently unavailable   (RFC 3977 §5.1)
    "nntp": _Greetings(re.compile(rb"20[01][ \r\n]"), re.compile(rb"(?:400|502)[ \r\n]")),
}


def protocol_of(greeting: bytes) -> str:
    """The name of the protocol that a server speaks which greets so; empty for none of ours."""
    for name, greetings in _GREETINGS.items():
        if greetings.good.match(greeting) or greetings.bad.match(greeting):
            return name
    return ""


def check_greeting(spoken: "Spoken | GreetedFirst", greeting: bytes) -> None:
    """``Mismatch`` where ``greeting`` is another protocol's than ``spoken``, ``Refused`` where it is not a good one."""
    if not spoken.recognises(greeting):
        other = protocol_of(greeting) or "unknown"
        raise Mismatch(f"{other} greeting where {spoken.name} is expected: {shown(greeting)}")
    if not spoken.welcomes(greeting):
        raise Refused(f"the server greets with {shown(greeting)}")


async def whole_reply(far: Conversation, reply: bytes) -> bytes:
    """A reply to its last line, of which ``reply`` has the first, or all: SMTP's greeting may have several lines.

    ABNF (RFC 5321 §4.2)::

        Reply-line = *( Reply-code "-" [ textstring ] CRLF ) Reply-code [ SP textstring ] CRLF

    No other protocol's line begins so, which makes this harmless for them. ``Refused`` beyond ``REPLY_LINES``.
    """
    for _ in range(REPLY_LINES):
        if not _CONTINUES.match(reply, _last_line(reply)):
            return reply
        reply += await far.line()
    raise Refused(f"a reply has more than {REPLY_LINES} lines")


def _last_line(reply: bytes) -> int:
    """Where it begins."""
    return reply.rfind(b"\n", 0, -1) + 1


async def command(far: Conversation, words: bytes, code: bytes) -> bytes:
    """Say a command, and return the reply, to its last line. ``Refused`` where that begins with another ``code``."""
    await far.say(words + b"\r\n")
    reply = await whole_reply(far, await far.line())
    if verb_and_rest(reply[_last_line(reply) :])[0] != code:
        raise Refused(f"the server answers {words.decode('ascii')} with {shown(reply)}")
    return reply


class GreetedFirst:
    """What is the same in all protocols whose server greets with a line: the first part of a ``Spoken``."""

    speaks_first = True

    def __init__(self, name: str) -> None:
        self.name = name

    def recognises(self, greeting: bytes) -> bool:
        """Whether the first line is one of this protocol's."""
        return protocol_of(greeting) == self.name

    def welcomes(self, greeting: bytes) -> bool:
        """Whether the server serves."""
        return _GREETINGS[self.name].good.match(greeting) is not None

    async def decline_tls(self, near: Conversation) -> None:
        """Nothing: a client asks for TLS only where the server lists it, and then hears the server's own answer."""

    async def introduce(self, near: Conversation, far: Conversation) -> None:
        """Nothing: a client in clear does not choose what only TLS has."""


class AnsweredByCode(GreetedFirst):
    """POP3, SMTP, NNTP: what answers a command says in its first word how that went.

    ``visit`` are the commands of a health check, each with the code that it must be answered with.
    """

    def __init__(self, name: str, *visit: tuple[bytes, bytes]) -> None:
        super().__init__(name)
        self._visit = visit

    async def check_health(self, far: Conversation) -> None:
        """The greeting, to its last line, and the commands of a visit."""
        greeting = await far.line()
        check_greeting(self, greeting)
        await whole_reply(far, greeting)
        for words, code in self._visit:
            await command(far, words, code)


class Then(Enum):
    """What comes after an answer."""

    COMMAND = "the next command"
    TLS = "the handshake"
    END = "the end"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a client in clear is told."""

    reply: bytes
    then: Then = Then.COMMAND


async def until_tls(
    near: Conversation, greeting: bytes, answer: Callable[[Conversation], Awaitable[Answer]], last_words: bytes
) -> bool:
    """Greet a client, and answer its commands until it begins TLS (True) or leaves (False): ``Spoken.offer_tls``.

    ``answer`` reads one command. ``Refused``, after ``last_words``, where ``BAD_COMMANDS`` did not begin TLS, and
    without a word where octets in clear follow the one that does: those may be somebody else's (RFC 9051 §6.2.1).
    """
    await near.say(greeting)
    for _ in range(BAD_COMMANDS):
        if await near.ended():
            return False
        given = await answer(near)
        if given.then is Then.TLS:
            near.nothing_follows()
        await near.say(given.reply)
        if given.then is not Then.COMMAND:
            return given.then is Then.TLS
    await near.say(last_words)
    raise Refused(f"the client did not begin TLS in {BAD_COMMANDS} commands")


def verb_and_rest(line: bytes) -> tuple[bytes, bytes]:
    """A command line's first word in upper case, and what stands behind it, without the line's end."""
    verb, _, rest = line.rstrip(b"\r\n").partition(b" ")
    return verb.upper(), rest.strip()
