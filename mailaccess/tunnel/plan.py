"""A service of the tunnel, ready to run: everything that a connection needs, as one value."""

from collections.abc import Callable
from dataclasses import dataclass, field

from mailaccess.tunnel.admission import Doors
from mailaccess.tunnel.far import Destination
from mailaccess.tunnel.proxies.trusted import TrustedNetworks
from mailaccess.tunnel.spoken import Spoken
from mailaccess.tunnel.tlsside import TLSPeer, TLSSide


@dataclass(frozen=True, slots=True)
class Plan:
    """``tls`` is the server's role towards clients, None where they come in clear; ``starttls``: by their command."""

    name: str
    doors: Doors
    destination: Destination
    protocol: Spoken | None = None
    tls: TLSSide | None = None
    starttls: bool = False
    proxy_from: TrustedNetworks = field(default_factory=lambda: TrustedNetworks((), "proxy_from"))
    route: Callable[[str], Destination | None] = lambda server_name: None
    """Another destination for clients that ask for this host (SNI); None: the service's own."""

    redirect: Destination | None = None
    """Where clients go whose certificate is not good; None: they are refused in the handshake."""

    handshake_seconds: float = 30.0
    idle_seconds: float = 43200.0
    close_seconds: float = 60.0

    def destination_of(self, peer: TLSPeer | None) -> Destination:
        """Where a client goes: without a good certificate to ``redirect``, if there is one, whatever host it names."""
        if peer is None:
            return self.destination
        if self.redirect is not None and not peer.trusted:
            return self.redirect
        return self.route(peer.server_name) or self.destination
