"""Tunnels as a Twisted service: for the command, for the tables of a server, and for an embedder's program."""

import os
import socket
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from twisted.application.service import Service
from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.interfaces import IListeningPort, IStreamServerEndpoint
from twisted.python.failure import Failure

from mailaccess.app.config import read_table
from mailaccess.app.places import CERTIFICATE, PRIVATE_KEY
from mailaccess.app.tunnel_plan import Tunnel, make_tunnel
from mailaccess.app.tunnel_table import TunnelTable
from mailaccess.errors import ConfigError
from mailaccess.interfaces import IEvents
from mailaccess.net.certificates import CertificateFiles, fingerprint
from mailaccess.net.listen import Listener, resolve
from mailaccess.net.selfsigned import ensure_self_signed
from mailaccess.ops.logs import EventLog
from mailaccess.tunnel.service import TunnelFactory

DRAIN_SECONDS = 2.0
"""What connections get to finish when the service stops: as long as those of the server."""

RELOAD_SECONDS = 10.0
"""How often certificates are looked at for changes."""


def named_by_table(table: TunnelTable, name: str) -> str:
    """A key as it is told of one among several tables."""
    where = table.name or table.accept or " ".join(table.exec or table.connect)
    return f"tunnel {where!r}: {name}"


class MailTunnel(Service):
    """Runs tunnels, each a :class:`TunnelTable` or a mapping with its keys.

    ``announce`` is given lines for an operator's terminal. ``certificate`` gives the files that a server side shows
    which names none; default: one of our own, in the folder ``state``. ``ConfigError`` from here, and from
    ``privilegedStartService``, where ports are bound.
    """

    def __init__(
        self,
        tables: Sequence[TunnelTable | Mapping[str, Any]],
        *,
        announce: Callable[[str], None] = lambda line: None,
        state: Path | None = None,
        certificate: Callable[[], CertificateFiles] | None = None,
        key: Callable[[TunnelTable, str], str] = named_by_table,
        events: IEvents | None = None,
        reactor: Any = None,
    ) -> None:
        if reactor is None:
            from twisted.internet import reactor  # noqa: PLC0415  (an embedder may install his own first)
        self._announce = announce
        self._key = key
        self._state = state
        self._events = events or EventLog()
        self._reactor = reactor
        self._bound: list[tuple[Tunnel, list[IStreamServerEndpoint]]] = []
        self._ports: list[IListeningPort] = []
        self._factories: list[TunnelFactory] = []
        self._prepared = False
        self._served: list[Listener] = []
        self._own: CertificateFiles | None = None
        self.tunnels = [
            self._make(
                read_table(TunnelTable, table if isinstance(table, TunnelTable) else dict(table), "tunnel"),
                certificate or self._own_certificate,
            )
            for table in tables
        ]

    def _make(self, table: TunnelTable, certificate: Callable[[], CertificateFiles]) -> Tunnel:
        return make_tunnel(
            table, certificate, events=self._events, reactor=self._reactor, key=lambda name: self._key(table, name)
        )

    def _own_certificate(self) -> CertificateFiles:
        if self._own is not None:
            return self._own
        state = self._state or default_state()
        own = self._own = CertificateFiles(state / CERTIFICATE, state / PRIVATE_KEY, "--state", "--state")
        made = ensure_self_signed(own)
        self._announce(f"certificate {own.certificate} is our own, SHA-256 {fingerprint(made.leaf)}")
        return own

    # -- starting

    def privilegedStartService(self) -> None:  # noqa: N802
        """Bind what is to be listened on. ``ConfigError``."""
        self.prepare()
        super().privilegedStartService()  # type: ignore[no-untyped-call]

    def prepare(self) -> None:
        """Bind ports. Harmless twice. ``ConfigError``."""
        if self._prepared:
            return
        self._prepared = True
        for tunnel in self.tunnels:
            if tunnel.endpoint is None:
                raise ConfigError(self._key(tunnel.table, "accept"), "", "where to listen is needed")
            self._bound.append((tunnel, resolve(self._reactor, tunnel.endpoint, self._events)))

    def startService(self) -> None:  # noqa: N802
        """Begin to accept. Who must know when, and whether, calls :meth:`serve` himself, and :meth:`end` later."""
        super().startService()  # type: ignore[no-untyped-call]
        Deferred.fromCoroutine(self.serve()).addErrback(self._cannot_serve)

    def _cannot_serve(self, failure: Failure) -> None:
        assert failure.value is not None  # Twisted's annotation allows it
        self._events.incident("starting the tunnels", failure.value)

    async def serve(self) -> list[Listener]:
        """Accept connections; returns what is served where. ``ConfigError``."""
        self.prepare()
        served = self._served = list[Listener]()
        bound, self._bound = self._bound, []
        for tunnel, sockets in bound:
            served += await self._listen(tunnel, sockets)
        for listener in served:
            self._announce(f"listening {listener}")
            self._events.event("listening", **asdict(listener))
        return served

    async def _listen(self, tunnel: Tunnel, sockets: list[IStreamServerEndpoint]) -> list[Listener]:
        factory = TunnelFactory(tunnel.plan, self._reactor, self._events)
        self._factories.append(factory)
        served = []
        for endpoint in sockets:
            port = await endpoint.listen(factory)
            self._ports.append(port)
            served.append(Listener.of(tunnel.plan.name, tunnel.mode, port))
        for followed in tunnel.followed:
            followed.watch(RELOAD_SECONDS)
        for checks in tunnel.checks:
            checks.start()
        return served

    async def serve_connection(self, connection: socket.socket) -> None:
        """Serve one connection of the only tunnel, instead of listening; returns when it has ended."""
        (tunnel,) = self.tunnels
        factory = TunnelFactory(tunnel.plan, self._reactor, self._events)
        self._factories.append(factory)
        connection.setblocking(False)
        try:
            with connection:  # the reactor takes a descriptor of its own
                self._reactor.adoptStreamConnection(connection.fileno(), connection.family, factory)
        except OSError as error:  # reset since somebody looked
            self._events.event("client_gone", reason=error.strerror)
        await factory.until_empty()
        await self._programs_gone()

    def status(self) -> str:
        """What is served where, and to how many: ``pop3s 995, 12 connections``."""
        where = dict.fromkeys(f"{listener.protocol} {listener.port or listener.address}" for listener in self._served)
        return f"{', '.join(where)}, {self.connections()} connections"

    def connections(self) -> int:
        """How many there are."""
        return sum(len(factory) for factory in self._factories)

    def reload(self) -> None:
        """Read certificates, authorities and keys again, as on SIGHUP."""
        for tunnel in self.tunnels:
            for followed in tunnel.followed:
                followed.reload()

    # -- stopping

    def stopService(self) -> "Deferred[None]":  # noqa: N802
        """Accept no more, let connections finish, end those that are left."""
        super().stopService()  # type: ignore[no-untyped-call]
        return Deferred.fromCoroutine(self.end())

    async def end(self) -> None:
        """What ``serve`` began. Harmless where it did not."""
        for tunnel in self.tunnels:
            for checks in tunnel.checks:
                checks.stop()
            for followed in tunnel.followed:
                followed.unwatch()
        while self._ports:
            stopping = self._ports.pop().stopListening()
            if isinstance(stopping, Deferred):
                await stopping
        drained = [Deferred.fromCoroutine(factory.drain(DRAIN_SECONDS)) for factory in self._factories]
        await gatherResults(drained)
        await self._programs_gone()
        self._factories.clear()
        self._prepared = False

    async def _programs_gone(self) -> None:
        """A connection may be over before its program is: nobody would be left to kill it."""
        for tunnel in self.tunnels:
            for programs in tunnel.programs:
                await programs.gone()


def default_state() -> Path:
    """The folder of what is made at the first start: systemd's, or the user's (XDG base directories)."""
    given = os.environ.get("STATE_DIRECTORY")
    if given:
        return Path(given.partition(":")[0])
    home = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(home) / "mailaccess"
