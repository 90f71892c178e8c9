"""IMAP (RFC 9051, RFC 3501) and how TLS begins in it: STARTTLS (RFC 9051 §6.2.1, RFC 2595 §3)."""

import re

from mailaccess.tunnel.conversation import Conversation
from mailaccess.tunnel.faults import Refused, shown
from mailaccess.tunnel.protocols.lines import (
    READY,
    REPLY_LINES,
    TOO_MANY,
    Answer,
    GreetedFirst,
    Then,
    check_greeting,
    until_tls,
)

SKIPPED_OCTETS = 64 * 1024
"""Of one command's non-synchronizing literals, which are read and forgotten: RFC 7888 §5 has 4096 where it is not
known that a server takes more, and before TLS nothing but a name and a password could come so."""

_CAPABILITIES = b"CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED"
_BYE = b"* BYE "

# greeting = "*" SP "OK" SP ["[" resp-text-code "]" SP] text CRLF   (RFC 9051 §9)
_OK_GREETING = re.compile(rb"\* OK(?: \[CAPABILITY ([^\]\r\n]*)\])? *(.*?)\r?\n?\Z", re.IGNORECASE | re.DOTALL)

# tag = 1*<any ASTRING-CHAR except "+">; command = tag SP name …   (RFC 9051 §9)
# A tag is echoed: the length is ours, the longest that clients send has 10 octets.
_COMMAND = re.compile(rb"([^\x00-\x20\x7f-\xff(){%*\"\\+]{1,128}) ([A-Za-z0-9.-]+)(.*)\Z", re.DOTALL)

# literal = "{" number ["+"] "}" CRLF *CHAR8; literal8 = "~{" number ["+"] "}" CRLF *OCTET   (RFC 7888 §8, RFC 9051 §9)
_PUSHED_LITERAL = re.compile(rb"\{([0-9]+)\+\}\r?\n\Z")


class _IMAP(GreetedFirst):
    """IMAP, from the tunnel's point of view."""

    def unavailable(self, text: str) -> bytes:
        """In place of the greeting (RFC 9051 §7.1.5, RFC 5530 §3)."""
        return f"* BYE [UNAVAILABLE] {text}\r\n".encode("ascii")

    async def ask_for_tls(self, far: Conversation, greeting: bytes) -> bytes:
        """STARTTLS, where the server lists it: in its greeting, or when it is asked.

        Nothing of the greeting stays: capabilities are other ones inside TLS (RFC 9051 §6.2.1), and an ALERT may be
        anybody's (RFC 9051 §7.1).
        """
        listed, _ = _read(self, greeting)
        if listed is None:
            listed = await _ask_for_capabilities(far)
        if b"STARTTLS" not in listed.upper().split():
            raise Refused("the server does not offer STARTTLS")
        await _command(far, b"t2", b"STARTTLS")
        far.nothing_follows()
        return b"* OK " + READY + b"\r\n"

    async def offer_tls(self, near: Conversation, greeting: bytes) -> bool:
        """CAPABILITY, NOOP, LOGOUT and STARTTLS; all else needs privacy (RFC 9051 §6.1, §6.2, RFC 5530 §3).

        The greeting gets our capabilities in place of the server's, if it has no other response code.
        """
        _, text = _read(self, greeting)
        code = b"" if text.startswith(b"[") else b"[" + _CAPABILITIES + b"] "
        ours = b"* OK " + code + (text or READY) + b"\r\n"
        return await until_tls(near, ours, _answer, _BYE + TOO_MANY.encode("ascii") + b"\r\n")

    async def check_health(self, far: Conversation) -> None:
        """The greeting, NOOP and LOGOUT."""
        check_greeting(self, await far.line())
        await _command(far, b"t1", b"NOOP")
        await _command(far, b"t2", b"LOGOUT")


def _read(spoken: _IMAP, greeting: bytes) -> tuple[bytes | None, bytes]:
    """The capabilities of a greeting that is good, None where it lists none, and its text."""
    check_greeting(spoken, greeting)
    parts = _OK_GREETING.match(greeting)
    if parts is None:
        raise Refused("the server greets with PREAUTH, after which no TLS begins (RFC 9051 §6.2.1)")
    return parts[1], parts[2]


async def _ask_for_capabilities(far: Conversation) -> bytes:
    """What the server lists, which says it before it says OK (RFC 9051 §6.1.1)."""
    for line in await _command(far, b"t1", b"CAPABILITY"):
        if line.upper().startswith(b"* CAPABILITY "):
            return line
    return b""


async def _command(far: Conversation, tag: bytes, command: bytes) -> list[bytes]:
    """Say a command, and return the untagged lines before its OK. ``Refused`` on NO, on BAD, and where none ends it."""
    await far.say(tag + b" " + command + b"\r\n")
    untagged: list[bytes] = []
    while len(untagged) < REPLY_LINES:
        line = await far.line()
        words = line.split(maxsplit=2)
        if words[:1] != [tag]:
            untagged.append(line)
        elif words[1:2] and words[1].upper() == b"OK":
            return untagged
        else:
            raise Refused(f"the server answers {command.decode('ascii')} with {shown(line)}")
    raise Refused(f"the server says {REPLY_LINES} lines and does not answer {command.decode('ascii')}")


async def _answer(near: Conversation) -> Answer:
    line = await _read_command(near)
    parts = _COMMAND.match(line.rstrip(b"\r\n"))
    if parts is None:
        return Answer(b"* BAD Not a command\r\n")
    tag, verb, rest = parts[1], parts[2].upper(), parts[3]
    match verb, rest:
        case b"STARTTLS", b"":
            return Answer(tag + b" OK Begin TLS negotiation now\r\n", Then.TLS)
        case b"LOGOUT", b"":
            return Answer(_BYE + b"Logging out\r\n" + tag + b" OK LOGOUT completed\r\n", Then.END)
        case b"CAPABILITY", b"":
            return Answer(b"* " + _CAPABILITIES + b"\r\n" + tag + b" OK CAPABILITY completed\r\n")
        case b"NOOP", b"":
            return Answer(tag + b" OK NOOP completed\r\n")
        case ((b"STARTTLS" | b"LOGOUT" | b"CAPABILITY" | b"NOOP"), _):
            return Answer(tag + b" BAD This command has no arguments\r\n")
        case ((b"LOGIN" | b"AUTHENTICATE"), _):
            return Answer(tag + b" NO [PRIVACYREQUIRED] Passwords are taken under TLS only\r\n")
        case _:
            return Answer(tag + b" NO [PRIVACYREQUIRED] Begin TLS first\r\n")


async def _read_command(near: Conversation) -> bytes:
    """A command's first line; its non-synchronizing literals, and the lines behind them, are read and forgotten.

    A synchronizing literal never comes: the answer is a tagged NO, not the ``+`` for which the client waits
    (RFC 9051 §4.3, RFC 7888 §3).
    """
    first = line = await near.line()
    room = SKIPPED_OCTETS
    while literal := _PUSHED_LITERAL.search(line):
        size = int(literal[1].lstrip(b"0")[:12] or b"0")  # more digits are too many octets either way
        room -= size + len(line)
        if room < 0:
            await near.say(_BYE + b"[TOOBIG] This literal is too large\r\n")
            raise Refused(f"a command in clear has literals of more than {SKIPPED_OCTETS} octets")
        await _skip(near, size)
        line = await near.line()
    return first


async def _skip(near: Conversation, count: int) -> None:
    while count:
        count -= len(await near.exactly(min(count, 4096)))


IMAP = _IMAP("imap")
"""IMAP: it greets with ``* OK``, and TLS begins with STARTTLS."""
