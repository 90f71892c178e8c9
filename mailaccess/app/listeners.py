"""The four listeners of a server: which protocol, over what, on which port."""

from collections.abc import Mapping
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IListeningPort, IProtocolFactory, IStreamServerEndpoint

from mailaccess.app.offered import SERVICES, Service
from mailaccess.interfaces import IEvents
from mailaccess.net.endpoints import Endpoint
from mailaccess.net.listen import Listener, resolve
from mailaccess.net.tls import Certificates


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
