"""The story of one connection, from accept to close.

Invariants:

1. Where TLS is ours to demand, no octet of the client reaches a target before the handshake is done, and none of the
   target reaches the client but its greeting (RFC 9051 §6.2.1, RFC 2595 §4).
2. A connection that cannot be served is told so in its protocol's own words, once, and never why in detail.
3. Every step has its time; whatever happens, both ends are let go of and counted down once, and one line is logged.
"""

from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager, suppress
from dataclasses import replace

from twisted.internet.interfaces import IReactorTime

from mailaccess.interfaces import IEvents
from mailaccess.ops.transport import GOODBYE_SECONDS
from mailaccess.tunnel.conversation import Conversation
from mailaccess.tunnel.far import Destination, Far
from mailaccess.tunnel.faults import Full, Refused, StreamLost, TunnelFault
from mailaccess.tunnel.patience import within
from mailaccess.tunnel.plan import Plan
from mailaccess.tunnel.proxies.header import read_header
from mailaccess.tunnel.relay import Relay
from mailaccess.tunnel.sockets import SocketStream
from mailaccess.tunnel.spoken import Spoken
from mailaccess.tunnel.stream import Stream
from mailaccess.tunnel.tls import TLSStream, begin_tls
from mailaccess.tunnel.tlsside import TLSSide
from mailaccess.tunnel.visitor import Visitor

UNAVAILABLE = "The service is not available now"
"""What a client is told, whatever the reason: the log has it."""


