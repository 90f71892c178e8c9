"""The few private corners of Twisted's transports that we touch, in one place, for both front ends.

Writing at once saves an ``epoll_ctl`` pair, an ``epoll_wait`` and a turn of the reactor, which is a third of what a
short command costs. It is safe on one kind of transport only. On implicit TLS (and behind ``haproxy:``) a protocol's
transport is a ``ProtocolWrapper``, whose ``__getattr__`` hands out ``TLS``, ``dataBuffer`` and ``writeSomeData`` of the
*raw* socket: whoever asks by attribute instead of by exact type puts clear text on the wire of a TLS session.
"""

import fcntl
import re
import struct
import termios
from typing import Any

from OpenSSL import SSL
from twisted.internet.interfaces import IDelayedCall, IReactorTime, ISSLTransport
from twisted.internet.tcp import Client, Server
from twisted.protocols.tls import TLSMemoryBIOProtocol

from mailaccess.values import Peer

_PLAIN = (Server, Client)
_INT = struct.Struct("i")

GOODBYE_SECONDS = 5.0
"""How long a closing connection may take to read what was written to it; ``loseConnection`` alone waits for ever."""


def write_now(transport: Any, data: bytes) -> None:
    """Write ``data``, handing it to the kernel at once where nothing is queued before it; end what was reset.

    The rest of it, or all of it on any transport but plain TCP, goes the way of ``transport.write``.
    """
    if not send_now(transport, data):
        transport.abortConnection()


def send_now(transport: Any, data: bytes) -> bool:
    """The same; False where the connection was reset, which is the caller's to act on.

    The kernel tells of a reset once: reading finds what had come before, and then an orderly end.
    """
    if _may_send_at_once(transport):
        sent = transport.writeSomeData(data)
        if not isinstance(sent, int):
            return False
        if sent == len(data):
            return True
        data = data[sent:]
    transport.write(data)
    return True


def _may_send_at_once(transport: Any) -> bool:
    """Whether sending at once keeps the order of octets, their secrecy, and the turns of a pull producer."""
    return (
        type(transport) in _PLAIN
        and not transport.TLS
        and bool(transport.connected)
        and not transport.disconnecting
        and not transport.dataBuffer
        and not transport._tempDataBuffer
        and (transport.producer is None or transport.streamingProducer)
    )


def unsent_octets(transport: Any) -> int:
    """How many octets a socket's transport, and the kernel behind it, hold that the other side has not taken yet."""
    held: int = len(transport.dataBuffer) - transport.offset + transport._tempDataLen
    queued = fcntl.ioctl(transport.fileno(), termios.TIOCOUTQ, bytes(_INT.size))  # tcp(7), SIOCOUTQ
    octets: int = _INT.unpack(queued)[0]
    return held + octets


def is_encrypted(transport: Any) -> bool:
    """Whether what passes through ``transport`` is inside TLS, from the first octet or since STARTTLS.

    A wrapper (``haproxy:``) does not learn that the socket below it changed: it hands out its ``TLS`` though.
    """
    return bool(ISSLTransport.providedBy(transport)) or getattr(transport, "TLS", False) is True


def peer_of(transport: Any) -> Peer:
    """Who is at the other end; ``local`` where there is no address, as on a UNIX socket."""
    peer, host = transport.getPeer(), transport.getHost()
    return Peer(getattr(peer, "host", "local"), getattr(peer, "port", 0), getattr(host, "port", 0))


def tls_of(transport: Any) -> dict[str, str]:
    """What protects a login, as fields of its log line; nothing does where ``warning`` says so."""
    inner = getattr(transport, "protocol", None)
    wrapper = inner if isinstance(inner, TLSMemoryBIOProtocol) else transport
    if not isinstance(wrapper, TLSMemoryBIOProtocol):
        return {"tls": "none", "warning": "the password passed in clear"}
    connection = wrapper.getHandle()  # type: ignore[no-untyped-call]
    return {"tls": connection.get_protocol_version_name(), "cipher": connection.get_cipher_name() or "none"}


def openssl_reason(error: SSL.Error) -> str:
    """The last word of OpenSSL's error queue: ``wrong version number``."""
    queue: Any = error.args[0] if error.args else None
    words = str(queue[-1][-1]) if queue and isinstance(queue, list) else "no reason given"
    return re.sub(r"[^ -~]", "?", words)


def tls_failure(reason: Any) -> dict[str, str]:
    """Why TLS ended a connection, as a field of its log line; nothing where it did not."""
    error = getattr(reason, "value", None)
    return {"tls_failure": openssl_reason(error)} if isinstance(error, SSL.Error) else {}


def start_tls(transport: Any, creator: Any, go_ahead: bytes, *, clear_octets_follow: bool) -> bool:
    """Answer STARTTLS or STLS with ``go_ahead`` and begin the handshake (RFC 9051 §6.2.1, RFC 2595 §4).

    ``creator`` is the ``IOpenSSLServerConnectionCreator``. Where octets already follow the command in clear, somebody
    wants them to be taken for what the client says inside TLS (the class of CVE-2011-0411): nothing is answered, the
    connection closes, and False is returned. The caller forgets those octets, and all that it was told before TLS,
    either way (RFC 9051 §6.2.1). Call it once, and only where ``is_encrypted`` is False.
    """
    if clear_octets_follow:
        transport.loseConnection()
        return False
    transport.write(go_ahead)  # stands in the transport's queue before the handshake's first octet
    transport.startTLS(creator)
    return True


def close_gracefully(transport: Any, clock: IReactorTime, seconds: float = GOODBYE_SECONDS) -> IDelayedCall:
    """Close after what was written has gone out, or abruptly after ``seconds``.

    The caller cancels the returned call in ``connectionLost`` where it is still active.
    """
    transport.loseConnection()
    return clock.callLater(seconds, transport.abortConnection)
