"""IMAP on Twisted: transport, timers and TLS around a :class:`~mailaccess.imap.session.Session`.

``IMAPServer`` is a subclass of ``twisted.mail.imap4.IMAP4Server``, so that factories, portals and code written for that
class keep working; of its behaviour only the identity, the constructor, ``sendLine`` and its kin, ``portal`` and
``authenticateLogin`` remain.

Output flows as the client takes it: the transport tells :class:`~mailaccess.ops.outflow.Outflow` when it holds enough,
and commands wait there.
"""

import tempfile
from collections.abc import Awaitable, Callable, Container, Coroutine
from dataclasses import replace
from typing import Any, BinaryIO, Protocol, cast

from twisted.cred.credentials import UsernamePassword
from twisted.cred.error import UnauthorizedLogin
from twisted.internet.defer import CancelledError, Deferred, maybeDeferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime, ITLSTransport
from twisted.internet.protocol import ServerFactory
from twisted.mail.imap4 import IMAP4Server
from twisted.python.failure import Failure
from zope.interface import implementer

from mailaccess.errors import ClientError, Code, Disconnected
from mailaccess.imap.context import Logout, Server
from mailaccess.imap.session import Session
from mailaccess.imap.waiting import Resume
from mailaccess.interfaces import IAccount, IGate, ISession
from mailaccess.mailbox.account import Account
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
from mailaccess.values import Peer


class PasswordLogin(Protocol):
    """Checks passwords, waits after wrong ones and logs them: ``mailaccess.auth.login.Login``."""

    def password(self, user: str, password: str, peer: Peer) -> Awaitable[tuple[Any, Logout]]:
        """The account of ``user`` and what lets go of it; ``ClientError``."""


