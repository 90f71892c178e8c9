"""SMTP (RFC 5321) and how TLS begins in it: STARTTLS (RFC 3207)."""

import re

from mailaccess.tunnel.conversation import Conversation
from mailaccess.tunnel.faults import Refused
from mailaccess.tunnel.protocols.lines import (
    READY,
    TOO_MANY,
    Answer,
    AnsweredByCode,
    Then,
    check_greeting,
    command,
    until_tls,
    verb_and_rest,
    whole_reply,
)

_OUR_NAME = b"[127.0.0.1]"
"""In EHLO: an address literal is for those without a domain name (RFC 5321 §4.1.4), and is forgotten with TLS."""

_NEEDS_TLS = b"530 5.7.0 Must issue a STARTTLS command first\r\n"

# Greeting = ( "220 " (Domain / address-literal) … ) / ( "220-" (Domain / address-literal) … )   (RFC 5321 §4.2)
_DOMAIN = re.compile(rb"220[- ]([A-Za-z0-9.:\[\]-]{1,255})(?=[ \r\n])")


class _SMTP(AnsweredByCode):
    """SMTP, from the tunnel's point of view."""

    def unavailable(self, text: str) -> bytes:
        """In place of the greeting (RFC 5321 §3.8, RFC 3463 §3.4)."""
        return f"421 4.3.2 {text}\r\n".encode("ascii")

    async def ask_for_tls(self, far: Conversation, greeting: bytes) -> bytes:
        """EHLO, and STARTTLS where the server lists it (RFC 3207 §4).

        Inside TLS the server is where it was after its greeting (RFC 3207 §4.2), of which its name stays.
        """
        check_greeting(self, greeting)
        await whole_reply(far, greeting)
        listed = await command(far, b"EHLO " + _OUR_NAME, b"250")
        if not any(verb_and_rest(line[4:])[0] == b"STARTTLS" for line in listed.split(b"\n")):
            raise Refused("the server does not offer STARTTLS")
        await command(far, b"STARTTLS", b"220")
        far.nothing_follows()
        return b"220 " + _domain(greeting) + b" ESMTP " + READY + b"\r\n"

    async def offer_tls(self, near: Conversation, greeting: bytes) -> bool:
        """EHLO, NOOP, QUIT and STARTTLS; all else is 530 (RFC 3207 §4), HELO too: TLS could not follow it."""
        listed = b"250-" + _domain(greeting) + b"\r\n250-ENHANCEDSTATUSCODES\r\n250 STARTTLS\r\n"

        async def answer(near: Conversation) -> Answer:
            return _answer(await near.line(), listed)

        return await until_tls(near, greeting, answer, f"421 4.7.0 {TOO_MANY}\r\n".encode("ascii"))


def _domain(greeting: bytes) -> bytes:
    """The name that the server greets with, where that is one."""
    named = _DOMAIN.match(greeting)
    return named[1] if named else b"localhost"


def _answer(line: bytes, listed: bytes) -> Answer:
    match verb_and_rest(line):
        case b"STARTTLS", b"":
            return Answer(b"220 2.0.0 Ready to start TLS\r\n", Then.TLS)
        case b"QUIT", b"":
            return Answer(b"221 2.0.0 Bye\r\n", Then.END)
        case ((b"STARTTLS" | b"QUIT"), _):
            return Answer(b"501 5.5.4 This command has no parameters\r\n")
        case b"EHLO", b"":
            return Answer(b"501 5.5.4 EHLO needs a name\r\n")
        case b"EHLO", _:
            return Answer(listed)
        case b"NOOP", _:
            return Answer(b"250 2.0.0 OK\r\n")
        case _:
            return Answer(_NEEDS_TLS)


SMTP = _SMTP("smtp", (b"NOOP", b"250"), (b"QUIT", b"221"))  # neither needs EHLO: RFC 5321 §4.1.4
"""SMTP: it greets with ``220``, and TLS begins with STARTTLS."""
