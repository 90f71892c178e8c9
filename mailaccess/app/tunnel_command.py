"""``mailaccess tunnel``: TLS around any service, in the foreground."""

import argparse
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred
from twisted.logger import globalLogBeginner, textFileLogObserver

from mailaccess.app.config import load
from mailaccess.app.signals import take_signals
from mailaccess.app.tunnel_check import check_tunnels
from mailaccess.app.tunnel_options import add_options, table_of
from mailaccess.app.tunnel_table import TunnelTable
from mailaccess.app.tunnels import MailTunnel
from mailaccess.errors import ConfigError

EPILOG = """\
mailaccess tunnel --accept pop3s --exec popa3d                     a POP3 daemon that knows no TLS
mailaccess tunnel --accept imaps --connect localhost:143           another, where it listens already
mailaccess tunnel --client --accept 1430 --connect mail.example.org:imaps
                                                                   a mail program that knows none
The letters of stunnel 3 are understood: -d pop3s -l popa3d, -d pop3s -r localhost:pop3, -c, -p PEM, -A CA."""

FAULT_STATUS = 1


def arrange(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = EPILOG
    parser.add_argument("--config", metavar="FILE.toml", help="its tables [[tunnel]]")
    parser.add_argument("--stunnel-conf", metavar="FILE", help="the services of an stunnel.conf")
    parser.add_argument("--state", metavar="DIR", help="folder of the certificate that is made where none is named")
    parser.add_argument("--check", action="store_true", help="ask every target, say what is wrong, and end")
    add_options(parser)


def run(given: argparse.Namespace, rest: Sequence[str]) -> int:
    """Run the tunnels, or check them; returns the exit status. ``ConfigError``."""
    from twisted.internet import reactor  # noqa: PLC0415  (the other commands need none)

    tables, key = _tables(given)
    globalLogBeginner.beginLoggingTo([textFileLogObserver(sys.stderr)], redirectStandardIO=False)
    service = MailTunnel(
        tables, announce=_say, state=Path(given.state) if given.state else None, key=key, reactor=reactor
    )
    if given.check:
        return _turn(reactor, partial(check_tunnels, service.tunnels, _say))
    service.prepare()
    return _turn(reactor, partial(_serve, service, reactor))


Key = Callable[[TunnelTable, str], str]


def _tables(given: argparse.Namespace) -> tuple[Sequence[TunnelTable], Key]:
    """The tunnels to run, and how their keys are named where something is wrong."""
    own = table_of(given)
    sources = [source for source in (own, given.config, given.stunnel_conf) if source is not None]
    if len(sources) != 1:
        raise ConfigError(
            "tunnel", "", "options of one tunnel, or --config FILE.toml, or --stunnel-conf FILE is needed"
        )
    if own is not None:
        return [own], lambda table, name: f"--{name.replace('_', '-')}"
    if given.config is not None:
        tables = load(given.config, {}).values.tunnel
        if not tables:
            raise ConfigError("--config", given.config, "there is no table [[tunnel]] in it")
        return tables, lambda table, name: f"{given.config}: tunnel {table.name or table.accept!r}: {name}"
    return _stunnel_conf(Path(given.stunnel_conf))


def _stunnel_conf(path: Path) -> tuple[Sequence[TunnelTable], Key]:
    from mailaccess.app.stunnelconf.conf import read  # noqa: PLC0415  (nobody else needs it)

    conf = read(path)
    for line in (*conf.ignored, *conf.notices):
        _warn(line)
    return conf.tunnels, lambda table, name: f"{path}: [{table.name}]: {name}"


def _turn(reactor: Any, work: Callable[[], Any]) -> int:
    """Run the reactor until ``work`` has come to an exit status."""
    status: list[int] = []

    def begin() -> None:
        Deferred.fromCoroutine(work()).addCallbacks(status.append, failed).addBoth(lambda _: reactor.stop())

    def failed(failure: Any) -> None:
        failure.trap(ConfigError)
        _warn(str(failure.value))
        status.append(2)

    reactor.callWhenRunning(begin)
    reactor.run()
    return status[0] if status else FAULT_STATUS


async def _serve(service: MailTunnel, reactor: Any) -> int:
    """Serve until a signal says stop."""
    stop: Deferred[None] = Deferred()
    take_signals(reactor, partial(_once, stop), service.reload)
    await service.serve()
    _say("ready")
    await stop
    await service.end()
    return 0


def _once(stop: "Deferred[None]") -> None:
    if not stop.called:
        stop.callback(None)


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201  (what the administrator asked for)


def _warn(line: str) -> None:
    print(f"mailaccess: {line}", file=sys.stderr)  # noqa: T201
