"""The parts of a server behind its listeners, put together by a configuration.

``service`` serves any number of connections with them, ``inetd`` one. What only one of the protocols needs is imported
when its factory is asked for: a process for one connection starts in less time so.
"""

from collections.abc import Callable
from typing import Any

from twisted.cred.portal import Portal
from twisted.python.threadpool import ThreadPool

from mailaccess.app.checks import certificate_files, users_files
from mailaccess.app.config import Configuration
from mailaccess.app.places import Places
from mailaccess.app.realm import MailRealm
from mailaccess.auth.checkers.passwdfile import PasswdFileChecker
from mailaccess.auth.hashing import HashingThreads
from mailaccess.auth.login import Login
from mailaccess.auth.penalties import Penalties
from mailaccess.errors import OperatorFault
from mailaccess.interfaces import IAccount, IEvents, IMailStore
from mailaccess.net.certificates import CertificateFiles, fingerprint
from mailaccess.net.gate import Gate
from mailaccess.net.selfsigned import ensure_self_signed
from mailaccess.net.tls import Certificates, ServerTLS
from mailaccess.store.account import StoreSettings
from mailaccess.store.watch import Watcher
from mailaccess.store.worker import open_store
from mailaccess.values import Identity

DRAIN_SECONDS = 2.0
"""What clients get to take our BYE and close: a restart keeps nobody waiting for those that sleep."""

STORE_THREADS = 8
"""Disks answer several requests at once; each account uses one thread at a time."""


def served_certificates(
    config: Configuration, where: Places, announce: Callable[[str], None]
) -> list[CertificateFiles]:
    """The certificates to serve, the default first: one of our own, made now where need be, if none is named.

    ``announce`` is told of that one. ``ConfigError``.
    """
    named = certificate_files(config)
    if config.certificate:
        return named
    own = CertificateFiles(where.certificate, where.private_key, "--state", "--state")
    made = ensure_self_signed(own)
    announce(f"certificate {where.certificate} is our own, SHA-256 {fingerprint(made.leaf)}")
    return [own, *named]


class Parts:
    """Users, mail, and the factories of both protocols, behind one gate.

    ``OperatorFault`` where a users file cannot be read.
    """

    def __init__(
        self,
        config: Configuration,
        where: Places,
        certificates: Certificates,
        gate: Gate,
        *,
        events: IEvents,
        reactor: Any,
    ) -> None:
        self.certificates = certificates
        self.gate = gate
        self._config = config
        self._where = where
        self._events = events
        self._reactor = reactor
        self._hashing = HashingThreads(reactor)
        self._checkers = [PasswdFileChecker(path, self._hashing.run, events) for path in users_files(config)]
        for checker in self._checkers:
            checker.load()
        self._pool = ThreadPool(0, STORE_THREADS, "store")
        self._watcher = Watcher(reactor, events)
        self.realm = MailRealm(self._identity, self._open_store, config.hierarchy_separator, reactor, events)
        self._login = Login(
            Portal(self.realm, self._checkers),
            IAccount,
            penalties=Penalties(reactor.seconds),
            clock=reactor,
            events=events,
            apop_offered=lambda: any(checker.has_secrets_for_apop for checker in self._checkers),
        )

    def factory(self, protocol: str) -> Any:
        """A factory of ``imap`` or ``pop3``, whose connections may begin TLS by command."""
        return {"imap": self._imap, "pop3": self._pop3}[protocol]()

    def _imap(self) -> Any:
        from mailaccess.imap.context import Server  # noqa: PLC0415  (see above)
        from mailaccess.imap.protocol import IMAPFactory  # noqa: PLC0415

        config = self._config
        return IMAPFactory(
            server=Server(config.limits, self._events, config.allow_cleartext),
            login=self._login,
            tls=ServerTLS(self.certificates, b"imap"),
            gate=self.gate,
            trusted_proxies=frozenset(config.trusted_proxy),
            reactor=self._reactor,
        )

    def _pop3(self) -> Any:
        from mailaccess.pop3.protocol import POP3Factory  # noqa: PLC0415

        config = self._config
        return POP3Factory(
            limits=config.limits,
            events=self._events,
            login=self._login,
            tls=ServerTLS(self.certificates, b"pop3"),
            gate=self.gate,
            cleartext_allowed=config.allow_cleartext,
            trusted_proxies=frozenset(config.trusted_proxy),
            reactor=self._reactor,
        )

    # -- running

    def start(self) -> None:
        """Take work."""
        self._hashing.startService()
        self._pool.start()

    def reload_users(self) -> None:
        """Read the users files again, those that changed; one that cannot be read stays as it was."""
        for checker in self._checkers:
            try:
                checker.load()
            except OperatorFault as error:
                self._events.event("users_kept", problem=error)

    async def stop(self) -> None:
        """Say good-bye to everybody, finish what was begun, and close every store."""
        try:
            await self.gate.drain(DRAIN_SECONDS)
            await self.realm.close()
        finally:  # threads that are left would keep the process
            self._watcher.stop()
            self._hashing.stopService()
            self._pool.stop()

    # -- the realm's questions

    def _identity(self, user: str) -> Identity:
        for checker in self._checkers:
            if checker.lookup(user) is not None:
                return checker.identity(user)
        return Identity(user)

    def _open_store(self, identity: Identity) -> IMailStore:
        settings = StoreSettings(self._config.folder_encoding, self._config.flag_sync_seconds)
        return open_store(
            self._where.maildir(identity),
            self._where.index(identity),
            settings=settings,
            reactor=self._reactor,
            pool=self._pool,
            watcher=self._watcher,
            events=self._events,
        )