class Session:
    """One connection through a service; :meth:`run` once."""

    def __init__(self, plan: Plan, near: SocketStream, visitor: Visitor, clock: IReactorTime, events: IEvents) -> None:
        self._plan = plan
        self._socket = near
        self._near: Stream = near
        self._visitor = visitor
        self._clock = clock
        self._events = events
        self._began = clock.seconds()
        self._far: Far | None = None

    def abort(self, reason: str) -> None:
        """End it now, whatever it waits for."""
        self._socket.abort(reason)
        if self._far is not None:
            self._far.stream.abort(reason)

    async def run(self) -> None:
        """Serve the connection to its end. Raises nothing that a client or a target can bring about."""
        try:
            await self._come_in()
        except TunnelFault as fault:
            self._log(fault.event, reason=fault)
        finally:
            self._socket.abort("the session is over")

    async def _come_in(self) -> None:
        """Through the doors: counted from the first moment on, and for its network as soon as that is known."""
        doors = self._plan.doors
        try:
            with doors.one_more():
                with self._in_time("the PROXY header"):
                    await self._learn_origin()
                with doors.one_more_from(self._visitor.host):
                    await self._serve()
        except Full:
            if self._plan.tls is None or self._plan.starttls:
                await self._excuse(patient=False)  # these are counted nowhere
            raise

    async def _learn_origin(self) -> None:
        """From a network that is named, a PROXY header comes before all else."""
        if self._visitor.host not in self._plan.proxy_from:
            return
        talk = Conversation(self._near)
        origin = await read_header(talk)
        self._near = talk.hand_back()
        if origin is not None:
            (host, port), (local_host, local_port) = origin.source, origin.destination
            self._visitor = replace(self._visitor, host=host, port=port, local_host=local_host, local_port=local_port)

    async def _serve(self) -> None:
        try:
            if self._plan.tls is not None and not self._plan.starttls:
                with self._in_time("the handshake"):
                    await self._secure(self._plan.tls)
            await self._lead()
        except TunnelFault:
            await self._part()
            raise

    async def _lead(self) -> None:
        """Open the far end, join the client with it, and let go of it."""
        try:
            far = await self._open(self._destination)
            if self._plan.starttls:
                await self._after_command(far)
            else:
                await self._after_greeting(far)
        finally:
            self._let_go()

    @property
    def _destination(self) -> Destination:
        return self._plan.destination_of(self._visitor.peer)

    async def _after_greeting(self, far: Far) -> None:
        """TLS, if it is ours to speak, has begun: the client hears the greeting, and all else."""
        talk, server = Conversation(self._near), Conversation(far.stream)
        if self._plan.tls is None and self._plan.protocol is not None:
            with within(self._clock, self._plan.handshake_seconds, self.abort, "the first words of both sides"):
                await self._introduce(self._plan.protocol, talk, server)
        if far.greeting:
            await talk.say(far.greeting)
        self._near = talk.hand_back()
        server.hand_back()
        await self._join(far, sent=server.said, received=talk.said)

    async def _introduce(self, protocol: Spoken, talk: Conversation, server: Conversation) -> None:
        try:
            await protocol.decline_tls(talk)
            await protocol.introduce(talk, server)
        except TunnelFault:
            await self._excuse()
            raise

    async def _after_command(self, far: Far) -> None:
        """The client begins TLS by a command, after the greeting; who it is may lead to another target then."""
        assert self._plan.tls is not None  # as ``starttls`` says
        assert self._plan.protocol is not None
        chosen, heard = self._destination, len(far.greeting)
        talk = Conversation(self._near)
        with self._in_time("the client's way to TLS"):
            if not await self._offer_tls(self._plan.protocol, talk, far.greeting):
                self._log("tunnel_closed", target=far.name, reason="the client left before TLS")
                self._let_go()
                await self._part()
                return
            self._near = talk.hand_back()
            await self._secure(self._plan.tls)
        if self._destination is not chosen:
            self._let_go()
            far = await self._open(self._destination)
        await self._join(far, sent=0, received=heard)

    async def _offer_tls(self, protocol: Spoken, talk: Conversation, greeting: bytes) -> bool:
        """False where the client leaves. A greeting that cannot be passed on (PREAUTH) is as good as none."""
        try:
            return await protocol.offer_tls(talk, greeting)
        except Refused:
            if greeting and not talk.said:
                await self._excuse()
            raise

    async def _secure(self, side: TLSSide) -> None:
        self._near.unread(await self._near.read())  # OpenSSL's buffers are for those who say something
        stream, peer = await begin_tls(self._near, side)
        self._near = stream
        self._visitor = replace(self._visitor, peer=peer, tls_version=stream.version, tls_cipher=stream.cipher)

    async def _open(self, destination: Destination) -> Far:
        """The far end; where there is none the client is told before the fault is raised."""
        try:
            self._far = await self._socket.while_connected(destination.open(self._visitor))
        except TunnelFault:
            await self._excuse()
            raise
        return self._far

    async def _join(self, far: Far, *, sent: int, received: int) -> None:
        """The octets pass; ``sent`` and ``received`` by the client were those before."""
        plan = self._plan
        relay = Relay(
            self._near, far.stream, self._clock, idle_seconds=plan.idle_seconds, close_seconds=plan.close_seconds
        )
        await relay.run()
        sent, received = sent + relay.outward.octets, received + relay.inward.octets
        traffic: dict[str, object] = {"target": far.name, "sent": sent, "received": received}
        if isinstance(far.stream, TLSStream):
            traffic |= {"target_tls": far.stream.version, "target_cipher": far.stream.cipher}
        if relay.fault:
            traffic["reason"] = relay.fault
        if truncated := [name for name, end in (("client", self._near), ("target", far.stream)) if _truncated(end)]:
            traffic["truncated"] = truncated[0]
        if far.outcome is not None:
            traffic["status"] = await self._outcome(far, far.outcome, relay.fault)
        self._log("tunnel_closed", **traffic)

    async def _outcome(self, far: Far, outcome: Callable[[], Awaitable[str]], fault: str) -> str:
        """How a program ended. Its output may end before its work; where its client is lost there is none left."""
        if fault:
            far.stream.abort(fault)
        with within(self._clock, self._plan.close_seconds, far.stream.abort, "the program's end"):
            return await outcome()

    def _let_go(self) -> None:
        far, self._far = self._far, None
        if far is not None:
            far.stream.abort("the session is over")
            far.release()

    async def _excuse(self, *, patient: bool = True) -> None:
        """Say in the client's protocol that nobody is there."""
        words = self._plan.protocol.unavailable(UNAVAILABLE) if self._plan.protocol is not None else b""
        await self._part(words, patient=patient)

    async def _part(self, last_words: bytes = b"", *, patient: bool = True) -> None:
        """Send what is said to the client last, a good-bye or an alert; ``patient``: and wait until it has heard."""
        with suppress(StreamLost), within(self._clock, GOODBYE_SECONDS, self._socket.abort, "the good-bye"):
            await self._near.write(last_words)
            await self._near.end()
            while patient and await self._near.read():
                pass

    # -- words

    def _in_time(self, what: str) -> AbstractContextManager[None]:
        return within(self._clock, self._plan.handshake_seconds, self._socket.abort, what)

    def _log(self, event: str, **fields: object) -> None:
        """One line; what is known of the client first."""
        visitor = self._visitor
        who: dict[str, object] = {"service": self._plan.name, "address": visitor.host, "port": visitor.port}
        if visitor.tls_version:
            who |= {"tls": visitor.tls_version, "cipher": visitor.tls_cipher}
        if visitor.peer is not None and visitor.peer.server_name:
            who["server_name"] = visitor.peer.server_name
        if visitor.peer is not None and visitor.peer.fault:
            who["not_trusted"] = visitor.peer.fault
        self._events.event(event, **who, **fields, seconds=round(self._clock.seconds() - self._began, 3))


def _truncated(end: Stream) -> bool:
    """Whether TLS ended without ``close_notify``: half the mail programs end it so, and whoever cuts a wire."""
    return isinstance(end, TLSStream) and end.truncated
