"""``mailaccess tunnel``: TLS around any service, in the foreground or for the one connection at descriptor 0."""

import argparse
import sys
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from twisted.internet.defer import Deferred
from twisted.logger import (
    FilteringLogObserver,
    ILogObserver,
    LogLevel,
    LogLevelFilterPredicate,
    globalLogBeginner,
    textFileLogObserver,
)

from mailaccess.app.config import load
from mailaccess.app.descriptors import ClientGone, NoConnection, Standard
from mailaccess.app.notify import Notify
from mailaccess.app.privileges import Privileges, take_descriptors
from mailaccess.app.signals import take_signals
from mailaccess.app.tunnel_check import check_tunnels
from mailaccess.app.tunnel_options import add_options, table_of
from mailaccess.app.tunnel_table import TunnelTable
from mailaccess.app.tunnels import MailTunnel, named_by_table
from mailaccess.errors import ConfigError
from mailaccess.ops.logs import EventLog

EPILOG = """\
mailaccess tunnel --accept pop3s --exec popa3d             a POP3 daemon that knows no TLS
mailaccess tunnel --accept imaps --connect localhost:143   one that listens already
mailaccess tunnel --client --accept 1430 --connect mail.example.org:imaps
                                                           a mail program that knows no TLS

The letters of stunnel 3 are understood: -d pop3s -l popa3d, -d pop3s -r localhost:pop3, -c, -p PEM, -A CA. Without
--accept the connection at descriptor 0 is served, as inetd and systemd (Accept=yes) start it."""

USAGE_STATUS = 2

Work = Callable[[], Coroutine[Any, Any, int]]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to run: its tunnels, how their keys are named where something is wrong, and as whom."""

    tables: Sequence[TunnelTable]
    key: Callable[[TunnelTable, str], str]
    privileges: Privileges


def arrange(parser: argparse.ArgumentParser, standard: Standard) -> None:
    """The command's options. ``standard`` is what was at the standard descriptors."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = EPILOG
    parser.set_defaults(standard=standard)
    parser.add_argument("--config", metavar="FILE.toml", help="run the tables [[tunnel]] of this file")
    parser.add_argument("--stunnel-conf", metavar="FILE", help="the services of an stunnel.conf")
    parser.add_argument("--state", metavar="DIR", help="folder of the certificate that is made where none is named")
    parser.add_argument("--check", action="store_true", help="ask every target, say what is wrong, and end")
    parser.add_argument("--json", action="store_true", help="with --check: say it as JSON")
    add_options(parser)


def run(given: argparse.Namespace, rest: Sequence[str]) -> int:
    """Run the tunnels, or check them; returns the exit status. ``ConfigError``."""
    wanted = _wanted(given)
    globalLogBeginner.beginLoggingTo([_observer(given.standard, quiet=given.check)], redirectStandardIO=False)
    if given.check:
        return _check(wanted, as_json=given.json)
    one_connection = [table for table in wanted.tables if not table.accept]
    if not one_connection:
        return _serve(wanted, given)
    if len(wanted.tables) > 1:
        raise ConfigError(wanted.key(one_connection[0], "accept"), "", "where to listen is needed")
    return _serve_connection(wanted, given)


# -- what is wanted


def _wanted(given: argparse.Namespace) -> Wanted:
    own = table_of(given)
    if sum(source is not None for source in (own, given.config, given.stunnel_conf)) != 1:
        allowed = "the options of one tunnel, or --config FILE.toml, or --stunnel-conf FILE: one of these, and no two"
        raise ConfigError("mailaccess tunnel", "", allowed)
    if own is not None:
        return Wanted([own], lambda table, name: f"--{name.replace('_', '-')}", _privileges(given))
    if given.stunnel_conf is not None:
        return _stunnel_conf(Path(given.stunnel_conf))
    path = given.config
    tables = load(path, {}).values.tunnel
    if not tables:
        raise ConfigError("--config", path, "there is no table [[tunnel]] in it")
    return Wanted(tables, lambda table, name: f"{path}: {named_by_table(table, name)}", Privileges())


def _privileges(given: argparse.Namespace) -> Privileges:
    return Privileges(given.user, given.group, given.pid_file)


