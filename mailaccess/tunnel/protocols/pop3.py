"""POP3 (RFC 1939) and how TLS begins in it: STLS (RFC 2595 §4)."""

from mailaccess.tunnel.conversation import Conversation
from mailaccess.tunnel.faults import Refused, shown
from mailaccess.tunnel.protocols.lines import (
    TOO_MANY,
    Answer,
    GreetedFirst,
    Then,
    check_greeting,
    until_tls,
    verb_and_rest,
)

_CAPABILITIES = b"+OK Capabilities follow\r\nRESP-CODES\r\nAUTH-RESP-CODE\r\nSTLS\r\n.\r\n"
"""STLS, and what the refusal of a password uses (RFC 2449 §6.4, RFC 3206 §6); no USER, no SASL: not in clear."""

_PASSWORD_VERBS = frozenset({b"USER", b"PASS", b"APOP", b"AUTH"})
_PASSWORD_REFUSED = b"-ERR [SYS/PERM] A password is accepted under TLS only: say STLS first\r\n"
"""SYS/PERM: a person must mend it (RFC 3206 §4). AUTH makes mail programs ask for another password and send that."""


class _POP3(GreetedFirst):
    """POP3, from the tunnel's point of view."""

    def unavailable(self, text: str) -> bytes:
        """In place of the greeting: a trouble that passes (RFC 3206 §4)."""
        return f"-ERR [SYS/TEMP] {text}\r\n".encode("ascii")

    async def ask_for_tls(self, far: Conversation, greeting: bytes) -> bytes:
        """STLS, whatever CAPA says, which not every server has: nothing but ``+OK`` begins TLS (RFC 2595 §4).

        The greeting stays what it was: its timestamp is APOP's inside TLS too (RFC 1939 §7).
        """
        check_greeting(self, greeting)
        await far.say(b"STLS\r\n")
        await _expect_ok(far, "STLS")
        far.nothing_follows()
        return greeting

    async def offer_tls(self, near: Conversation, greeting: bytes) -> bool:
        """CAPA, STLS and QUIT; nothing else is of use before TLS (RFC 2595 §4, RFC 1939 §4)."""
        await near.say(greeting)
        return await until_tls(near, _answer, f"-ERR {TOO_MANY}\r\n".encode("ascii"))

    async def check_health(self, far: Conversation) -> None:
        """The greeting, and QUIT."""
        check_greeting(self, await far.line())
        await far.say(b"QUIT\r\n")
        await _expect_ok(far, "QUIT")


async def _expect_ok(far: Conversation, command: str) -> None:
    reply = await far.line()
    if verb_and_rest(reply)[0] != b"+OK":
        raise Refused(f"the server answers {command} with {shown(reply)}")


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


POP3 = _POP3("pop3")
"""POP3: it greets with ``+OK``, and TLS begins with STLS."""
