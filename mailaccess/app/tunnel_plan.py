"""From a table ``[[tunnel]]`` to a service that is ready to run: what is wrong with the table is found here."""

import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from mailaccess.app.tunnel_table import TunnelRoute, TunnelTable
from mailaccess.app.tunnel_tls import DefaultCertificate, client_sides, server_side
from mailaccess.errors import ConfigError
from mailaccess.interfaces import IEvents
from mailaccess.net.endpoints import DescribedEndpoint, Endpoint, TCPEndpoint, parse_endpoint
from mailaccess.net.following import Following
from mailaccess.net.sni import ServerNames
from mailaccess.net.tls import Certificates
from mailaccess.tunnel.admission import Doors
from mailaccess.tunnel.balance import Balance, Policy
from mailaccess.tunnel.destination import Programs, Servers
from mailaccess.tunnel.far import Destination
from mailaccess.tunnel.health import HealthChecks
from mailaccess.tunnel.plan import Plan
from mailaccess.tunnel.programs import How, Program, find_program
from mailaccess.tunnel.protocols.table import SPOKEN
from mailaccess.tunnel.proxies.header import Origin, ToldTLS, v1, v2
from mailaccess.tunnel.proxies.trusted import TrustedNetworks
from mailaccess.tunnel.proxies.via import parse_via
from mailaccess.tunnel.spoken import Spoken
from mailaccess.tunnel.targets import Target, parse_targets
from mailaccess.tunnel.visitor import Visitor
from mailaccess.tunnel.way import Way

LOCAL = "localhost"
"""Where a client side listens that names no host: what comes in there is in clear."""


@dataclass(frozen=True, slots=True)
class Tunnel:
    """A service with all that must be started and stopped beside its listener."""

    table: TunnelTable
    plan: Plan
    endpoint: Endpoint | None
    """Where it listens; None: it serves the connection that it was started for."""

    mode: str
    """``TLS``, ``STARTTLS``, or ``none`` towards the clients."""

    followed: list[Following] = field(default_factory=list)
    servers: list[Servers] = field(default_factory=list)
    programs: list[Programs] = field(default_factory=list)
    checks: list[HealthChecks] = field(default_factory=list)

    def expired(self) -> list[Path]:
        """The files of our own certificates that have expired."""
        return [path for files in self.followed if isinstance(files, Certificates) for path in files.expired()]


def make_tunnel(
    table: TunnelTable,
    default_certificate: DefaultCertificate,
    *,
    events: IEvents,
    reactor: Any,
    key: Callable[[str], str] = lambda name: f"--{name.replace('_', '-')}",
) -> Tunnel:
    """The service that ``table`` describes. ``ConfigError`` with the key's name as ``key`` writes it."""
    try:
        tunnel = _Maker(table, events, reactor).make(default_certificate)
    except ConfigError as error:
        raise replace(error, key=key(error.key.removeprefix("--"))) from error
    if tunnel.endpoint is None:
        return tunnel
    return replace(tunnel, endpoint=replace(tunnel.endpoint, key=key(tunnel.endpoint.key)))