def _stunnel_conf(path: Path) -> Wanted:
    from mailaccess.app.stunnelconf.conf import read  # noqa: PLC0415  (nobody else needs it)

    conf = read(path)
    for line in (*conf.notices, *conf.ignored):
        _warn(line)
    return Wanted(conf.tunnels, conf.origin, Privileges(conf.user, conf.group, conf.pid_file))


# -- three ways to run


def _check(wanted: Wanted, *, as_json: bool) -> int:
    """A certificate that is made for it is nobody's."""
    with TemporaryDirectory() as state:
        service = MailTunnel(wanted.tables, state=Path(state), key=wanted.key)
        return _turn(lambda: check_tunnels(service.tunnels, _say, as_json=as_json))


def _serve(wanted: Wanted, given: argparse.Namespace) -> int:
    if not any(table.exec for table in wanted.tables):
        take_descriptors()
    service = _service(wanted, given, _say)
    service.prepare()
    with wanted.privileges.in_force():
        return _turn(partial(_until_stopped, service))


def _serve_connection(wanted: Wanted, given: argparse.Namespace) -> int:
    try:
        connection = given.standard.connection()
    except NoConnection as error:
        raise ConfigError("--accept", "", f"where to listen is needed; {error}") from error
    except ClientGone as error:
        EventLog().event("client_gone", reason=error)
        return 0
    service = _service(wanted, given, lambda line: None)
    with wanted.privileges.in_force():
        return _turn(partial(_until_left, service, connection))


def _service(wanted: Wanted, given: argparse.Namespace, announce: Callable[[str], None]) -> MailTunnel:
    return MailTunnel(
        wanted.tables, announce=announce, state=Path(given.state) if given.state else None, key=wanted.key
    )


async def _until_stopped(service: MailTunnel) -> int:
    """Serve until a signal says stop."""
    from twisted.internet import reactor  # noqa: PLC0415

    notify = Notify.from_environment(reactor, EventLog(), status=service.status)
    stop: Deferred[None] = Deferred()

    def reload() -> None:
        notify.reloading()
        service.reload()
        notify.ready()

    take_signals(reactor, partial(_once, stop), reload)
    await service.serve()
    _say("ready")
    notify.ready()
    await stop
    notify.stopping()
    await service.end()
    notify.close()
    return 0


async def _until_left(service: MailTunnel, connection: Any) -> int:
    """Serve one connection to its end."""
    from twisted.internet import reactor  # noqa: PLC0415

    take_signals(reactor, lambda: Deferred.fromCoroutine(service.end()), lambda: None)
    await service.serve_connection(connection)
    return 0


def _once(stop: "Deferred[None]") -> None:
    if not stop.called:
        stop.callback(None)


def _turn(work: Work) -> int:
    """Run the reactor until ``work`` has come to an exit status. ``ConfigError`` and all else that it raises."""
    from twisted.internet import reactor  # noqa: PLC0415  (the other commands need none)

    run: Any = reactor
    outcome: list[Any] = []
    run.callWhenRunning(
        lambda: Deferred.fromCoroutine(work()).addBoth(outcome.append).addCallback(lambda _: run.stop())
    )
    run.run()
    if not isinstance(outcome[0], int):
        outcome[0].raiseException()
    status: int = outcome[0]
    return status


# -- words


def _observer(standard: Standard, *, quiet: bool) -> ILogObserver:
    """Where the log goes; ``quiet``: of it only what went wrong. Of Twisted's own words we have better ones."""
    wanted = LogLevelFilterPredicate(LogLevel.warn if quiet else LogLevel.info)
    for twisteds in ("twisted", "log_legacy"):
        wanted.setLogLevelForNamespace(twisteds, LogLevel.warn)
    return FilteringLogObserver(_destination(standard), [wanted])


def _destination(standard: Standard) -> ILogObserver:
    if not standard.stderr_was_given:
        return textFileLogObserver(sys.stderr)
    from mailaccess.app.syslog import Syslog  # noqa: PLC0415  (inetd's way)

    return Syslog()


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201  (what the administrator asked for)


def _warn(line: str) -> None:
    print(f"mailaccess: {line}", file=sys.stderr)  # noqa: T201
