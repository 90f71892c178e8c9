"""The options of ``mailaccess tunnel`` are the keys of a tunnel, and stunnel 3's letters are some of them."""

import argparse
import dataclasses
from typing import Any

import pytest

from mailaccess.app.config import read_table
from mailaccess.app.tunnel_options import add_options, table_of
from mailaccess.app.tunnel_table import TunnelTable
from mailaccess.errors import ConfigError

KEYS = [entry for entry in dataclasses.fields(TunnelTable) if entry.name != "sni"]


def parse(*words: str) -> TunnelTable | None:
    parser = argparse.ArgumentParser(exit_on_error=False)
    add_options(parser)
    return table_of(parser.parse_args(words))


def table(**keys: Any) -> TunnelTable:
    return read_table(TunnelTable, keys, "tunnel")


def example(entry: "dataclasses.Field[Any]") -> tuple[list[str], Any]:
    """An option's words, and what becomes of the key."""
    option = f"--{entry.name.replace('_', '-')}"
    default = getattr(TunnelTable(), entry.name)
    if isinstance(default, bool):
        return [option], True
    if isinstance(default, tuple):
        return [option, "one", option, "two"], ("one", "two")
    if isinstance(default, float):
        return [option, "2.5"], 2.5
    if isinstance(default, int):
        return [option, "7"], 7
    choice = entry.metadata["choices"][-1] if entry.metadata["choices"] else "text"
    return [option, choice], choice


@pytest.mark.parametrize("entry", KEYS, ids=lambda entry: entry.name)
def test_every_key_is_an_option(entry: "dataclasses.Field[Any]") -> None:
    words, value = example(entry)
    parsed = parse(*words)
    assert parsed is not None
    assert getattr(parsed, entry.name) == value
    assert dataclasses.replace(parsed, **{entry.name: getattr(TunnelTable(), entry.name)}) == TunnelTable()


def test_every_option_has_words(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse("--help")
    said = " ".join(capsys.readouterr().out.split())
    for entry in KEYS:
        assert f"--{entry.name.replace('_', '-')}" in said
        assert entry.metadata["words"]


def test_where_nothing_is_given_there_is_no_tunnel() -> None:
    assert parse() is None
    assert parse("-f") is None


@pytest.mark.parametrize(
    ("words", "keys"),
    [
        ("-d pop3s -l popa3d", {"accept": "pop3s", "exec": "popa3d"}),
        ("-d pop3s -l /usr/sbin/popa3d -- popa3d -x", {"accept": "pop3s", "exec": ("/usr/sbin/popa3d", "-x")}),
        ("-d pop3s -l popa3d -- popa3d", {"accept": "pop3s", "exec": "popa3d"}),
        ("-d pop3s -l popa3d -- -x", {"accept": "pop3s", "exec": ("popa3d", "-x")}),
        ("-d pop3s -r localhost:imap", {"accept": "pop3s", "connect": "localhost:imap"}),
        ("-d 995 -r a:110 -r b:110", {"accept": "995", "connect": ("a:110", "b:110")}),
        ("-c -d 1430 -r mail:imaps", {"client": True, "accept": "1430", "connect": "mail:imaps"}),
        (
            "-f -d pop3s -r 110 -p /etc/stunnel.pem",
            {"accept": "pop3s", "connect": "110", "certificate": "/etc/stunnel.pem"},
        ),
        ("-d 1 -r 2 -v 2 -A ca.pem", {"accept": "1", "connect": "2", "verify": "chain", "ca": "ca.pem"}),
        ("-d 1 -r 2 -v 0", {"accept": "1", "connect": "2", "verify": "none"}),
        ("-c -d 1 -r 2 -v 1", {"client": True, "accept": "1", "connect": "2", "verify": "chain"}),
        ("-d 1 -r 2 -v 3", {"accept": "1", "connect": "2", "verify": "peer"}),
        ("-d 1 -r 2 -v 2 --verify peer", {"accept": "1", "connect": "2", "verify": "peer"}),
        (
            "-n smtp -N name -I 127.0.0.2 -r 25",
            {"protocol": "smtp", "starttls": True, "name": "name", "source": "127.0.0.2", "connect": "25"},
        ),
    ],
)
def test_the_letters_of_stunnel_3(words: str, keys: dict[str, Any]) -> None:
    assert parse(*words.split()) == table(**keys)


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ("--retries many", "--retries: 'many' is not possible: a whole number is expected"),
        ("-d 1 -r 2 -v 1", "-v: '1' is not possible: a client without a certificate would be let in"),
        ("--retries 1.5", "--retries: '1.5' is not possible: a whole number is expected"),
        ("--retries=-1", "--retries: '-1' is not possible: a number from 0 on is allowed"),
        ("--health-seconds soon", "--health-seconds: 'soon' is not possible: a number of seconds is expected"),
        ("--idle-timeout-seconds 86401", "--idle-timeout-seconds: '86401.0' is not possible: 0 to 86400 seconds"),
        ("--idle-timeout-seconds nan", "--idle-timeout-seconds: 'nan' is not possible: 0 to 86400 seconds"),
        ("--connect-timeout-seconds=-inf", "--connect-timeout-seconds: '-inf' is not possible"),
        ("--verify perhaps", "--verify: 'perhaps' is not possible: one of none chain full peer is allowed"),
        ("--tls-minimum 1.0", "--tls-minimum: '1.0' is not possible: one of 1.2 1.3 is allowed"),
        ("--balance coin", "--balance: 'coin' is not possible: one of round-robin priority least-connections"),
        ("--proxy-send v3", "--proxy-send: 'v3' is not possible: one of v1 v2 is allowed"),
        ("-n gopher", "--protocol: 'gopher' is not possible: one of none imap pop3 smtp nntp ldap postgresql"),
        ("-d pop3s -r 110 -- popa3d", "--exec: 'popa3d' is not possible: these arguments belong to no program"),
        ("-d pop3s stray", "--exec: 'stray' is not possible: these arguments belong to no program"),
    ],
)
def test_what_is_not_possible_is_said_in_one_line_with_the_options_name(words: str, line: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse(*words.split())
    assert str(caught.value).startswith(line)
    assert "\n" not in str(caught.value)
