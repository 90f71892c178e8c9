"""TLS as a server speaks it here: the certificates in force, and what Twisted makes connections with.

Sessions that are open keep what they were opened with; a change of certificates is for the next handshake.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol, cast

from OpenSSL import SSL
from twisted.internet.interfaces import IOpenSSLServerConnectionCreator, IProtocolFactory, IReactorTime
from twisted.protocols.tls import TLSMemoryBIOFactory, TLSMemoryBIOProtocol
from zope.interface import implementer

from mailaccess.errors import ConfigError
from mailaccess.interfaces import IEvents
from mailaccess.net.certificates import CertificateFiles, CertifiedKey, fingerprint
from mailaccess.net.following import Following
from mailaccess.net.policy import Profile, new_context
from mailaccess.net.sni import ServerNames
from mailaccess.ops.transport import openssl_reason

TICKET_KEY_SECONDS = 24 * 60 * 60
"""A ticket's key opens every session that was resumed with it, so it must not live as long as the server does."""

EXPIRY_WARNING = timedelta(days=14)


class Terms(Protocol):
    """What the contexts of a service have beside their certificates."""

    def look(self) -> object:
        """How the files behind it are now: equal to what it was while they are the same."""

    def renew(self) -> None:
        """Read those files. ``ConfigError``."""

    def apply(self, context: SSL.Context) -> None:
        """Have a new context follow them."""


class NamedConnection(SSL.Connection):
    """A connection that knows which protocol its listener speaks (RFC 7301), if that has a name."""

    protocol_name: bytes | None = None


def choose_protocol(connection: SSL.Connection, offered: list[bytes]) -> object:
    """``imap`` or ``pop3`` where the client offers it. Others are served too: few mail programs offer the right one."""
    name = cast(NamedConnection, connection).protocol_name
    return name if name in offered else SSL.NO_OVERLAPPING_PROTOCOLS


class Certificates(Following):
    """The certificates of a server, as their files are now.

    The first of ``files`` is the default, for clients that name no host or an unknown one; the others are chosen by
    the names in them, or by those that ``names`` has for them. ``ConfigError`` where one cannot be used at the start;
    later the last good one stays in force.
    """

    def __init__(
        self,
        files: Sequence[CertificateFiles],
        events: IEvents,
        clock: IReactorTime,
        profile: Profile = Profile.INTERMEDIATE,
        *,
        names: Mapping[CertificateFiles, Sequence[str]] | None = None,
        terms: Terms | None = None,
    ) -> None:
        self._files = tuple(files)
        self._profile = profile
        self._asked_names = names or {}
        self._terms = terms
        super().__init__(events, clock)
        self._renew()

    @property
    def default(self) -> CertifiedKey:
        """The certificate of clients that name no host."""
        return self._certified[0]

    def context(self) -> SSL.Context:
        """What the next connection begins with."""
        return self._contexts[0]

    def reload_if_changed(self) -> bool:
        """Read the files again where one was replaced or written; True where new certificates are in force."""
        if super().reload_if_changed():
            return True
        if self._clock.seconds() - self._made_at >= TICKET_KEY_SECONDS:
            self._use(self._certified)
        return False

    def _look(self) -> object:
        return [entry.stamps() for entry in self._files], self._terms and self._terms.look()

    def _renew(self) -> dict[str, object]:
        certified = [entry.read() for entry in self._files]
        if self._terms is not None:
            self._terms.renew()
        self._use(certified)
        return {"fingerprint": fingerprint(self.default.leaf)}

    def _use(self, certified: list[CertifiedKey]) -> None:
        """Put certificates in force, all or none, with contexts (and so ticket keys) of their own."""
        contexts = [self._new_context(*pair) for pair in zip(self._files, certified, strict=True)]
        self._names = ServerNames(
            [
                (self._asked_names.get(files, entry.names), context)
                for files, entry, context in zip(self._files, certified, contexts, strict=True)
            ],
            contexts[0],
        )
        self._certified = certified
        self._contexts = contexts
        self._made_at = self._clock.seconds()
        self._warn_of_expiry()

    def _new_context(self, files: CertificateFiles, certified: CertifiedKey) -> SSL.Context:
        try:
            context = new_context(certified, self._profile, choose_protocol)
        except SSL.Error as error:
            reason = f"OpenSSL does not accept it ({openssl_reason(error)})"
            raise ConfigError(files.option, str(files.certificate), reason) from error
        if self._terms is not None:
            self._terms.apply(context)
        if len(self._files) > 1:
            context.set_tlsext_servername_callback(self._choose_certificate)
        return context

    def _choose_certificate(self, connection: SSL.Connection) -> None:
        """Called by OpenSSL during the handshake; what is raised here would be printed and end the connection."""
        context = self._names.choose(connection.get_servername())
        if context is not connection.get_context():
            connection.set_context(context)

    def expired(self) -> list[Path]:
        """The files whose certificates have expired."""
        now = datetime.now(UTC)
        pairs = zip(self._files, self._certified, strict=True)
        return [files.certificate for files, certified in pairs if certified.time_left(now) < timedelta()]

    def _warn_of_expiry(self) -> None:
        now = datetime.now(UTC)
        for files, certified in zip(self._files, self._certified, strict=True):
            left = certified.time_left(now)
            if left < EXPIRY_WARNING:
                word = "certificate_expired" if left < timedelta() else "certificate_expires"
                until = certified.leaf.not_valid_after_utc
                self._events.event(word, file=files.certificate, until=f"{until:%Y-%m-%dT%H:%M:%SZ}")


@implementer(IOpenSSLServerConnectionCreator)
class ServerTLS:
    """What Twisted asks for a new connection: for ``startTLS``, and for ``TLSFactory``.

    ``protocol_name`` is the listener's name for ALPN (RFC 7301 §6): ``b"imap"``, ``b"pop3"``, or None.
    """

    def __init__(self, certificates: Certificates, protocol_name: bytes | None = None) -> None:
        self._certificates = certificates
        self._protocol_name = protocol_name

    def serverConnectionForTLS(self, tlsProtocol: TLSMemoryBIOProtocol) -> SSL.Connection:  # noqa: N803
        """A connection that has not begun its handshake, with the certificates of this moment."""
        connection = NamedConnection(self._certificates.context(), None)
        connection.protocol_name = self._protocol_name
        return connection


class TLSFactory(TLSMemoryBIOFactory):
    """Wraps a factory in TLS from the first octet (RFC 8314 §3).

    Without Twisted's aggregation of small writes, which costs every answer a turn of the reactor: the protocols here
    write once for all that they read.
    """

    protocol = TLSMemoryBIOProtocol

    def __init__(self, creator: ServerTLS, factory: IProtocolFactory, clock: IReactorTime) -> None:
        super().__init__(creator, False, factory, clock)
