"""POP3 on Twisted: transport, timers and TLS around a :class:`~mailaccess.pop3.session.Session`.

``POP3Server`` is a subclass of ``twisted.mail.pop3.POP3``, so that factories, portals and code written for that class
keep working; of its behaviour only the identity, ``portal``, ``factory``, ``magic``, ``successResponse`` and its kin,
and the hook ``authenticateUserPASS`` remain.
"""

import secrets
from collections.abc import Awaitable, Callable, Container, Coroutine
from socket import gethostname
from typing import Any, Protocol, cast

from twisted.cred.credentials import UsernamePassword
from twisted.cred.error import UnauthorizedLogin
from twisted.internet.defer import CancelledError, Deferred, maybeDeferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime, ITLSTransport
from twisted.internet.protocol import ServerFactory
from twisted.mail.interfaces import IMailboxPOP3
from twisted.mail.pop3 import POP3
from zope.interface import implementer

from mailaccess.errors import ClientError, Code, Disconnected
from mailaccess.interfaces import IAccount, IEvents, IGate, ISession
from mailaccess.ops.limits import Limits
from mailaccess.ops.logs import EventLog
from mailaccess.ops.outflow import Outflow
from mailaccess.ops.transport import (
    GOODBYE_SECONDS,
    close_gracefully,
    is_encrypted,
    peer_of,
    start_tls,
    tls_failure,
    tls_of,
    write_now,
)
from mailaccess.pop3.capabilities import capabilities
from mailaccess.pop3.context import Context, Logout, Server
from mailaccess.pop3.session import Session
from mailaccess.pop3.stock import StockAccount
from mailaccess.pop3.wire import err, ok
from mailaccess.values import Peer

WAITING_BYTES = 64 * 1024
"""Octets of commands that wait behind one that works; beyond, nothing is read. 80 pipelined RETR have one kilobyte."""

Apop = Callable[[str, str, str, Peer], Coroutine[Any, Any, tuple[IAccount, Logout]]]
"""Checks a user, the greeting's timestamp and the digest over it and his secret (RFC 1939 §7); ``ClientError``."""


class Login(Protocol):
    """Checks who logs in, waits after wrong passwords and logs them: ``mailaccess.auth.login.Login``.

    One that has secrets in clear has an ``apop`` too, an :data:`Apop`.
    """

    async def password(self, user: str, password: str, peer: Peer) -> tuple[IAccount, Logout]:
        """The account of ``user`` and what lets go of it; ``ClientError``."""


