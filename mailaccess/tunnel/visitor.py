"""Who came in by a tunnel: what programs, targets and the log are told."""

from dataclasses import dataclass

from mailaccess.tunnel.tlsside import TLSPeer


@dataclass(frozen=True, slots=True)
class Visitor:
    """A client's address and ours, as the connection has them or a trusted PROXY header says; and its TLS, if any.

    ``host`` is ``local`` where there is no address, as on a UNIX socket; then ``port`` is 0.
    """

    host: str
    port: int
    local_host: str
    local_port: int
    peer: TLSPeer | None = None
    tls_version: str = ""
    tls_cipher: str = ""
