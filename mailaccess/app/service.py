"""A server as a Twisted service: what ``twistd mailaccess`` runs, and what an embedder sets beside his own services.

1. Ports are bound and files are read before twistd leaves the terminal: what is wrong ends the program there, in one
   line. An embedder's program gets the error from ``privilegedStartService``.
2. SIGTERM and SIGINT end it in order: no new connection, BYE to the clients, begun commands finished, stores closed,
   status 0. SIGHUP reads certificates and users again.
"""

import signal
import sys
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from twisted.application.service import IService, MultiService
from twisted.cred.portal import Portal
from twisted.internet.defer import Deferred
from twisted.internet.task import LoopingCall
from twisted.python.threadpool import ThreadPool

from mailaccess.app.checks import certificate_files, check, endpoints, users_files
from mailaccess.app.config import Loaded
from mailaccess.app.first_start import FirstUser, first_user, greet
from mailaccess.app.listeners import Listeners
from mailaccess.app.options import ServerOptions, fail
from mailaccess.app.places import Places, places
from mailaccess.app.realm import MailRealm
from mailaccess.auth.checkers.passwdfile import PasswdFileChecker
from mailaccess.auth.hashing import HashingThreads
from mailaccess.auth.login import Login
from mailaccess.auth.penalties import Penalties
from mailaccess.errors import ClientError, ConfigError, OperatorFault
from mailaccess.imap.context import Server
from mailaccess.imap.protocol import IMAPFactory
from mailaccess.interfaces import IAccount, IEvents, IMailStore
from mailaccess.net.certificates import CertificateFiles, fingerprint
from mailaccess.net.gate import Gate
from mailaccess.net.selfsigned import ensure_self_signed
from mailaccess.net.tls import Certificates, ServerTLS
from mailaccess.ops.logs import EventLog
from mailaccess.pop3.protocol import POP3Factory
from mailaccess.store.account import StoreSettings
from mailaccess.store.watch import Watcher
from mailaccess.store.worker import open_store
from mailaccess.values import Identity

DRAIN_SECONDS = 2.0
"""What clients get to take our BYE and close: a restart keeps nobody waiting for those that sleep."""

STORE_THREADS = 8
"""Disks answer several requests at once; each account uses one thread at a time."""

Options = ServerOptions
"""What ``twistd`` asks for."""


def makeService(options: ServerOptions) -> IService:  # noqa: N802  (twistd calls it)
    """The service of ``twistd mailaccess``, with its ports bound: twistd has not left the terminal yet.

    What is wrong ends the program here, with one line and status 2.
    """
    service = MailService(options.loaded, announce=_print, first_start=True)
    try:
        service.prepare()
    except (ConfigError, OperatorFault) as error:
        fail(str(error))
    return service


def _print(line: str) -> None:
    if sys.__stdout__ is not None:  # the terminal, not the log that twistd puts in its place
        print(line, file=sys.__stdout__, flush=True)


