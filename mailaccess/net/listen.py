"""Binds what the configuration names, and serves on it.

TCP sockets are bound here and given to the reactor, and not by it: so IPv4 and IPv6 have sockets of their own for one
port, a port may be bound before privileges are dropped, and TCP_NODELAY is set once on the listening socket, from which
Linux hands it down to every connection: replies are written whole, so Nagle's algorithm would only wait.
"""

import errno
import os
import socket
from dataclasses import dataclass
from typing import Any

from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import AdoptedStreamServerEndpoint, serverFromString
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IListeningPort, IProtocolFactory, IStreamServerEndpoint
from zope.interface import implementer

from mailaccess.errors import ConfigError
from mailaccess.interfaces import IEvents
from mailaccess.net.endpoints import ALLOWED, DescribedEndpoint, Endpoint, SystemdEndpoint, TCPEndpoint
from mailaccess.net.systemd import handed_over

BACKLOG = 1024
"""Connections that the kernel takes while we are busy: every client comes back at once after a restart."""

_PORT_TRIES = 16  # for a free port that is free for IPv4 and for IPv6
_NO_IPV6 = (errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL, errno.EPROTONOSUPPORT)
_REASONS = {
    errno.EACCES: "this user may not bind it: a port from 1024 on, or the capability CAP_NET_BIND_SERVICE, is needed",
    errno.EADDRINUSE: "another program listens there: a free port is needed",
    errno.EADDRNOTAVAIL: "this host has no such address",
}


@dataclass(frozen=True, slots=True)
class Listener:
    """What is served where, as it is printed when the server is ready: ``imaps TLS 0.0.0.0 993``."""

    protocol: str
    tls_mode: str
    address: str
    port: int

    @classmethod
    def of(cls, protocol: str, tls_mode: str, port: IListeningPort) -> "Listener":
        """The listener of ``port``; its number is the real one, 0 for what has none."""
        host: Any = port.getHost()
        if isinstance(host, IPv4Address | IPv6Address):
            return cls(protocol, tls_mode, host.host, host.port)
        name = getattr(host, "name", None)
        return cls(protocol, tls_mode, name.decode(errors="replace") if isinstance(name, bytes) else str(host), 0)

    def __str__(self) -> str:
        return f"{self.protocol} {self.tls_mode} {self.address} {self.port}"


def resolve(reactor: Any, endpoint: Endpoint, events: IEvents) -> list[IStreamServerEndpoint]:
    """What to call ``listen`` on, each once. TCP ports are bound now, others when they listen.

    ``ConfigError`` where that is not possible, from here and from ``listen``.
    """
    if isinstance(endpoint, DescribedEndpoint):
        return [_Described(reactor, endpoint)]
    if isinstance(endpoint, SystemdEndpoint):
        return [_adopted(reactor, bound) for bound in handed_over().sockets(endpoint)]
    return [_adopted(reactor, bound) for bound in _bind(endpoint, events)]


@implementer(IStreamServerEndpoint)
class _Described:
    """A Twisted endpoint whose failures name the key of the configuration."""

    def __init__(self, reactor: Any, endpoint: DescribedEndpoint) -> None:
        self._endpoint = endpoint
        try:
            self._inner: Any = serverFromString(reactor, endpoint.text)  # type: ignore[no-untyped-call]
        except Exception as error:  # a parser, perhaps somebody's plugin, says no in whatever way it has
            raise ConfigError(endpoint.key, endpoint.text, f"{ALLOWED}; {_one_line(error)}") from error

    def listen(self, protocolFactory: IProtocolFactory) -> "Deferred[IListeningPort]":  # noqa: N803
        """Bind and serve."""
        return Deferred.fromCoroutine(self._listen(protocolFactory))

    async def _listen(self, factory: IProtocolFactory) -> IListeningPort:
        try:
            port: IListeningPort = await self._inner.listen(factory)
        except Exception as error:  # as above
            raise ConfigError(self._endpoint.key, self._endpoint.text, _one_line(error)) from error
        return port


def _adopted(reactor: Any, bound: socket.socket) -> IStreamServerEndpoint:
    family = bound.family
    adopted: IStreamServerEndpoint = AdoptedStreamServerEndpoint(reactor, bound.detach(), family)  # type: ignore[no-untyped-call]
    return adopted


def _bind(endpoint: TCPEndpoint, events: IEvents) -> list[socket.socket]:
    """Listening sockets for every address of the endpoint."""
    try:
        return _bind_port(endpoint, endpoint.port, events)
    except OSError as error:
        if error.errno != errno.EACCES or endpoint.fallback is None:
            raise _refusal(endpoint, error) from error
    try:
        return _bind_port(endpoint, endpoint.fallback, events)
    except OSError as error:
        raise _refusal(endpoint, error) from error


def _bind_port(endpoint: TCPEndpoint, port: int, events: IEvents) -> list[socket.socket]:
    if endpoint.host is None:
        return _bind_every_address(port, events)
    found = socket.getaddrinfo(endpoint.host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    bound: list[socket.socket] = []
    try:
        for family, address in dict.fromkeys((entry[0], entry[4]) for entry in found):
            bound.append(_listening(family, address))
    except OSError:
        _close(bound)
        raise
    return bound


def _bind_every_address(port: int, events: IEvents) -> list[socket.socket]:
    """A socket for IPv4 and one for IPv6 with the same number; IPv4 alone where this machine has no IPv6."""
    for tries_left in reversed(range(_PORT_TRIES)):
        bound = [_listening(socket.AF_INET, ("0.0.0.0", port))]  # noqa: S104  (the operator named no address)
        number = bound[0].getsockname()[1]
        try:
            bound.append(_listening(socket.AF_INET6, ("::", number)))
        except OSError as error:
            if error.errno in _NO_IPV6:
                events.event("no_ipv6", port=number, reason=error.strerror)
            else:
                _close(bound)
                if port == 0 and error.errno == errno.EADDRINUSE and tries_left:
                    continue
                raise
        return bound
    raise AssertionError("the last try returns or raises")


def _listening(family: socket.AddressFamily, address: Any) -> socket.socket:
    """A listening socket for one address, which does not take the other family's connections too."""
    bound = socket.socket(family, socket.SOCK_STREAM)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if family == socket.AF_INET6:
            bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        bound.bind(address)
        bound.listen(BACKLOG)
        bound.setblocking(False)
    except OSError:
        bound.close()
        raise
    return bound


def _close(sockets: list[socket.socket]) -> None:
    for bound in sockets:
        bound.close()


def _refusal(endpoint: TCPEndpoint, error: OSError) -> ConfigError:
    if isinstance(error, socket.gaierror):
        return ConfigError(endpoint.key, endpoint.text, "no address of this host has that name")
    reason = _REASONS.get(error.errno or 0, error.strerror or str(error))
    return ConfigError(endpoint.key, endpoint.text, reason)


def _one_line(error: BaseException) -> str:
    cause = error.socketError if isinstance(error, CannotListenError) else error
    if isinstance(cause, OSError) and cause.errno:
        return _REASONS.get(cause.errno, os.strerror(cause.errno))
    return " ".join(f"{type(error).__name__}: {error}".split())
