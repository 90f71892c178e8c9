"""TLS as the tunnel asks for it; ``mailaccess.net`` provides both sides.

The tunnel knows how octets pass through TLS, not which ciphers, certificates and names are good.
"""

from dataclasses import dataclass, field
from typing import Protocol

from OpenSSL import SSL


@dataclass(frozen=True, slots=True)
class TLSPeer:
    """Who is at the other end of a TLS connection, after the handshake.

    ``trusted``: it showed a certificate, and that is good by the rules of this side. ``fields`` are the certificate's
    as programs get them in their environment, without the prefix ``SSL_CLIENT_``: DN, I_DN, SERIAL, V_START, V_END, …
    and empty where it showed none.
    """

    trusted: bool
    server_name: str = ""
    """The host that a client asked for (SNI, RFC 6066 §3), in lower case; empty for none."""

    fields: dict[str, str] = field(default_factory=dict)

    fault: str = ""
    """Why it is not trusted, for the log, where something was asked of it."""


class TLSSide(Protocol):
    """Makes connections, for the client's or the server's role."""

    def new_connection(self) -> SSL.Connection:
        """A connection on memory buffers (no socket) in connect or accept state, its handshake not begun."""

    def check(self, connection: SSL.Connection) -> TLSPeer:
        """Look at the peer when the handshake is done, before anything is said.

        ``TLSFailed`` where it may not be talked to. A server's side that redirects those without a good certificate
        returns a peer that is not trusted.
        """