@implementer(ISession)
class IMAPServer(IMAP4Server):
    """One IMAP connection.

    The first three parameters are ``IMAP4Server``'s: ``contextFactory`` is the ``IOpenSSLServerConnectionCreator`` for
    STARTTLS. Without ``login``, passwords go to ``portal``, as Twisted has it.
    """

    transport: Any
    portal: Any = None

    def __init__(
        self,
        chal: Any = None,
        contextFactory: Any = None,
        scheduler: Any = None,
        *,
        server: Server | None = None,
        login: PasswordLogin | None = None,
        gate: IGate | None = None,
        clock: IReactorTime | None = None,
    ) -> None:
        super().__init__(chal, contextFactory, scheduler)  # type: ignore[no-untyped-call]
        if clock is None:
            from twisted.internet import reactor  # noqa: PLC0415  # stock use: the one that runs

            clock = cast(IReactorTime, reactor)
        self._server = server or Server(limits=Limits(), events=EventLog())
        self._login = login
        self._gate = gate
        self._clock = clock
        self._login_begun: Deferred[tuple[Account, Logout]] | None = None
        self._closing: IDelayedCall | None = None
        self._reading = True
        self._user: str | None = None
        self.peer = Peer("")

    # -- Twisted calls us

    def connectionMade(self) -> None:
        """Pass the gate, and greet."""
        limits = self._server.limits
        self.peer = peer_of(self.transport)
        self.canStartTLS = ITLSTransport.providedBy(self.transport)
        self._connected_at = self._clock.seconds()
        self._outflow = Outflow(self._clock, limits.write_stall_seconds, self.abort)
        self.session = Session(
            self._server,
            self,
            self.peer,
            tls=is_encrypted(self.transport),
            can_start_tls=self.canStartTLS and self.ctx is not None,
            open_sink=_temporary_file,
        )
        self.transport.registerProducer(self._outflow, True)
        self._server.events.event("connect", protocol="imap", address=self.peer.host, port=self.peer.local_port)
        if self._gate is not None:
            try:
                self._gate.opened(self)
            except ClientError as error:
                self.session.say_goodbye(error.code, error.text)
                return
        self.setTimeout(limits.idle_timeout_seconds)  # type: ignore[no-untyped-call]
        self.session.greet()

    def dataReceived(self, data: bytes) -> None:
        """Octets from the client; the base class's line framing is not used."""
        self._outflow.begin_turn()
        self.resetTimeout()  # type: ignore[no-untyped-call]
        self.session.receive(data)

    def connectionLost(self, reason: Any = None) -> None:
        """The connection is gone: silently, for half of all mail programs end without LOGOUT."""
        self.setTimeout(None)  # type: ignore[no-untyped-call]
        if self._closing is not None and self._closing.active():
            self._closing.cancel()
        self.session.lost()
        self._outflow.stopProducing()
        if self._login_begun is not None:
            self._login_begun.cancel()
        if self._gate is not None:
            self._gate.closed(self)
        self._log_end(reason)

    def timeoutConnection(self) -> None:
        """Autologout (RFC 9051 §5.4); a command that works is not idle."""
        if self.session.is_working:
            self.setTimeout(self._server.limits.idle_timeout_seconds)  # type: ignore[no-untyped-call]
        else:
            self.session.say_goodbye(None, "Autologout; idle for too long")

    def callLater(self, period: float, func: Callable[[], None]) -> IDelayedCall:
        """The clock of the inherited timer."""
        return self._clock.callLater(period, func)

    # -- ISession: the gate calls us

    def say_goodbye(self, code: Code | None, text: str) -> None:
        """Say BYE and close, at the latest when a closing connection must be closed."""
        self.session.say_goodbye(code, text)
        if self._closing is None:
            self._closing = self._clock.callLater(GOODBYE_SECONDS, self.abort)

    def abort(self) -> None:
        """Close at once."""
        self.transport.abortConnection()

    # -- Link: the session calls us

    @property
    def full(self) -> bool:
        """Whether to wait for :meth:`room`."""
        return self._outflow.full

    def room(self) -> Coroutine[Any, Any, None]:
        """Wait until the client has taken what was sent, or for a turn of the others."""
        return self._outflow.room()

    def send(self, data: bytes) -> None:
        """Send octets."""
        write_now(self.transport, data)

    def reading(self, wanted: bool) -> None:
        """Stop and start reading."""
        if wanted != self._reading:
            self._reading = wanted
            if wanted:
                self.transport.resumeProducing()
            else:
                self.transport.pauseProducing()

    def start_tls(self, go_ahead: bytes, *, clear_octets_follow: bool) -> None:
        """Begin TLS, or close."""
        self.startedTLS = start_tls(self.transport, self.ctx, go_ahead, clear_octets_follow=clear_octets_follow)

    def hang_up(self) -> None:
        """Close when everything is sent, or after a while."""
        self.reading(True)
        self.transport.unregisterProducer()
        if self._closing is not None and self._closing.active():
            self._closing.cancel()
        self._closing = close_gracefully(self.transport, self._clock)

    async def login(self, user: str, password: str) -> tuple[Account, Logout]:
        """Check a password, pass the gate, and log who came. A client that goes meanwhile is not waited for."""
        self._login_begun = Deferred.fromCoroutine(self._check(user, password))
        try:
            account, logout = await self._login_begun
        except CancelledError:
            raise Disconnected from None
        finally:
            self._login_begun = None
        user = account.identity.user  # as the account has it, however it was typed
        try:
            if self._gate is not None:
                self._gate.authenticated(self, user)
        except ClientError:
            logout()
            raise
        self._user = user
        self._server.events.event("login", protocol="imap", user=user, address=self.peer.host, **tls_of(self.transport))
        return account, logout

    def when(self, awaited: object, resume: Resume) -> None:
        """Resume a command when its Deferred has fired."""
        if not isinstance(awaited, Deferred):
            raise TypeError(f"a command may await coroutines and Deferreds, not {awaited!r}")

        def fired(result: object) -> None:
            self._outflow.begin_turn()
            resume(result.value if isinstance(result, Failure) else None)

        awaited.addBoth(fired)

    # -- what code written for IMAP4Server calls

    def sendLine(self, line: bytes) -> None:
        """Send a line, behind everything that commands have written."""
        self.session.context.write(line + b"\r\n")
        self.session.context.flush()

    def listCapabilities(self) -> list[bytes]:
        """What may be used now."""
        return [name.encode("ascii") for name in self.session.context.capabilities]

    def authenticateLogin(self, user: bytes, passwd: bytes) -> Any:
        """``(IAccount, account, logout)`` from the portal, perhaps in a Deferred. Override to check otherwise."""
        if self.portal is None:
            raise UnauthorizedLogin
        return self.portal.login(UsernamePassword(user, passwd), None, IAccount)

    async def _check(self, user: str, password: str) -> tuple[Account, Logout]:
        if self._login is not None:
            return await self._login.password(user, password, self.peer)
        try:
            _, account, logout = await maybeDeferred(self.authenticateLogin, user.encode(), password.encode())
        except UnauthorizedLogin as error:
            raise ClientError(Code.AUTHENTICATIONFAILED, "Authentication failed") from error
        return account, logout

    def _log_end(self, reason: Any) -> None:
        counts = self.session.context.counts
        self._server.events.event(
            "logout" if self._user else "disconnect",
            protocol="imap",
            address=self.peer.host,
            **({"user": self._user} if self._user else {}),
            **tls_failure(reason),
            seconds=round(self._clock.seconds() - self._connected_at, 1),
            commands=counts.commands,
            bytes_in=counts.bytes_in,
            bytes_out=counts.bytes_out,
            fetched=counts.fetched,
            appended=counts.appended,
            expunged=counts.expunged,
        )


class IMAPFactory(ServerFactory):
    """Makes :class:`IMAPServer`\\ s that share one server's settings.

    ``tls`` is the ``IOpenSSLServerConnectionCreator`` for STARTTLS, None where there is no STARTTLS. Either ``login``
    or ``portal`` checks passwords. ``reactor`` is the clock. From ``trusted_proxies`` (addresses)
    passwords may come in clear: they speak TLS for us.
    """

    protocol = IMAPServer
    noisy = False

    def __init__(
        self,
        *,
        server: Server,
        login: PasswordLogin | None = None,
        portal: Any = None,
        tls: Any = None,
        gate: IGate | None = None,
        trusted_proxies: Container[str] = (),
        reactor: IReactorTime | None = None,
    ) -> None:
        self.server = server
        self._proxied = replace(server, cleartext_allowed=True)
        self.trusted_proxies = trusted_proxies
        self.login = login
        self.portal = portal
        self.tls = tls
        self.gate = gate
        self.reactor = reactor

    def buildProtocol(self, addr: Any) -> IMAPServer:
        """A session for a connection from ``addr``."""
        server = self._proxied if getattr(addr, "host", None) in self.trusted_proxies else self.server
        session = self.protocol(
            contextFactory=self.tls, server=server, login=self.login, gate=self.gate, clock=self.reactor
        )
        session.factory = self
        session.portal = self.portal
        return session


def _temporary_file(size: int) -> BinaryIO:
    return cast(BinaryIO, tempfile.TemporaryFile())  # the wire reader closes it
