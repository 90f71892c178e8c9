"""A server as a Twisted service: what ``twistd mailaccess`` runs, and what an embedder sets beside his own services.

1. Ports are bound and files are read before twistd leaves the terminal: what is wrong ends the program there, in one
   line. An embedder's program gets the error from ``privilegedStartService``.
2. SIGTERM and SIGINT end it in order: no new connection, BYE to the clients, begun commands finished, stores closed,
   status 0. SIGHUP reads certificates and users again.
"""

import os
import sys
from collections.abc import Callable, MutableMapping
from dataclasses import asdict
from typing import Any

from twisted.application.service import IService, MultiService
from twisted.internet.defer import Deferred
from twisted.internet.task import LoopingCall

from mailaccess.app.checks import check, endpoints
from mailaccess.app.config import Loaded
from mailaccess.app.first_start import FirstUser, first_user, greet
from mailaccess.app.listeners import Listeners
from mailaccess.app.notify import Notify
from mailaccess.app.options import ServerOptions, fail
from mailaccess.app.parts import Parts, served_certificates
from mailaccess.app.places import places
from mailaccess.app.privileges import take_descriptors
from mailaccess.app.signals import take_signals
from mailaccess.app.tunnels import MailTunnel
from mailaccess.errors import ClientError, ConfigError, OperatorFault
from mailaccess.interfaces import IAccount, IEvents
from mailaccess.net.gate import Gate
from mailaccess.net.listen import Listener
from mailaccess.net.tls import Certificates
from mailaccess.ops.logs import EventLog

Options = ServerOptions
"""What ``twistd`` asks for."""


def makeService(options: ServerOptions) -> IService:  # noqa: N802  (twistd calls it)
    """The service of ``twistd mailaccess``, with its ports bound: twistd has not left the terminal yet.

    What is wrong ends the program here, with one line and status 2.
    """
    if not any(table.exec for table in options.loaded.values.tunnel):
        take_descriptors()
    service = MailService(options.loaded, announce=_print, first_start=True, tell_systemd=True)
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

    With ``first_start`` a user is made where there is no users file, and his password announced. With ``tell_systemd``
    the process is a unit's: it is told when this service is ready, reloads and stops.
    """

    def __init__(
        self,
        loaded: Loaded,
        *,
        announce: Callable[[str], None] = lambda line: None,
        first_start: bool = False,
        tell_systemd: bool = False,
        events: IEvents | None = None,
        reactor: Any = None,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        if reactor is None:
            from twisted.internet import reactor  # noqa: PLC0415  (an embedder may install his own first)
        self.config = loaded.values
        self._announce = announce
        self._first_start = first_start
        self._tell_systemd = tell_systemd
        self._events = events or EventLog()
        self._reactor = reactor
        self._first: FirstUser | None = None
        self._served: list[Listener] = []
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
        served = served_certificates(config, self._places, self._announce)
        certificates = Certificates(served, self._events, self._reactor)
        if self._first_start and not config.users and not config.auth:
            self._first = first_user(self._places.users)
        gate = Gate(config.limits, self._events, self._reactor)
        self._parts = Parts(config, self._places, certificates, gate, events=self._events, reactor=self._reactor)
        self._tunnels = MailTunnel(
            config.tunnel,
            announce=self._announce,
            certificate=lambda: served[0],
            events=self._events,
            reactor=self._reactor,
        )
        self._tunnels.prepare()
        environment: MutableMapping[str, str] = os.environ if self._tell_systemd else {}
        self._notify = Notify.from_environment(self._reactor, self._events, status=self.status, environment=environment)
        if self._first is not None:
            told = f"user {self._first.user} password {self._first.password}"
            self._announce(f"{told} (told this once: only its hash is stored)")

    def startService(self) -> None:  # noqa: N802
        """Begin to accept."""
        super().startService()  # type: ignore[no-untyped-call]
        self._parts.start()
        self._parts.certificates.watch(self.config.reload_seconds)
        self._reloading = LoopingCall(self._parts.reload_users)
        if self.config.reload_seconds:
            self._reloading.start(self.config.reload_seconds, now=False)
        self._reactor.callWhenRunning(take_signals, self._reactor, self._reactor.stop, self._reload)
        Deferred.fromCoroutine(self._serve()).addErrback(self._cannot_serve)
        if self._refusal is not None:
            fail(self._refusal, sys.__stderr__)

    async def _serve(self) -> None:
        factories = {protocol: self._parts.factory(protocol) for protocol in ("imap", "pop3")}
        listeners = self._served = await self._listeners.serve(factories, self._parts.certificates)
        if self.config.allow_cleartext:
            self._announce("warning: --allow-cleartext lets passwords pass without TLS")
            self._events.event("cleartext_allowed")
        for listener in listeners:
            self._announce(f"listening {listener}")
            self._events.event("listening", **asdict(listener))
        listeners += await self._tunnels.serve()
        if self._first is not None:
            await self._greet(self._first.user)
            self._announce_first(self._first, {listener.protocol: listener.port for listener in listeners})
        self._announce("ready")
        self._events.event("ready")
        self._notify.ready()

    def status(self) -> str:
        """What is served where, and to how many: ``imaps 993, 12 sessions``."""
        where = dict.fromkeys(f"{listener.protocol} {listener.port or listener.address}" for listener in self._served)
        return f"{', '.join(where)}, {self._sessions()} sessions"

    def _sessions(self) -> int:
        return len(self._parts.gate.sessions()) + self._tunnels.connections()

    async def _greet(self, user: str) -> None:
        _, account, logout = self._parts.realm.requestAvatar(user, None, IAccount)
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

    # -- running

    def _reload(self) -> None:
        self._events.event("reload")
        self._notify.reloading()
        self._parts.certificates.reload()
        self._parts.reload_users()
        self._tunnels.reload()
        self._notify.ready()

    # -- stopping

    def stopService(self) -> "Deferred[None]":  # noqa: N802
        """End in order."""
        return Deferred.fromCoroutine(self._stop())

    async def _stop(self) -> None:
        self._notify.stopping()
        self._parts.certificates.unwatch()
        if self._reloading.running:
            self._reloading.stop()
        try:
            await self._listeners.stop()
            await self._tunnels.end()
        finally:
            await self._stop_parts()

    async def _stop_parts(self) -> None:
        try:
            await self._parts.stop()
        finally:
            self._notify.close()
            stopping = super().stopService()  # type: ignore[no-untyped-call]
            if isinstance(stopping, Deferred):
                await stopping