@implementer(ISession)
class POP3Server(POP3):
    """One POP3 connection.

    ``tls`` is the ``IOpenSSLServerConnectionCreator`` for STLS, None where there is none. Without ``login``, passwords
    go to ``portal``, as Twisted has it. ``cleartext_allowed``: passwords are taken without TLS.
    """

    transport: Any
    portal: Any = None
    factory: Any = None

    def __init__(
        self,
        *,
        server: Server | None = None,
        login: Login | None = None,
        tls: Any = None,
        gate: IGate | None = None,
        cleartext_allowed: bool = False,
        clock: IReactorTime | None = None,
    ) -> None:
        if clock is None:
            from twisted.internet import reactor  # noqa: PLC0415  # stock use: the one that runs

            clock = cast(IReactorTime, reactor)
        self._server = server or Server(limits=Limits(), events=EventLog())
        self._login = login
        self._apop: Apop | None = getattr(login, "apop", None)
        self._tls = tls
        self._gate = gate
        self._cleartext_allowed = cleartext_allowed
        self._clock = clock
        self._received = bytearray()
        self._waiting: Deferred[None] | None = None
        self._attempt: Deferred[tuple[IAccount, Logout]] | None = None
        self._reading = True
        self._closing: IDelayedCall | None = None
        self._user = ""
        self._gone = False
        self.lost = False
        """Whether the connection is gone, or its client not to be listened to any more."""
        self.peer = Peer("")

    # -- Twisted calls us

    def connectionMade(self) -> None:
        """Pass the gate, and begin to converse."""
        limits = self._server.limits
        self.peer = peer_of(self.transport)
        self.timeOut = limits.pop3_idle_timeout_seconds
        self._connected_at = self._clock.seconds()
        self._outflow = Outflow(self._clock, limits.write_stall_seconds, self.abort)
        self._context = self._new_context()
        self._session = Session(self._context)
        self.transport.registerProducer(self._outflow, True)
        self._server.events.event("connect", protocol="pop3", address=self.peer.host, port=self.peer.local_port)
        self.setTimeout(self.timeOut)  # type: ignore[no-untyped-call]
        if self._gate is not None:
            try:
                self._gate.opened(self)
            except ClientError as error:
                self._session.say_goodbye(error.code, error.text)
        Deferred.fromCoroutine(self._converse())

    def dataReceived(self, data: bytes) -> None:
        """Octets from the client; the base class's line framing is not used."""
        self._outflow.begin_turn()
        self.resetTimeout()  # type: ignore[no-untyped-call]
        if self.lost:
            return
        self._received += data
        if self._waiting is not None:
            self._wake(None)
        if len(self._received) > WAITING_BYTES:
            self._read(False)
        self._context.flush()

    def connectionLost(self, reason: Any = None) -> None:
        """The connection is gone: silently, for half of all mail programs end without QUIT."""
        self._gone = True
        self.setTimeout(None)  # type: ignore[no-untyped-call]
        if self._closing is not None and self._closing.active():
            self._closing.cancel()
        self._outflow.stopProducing()
        self._end_wait()
        if self._gate is not None:
            self._gate.closed(self)
        self._log_end(reason)

    def timeoutConnection(self) -> None:
        """Autologout: no reply, and nothing is removed (RFC 1939 §3); a command that works is not idle."""
        if self._waiting is None and not self.lost:
            self.setTimeout(self.timeOut)  # type: ignore[no-untyped-call]
        else:
            self._end_wait()

    def callLater(self, period: float, func: Callable[[], None]) -> IDelayedCall:
        """The clock of the inherited timer."""
        return self._clock.callLater(period, func)

    # -- ISession: the gate calls us

    def say_goodbye(self, code: Code | None, text: str) -> None:
        """Say ``-ERR`` and close, behind the command that works now, and at the latest after ``GOODBYE_SECONDS``."""
        self._session.say_goodbye(code, text)
        if self._closing is None and not self._gone:
            self._closing = self._clock.callLater(GOODBYE_SECONDS, self.abort)
        self._stop_waiting()

    def abort(self) -> None:
        """Close at once."""
        self.transport.abortConnection()

    # -- Link: the session calls us

    async def octets(self) -> bytes:
        """What the client sent next, once it has taken what it was sent."""
        if self._outflow.paused:
            await self._outflow.room()
        if not self._received:
            if self.lost:
                raise Disconnected
            self._waiting = Deferred()
            await self._waiting
        received = bytes(self._received)
        self._received.clear()
        self._read(True)
        return received

    def send(self, data: bytes) -> None:
        """Send octets."""
        write_now(self.transport, data)

    @property
    def full(self) -> bool:
        """Whether to wait for :meth:`room`."""
        return self._outflow.full

    def room(self) -> Awaitable[None]:
        """Wait until the client has taken what was sent, or for a turn of the others."""
        return self._outflow.room()

    def start_tls(self, go_ahead: bytes, *, clear_octets_follow: bool) -> None:
        """Begin TLS, or close."""
        follow = clear_octets_follow or bool(self._received)
        self._received.clear()
        if not start_tls(self.transport, self._tls, go_ahead, clear_octets_follow=follow):
            self._end_wait()

    async def login(self, user: str, password: str) -> tuple[IAccount, Logout]:
        """Check a password."""
        if self._login is not None:
            return await self._attempted(self._login.password(user, password, self.peer))
        try:
            _, avatar, logout = await maybeDeferred(self.authenticateUserPASS, user.encode(), password.encode())
        except UnauthorizedLogin as error:
            raise ClientError(Code.AUTHENTICATIONFAILED, "Authentication failed") from error
        account: Any = StockAccount(user, avatar) if IMailboxPOP3.providedBy(avatar) else avatar
        return account, logout

    async def apop(self, user: str, timestamp: str, digest: str) -> tuple[IAccount, Logout]:
        """Check a digest."""
        assert self._apop is not None  # else there was no timestamp
        return await self._attempted(self._apop(user, timestamp, digest, self.peer))

    def admit(self, user: str) -> None:
        """Pass the gate as ``user``, and log who came."""
        if self._gate is not None:
            self._gate.authenticated(self, user)
        self._user = user
        self._server.events.event("login", protocol="pop3", user=user, address=self.peer.host, **tls_of(self.transport))

    # -- what code written for POP3 calls, or overrides

    def authenticateUserPASS(self, user: bytes, password: bytes) -> Any:
        """``(interface, avatar, logout)`` from the portal, perhaps in a Deferred. Override to check otherwise.

        The avatar provides ``IAccount``, or stock Twisted's ``IMailboxPOP3``.
        """
        if self.portal is None:
            raise UnauthorizedLogin
        return self.portal.login(UsernamePassword(user, password), None, IAccount, IMailboxPOP3)

    def sendLine(self, line: bytes) -> None:
        """Send a line, behind everything that commands have written."""
        self._context.write(line + b"\r\n")
        self._context.flush()

    def successResponse(self, message: object = "") -> None:
        """Send ``+OK``."""
        self.sendLine(ok(_text(message)).removesuffix(b"\r\n"))

    def failResponse(self, message: object = "") -> None:
        """Send ``-ERR``."""
        self.sendLine(err(_text(message)).removesuffix(b"\r\n"))

    def listCapabilities(self) -> list[bytes]:
        """What may be used now."""
        return [line.encode("ascii") for line in capabilities(self._context)]

    # -- our own

    def _new_context(self) -> Context:
        tls = is_encrypted(self.transport)
        timestamp = ""
        if self._apop is not None and (tls or self._cleartext_allowed):
            timestamp = f"<{secrets.token_hex(12)}@{gethostname()}>"
            self.magic = timestamp.encode("ascii")
        return Context(
            self._server,
            self,
            self.peer,
            tls=tls,
            can_start_tls=self._tls is not None and ITLSTransport.providedBy(self.transport),
            cleartext_allowed=self._cleartext_allowed,
            timestamp=timestamp,
        )

    async def _attempted(self, login: Coroutine[Any, Any, tuple[IAccount, Logout]]) -> tuple[IAccount, Logout]:
        """What a login comes to, while somebody is there to hear it."""
        self._attempt = Deferred.fromCoroutine(login)
        try:
            return await self._attempt
        except CancelledError:
            raise Disconnected from None
        finally:
            self._attempt = None

    async def _converse(self) -> None:
        try:
            await self._session.converse()
        except Exception as error:  # what lets go of an account may be somebody else's code
            self._server.events.incident("POP3 session", error)
        self._hang_up()

    def _wake(self, error: Disconnected | None) -> None:
        """End the wait for octets; the timer reads what waits for them as idleness."""
        assert self._waiting is not None
        waiting, self._waiting = self._waiting, None
        if error is None:
            waiting.callback(None)
        else:
            waiting.errback(error)

    def _end_wait(self) -> None:
        """Listen to the client no more: nothing that it sent is carried out from here on."""
        self.lost = True
        self._received.clear()
        self._stop_waiting()

    def _stop_waiting(self) -> None:
        """End the wait for the client, or for a login, which may last many seconds; nothing else is broken off."""
        if self._waiting is not None:
            self._wake(Disconnected())
        elif self._attempt is not None:
            self._attempt.cancel()

    def _read(self, wanted: bool) -> None:
        if wanted != self._reading:
            self._reading = wanted
            if wanted:
                self.transport.resumeProducing()
            else:
                self.transport.pauseProducing()

    def _hang_up(self) -> None:
        """The conversation is over: close when everything is sent, or after a while."""
        self.lost = True
        if self._gone:
            return
        self._read(True)
        self.transport.unregisterProducer()
        if self._closing is not None and self._closing.active():
            self._closing.cancel()
        self._closing = close_gracefully(self.transport, self._clock)

    def _log_end(self, reason: Any) -> None:
        counts = self._context.counts
        self._server.events.event(
            "logout" if self._user else "disconnect",
            protocol="pop3",
            address=self.peer.host,
            **({"user": self._user} if self._user else {}),
            **tls_failure(reason),
            seconds=round(self._clock.seconds() - self._connected_at, 1),
            bytes_out=counts.bytes_out,
            retrieved=counts.retrieved,
            deleted=counts.deleted,
        )


