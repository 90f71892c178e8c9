"""What a tunnel must know of a protocol that passes through it: how it begins, how TLS begins in it, how it says no.

``mailaccess.tunnel.protocols`` has one module for each. A protocol is a value without state; what is said goes over
:class:`~mailaccess.tunnel.conversation.Conversation`, whose faults pass through.
"""

from typing import Protocol

from mailaccess.tunnel.conversation import Conversation


class Spoken(Protocol):
    """A protocol, from the tunnel's point of view. ``near`` is the client's end, ``far`` the server's."""

    @property
    def name(self) -> str:
        """``imap``, ``pop3``, ``smtp``, ``nntp``, ``ldap``, ``postgresql``."""

    @property
    def speaks_first(self) -> bool:
        """Whether the server begins, with a greeting."""

    def recognises(self, greeting: bytes) -> bool:
        """Whether a server's first line (with its end) is one of this protocol's; False where it does not speak first.

        Lines of other protocols are told apart where they can be: ``220`` is SMTP's, ``200`` NNTP's.
        """

    def welcomes(self, greeting: bytes) -> bool:
        """Whether a greeting that is recognised is a good one: not ``* BYE``, ``-ERR``, ``554``, ``400``."""

    def unavailable(self, text: str) -> bytes:
        """What a client is told before the connection closes where no server is to be had.

        ``text`` is printable US-ASCII without line ends. Empty where the protocol has no words for it.
        """

    async def ask_for_tls(self, far: Conversation, greeting: bytes) -> bytes:
        """Client's role: have the server begin TLS, to whose ``greeting`` (empty where it has none) was listened.

        Returns when the handshake may begin, with the greeting that a client in clear is to see. It has our own words:
        what came before TLS may be anybody's, and the client would take it for what was said inside. ``Refused`` where
        the server does not offer or begin TLS; nothing secret was said then.
        """

    async def offer_tls(self, near: Conversation, greeting: bytes) -> bool:
        """Server's role: talk to a client until it begins TLS; ``greeting`` is the server's, empty where it has none.

        ``greeting`` is whole: SMTP's may have several lines (``protocols.lines.whole_reply`` reads the rest).
        True when the go-ahead was sent and the handshake may begin: nothing in clear followed. False where the client
        said good-bye. ``Refused`` where it insists on going on in clear (``BAD_COMMANDS`` times) or sends nonsense.
        No command but those that begin TLS reaches a server in clear; what needs TLS gets the protocol's own refusal.
        """

    async def decline_tls(self, near: Conversation) -> None:
        """Before a client in clear is joined with the server: say no where it begins by asking for TLS (PostgreSQL)."""

    async def introduce(self, near: Conversation, far: Conversation) -> None:
        """Then, pass on the first words of both where what only TLS has must be kept from the client (PostgreSQL).

        What follows passes as it is.
        """

    async def check_health(self, far: Conversation) -> None:
        """Say enough to a server, after its handshake if there is one, to know that it serves, and good-bye.

        The conversation begins with the server's greeting, not read yet. ``Refused`` or ``Mismatch`` where it is ill.
        """


BAD_COMMANDS = 10
"""What is not a command that begins TLS, before the connection ends."""
