"""Where keys come from."""

import dataclasses
from collections.abc import Callable

import pytest

from mailaccess.app.stunnelconf.conf import StunnelConf
from mailaccess.app.stunnelconf.options import SERVICE, Fate
from mailaccess.app.stunnelconf.origins import OPTIONS
from mailaccess.app.tunnel_table import TunnelTable

Conf = Callable[[str], StunnelConf]

TEXT = """\
cert = mail.pem
[one]
accept = 995
accept = :::995
connect = 110
Ciphers = HIGH
verifyPeer = yes
CAfile = ca.pem
[two]
accept = 993
cert = imap.pem
key = imap.key
connect = 143
"""


@pytest.mark.parametrize(
    ("tunnel", "key", "origin"),
    [
        (0, "certificate", "stunnel.conf:1: cert"),
        (0, "private_key", "stunnel.conf:1: cert"),
        (0, "ciphers", "stunnel.conf:6: Ciphers"),
        (1, "ca", "stunnel.conf:8: CAfile"),
        (0, "groups", "stunnel.conf: [one]: groups"),
        (2, "certificate", "stunnel.conf:11: cert"),
        (2, "private_key", "stunnel.conf:12: key"),
    ],
)
def test_a_key_comes_from_a_line(conf: Conf, tunnel: int, key: str, origin: str) -> None:
    read = conf(TEXT)
    assert read.origin(read.tunnels[tunnel], key) == origin


def test_a_tunnel_of_somebody_else_has_its_name(conf: Conf) -> None:
    assert conf(TEXT).origin(TunnelTable(name="x"), "ca") == "stunnel.conf: [x]: ca"


def test_keys_are_ours_and_options_are_stunnel_s() -> None:
    assert set(OPTIONS) <= {key.name for key in dataclasses.fields(TunnelTable)}
    understood = {option.name for option in SERVICE if option.fate is Fate.UNDERSTOOD}
    assert {option for options in OPTIONS.values() for option in options} <= understood