class _Maker:
    """Makes one tunnel."""

    def __init__(self, table: TunnelTable, events: IEvents, reactor: Any) -> None:
        self._table = table
        self._events = events
        self._reactor = reactor
        self._check_combinations()
        self._endpoint = _endpoint(table)
        self._targets = parse_targets(table.connect, "connect")
        self._protocol = self._spoken()
        self._name = table.name or table.accept or "inetd"
        self._servers: list[Servers] = []
        self._programs: list[Programs] = []
        self._checks: list[HealthChecks] = []

    def make(self, default_certificate: DefaultCertificate) -> Tunnel:
        table = self._table
        if table.client and not _is_local(self._endpoint):
            warning = "whoever reaches this address may speak to the targets, and in clear"
            self._events.event("clear_to_others", service=self._name, accept=table.accept, warning=warning)
        followed: list[Following] = []
        way = self._way(followed)
        side = None
        if not table.client:
            side, files = server_side(table, self._spoken_name, default_certificate, self._events, self._reactor)
            followed.append(files)
        plan = Plan(
            name=self._name,
            doors=Doors(table.connections, table.connections if table.client else table.connections_per_address),
            destination=self._program() if table.exec else self._to(self._targets, way),
            protocol=self._protocol,
            tls=side,
            starttls=table.starttls and not table.client,
            proxy_from=TrustedNetworks(table.proxy_from, "proxy_from"),
            route=self._routes(way),
            redirect=self._to(parse_targets(table.redirect, "redirect"), way) if table.redirect else None,
            handshake_seconds=table.handshake_timeout_seconds,
            idle_seconds=table.idle_timeout_seconds,
            close_seconds=table.close_timeout_seconds,
        )
        mode = "none" if table.client else "STARTTLS" if table.starttls else "TLS"
        return Tunnel(table, plan, self._endpoint, mode, followed, self._servers, self._programs, self._checks)

    # -- what cannot be

    def _check_combinations(self) -> None:
        table = self._table
        if bool(table.connect) == bool(table.exec):
            raise ConfigError("connect", " ".join(table.connect), "either targets or a program to exec is needed")
        for only_client in ("host", "server_name", "psk_identity"):
            if getattr(table, only_client) and not table.client:
                raise ConfigError(only_client, _written(getattr(table, only_client)), "it belongs to a client side")
        for only_server in ("redirect", "sni", "exec"):
            if getattr(table, only_server) and table.client:
                raise ConfigError(only_server, _written(getattr(table, only_server)), "a client side cannot have it")
        for only_program in ("exec_file", "inetd", "pty"):
            if getattr(table, only_program) and not table.exec:
                raise ConfigError(
                    only_program, _written(getattr(table, only_program)), "it belongs to a program to exec"
                )
        if table.inetd and table.pty:
            raise ConfigError("pty", "true", "a program gets either a socket or a terminal")
        if table.verify == "full" and not table.client:
            raise ConfigError("verify", table.verify, "clients have no host name: chain, peer or none is allowed")
        if table.redirect and table.verify in ("", "none") and not table.pin:
            raise ConfigError("redirect", table.redirect[0], "verify = chain or peer, or a pin, must say who is good")
        self._check_keys()
        self._check_routes()
        self._check_patience()
        self._check_way()
        if table.source:
            _check_address(table.source)

    def _check_way(self) -> None:
        table = self._table
        servers = [*table.connect, *table.redirect, *(target for route in table.sni for target in route.connect)]
        for of_servers in ("via", "source", "proxy_send"):
            if getattr(table, of_servers) and not servers:
                raise ConfigError(of_servers, _written(getattr(table, of_servers)), "it belongs to targets")
        local = next((target for target in servers if target.startswith("unix:")), None)
        if table.via and local is not None:
            raise ConfigError("connect", local, "no proxy leads to a socket of this machine")

    def _check_patience(self) -> None:
        for key in ("connect_timeout_seconds", "handshake_timeout_seconds", "idle_timeout_seconds"):
            if not getattr(self._table, key):
                raise ConfigError(key, "0", "a number above 0 is allowed")

    def _check_routes(self) -> None:
        names: set[str] = set()
        for route in self._table.sni:
            if not route.name:
                raise ConfigError("sni.name", "", "a host name is needed")
            if route.name.lower() in names:
                raise ConfigError("sni.name", route.name, "another table has this name already")
            names.add(route.name.lower())
            if self._table.psk and route.certificate:
                raise ConfigError("sni.certificate", route.certificate, "psk takes its place")

    def _check_keys(self) -> None:
        """With keys that both sides have there are no certificates."""
        if self._table.psk_identity and not self._table.psk:
            raise ConfigError("psk_identity", self._table.psk_identity, "the file psk with its key is needed")
        for of_certificates in ("certificate", "private_key", "ca", "verify", "host", "pin", "redirect"):
            if self._table.psk and getattr(self._table, of_certificates):
                raise ConfigError(
                    of_certificates, _written(getattr(self._table, of_certificates)), "psk takes its place"
                )

    # -- what passes through

    def _spoken(self) -> Spoken | None:
        """The protocol: as it is named, or as the names of the services say."""
        named = self._table.protocol
        if not named:
            accepted = self._endpoint.service if self._endpoint is not None else None
            services = [accepted, *(target.service for target in self._targets)]
            named = next((service.protocol for service in services if service is not None), "none")
        if named == "none" and self._table.starttls:
            raise ConfigError("starttls", "true", f"a protocol is needed, one of {' '.join(SPOKEN)}")
        return SPOKEN.get(named)

    @property
    def _spoken_name(self) -> str:
        return self._protocol.name if self._protocol is not None else ""

    # -- where it goes

    def _program(self) -> Destination:
        words = self._table.exec
        if len(words) == 1:
            words = _split(words[0])
        if not words:
            raise ConfigError("exec", "", "the name of a program is needed")
        how: How = "inetd" if self._table.inetd else "pty" if self._table.pty else "pipes"
        file = self._table.exec_file
        program = Program(words, how, find_program(file or words[0], "exec_file" if file else "exec"))
        programs = Programs(
            program, self._name, self._protocol, self._reactor, self._events, self._table.handshake_timeout_seconds
        )
        self._programs.append(programs)
        return programs

    def _way(self, followed: list[Following]) -> Way:
        table = self._table
        tls = None
        if table.client:
            tls, files = client_sides(table, self._spoken_name, self._targets, self._events, self._reactor)
            followed.append(files)
        return Way(
            self._reactor,
            self._protocol,
            tls,
            starttls=table.client and table.starttls,
            via=parse_via(table.via, "via") if table.via else None,
            source=table.source,
            header=_HEADERS[table.proxy_send],
            connect_seconds=table.connect_timeout_seconds,
            handshake_seconds=table.handshake_timeout_seconds,
        )

    def _to(self, targets: Sequence[Target], way: Way) -> Destination:
        table = self._table
        balance = Balance(targets, Policy(table.balance))
        servers = Servers(self._name, balance, way, self._reactor, self._events, table.retries)
        self._servers.append(servers)
        if table.health_seconds and len(targets) > 1:
            self._checks.append(
                HealthChecks(self._name, balance, way.ask, self._reactor, self._events, seconds=table.health_seconds)
            )
        return servers

    def _routes(self, way: Way) -> Callable[[str], Destination | None]:
        """By the host that a client asks for."""
        own = {
            route.name: self._to(parse_targets(route.connect, "sni.connect"), way)
            for route in self._table.sni
            if route.connect
        }
        names: ServerNames[Destination | None] = ServerNames([((name,), way) for name, way in own.items()], None)
        return lambda server_name: names.choose(server_name.encode()) if server_name else None


