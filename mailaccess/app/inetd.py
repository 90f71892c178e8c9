"""``mailaccess inetd imap|imaps|pop3|pop3s``: serves the connection at descriptor 0, and ends with it.

1. The client reads the protocol's words and no others: the standard descriptors are taken from it first.
2. The log goes to ``--logfile``; without that to syslog where standard error was the client, else to standard error.
3. The status is 0 when the connection has ended, whoever ended it, and 2 where it cannot be served: the log has one
   line that says why, and the client a refusal where nothing but clear text is expected of us. 1 is a fault of ours.

A process for each connection: they share the disk and nothing else. So the limits on connections, and the waits after
wrong passwords, hold within one connection; the super-server has limits of its own for many.
"""

import socket
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import ILogObserver, Logger, globalLogBeginner, textFileLogObserver
from twisted.python import usage

from mailaccess.app.checks import check_addresses
from mailaccess.app.config import Configuration
from mailaccess.app.descriptors import ClientGone, NoConnection, Standard, take_standard
from mailaccess.app.offered import SERVICES, Service
from mailaccess.app.options import USAGE_STATUS, ServerOptions
from mailaccess.app.parts import Parts, served_certificates
from mailaccess.app.places import places
from mailaccess.app.signals import take_signals
from mailaccess.errors import ConfigError, OperatorFault
from mailaccess.interfaces import IEvents, ISession
from mailaccess.net.gate import Gate
from mailaccess.net.tls import Certificates
from mailaccess.ops.limits import Limits
from mailaccess.ops.logs import EventLog

FAREWELL_SECONDS = 2.0
"""What a client that we cannot serve gets to read why: closed at once, what it has sent would cost it our words."""

FAREWELL_BYTES = 64 * 1024
"""What is read of such a client meanwhile: more than any mail program sends before it has been greeted."""

INCIDENT_STATUS = 1

_OFFERED = {service.key: service for service in SERVICES}
_WHAT = f"say what to serve: mailaccess inetd {'|'.join(_OFFERED)}"
_REFUSALS = {
    "imap": b"* BYE [UNAVAILABLE] The server is not available now\r\n",  # RFC 5530 §3
    "pop3": b"-ERR [SYS/PERM] The server is not available now\r\n",  # RFC 3206 §4
}


class Options(ServerOptions):
    """The server's options, the service, and where to log."""

    synopsis = f"mailaccess inetd {'|'.join(_OFFERED)} [--logfile FILE] [options of the server]"
    longdesc = "Serve the connection at descriptor 0, as inetd and systemd (Accept=yes) start it."
    optParameters: ClassVar[Sequence[Sequence[Any]]] = [["logfile", None, None, "Log to this file."]]  # noqa: N815

    def getSynopsis(self) -> str:  # noqa: N802  (usage's name)
        """The first line of --help."""
        return f"Usage: {self.synopsis}"


def main(arguments: Sequence[str]) -> int:
    """Serve the connection; returns the exit status."""
    standard = take_standard()
    service = _OFFERED.get(arguments[0]) if arguments else None
    options = Options()
    try:
        if service is None and arguments and not arguments[0].startswith("-"):
            raise usage.UsageError(f"{arguments[0]!r} is not served here; {_WHAT}")
        options.read(list(arguments[1:] if service else arguments))
        observer = _observer(options["logfile"], standard)
        if service is None:
            raise usage.UsageError(_WHAT)
    except (usage.UsageError, ConfigError) as error:
        _begin_log(_observer(None, standard))
        return _refused(error, service, standard)
    _begin_log(observer)
    try:
        connection = standard.connection()
    except NoConnection as error:
        return _refused(error, None, standard)
    except ClientGone as error:
        EventLog().event("client_gone", reason=error)
        return 0
    try:
        return _serve(connection, service, options.loaded.values)
    except (ConfigError, OperatorFault) as error:
        return _refused(error, service, standard)
    except Exception as error:  # a fault of ours, and what Python would print of it nobody may read
        EventLog().incident("serving one connection", error)
        _say_farewell(service, standard)
        return INCIDENT_STATUS