class POP3Factory(ServerFactory):
    """Makes :class:`POP3Server`\\ s that share one server's settings.

    ``tls`` is the ``IOpenSSLServerConnectionCreator`` for STLS, None where there is no STLS. Either ``login`` or
    ``portal`` checks passwords. ``reactor`` is the clock. From ``trusted_proxies`` (addresses)
    passwords may come in clear: they speak TLS for us.
    """

    protocol: Any = POP3Server
    noisy = False

    def __init__(
        self,
        *,
        limits: Limits | None = None,
        events: IEvents | None = None,
        login: Login | None = None,
        portal: Any = None,
        tls: Any = None,
        gate: IGate | None = None,
        cleartext_allowed: bool = False,
        trusted_proxies: Container[str] = (),
        reactor: IReactorTime | None = None,
    ) -> None:
        self.trusted_proxies = trusted_proxies
        self.server = Server(limits or Limits(), events or EventLog())
        self.login = login
        self.portal = portal
        self.tls = tls
        self.gate = gate
        self.cleartext_allowed = cleartext_allowed
        self.reactor = reactor

    def buildProtocol(self, addr: Any) -> Any:
        """A session for a connection from ``addr``."""
        session: POP3Server = self.protocol(
            server=self.server,
            login=self.login,
            tls=self.tls,
            gate=self.gate,
            cleartext_allowed=self.cleartext_allowed or getattr(addr, "host", None) in self.trusted_proxies,
            clock=self.reactor,
        )
        session.factory = self
        session.portal = self.portal
        return session


def _text(message: object) -> str:
    return message.decode("utf-8", "replace") if isinstance(message, bytes) else str(message)
