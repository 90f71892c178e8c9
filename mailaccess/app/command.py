"""The administrator's command: ``mailaccess user …``, ``mailaccess config …`` and ``mailaccess inetd …``.

Exit status: 0 done; 1 refused, with one line; 2 wrong usage or configuration, with one line.
"""

import argparse
import getpass
import json
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NoReturn

import mailaccess
from mailaccess.app.checks import check, defaults_in_force
from mailaccess.app.config import Configuration, Setting, load
from mailaccess.app.descriptors import Standard, take_standard
from mailaccess.app.options import USAGE_STATUS, ServerOptions
from mailaccess.app.places import RESERVED, users_file
from mailaccess.auth.credentials import BadCredential, password_octets
from mailaccess.auth.passwdfile_edit import EditRefused, UsersFile
from mailaccess.auth.passwords import generate
from mailaccess.auth.schemes import hash_password
from mailaccess.errors import ConfigError, OperatorFault

REFUSED_STATUS = 1
INTERRUPTED_STATUS = 130  # as a shell says of SIGINT


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit status."""
    arguments = sys.argv[1:] if arguments is None else arguments
    if arguments[:1] == ["inetd"]:  # by itself: what is printed here would be read by its client
        from mailaccess.app.inetd import main as inetd  # noqa: PLC0415

        return inetd(arguments[1:])
    parser = _parser(tunnel=arguments[:1] == ["tunnel"])
    given, rest = parser.parse_known_args(arguments)
    if rest and not given.takes_server_options:
        raise SystemExit(_say(f"{rest[0]!r} is not an option of {given.name}; see {given.name} --help", USAGE_STATUS))
    try:
        status: int | None = given.run(given, rest)
        sys.stdout.flush()
    except BrokenPipeError:  # a reader that has enough, such as head
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return _say("interrupted", INTERRUPTED_STATUS)
    except EOFError:
        return _say("there is no terminal to ask for a password; --stdin reads it from a pipe", REFUSED_STATUS)
    except ConfigError as error:
        return _say(str(error), USAGE_STATUS)
    except (EditRefused, BadCredential, OperatorFault) as error:
        return _say(str(error), REFUSED_STATUS)
    return status or 0


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line."""

    def error(self, message: str) -> NoReturn:
        raise SystemExit(_say(f"{message}; see {self.prog} --help", USAGE_STATUS))


