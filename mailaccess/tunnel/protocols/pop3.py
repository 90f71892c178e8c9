"""POP3 (RFC 1939) and how TLS begins in it: STLS (RFC 2595 §4)."""

import re

from mailaccess.tunnel.conversation import Conversation
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
)

_CAPABILITIES = b"+OK Capabilities follow\r\nRESP-CODES\r\nAUTH-RESP-CODE\r\nSTLS\r\n.\r\n"
"""STLS, and what the refusal of a password uses (RFC 2449 §6.4, RFC 3206 §6); no USER, no SASL: not in clear."""

_PASSWORD_VERBS = frozenset({b"USER", b"PASS", b"APOP", b"AUTH"})
_PASSWORD_REFUSED = b"-ERR [SYS/PERM] A password is accepted under TLS only: say STLS first\r\n"
"""SYS/PERM: a person must mend it (RFC 3206 §4). AUTH makes mail programs ask for another password and send that."""


# timestamp = msg-id = "<" local-part "@" domain ">"   (RFC 1939 §7, RFC 5322 §3.6.4)
# Printable US-ASCII alone: others make it possible to compute a password from some of its digests (CVE-2007-1558).
_TIMESTAMP = re.compile(rb"<[!-;=?A-~]{1,200}@[!-;=?A-~]{1,200}>")


class _POP3(AnsweredByCode):
    """POP3, from the tunnel's point of view."""

    def unavailable(self, text: str) -> bytes:
        """In place of the greeting: a trouble that passes (RFC 3206 §4)."""
        return f"-ERR [SYS/TEMP] {text}\r\n".encode("ascii")

    async def ask_for_tls(self, far: Conversation, greeting: bytes) -> bytes:
        """STLS, whatever CAPA says, which not every server has: nothing but ``+OK`` begins TLS (RFC 2595 §4).

        Of the greeting its timestamp stays, which is APOP's inside TLS too (RFC 1939 §7).
        """
        check_greeting(self, greeting)
        await command(far, b"STLS", b"+OK")
        far.nothing_follows()
        timestamp = _TIMESTAMP.search(greeting)
        return b"+OK " + READY + (b" " + timestamp[0] if timestamp else b"") + b"\r\n"

    async def offer_tls(self, near: Conversation, greeting: bytes) -> bool:
        """CAPA, STLS and QUIT; nothing else is of use before TLS (RFC 2595 §4, RFC 1939 §4)."""
        return await until_tls(near, greeting, _answer, f"-ERR {TOO_MANY}\r\n".encode("ascii"))


async def _answer(near: Conversation) -> Answer:
    match verb_and_rest(await near.line()):
        case b"STLS", b"":
            return Answer(b"+OK Begin TLS negotiation now\r\n", Then.TLS)
        case b"QUIT", b"":
            return Answer(b"+OK Bye\r\n", Then.END)
        case b"CAPA", b"":
            return Answer(_CAPABILITIES)
        case ((b"STLS" | b"QUIT" | b"CAPA"), _):
            return Answer(b"-ERR Wrong number of arguments\r\n")
        case verb, _ if verb in _PASSWORD_VERBS:
            return Answer(_PASSWORD_REFUSED)
        case _:
            return Answer(b"-ERR Say STLS first\r\n")


POP3 = _POP3("pop3", (b"QUIT", b"+OK"))
"""POP3: it greets with ``+OK``, and TLS begins with STLS."""
