"""Both sides of TLS, from the keys of a tunnel."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from mailaccess.app.tunnel_table import TunnelTable
from mailaccess.errors import ConfigError
from mailaccess.interfaces import IEvents
from mailaccess.net.certificates import CertificateFiles
from mailaccess.net.clienttls import ClientTLS
from mailaccess.net.following import Following
from mailaccess.net.policy import TLSSettings
from mailaccess.net.psktls import PSKClientTLS, PSKServerTLS
from mailaccess.net.servertls import TunnelServerTLS
from mailaccess.net.trust import Trust
from mailaccess.tunnel.targets import Target
from mailaccess.tunnel.tlsside import TLSSide

DefaultCertificate = Callable[[], CertificateFiles]
"""What a server side shows that names no certificate; it is made when it is asked for."""

_INSISTING = {"postgresql": b"postgresql"}
"""What servers must be asked for by ALPN that begin with TLS (PostgreSQL 17's direct TLS)."""


def server_side(
    table: TunnelTable, protocol: str, default: DefaultCertificate, events: IEvents, clock: Any
) -> tuple[TLSSide, Following]:
    """The server's role, and the files that it follows. ``ConfigError``."""
    protocol_name = protocol.encode() or None
    if table.psk:
        keyed = PSKServerTLS(Path(table.psk), events, clock, _settings(table), protocol_name=protocol_name)
        return keyed, keyed
    own = _files(table.certificate, table.private_key, "") or default()
    names: dict[CertificateFiles, list[str]] = {}
    for route in table.sni:
        routed = _files(route.certificate, route.private_key, "sni.")
        if routed is not None:
            names.setdefault(routed, []).append(route.name)
    side = TunnelServerTLS(
        [own, *names],
        events,
        clock,
        _settings(table),
        clients=Trust.written(table.verify or "none", table.ca, (), table.pin),
        redirect=bool(table.redirect),
        protocol_name=protocol_name,
        names=names,
    )
    return side, side.certificates


def client_sides(
    table: TunnelTable, protocol: str, targets: Sequence[Target], events: IEvents, clock: Any
) -> tuple[Callable[[Target], TLSSide], Following]:
    """The client's role towards each target, and the files that it follows. ``ConfigError``."""
    if table.psk:
        keyed = PSKClientTLS(
            Path(table.psk),
            events,
            clock,
            _settings(table),
            identity=table.psk_identity,
            server_name=table.server_name,
        )
        return lambda target: keyed.to(target.host), keyed
    client = ClientTLS(
        Trust.written(table.verify or "full", table.ca, table.host, table.pin),
        events,
        clock,
        _settings(table),
        certificate=_files(table.certificate, table.private_key, ""),
        server_name=table.server_name,
        protocol_name=_INSISTING.get(protocol) if not table.starttls else None,
        service=table.name or table.accept,
    )
    sides = {target: client.to(target.host) for target in targets}
    return lambda target: sides[target], client


def _files(certificate: str, private_key: str, prefix: str) -> CertificateFiles | None:
    if certificate:
        return CertificateFiles(
            Path(certificate), Path(private_key or certificate), f"{prefix}certificate", f"{prefix}private_key"
        )
    if private_key:
        raise ConfigError(f"{prefix}private_key", private_key, "a key needs its certificate")
    return None


def _settings(table: TunnelTable) -> TLSSettings:
    return TLSSettings(table.tls_minimum, table.tls_maximum, table.ciphers, table.ciphersuites, table.groups)
