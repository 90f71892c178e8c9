"""TLS as a server speaks it here: the certificates in force, and what Twisted makes connections with.

Sessions that are open keep what they were opened with; a change of certificates is for the next handshake.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import cast

from OpenSSL import SSL
from twisted.internet.interfaces import IOpenSSLServerConnectionCreator, IProtocolFactory, IReactorTime
from twisted.internet.task import LoopingCall
from twisted.protocols.tls import TLSMemoryBIOFactory, TLSMemoryBIOProtocol
from zope.interface import implementer

from mailaccess.errors import ConfigError
from mailaccess.interfaces import IEvents
from mailaccess.net.certificates import CertificateFiles, CertifiedKey, Stamp, fingerprint
from mailaccess.net.policy import Profile, new_context
from mailaccess.net.sni import ServerNames
from mailaccess.ops.transport import openssl_reason

TICKET_KEY_SECONDS = 24 * 60 * 60
"""A ticket's key opens every session that was resumed with it, so it must not live as long as the server does."""

EXPIRY_WARNING = timedelta(days=14)

_Stamps = list[tuple[Stamp | None, Stamp | None]]


class _Connection(SSL.Connection):
    """A connection that knows which protocol its listener speaks (RFC 7301), if that has a name."""

    protocol_name: bytes | None = None


def _choose_protocol(connection: SSL.Connection, offered: list[bytes]) -> object:
    """``imap`` or ``pop3`` where the client offers it. Others are served too: few mail programs offer the right one."""
    name = cast(_Connection, connection).protocol_name
    return name if name in offered else SSL.NO_OVERLAPPING_PROTOCOLS


class Certificates:
    """The certificates of a server, as their files are now.

    The first of ``files`` is the default, for clients that name no host or an unknown one; the others are chosen by
    the names in them. ``ConfigError`` where one cannot be used at the start; later the last good one stays in force.
    """

    def __init__(
        self,
        files: Sequence[CertificateFiles],
        events: IEvents,
        clock: IReactorTime,
        profile: Profile = Profile.INTERMEDIATE,
    ) -> None:
        self._files = tuple(files)
        self._events = events
        self._clock = clock
        self._profile = profile
        self._watch: LoopingCall | None = None
        self._stamps = self._look()
        self._use([entry.read() for entry in self._files])

    @property
    def default(self) -> CertifiedKey:
        """The certificate of clients that name no host."""
        return self._certified[0]

    def context(self) -> SSL.Context:
        """What the next connection begins with."""
        return self._contexts[0]

    def watch(self, seconds: float) -> None:
        """Look at the files every ``seconds`` from now on; 0: never."""
        self.unwatch()
        if seconds > 0:
            self._watch = LoopingCall(self.reload_if_changed)
            self._watch.clock = self._clock
            self._watch.start(seconds, now=False)

    def unwatch(self) -> None:
        """End what ``watch`` began."""
        if self._watch is not None:
            self._watch.stop()
            self._watch = None

    def reload_if_changed(self) -> bool:
        """Read the files again where one was replaced or written; True where new certificates are in force."""
        if self._look() != self._stamps:
            return self.reload()
        if self._clock.seconds() - self._made_at >= TICKET_KEY_SECONDS:
            self._use(self._certified)
        return False

    def reload(self) -> bool:
        """Read the files now, as on SIGHUP; True where new certificates are in force.

        Where something is wrong with one of them, all stay as they were, and one line is logged.
        """
        self._stamps = self._look()  # before reading: a file that changes meanwhile is read again at the next look
        try:
            self._use([entry.read() for entry in self._files])
        except ConfigError as error:
            self._events.event("certificate_refused", reason=str(error))
            return False
        self._events.event("certificate_loaded", fingerprint=fingerprint(self.default.leaf))
        return True

    def _look(self) -> _Stamps:
        return [entry.stamps() for entry in self._files]

    def _use(self, certified: list[CertifiedKey]) -> None:
        """Put certificates in force, all or none, with contexts (and so ticket keys) of their own."""
        contexts = [self._new_context(*pair) for pair in zip(self._files, certified, strict=True)]
        self._names = ServerNames(
            [(entry.names, context) for entry, context in zip(certified, contexts, strict=True)], contexts[0]
        )
        self._certified = certified
        self._contexts = contexts
        self._made_at = self._clock.seconds()
        self._warn_of_expiry()

    def _new_context(self, files: CertificateFiles, certified: CertifiedKey) -> SSL.Context:
        try:
            context = new_context(certified, self._profile, _choose_protocol)
        except SSL.Error as error:
            reason = f"OpenSSL does not accept it ({openssl_reason(error)})"
            raise ConfigError(files.option, str(files.certificate), reason) from error
        if len(self._files) > 1:
            context.set_tlsext_servername_callback(self._choose_certificate)
        return context

    def _choose_certificate(self, connection: SSL.Connection) -> None:
        """Called by OpenSSL during the handshake; what is raised here would be printed and end the connection."""
        context = self._names.choose(connection.get_servername())
        if context is not connection.get_context():
            connection.set_context(context)

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
        connection = _Connection(self._certificates.context(), None)
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
