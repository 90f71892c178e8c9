"""NNTP (RFC 3977) and how TLS begins in it: STARTTLS (RFC 4642, RFC 8143)."""

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

_CAPABILITIES = b"101 Capability list follows\r\nVERSION 2\r\nSTARTTLS\r\n.\r\n"
"""Neither READER nor MODE-READER: what the server is, it says itself inside TLS (RFC 3977 §5.2)."""

_NO_ARGUMENTS = b"501 This command has no arguments\r\n"

_NEEDS_TLS = b"483 Begin TLS first: say STARTTLS\r\n"
"""The answer to any command that needs privacy (RFC 3977 §3.2.1). To MODE READER too: if we agreed, a client would not
say it again inside TLS, and a server that changes its mode by it would never hear it."""


class _NNTP(AnsweredByCode):
    """NNTP, from the tunnel's point of view."""

    def unavailable(self, text: str) -> bytes:
        """In place of the greeting (RFC 3977 §5.1)."""
        return f"400 {text}\r\n".encode("ascii")

    async def ask_for_tls(self, far: Conversation, greeting: bytes) -> bytes:
        """STARTTLS, whatever CAPABILITIES says, which old servers do not know: 382 begins TLS (RFC 4642 §2.2).

        Of the greeting its code stays, which says whether one may post (RFC 3977 §5.1): a server does not greet again
        inside TLS (RFC 4642 §2.2.2).
        """
        check_greeting(self, greeting)
        await command(far, b"STARTTLS", b"382")
        far.nothing_follows()
        return greeting[:3] + b" " + READY + b"\r\n"

    async def offer_tls(self, near: Conversation, greeting: bytes) -> bool:
        """CAPABILITIES, QUIT and STARTTLS; all else is 483 (RFC 3977 §3.2.1)."""
        return await until_tls(near, greeting, _answer, f"400 {TOO_MANY}\r\n".encode("ascii"))


async def _answer(near: Conversation) -> Answer:
    match verb_and_rest(await near.line()):
        case b"STARTTLS", b"":
            return Answer(b"382 Continue with TLS negotiation\r\n", Then.TLS)
        case b"QUIT", b"":
            return Answer(b"205 Bye\r\n", Then.END)
        case b"CAPABILITIES", _:
            return Answer(_CAPABILITIES)
        case ((b"STARTTLS" | b"QUIT"), _):
            return Answer(_NO_ARGUMENTS)
        case _:
            return Answer(_NEEDS_TLS)


NNTP = _NNTP("nntp", (b"QUIT", b"205"))  # RFC 3977 §5.4
"""NNTP: it greets with ``200`` or ``201``, and TLS begins with STARTTLS."""
