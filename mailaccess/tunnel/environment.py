"""What a program learns of its client: variables under the names that its like expect."""

import re
from collections.abc import Mapping

from mailaccess.tunnel.tlsside import TLSPeer
from mailaccess.tunnel.visitor import Visitor

_OURS_ALONE = re.compile(r"LISTEN_.*|NOTIFY_SOCKET|CREDENTIALS_DIRECTORY|WATCHDOG_.*|JOURNAL_STREAM|MAINPID")
"""What systemd tells us and means nobody else: sockets, credentials, the right to speak for the unit."""

_OF_THE_CLIENT = re.compile(r"REMOTE_.*|LOCAL_(HOST|PORT)|SSL_(?!CERT_(FILE|DIR)\Z).*|TCP6?(REMOTE|LOCAL).*|PROTO")
"""What only this module may say: a program trusts it."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def program_environment(base: Mapping[str, str], visitor: Visitor) -> dict[str, str]:
    """``base`` without what is ours alone, and what is known of the client.

    REMOTE_HOST and REMOTE_PORT (stunnel, inetd), TCPREMOTEIP and its like (ucspi-tcp, Courier; also for IPv6), SSL_* as
    Apache's mod_ssl names them. Nothing of addresses where the client has none, nothing of TLS where it does not speak
    it. Control characters become question marks.
    """
    said = _addresses(visitor) | _tls(visitor)
    ours = {name: value for name, value in base.items() if not _kept_back(name)}
    return ours | {name: _CONTROL.sub("?", value) for name, value in said.items() if value}


def _kept_back(name: str) -> bool:
    return bool(_OURS_ALONE.fullmatch(name) or _OF_THE_CLIENT.fullmatch(name))


def _addresses(visitor: Visitor) -> dict[str, str]:
    if not visitor.port:
        return {}
    remote, remote_port, local, local_port = visitor.host, visitor.port, visitor.local_host, visitor.local_port
    return {
        "REMOTE_HOST": remote,
        "REMOTE_PORT": str(remote_port),
        "LOCAL_HOST": local,
        "LOCAL_PORT": str(local_port),
        "PROTO": "TCP",
        "TCPREMOTEIP": remote,
        "TCPREMOTEPORT": str(remote_port),
        "TCPLOCALIP": local,
        "TCPLOCALPORT": str(local_port),
    }


def _tls(visitor: Visitor) -> dict[str, str]:
    peer = visitor.peer
    if peer is None:
        return {}
    return {
        "SSL_PROTOCOL": visitor.tls_version,
        "SSL_CIPHER": visitor.tls_cipher,
        "SSL_TLS_SNI": peer.server_name,
        "SSL_CLIENT_VERIFY": _verified(peer),
        **{f"SSL_CLIENT_{key}": value for key, value in peer.fields.items()},
    }


def _verified(peer: TLSPeer) -> str:
    if not peer.fields:
        return "NONE"
    return "SUCCESS" if peer.trusted else "FAILED"