def _endpoint(table: TunnelTable) -> Endpoint | None:
    """Where to listen; a client side is on the loopback address unless it names another."""
    if not table.accept:
        return None
    endpoint = parse_endpoint(table.accept, "accept", 0)
    if endpoint is None:
        raise ConfigError("accept", table.accept, "a tunnel has to listen somewhere")
    if isinstance(endpoint, DescribedEndpoint) and endpoint.wraps:
        allowed = (
            "a tunnel speaks TLS by itself, and reads the PROXY protocol from those in proxy_from: tcp: unix: systemd:"
        )
        raise ConfigError("accept", table.accept, allowed)
    if isinstance(endpoint, TCPEndpoint) and endpoint.host is None and table.client:
        return replace(endpoint, host=LOCAL)
    return endpoint


def _is_local(endpoint: Endpoint | None) -> bool:
    """Whether only this machine's programs come in there, as far as can be seen."""
    if not isinstance(endpoint, TCPEndpoint):
        return True
    host = endpoint.host or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == LOCAL


def _split(text: str) -> tuple[str, ...]:
    """The words of a command line, as a shell would take them."""
    try:
        return tuple(shlex.split(text))
    except ValueError:
        allowed = "a quotation mark, or what follows a backslash, is missing"
        raise ConfigError("exec", text, allowed) from None


def _check_address(text: str) -> None:
    try:
        ip_address(text)
    except ValueError:
        raise ConfigError("source", text, "an address of this machine is allowed") from None


# -- PROXY


def _origin(visitor: Visitor | None) -> Origin | None:
    if visitor is None or not visitor.port:
        return None
    return Origin((visitor.host, visitor.port), (visitor.local_host, visitor.local_port))


def _tls(visitor: Visitor | None) -> ToldTLS | None:
    if visitor is None or visitor.peer is None:
        return None
    peer = visitor.peer
    return ToldTLS(
        version=visitor.tls_version,
        cipher=visitor.tls_cipher,
        server_name=peer.server_name,
        certificate="FINGERPRINT" in peer.fields,
        verified=peer.trusted,
        common_name=peer.fields.get("CN", ""),
    )


def _written(value: Any) -> str:
    """A key's value as an operator wrote it, or nearly so."""
    if isinstance(value, tuple):
        return " ".join(part.name if isinstance(part, TunnelRoute) else str(part) for part in value)
    return str(value).lower() if isinstance(value, bool) else str(value)


_HEADERS: dict[str, Callable[[Visitor | None], bytes] | None] = {
    "": None,
    "v1": lambda visitor: v1(_origin(visitor)),
    "v2": lambda visitor: v2(_origin(visitor), _tls(visitor)),
}