class MailService(MultiService):
    """Serves what ``loaded`` says. ``announce`` is given lines for an operator's terminal; the log has them too.

    With ``first_start`` a user is made where there is no users file, and his password announced.
    """

    def __init__(
        self,
        loaded: Loaded,
        *,
        announce: Callable[[str], None] = lambda line: None,
        first_start: bool = False,
        events: IEvents | None = None,
        reactor: Any = None,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        if reactor is None:
            from twisted.internet import reactor  # noqa: PLC0415  (an embedder may install his own first)
        self.config = loaded.values
        self._announce = announce
        self._first_start = first_start
        self._events = events or EventLog()
        self._reactor = reactor
        self._first: FirstUser | None = None
        self._prepared = False
        self._refusal: str | None = None

    # -- starting

    def privilegedStartService(self) -> None:  # noqa: N802
        """Read what is named, and bind what is to be listened on. ``ConfigError``, ``OperatorFault``."""
        self.prepare()
        super().privilegedStartService()  # type: ignore[no-untyped-call]

    def prepare(self) -> None:
        """Check everything, then bind ports, and make what a first start makes. Harmless twice."""
        if self._prepared:
            return
        self._prepared = True
        config = self.config
        check(config)
        self._places = places(config)
        self._listeners = Listeners(endpoints(config), self._reactor, self._events)
        self._certificates = Certificates(self._certificate_files(), self._events, self._reactor)
        if self._first_start and not config.users and not config.auth:
            self._first = first_user(self._places.users)
        threads = HashingThreads(self._reactor)
        threads.setServiceParent(self)  # type: ignore[no-untyped-call]
        self._checkers = [PasswdFileChecker(path, threads.run, self._events) for path in users_files(config)]
        for checker in self._checkers:
            checker.load()
        self._pool = ThreadPool(0, STORE_THREADS, "store")
        self._watcher = Watcher(self._reactor, self._events)
        self._realm = MailRealm(
            self._identity, self._open_store, config.hierarchy_separator, self._reactor, self._events
        )
        self._gate = Gate(config.limits, self._events, self._reactor)
        if self._first is not None:
            told = f"user {self._first.user} password {self._first.password}"
            self._announce(f"{told} (told this once: only its hash is stored)")

    def _certificate_files(self) -> list[CertificateFiles]:
        named = certificate_files(self.config)
        if self.config.certificate:
            return named
        where = self._places
        own = CertificateFiles(where.certificate, where.private_key, "--state", "--state")
        made = ensure_self_signed(own)
        self._announce(f"certificate {where.certificate} is our own, SHA-256 {fingerprint(made.leaf)}")
        return [own, *named]

    def startService(self) -> None:  # noqa: N802
        """Begin to accept."""
        super().startService()  # type: ignore[no-untyped-call]
        self._pool.start()
        self._certificates.watch(self.config.reload_seconds)
        self._reloading = LoopingCall(self._reload_users)
        if self.config.reload_seconds:
            self._reloading.start(self.config.reload_seconds, now=False)
        self._reactor.callWhenRunning(self._take_signals)
        Deferred.fromCoroutine(self._serve()).addErrback(self._cannot_serve)
        if self._refusal is not None:
            fail(self._refusal, sys.__stderr__)

    async def _serve(self) -> None:
        listeners = await self._listeners.serve(self._factories(), self._certificates)
        if self.config.allow_cleartext:
            self._announce("warning: --allow-cleartext lets passwords pass without TLS")
            self._events.event("cleartext_allowed")
        for listener in listeners:
            self._announce(f"listening {listener}")
            self._events.event("listening", **asdict(listener))
        if self._first is not None:
            await self._greet(self._first.user)
            self._announce_first(self._first, {listener.protocol: listener.port for listener in listeners})
        self._announce("ready")
        self._events.event("ready")

    async def _greet(self, user: str) -> None:
        _, account, logout = self._realm.requestAvatar(user, None, IAccount)
        try:
            await greet(account.store, user)
        except ClientError as error:
            self._events.incident("greeting the first user", error)
        finally:
            logout()

    def _announce_first(self, first: FirstUser, ports: dict[str, int]) -> None:
        if "imaps" in ports:
            trust = self.config.certificate or self._places.certificate
            self._announce(
                f"try: curl --cacert {trust} --user '{first.user}:{first.password}' 'imaps://localhost:{ports['imaps']}"
                "/INBOX;MAILINDEX=1'"
            )

    def _cannot_serve(self, failure: Any) -> None:
        """What goes wrong before anything was awaited ends the start; after that the server does not run half."""
        self._refusal = str(failure.value)
        if self._first is not None:
            self._places.users.unlink(missing_ok=True)  # nobody may have read the password: the next start makes one
        if failure.check(ConfigError) is None:
            self._events.incident("starting", failure.value)
        if self._reactor.running:
            self._reactor.stop()

    def _factories(self) -> dict[str, Any]:
        config, events, clock = self.config, self._events, self._reactor
        trusted = frozenset(config.trusted_proxy)
        portal = Portal(self._realm, self._checkers)
        login = Login(
            portal,
            IAccount,
            penalties=Penalties(clock.seconds),
            clock=clock,
            events=events,
            apop_offered=lambda: any(checker.has_secrets_for_apop for checker in self._checkers),
        )
        server = Server(config.limits, events, config.allow_cleartext)
        imap = IMAPFactory(
            server=server,
            login=login,
            tls=ServerTLS(self._certificates, b"imap"),
            gate=self._gate,
            trusted_proxies=trusted,
            reactor=clock,
        )
        pop3 = POP3Factory(
            limits=config.limits,
            events=events,
            login=login,
            tls=ServerTLS(self._certificates, b"pop3"),
            gate=self._gate,
            cleartext_allowed=config.allow_cleartext,
            trusted_proxies=trusted,
            reactor=clock,
        )
        return {"imap": imap, "pop3": pop3}

    # -- the realm's questions

    def _identity(self, user: str) -> Identity:
        for checker in self._checkers:
            if checker.lookup(user) is not None:
                return checker.identity(user)
        return Identity(user)

    def _open_store(self, identity: Identity) -> IMailStore:
        where: Places = self._places
        settings = StoreSettings(self.config.folder_encoding, self.config.flag_sync_seconds)
        return open_store(
            where.maildir(identity),
            where.index(identity),
            settings=settings,
            reactor=self._reactor,
            pool=self._pool,
            watcher=self._watcher,
            events=self._events,
        )

    # -- running

    def _take_signals(self) -> None:
        """After the reactor's own handlers, which would end the process with the signal instead of status 0."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self._reactor.callFromThread(self._reactor.stop))
        signal.signal(signal.SIGHUP, lambda *_: self._reactor.callFromThread(self._reload))

    def _reload(self) -> None:
        self._events.event("reload")
        self._certificates.reload()
        self._reload_users()

    def _reload_users(self) -> None:
        for checker in self._checkers:
            try:
                checker.load()
            except OperatorFault as error:
                self._events.event("users_kept", problem=error)

    # -- stopping

    def stopService(self) -> "Deferred[None]":  # noqa: N802
        """End in order."""
        return Deferred.fromCoroutine(self._stop())

    async def _stop(self) -> None:
        self._certificates.unwatch()
        if self._reloading.running:
            self._reloading.stop()
        try:
            await self._listeners.stop()
            await self._gate.drain(DRAIN_SECONDS)
            await self._realm.close()
        finally:  # threads that are left would keep the process
            self._watcher.stop()
            stopping = super().stopService()  # type: ignore[no-untyped-call]
            if isinstance(stopping, Deferred):
                await stopping
            self._pool.stop()
