"""The four services that a server offers: which protocol, on which port, and how TLS begins."""

from dataclasses import dataclass
from typing import Any

from twisted.internet.interfaces import IProtocolFactory

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
