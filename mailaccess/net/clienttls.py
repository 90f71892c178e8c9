"""TLS in the client's role: whoever answers is who it must be, or nothing is said to it."""

from dataclasses import dataclass
from typing import Protocol, cast

from OpenSSL import SSL
from twisted.internet.interfaces import IReactorTime

from mailaccess.errors import ConfigError
from mailaccess.interfaces import IEvents
from mailaccess.net.certificates import CertificateFiles, CertifiedKey, fingerprint
from mailaccess.net.following import Following
from mailaccess.net.hostnames import asked_of, reference_name
from mailaccess.net.policy import TLSSettings, bare_context, show
from mailaccess.net.trust import Judge, JudgedConnection, Trust, Verify
from mailaccess.ops.transport import openssl_reason
from mailaccess.tunnel.tlsside import TLSPeer


class ClientTLS(Following):
    """What the connections to all targets of a service have in common; ``to`` makes one target's side.

    ``certificate`` is what we show to servers that ask for one. ``server_name`` is asked for by SNI (RFC 6066 §3)
    instead of the target's name, and ``protocol_name`` by ALPN (RFC 7301). ``ConfigError`` for what cannot be used;
    later the last good files stay in force.
    """

    def __init__(
        self,
        trust: Trust,
        events: IEvents,
        clock: IReactorTime,
        settings: TLSSettings | None = None,
        *,
        certificate: CertificateFiles | None = None,
        server_name: str = "",
        protocol_name: bytes | None = None,
        service: str = "",
    ) -> None:
        self._trust = trust
        self._settings = settings or TLSSettings()
        self._certificate = certificate
        self._server_name = asked_of("server_name", server_name)
        self._protocol_name = protocol_name
        super().__init__(events, clock)
        self._renew()
        if not trust.asks:
            events.event(
                "tls_unverified", service=service, reason="verify is none: any server is taken for the right one"
            )

    def to(self, host: str) -> "Towards":
        """The side of connections to ``host``: a name, an address, or nothing for a socket of this machine.

        ``ConfigError`` where a name is needed to compare with.
        """
        if not host and self._trust.verify is Verify.FULL and not self._trust.hosts:
            raise ConfigError("host", host, "the name that the server's certificate must have is needed")
        target = reference_name("connect", host) if host else ""
        return Towards(self, target, self._server_name or asked_of("connect", host))

    def connection(self) -> JudgedConnection:
        """A connection that has not begun its handshake, with what the files are at this moment."""
        connection = JudgedConnection(self._context, None)
        connection.judge = self._judge
        connection.set_connect_state()
        return connection

    def judge(self, connection: SSL.Connection, target: str) -> TLSPeer:
        """The server, if it is who it must be; where nothing is asked of it, it is not trusted but talked to."""
        judge = cast(JudgedConnection, connection).judge
        if not judge.trust.asks:
            return TLSPeer(trusted=False)
        return TLSPeer(trusted=True, fields=judge.judge(connection, target))

    def _look(self) -> object:
        return self._certificate and self._certificate.stamps(), self._trust.look()

    def _renew(self) -> dict[str, object]:
        judge = Judge(self._trust)
        context = bare_context(SSL.TLS_CLIENT_METHOD, self._settings)
        if self._trust.verify is not Verify.NONE:
            judge.apply(context, SSL.VERIFY_PEER)
        if self._protocol_name is not None:
            context.set_alpn_protos([self._protocol_name])
        loaded: dict[str, object] = {}
        if self._certificate is not None:
            certified = self._certificate.read()
            _show(context, certified, self._certificate)
            loaded["fingerprint"] = fingerprint(certified.leaf)
        self._context, self._judge = context, judge
        return loaded


class ClientRole(Protocol):
    """What :class:`Towards` needs of that which all targets of a service have in common."""

    def connection(self) -> SSL.Connection:
        """A connection that has not begun its handshake."""

    def judge(self, connection: SSL.Connection, target: str) -> TLSPeer:
        """The server behind ``target``. ``TLSFailed`` where it is not who it must be."""


@dataclass(frozen=True, slots=True)
class Towards:
    """See :class:`~mailaccess.tunnel.tlsside.TLSSide`: the client's side of connections to one target."""

    _client: ClientRole
    _target: str
    _server_name: bytes

    def new_connection(self) -> SSL.Connection:
        """A connection that asks for the target's name."""
        connection = self._client.connection()
        if self._server_name:
            connection.set_tlsext_host_name(self._server_name)
        return connection

    def check(self, connection: SSL.Connection) -> TLSPeer:
        """The server, if it is who it must be."""
        return self._client.judge(connection, self._target)


def _show(context: SSL.Context, certified: CertifiedKey, files: CertificateFiles) -> None:
    try:
        show(context, certified)
    except SSL.Error as error:
        reason = f"OpenSSL does not accept it ({openssl_reason(error)})"
        raise ConfigError(files.option, str(files.certificate), reason) from error