def _serve(connection: socket.socket, service: Service, config: Configuration) -> int:
    """Serve until it ends. ``ConfigError``, ``OperatorFault``."""
    from twisted.internet import reactor  # noqa: PLC0415  (the program's own)

    serving = Serving(connection, service, config, EventLog(), reactor)
    serving.begin()
    reactor.run()
    return 0


class LastGate(Gate):
    """The gate of one connection: calls ``left`` when that is gone."""

    def __init__(self, limits: Limits, events: IEvents, clock: IReactorTime, left: Callable[[], object]) -> None:
        super().__init__(limits, events, clock)
        self._left = left

    def closed(self, session: ISession) -> None:
        """The connection is gone."""
        super().closed(session)
        self._left()


class Serving:
    """One connection, and the reactor's stop when it has ended. ``ConfigError``, ``OperatorFault``."""

    def __init__(
        self, connection: socket.socket, service: Service, config: Configuration, events: IEvents, reactor: Any
    ) -> None:
        self._connection = connection
        self._events = events
        self._reactor = reactor
        self._stopping = False
        check_addresses(config)
        where = places(config)
        certificates = Certificates(served_certificates(config, where, lambda line: None), events, reactor)
        gate = LastGate(config.limits, events, reactor, self._stop)
        self._parts = Parts(config, where, certificates, gate, events=events, reactor=reactor)
        self._factory = service.secured(self._parts.factory(service.protocol), certificates, reactor)

    def begin(self) -> None:
        """Serve as soon as the reactor runs."""
        self._reactor.addSystemEventTrigger("before", "shutdown", self._ended)
        self._reactor.callWhenRunning(self._adopt)

    def _adopt(self) -> None:
        take_signals(self._reactor, self._stop, reload=lambda: None)
        self._parts.start()
        connection = self._connection
        connection.setblocking(False)
        try:
            with connection:  # the reactor takes a descriptor of its own
                self._reactor.adoptStreamConnection(connection.fileno(), connection.family, self._factory)
        except OSError as error:  # reset since we looked
            self._events.event("client_gone", reason=error.strerror)
            self._stop()

    def _stop(self) -> None:
        """Once, and in a turn of its own: whoever tells of the connection's end has not finished yet."""
        if not self._stopping:
            self._stopping = True
            self._reactor.callLater(0, self._reactor.stop)

    def _ended(self) -> "Deferred[None]":
        self._stopping = True
        return Deferred.fromCoroutine(self._parts.stop())


# -- the log, and what is said where nothing can be served


def _observer(logfile: str | None, standard: Standard) -> ILogObserver:
    if logfile is not None:
        try:
            return textFileLogObserver(open(logfile, "a", encoding="utf-8"))
        except OSError as error:
            raise ConfigError("--logfile", logfile, f"it cannot be written ({error.strerror})") from error
    if not standard.stderr_was_given:
        return textFileLogObserver(open(2, "w", encoding="utf-8", closefd=False))
    from mailaccess.app.syslog import Syslog  # noqa: PLC0415  (inetd's own way: most have one of the others)

    return Syslog()


def _begin_log(observer: ILogObserver) -> None:
    globalLogBeginner.beginLoggingTo([observer], redirectStandardIO=False)


def _refused(error: Exception, service: Service | None, standard: Standard) -> int:
    """One line for the operator, and a word for the client."""
    Logger(namespace="mailaccess").error("{line}", line=str(error))
    _say_farewell(service, standard)
    return USAGE_STATUS


def _say_farewell(service: Service | None, standard: Standard) -> None:
    """Tell a client that expects clear text of us, and so can read it."""
    connection = standard.given
    if service is None or not service.upgrade or connection is None:
        return
    try:
        connection.settimeout(FAREWELL_SECONDS)
        connection.sendall(_REFUSALS[service.protocol])
        connection.shutdown(socket.SHUT_WR)
        connection.recv(FAREWELL_BYTES, socket.MSG_WAITALL)
    except OSError as error:  # gone, or in no hurry: the log has what matters
        EventLog().event("client_gone", reason=error)
