"""Who came in by a tunnel: what programs, targets and the log are told."""

from dataclasses import dataclass

from mailaccess.tunnel.tlsside import TLSPeer

LOCAL = "local"
"""The host of an end that has no address, as of a UNIX socket; its port is 0."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """A client's address and ours, as the connection has them or a trusted PROXY header says; and its TLS, if any.

    An IPv4 address is always written as one, never as IPv6 (``::ffff:192.0.2.1``).
    """

    host: str
    port: int
    local_host: str
    local_port: int
    peer: TLSPeer | None = None
    tls_version: str = ""
    tls_cipher: str = ""