def _parser(*, tunnel: bool) -> argparse.ArgumentParser:
    parser = _Parser("mailaccess", description="Look after a mailaccess server.")
    parser.add_argument("--version", action="version", version=mailaccess.__version__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND", parser_class=_Parser)
    _user(commands.add_parser("user", help="the users file: add, passwd, list, delete"))
    _config(commands.add_parser("config", help="the configuration: check, show"))
    commands.add_parser("inetd", help="serve the connection at descriptor 0")  # for the list: main goes there itself
    around = commands.add_parser("tunnel", help="TLS around any service, both ways")
    if tunnel:  # it brings TLS and the reactor with it
        from mailaccess.app import tunnel_command  # noqa: PLC0415

        tunnel_command.arrange(around, _standard())
        _leaf(around, tunnel_command.run)
    return parser


def _standard() -> Standard:
    """What is at the standard descriptors; where that is a client, it reads nothing that is printed."""
    standard = take_standard()
    if standard.stderr_was_given:
        from mailaccess.app.syslog import SyslogText  # noqa: PLC0415

        sys.stderr = SyslogText()
    return standard


def _leaf(
    parser: argparse.ArgumentParser, run: Callable[..., int | None], *, takes_server_options: bool = False
) -> None:
    parser.set_defaults(run=run, name=parser.prog, takes_server_options=takes_server_options)


# -- user


def _user(parser: argparse.ArgumentParser) -> None:
    where = _Parser(add_help=False)
    where.add_argument("--users", metavar="FILE", default=argparse.SUPPRESS, help="the users file")
    where.add_argument("--maildir", metavar="DIR", default=argparse.SUPPRESS, help="the server's --maildir: DIR/users")
    where.add_argument("--config", metavar="FILE.toml", default=argparse.SUPPRESS, help="the server's --config")
    for name in ("users", "maildir", "config"):
        parser.add_argument(f"--{name}", help=argparse.SUPPRESS)
    verbs = parser.add_subparsers(required=True, metavar="VERB", parser_class=_Parser)
    for verb, run, words in (
        ("add", _add, "add a user, asking for the password"),
        ("passwd", _passwd, "give a user another password"),
    ):
        one = verbs.add_parser(verb, help=words, parents=[where])
        one.add_argument("user", metavar="NAME")
        how = one.add_mutually_exclusive_group()
        how.add_argument("--stdin", action="store_true", help="read the password from standard input")
        how.add_argument("--generate", action="store_true", help="make one, and print it")
        _leaf(one, run)
    listing = verbs.add_parser("list", help="print the users", parents=[where])
    listing.add_argument("--json", action="store_true", help="as JSON")
    _leaf(listing, _list)
    deletion = verbs.add_parser("delete", help="take a user out; his mail stays", parents=[where])
    deletion.add_argument("user", metavar="NAME")
    _leaf(deletion, _delete)


def _file(given: argparse.Namespace) -> UsersFile:
    keys = {key: value for key in ("users", "maildir") if (value := getattr(given, key)) is not None}
    if not keys and given.config is None:
        raise ConfigError("--users", "", "say which users file: --users FILE, or the server's --maildir or --config")
    return UsersFile(users_file(load(given.config, keys).values), hash_password)


def _add(given: argparse.Namespace, rest: Sequence[str]) -> None:
    if given.user in RESERVED:
        raise EditRefused(f"{given.user} is the name of a file of the server")
    _set_password(given, _file(given).add)


def _passwd(given: argparse.Namespace, rest: Sequence[str]) -> None:
    _set_password(given, _file(given).passwd)


def _list(given: argparse.Namespace, rest: Sequence[str]) -> None:
    users = _file(given).list()
    _print([json.dumps(users, ensure_ascii=False)] if given.json else users)


def _delete(given: argparse.Namespace, rest: Sequence[str]) -> None:
    _file(given).delete(given.user)


def _set_password(given: argparse.Namespace, store: Callable[[str, bytes], None]) -> None:
    if not given.generate:
        store(given.user, password_octets(_password(given)))
        return
    made = generate()
    store(given.user, made.encode())
    _print([made])


def _password(given: argparse.Namespace) -> str:
    """The password, read from a pipe (one line), or asked for twice. ``EditRefused`` where the two differ."""
    if given.stdin:
        return sys.stdin.readline().rstrip("\r\n")
    first = getpass.getpass(f"Password for {given.user}: ")
    if getpass.getpass("Again: ") != first:
        raise EditRefused("The two passwords differ")
    return first


# -- config


def _config(parser: argparse.ArgumentParser) -> None:
    verbs = parser.add_subparsers(required=True, metavar="VERB", parser_class=_Parser)
    check = verbs.add_parser("check", help="read it, and say what is wrong", epilog=_SERVER_OPTIONS)
    _leaf(check, _check, takes_server_options=True)
    show = verbs.add_parser("show", help="print what is in force, and where it came from", epilog=_SERVER_OPTIONS)
    show.add_argument("--json", action="store_true", help="as JSON")
    _leaf(show, _show, takes_server_options=True)


_SERVER_OPTIONS = "Every option of the server is understood: --config FILE.toml, --maildir DIR, …"


def _check(given: argparse.Namespace, rest: Sequence[str]) -> None:
    config, _ = _loaded(rest)
    check(config)
    if config.tunnel:
        _check_tunnels(config)
    _print(["the configuration is good"])


def _check_tunnels(config: Configuration) -> None:
    from mailaccess.app.tunnels import MailTunnel  # noqa: PLC0415  (it brings TLS and the reactor with it)

    with TemporaryDirectory() as state:  # the server's own certificate is not made for a check
        MailTunnel(config.tunnel, state=Path(state))


def _show(given: argparse.Namespace, rest: Sequence[str]) -> None:
    config, settings = _loaded(rest)
    in_force = defaults_in_force(config)
    settings = [replace(s, value=in_force.get(s.key, s.value)) for s in settings]
    if given.json:
        _print([json.dumps([asdict(setting) for setting in settings], ensure_ascii=False, indent=1)])
        return
    width = max(len(setting.key) for setting in settings)
    _print(f"{s.key:{width}} = {json.dumps(s.value, ensure_ascii=False)}  # {s.source}" for s in settings)


def _loaded(rest: Sequence[str]) -> tuple[Configuration, list[Setting]]:
    options = ServerOptions()
    options.parseOptions(list(rest))
    return options.loaded.values, list(options.loaded.settings())


# -- words


def _print(lines: Iterable[str]) -> None:
    for line in lines:
        print(line)  # noqa: T201  (what the administrator asked for)


def _say(line: str, status: int) -> int:
    print(f"mailaccess: {line}", file=sys.stderr)  # noqa: T201  (one line that says what is wrong)
    return status


if __name__ == "__main__":
    sys.exit(main())
