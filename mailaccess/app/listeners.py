"""The four listeners of a server: which protocol, over what, on which port."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IListeningPort, IProtocolFactory, IStreamServerEndpoint

from mailaccess.interfaces import IEvents
from mailaccess.net.endpoints import Endpoint
from mailaccess.net.listen import Listener, resolve
from mailaccess.net.tls import Certificates, ServerTLS, TLSFactory


@dataclass(frozen=True, slots=True)
class Service:
    """A protocol as it is offered: ``upgrade`` is the command that begins TLS, empty for TLS from the start."""

    key: str
    protocol: str
    port: int
    upgrade: str

    def secured(self, factory: IProtocolFactory, certificates: Certificates, reactor: Any) -> IProtocolFactory:
        """``factory`` inside TLS, where this service has TLS from the start; itself where there is a command for it."""
        if self.upgrade:
            return factory
        return TLSFactory(ServerTLS(certificates, self.protocol.encode()), factory, reactor)


SERVICES = (
    Service("imap", "imap", 143, "STARTTLS"),
    Service("imaps", "imap", 993, ""),
    Service("pop3", "pop3", 110, "STLS"),
    Service("pop3s", "pop3", 995, ""),
)
"""RFC 8314 §3: implicit TLS on ports of its own; RFC 2595 §3, §4: STARTTLS and STLS on the old ones."""


class Listeners:
    """Binds the endpoints, by service key, at once; :meth:`serve` begins to accept. ``ConfigError``."""

    def __init__(self, endpoints: Mapping[str, Endpoint | None], reactor: Any, events: IEvents) -> None:
        self._reactor = reactor
        self._bound: list[tuple[Service, Endpoint, list[IStreamServerEndpoint]]] = []
        self._ports: list[IListeningPort] = []
        for service in SERVICES:
            endpoint = endpoints[service.key]
            if endpoint is not None:
                self._bound.append((service, endpoint, resolve(reactor, endpoint, events)))

    async def serve(self, factories: Mapping[str, IProtocolFactory], certificates: Certificates) -> list[Listener]:
        """Accept connections for the factories, by protocol; returns what is served where. ``ConfigError``."""
        served = []
        for service, endpoint, sockets in self._bound:
            factory = factories[service.protocol]
            if not endpoint.encrypted:
                factory = service.secured(factory, certificates, self._reactor)
            for listening in sockets:
                port = await listening.listen(factory)
                self._ports.append(port)
                mode = "TLS" if endpoint.encrypted else service.upgrade or "TLS"
                served.append(Listener.of(service.key, mode, port))
        return served

    async def stop(self) -> None:
        """Accept no more."""
        while self._ports:
            stopping = self._ports.pop().stopListening()
            if isinstance(stopping, Deferred):
                await stopping
