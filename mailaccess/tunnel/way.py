"""The way out to a target: connection, proxy, PROXY header, TLS, and a look at the greeting, in this order."""

import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from twisted.internet.abstract import isIPAddress, isIPv6Address
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import HostnameEndpoint, TCP4ClientEndpoint, TCP6ClientEndpoint, UNIXClientEndpoint
from twisted.internet.error import ConnectError
from twisted.internet.protocol import Factory
from twisted.python.failure import Failure

from mailaccess.tunnel.conversation import Conversation
from mailaccess.tunnel.far import Far
from mailaccess.tunnel.faults import Unreachable, blamed_on
from mailaccess.tunnel.greeting import listen
from mailaccess.tunnel.patience import within
from mailaccess.tunnel.proxies.via import Via
from mailaccess.tunnel.sockets import SocketStream
from mailaccess.tunnel.spoken import Spoken
from mailaccess.tunnel.stream import Stream
from mailaccess.tunnel.targets import Target
from mailaccess.tunnel.tls import begin_tls
from mailaccess.tunnel.tlsside import TLSSide
from mailaccess.tunnel.visitor import Visitor


@dataclass(frozen=True, slots=True)
class Way:
    """How targets are reached. ``tls`` is the client's role for a target, None for clear."""

    reactor: Any
    protocol: Spoken | None = None
    tls: Callable[[Target], TLSSide] | None = None
    starttls: bool = False
    via: Via | None = None
    source: str = ""
    header: Callable[[Visitor | None], bytes] | None = None
    """The PROXY header that a connection begins with (None: a connection of our own)."""

    connect_seconds: float = 10.0
    handshake_seconds: float = 30.0

    async def open(self, target: Target, visitor: Visitor | None) -> Far:
        """Reach ``target`` for ``visitor``. A ``TunnelFault`` says why not."""
        stream = await self._dial(target)
        with blamed_on(target):
            try:
                return await self._begin(stream, target, visitor)
            except BaseException:
                stream.abort(f"{target} is of no use")
                raise

    async def ask(self, target: Target) -> None:
        """A health check: reach ``target`` and speak its protocol. A ``TunnelFault`` where it is ill."""
        stream = await self._dial(target)
        seconds = min(self.connect_seconds, self.handshake_seconds)
        with blamed_on(target), within(self.reactor, seconds, stream.abort, "the health check"):
            try:
                await self._examine(stream, target)
            finally:
                stream.abort("the health check is over")

    async def _examine(self, stream: Stream, target: Target) -> None:
        if self.starttls:  # that TLS begins, with the right server, says more than a word in clear
            far = await self._begin(stream, target, None)
            await far.stream.end()
            return
        talk = await self._enter(stream, target, None)
        if self.tls is not None:
            talk = await self._secure(talk, target)
        if self.protocol is not None:
            await self.protocol.check_health(talk)
        await talk.hand_back().end()  # else the good-bye is not sent, and the target's log has a reset

    async def _dial(self, target: Target) -> SocketStream:
        if self.via is None and target.path:
            endpoint: Any = UNIXClientEndpoint(self.reactor, target.path, self.connect_seconds)  # type: ignore[no-untyped-call]
        else:
            endpoint = self._endpoint(*((self.via.host, self.via.port) if self.via else (target.host, target.port)))
        try:
            return await self._connected(endpoint.connect(_STREAMS))
        except (ConnectError, OSError, ValueError) as error:  # ValueError: a name that can be no host's
            raise Unreachable(f"{target} cannot be reached: {_why(error)}") from error

    async def _connected(self, connecting: Deferred[SocketStream]) -> SocketStream:
        """The stream, in time: a resolver that does not answer has no other end.

        ``CancelledError`` where it is cancelled, which some of Twisted's endpoints take for a failure of the target.
        """
        outcome: Deferred[SocketStream] = Deferred()
        connecting.addCallbacks(outcome.callback, outcome.errback)
        outcome.addTimeout(self.connect_seconds, self.reactor, _too_slow)
        try:
            return await outcome
        finally:
            connecting.cancel()

    def _endpoint(self, host: str, port: int) -> Any:
        """For an address without a resolver, which would cost each connection a thread's turn."""
        source = (self.source, 0) if self.source else None
        kind = TCP4ClientEndpoint if isIPAddress(host) else TCP6ClientEndpoint if isIPv6Address(host) else None
        if kind is not None:
            return kind(self.reactor, host, port, self.connect_seconds, source)
        return HostnameEndpoint(self.reactor, host, port, self.connect_seconds, source)

    async def _enter(self, stream: Stream, target: Target, visitor: Visitor | None) -> Conversation:
        """Up to the first octet that the target itself sees."""
        talk = Conversation(stream)
        if self.via is not None:
            await self.via.pass_through(talk, target.host, target.port)
        if self.header is not None:
            await talk.say(self.header(visitor))
        return talk

    async def _begin(self, stream: Stream, target: Target, visitor: Visitor | None) -> Far:
        secured = self.tls is not None and not self.starttls
        with self._in_time(stream, "the handshake" if secured else "the way to it"):
            talk = await self._enter(stream, target, visitor)
            if secured:
                talk = await self._secure(talk, target)
        with self._in_time(stream, "the greeting" if secured else "the greeting (does it begin with TLS?)"):
            greeting = await listen(talk, self.protocol)
        if self.starttls and self.protocol is not None:
            with self._in_time(stream, "the way to TLS"):
                greeting = await self.protocol.ask_for_tls(talk, greeting)
                talk = await self._secure(talk, target)
        return Far(talk.hand_back(), str(target), greeting)

    def _in_time(self, stream: Stream, what: str) -> AbstractContextManager[None]:
        return within(self.reactor, self.handshake_seconds, stream.abort, what)

    async def _secure(self, talk: Conversation, target: Target) -> Conversation:
        assert self.tls is not None  # else nobody asks for TLS
        stream, _ = await begin_tls(talk.hand_back(), self.tls(target))
        return Conversation(stream)


def _too_slow(result: object, seconds: float) -> Failure:
    return Failure(TimeoutError(f"it took more than {seconds:g} s"))  # type: ignore[no-untyped-call]


def _why(error: BaseException) -> str:
    """The kernel's words where they are its own, and not Twisted's around them."""
    number = getattr(error, "osError", None)
    if isinstance(number, int):
        return os.strerror(number)
    return " ".join(str(error).split()).rstrip(".") or type(error).__name__


class _Streams(Factory):
    noisy = False

    def buildProtocol(self, addr: object) -> SocketStream:  # noqa: N802
        return SocketStream()


_STREAMS = _Streams()
