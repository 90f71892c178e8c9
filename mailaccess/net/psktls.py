"""TLS with pre-shared keys, in both roles: no certificate on either side, and no authority (RFC 4279, RFC 8446 §2.2).

In TLS 1.2 the suite has an ephemeral exchange beside the key; in TLS 1.3 that is always so here, and the suite is one
with SHA-256, as for every key that has no hash of its own (RFC 8446 §4.2.11).

1. A handshake that used no key of ours is refused, whatever suite an operator's cipher list lets through.
2. No session is resumed: a key that is taken out of the file opens nothing more, and the handshake is cheap as it is.
"""

from dataclasses import replace
from pathlib import Path
from typing import cast

from OpenSSL import SSL
from twisted.internet.interfaces import IReactorTime

from mailaccess.errors import ConfigError
from mailaccess.interfaces import IEvents
from mailaccess.net.certificates import stamp
from mailaccess.net.clienttls import Towards
from mailaccess.net.following import Following
from mailaccess.net.hostnames import asked_of
from mailaccess.net.peers import asked_name, plain
from mailaccess.net.policy import TLSSettings, bare_context
from mailaccess.net.psk import KeyedConnection, accept_keys, have_keys, offer_key, read_keys, used_key
from mailaccess.net.tls import choose_protocol
from mailaccess.tunnel.faults import TLSFailed
from mailaccess.tunnel.tlsside import TLSPeer

CIPHERS = "ECDHE-PSK-CHACHA20-POLY1305"
"""For TLS 1.2: the one suite of OpenSSL's with an ephemeral exchange, a key and an AEAD (RFC 7905)."""


class _Keyed(Following):
    """What both sides have in common: a file of keys, and a context that asks for them."""

    def __init__(
        self, path: Path, events: IEvents, clock: IReactorTime, settings: TLSSettings | None, identity: str = ""
    ) -> None:
        self._path = path
        self._identity = identity.encode()
        self._settings = _settings_for_keys(settings or TLSSettings())
        super().__init__(events, clock)
        self._renew()

    def _look(self) -> object:
        return stamp(self._path)

    def _renew(self) -> dict[str, object]:
        found = read_keys(self._path)
        keys = found.keys
        if self._identity:
            if self._identity not in keys:
                raise ConfigError("psk_identity", self._identity.decode(), f"it is not in {self._path}")
            keys = {self._identity: keys[self._identity]}
        self._keys = keys
        if found.open_to_others:
            self._events.event("psk_open_to_others", file=self._path, warning="all users here may read or write it")
        return {"psk": self._path, "keys": len(keys)}

    def _new_context(self, method: int) -> SSL.Context:
        context = bare_context(method, self._settings)
        context.set_options(SSL.OP_NO_TICKET)
        return context

    def _new_connection(self, context: SSL.Context) -> KeyedConnection:
        connection = KeyedConnection(context, None)
        connection.keys = self._keys
        return connection


class PSKServerTLS(_Keyed):
    """See :class:`~mailaccess.tunnel.tlsside.TLSSide`: the server's side, for clients that have one of the keys."""

    def __init__(
        self,
        path: Path,
        events: IEvents,
        clock: IReactorTime,
        settings: TLSSettings | None = None,
        *,
        protocol_name: bytes | None = None,
    ) -> None:
        super().__init__(path, events, clock, settings)
        self._protocol_name = protocol_name
        self._context = self._new_context(SSL.TLS_SERVER_METHOD)
        self._context.set_alpn_select_callback(choose_protocol)  # type: ignore[arg-type]
        accept_keys(self._context)

    def new_connection(self) -> SSL.Connection:
        """A connection that has not begun its handshake, with the keys of this moment."""
        connection = self._new_connection(self._context)
        connection.protocol_name = self._protocol_name
        connection.set_accept_state()
        return connection

    def check(self, connection: SSL.Connection) -> TLSPeer:
        """The client: always trusted, since it has a key; its identity is the field ``PSK_IDENTITY``."""
        _judge(connection)
        identity = plain(cast(KeyedConnection, connection).identity.decode(errors="replace"))
        return TLSPeer(trusted=True, server_name=asked_name(connection), fields={"PSK_IDENTITY": identity})


class PSKClientTLS(_Keyed):
    """The client's side: ``to`` makes that of one target. ``identity`` is one in the file; else its first is used."""

    def __init__(
        self,
        path: Path,
        events: IEvents,
        clock: IReactorTime,
        settings: TLSSettings | None = None,
        *,
        identity: str = "",
        server_name: str = "",
    ) -> None:
        super().__init__(path, events, clock, settings, identity)
        self._server_name = asked_of("server_name", server_name)
        self._context = self._new_context(SSL.TLS_CLIENT_METHOD)
        self._context.set_verify(SSL.VERIFY_PEER)  # nobody is trusted by certificate
        offer_key(self._context)

    def judge(self, connection: SSL.Connection, target: str) -> TLSPeer:
        """The server, which has the key too."""
        _judge(connection)
        return TLSPeer(trusted=True)

    def to(self, host: str) -> Towards:
        """The side of connections to ``host``, whose name is asked for by SNI."""
        return Towards(self, host, self._server_name or asked_of("connect", host))

    def connection(self) -> KeyedConnection:
        """A connection that has not begun its handshake, with the keys of this moment."""
        connection = self._new_connection(self._context)
        connection.set_connect_state()
        return connection


def _settings_for_keys(settings: TLSSettings) -> TLSSettings:
    """``settings`` with suites that use keys. ``ConfigError`` where the binding or the operator has none."""
    if not have_keys():
        raise ConfigError("psk", "", "this version of cryptography has no pre-shared keys")
    suites = settings.ciphersuites
    if suites and settings.tls_maximum != "1.2" and not any(name.endswith("_SHA256") for name in suites.split(":")):
        raise ConfigError("ciphersuites", suites, "with psk one with SHA-256 is needed (TLS_AES_128_GCM_SHA256)")
    keyed = replace(settings, ciphers=settings.ciphers or CIPHERS)
    names = SSL.Connection(bare_context(SSL.TLS_METHOD, keyed), None).get_cipher_list()
    if keyed.tls_minimum != "1.3" and not any("PSK-" in name for name in names):
        raise ConfigError("ciphers", keyed.ciphers, "none of them is for pre-shared keys")
    return keyed


def _judge(connection: SSL.Connection) -> None:
    if not used_key(connection):
        raise TLSFailed("it has no pre-shared key of ours")
