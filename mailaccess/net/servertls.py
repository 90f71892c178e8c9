"""TLS in the server's role of a tunnel: its certificates, and what is asked of clients.

A session that is resumed brings what was found about its certificate in its ticket. Tickets are good in the service
that gave them and nowhere else: each has keys of its own, and a session id context (RFC 8446 §4.6.1, OpenSSL's term).
"""

import secrets
from collections.abc import Mapping, Sequence
from typing import cast

from OpenSSL import SSL
from twisted.internet.interfaces import IReactorTime

from mailaccess.errors import ConfigError
from mailaccess.interfaces import IEvents
from mailaccess.net.certificates import CertificateFiles
from mailaccess.net.peers import asked_name
from mailaccess.net.policy import TLSSettings
from mailaccess.net.tls import Certificates, NamedConnection
from mailaccess.net.trust import Judge, JudgedConnection, Trust, Verify
from mailaccess.tunnel.faults import TLSFailed
from mailaccess.tunnel.tlsside import TLSPeer

_SESSION_ID_OCTETS = 16  # OpenSSL takes up to 32


class _Connection(JudgedConnection, NamedConnection):
    pass


class TunnelServerTLS:
    """See :class:`~mailaccess.tunnel.tlsside.TLSSide`: the server's side of a service.

    ``files`` and ``names`` are those of :class:`~mailaccess.net.tls.Certificates`, which is there to be watched and
    reloaded. ``clients`` is what is asked of clients; with ``redirect`` one that has nothing good to show is let in as
    a peer that is not trusted. ``protocol_name`` is chosen where a client offers it by ALPN. ``ConfigError``.
    """

    def __init__(
        self,
        files: Sequence[CertificateFiles],
        events: IEvents,
        clock: IReactorTime,
        settings: TLSSettings | None = None,
        *,
        clients: Trust | None = None,
        redirect: bool = False,
        protocol_name: bytes | None = None,
        names: Mapping[CertificateFiles, Sequence[str]] | None = None,
    ) -> None:
        self._terms = _Terms(settings or TLSSettings(), clients or Trust(), redirect)
        self._redirect = redirect
        self._protocol_name = protocol_name
        if names:  # what they do not have is the default's, whose certificate may say otherwise
            names = {files[0]: (), **names}
        self.certificates = Certificates(files, events, clock, names=names, terms=self._terms)

    def new_connection(self) -> SSL.Connection:
        """A connection that has not begun its handshake, with what the files are at this moment."""
        connection = _Connection(self.certificates.context(), None)
        connection.protocol_name = self._protocol_name
        connection.judge = self._terms.judge
        connection.set_accept_state()
        return connection

    def check(self, connection: SSL.Connection) -> TLSPeer:
        """The client. Trusted only where something is asked of it; without fields where it is not trusted."""
        judge = cast(_Connection, connection).judge
        server_name = asked_name(connection)
        if not judge.trust.asks:
            return TLSPeer(trusted=False, server_name=server_name)
        try:
            fields = judge.judge(connection)
        except TLSFailed as fault:
            if not self._redirect:
                raise
            return TLSPeer(trusted=False, server_name=server_name, fault=str(fault))
        return TLSPeer(trusted=True, server_name=server_name, fields=fields)


class _Terms:
    """What each of the service's contexts follows, whichever certificate it shows."""

    judge: Judge

    def __init__(self, settings: TLSSettings, clients: Trust, redirect: bool) -> None:
        if clients.verify is not Verify.NONE and clients.ca is None:
            raise ConfigError("verify", clients.verify, "the file ca of those who vouch for clients is needed")
        if clients.verify is Verify.FULL and not clients.hosts:
            raise ConfigError("verify", clients.verify, "clients have no host names: chain or peer is needed")
        if redirect and not clients.asks:
            raise ConfigError("redirect", "", "nothing is asked of clients: verify or pin is needed")
        self._settings = settings
        self._clients = clients
        self._redirect = redirect
        self._session_id = secrets.token_bytes(_SESSION_ID_OCTETS)

    def look(self) -> object:
        """How the authorities' files are."""
        return self._clients.look()

    def renew(self) -> None:
        """Read them."""
        self.judge = Judge(self._clients)

    def apply(self, context: SSL.Context) -> None:
        """Ask clients for certificates where the rules do, and say whose (RFC 8446 §4.2.4)."""
        self._settings.apply(context)
        context.set_session_id(self._session_id)
        if not self._clients.asks:
            return
        mode = SSL.VERIFY_PEER if self._redirect else SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT
        self.judge.apply(context, mode, go_on=self._redirect)
        if self._clients.verify is not Verify.PEER:
            for authority in self.judge.authorities():
                context.add_client_ca(authority)
