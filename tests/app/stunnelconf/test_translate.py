"""What becomes of each option that is understood."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mailaccess.app.stunnelconf.conf import StunnelConf
from mailaccess.app.stunnelconf.options import SERVICE, Fate
from mailaccess.app.tunnel_table import TunnelTable
from mailaccess.errors import ConfigError

Conf = Callable[[str], StunnelConf]

SERVER = "[pop3s]\naccept = 995\nconnect = 110\ncert = mail.pem\n"
CLIENT = "[pop3]\nclient = yes\naccept = 127.0.0.1:110\nconnect = pop.example.org:995\n"
VERIFIED = "verifyChain = yes\nCAfile = ca.pem\n"

IN_A_SERVER: list[tuple[str, dict[str, Any]]] = [
    ("accept =\naccept = pop3s", {"accept": "0.0.0.0:995"}),
    ("accept =\naccept = mail.example.org:pop3s", {"accept": "mail.example.org:995"}),
    ("accept =\naccept = /run/pop3s.sock", {"accept": "unix:/run/pop3s.sock"}),
    (
        "connect = mail.example.org:110\nfailover = rr",
        {"connect": ("110", "mail.example.org:110"), "balance": "round-robin"},
    ),
    ("connect = ::1:110\nfailover = prio", {"connect": ("110", "[::1]:110"), "balance": "priority"}),
    ("connect = 110", {"connect": ("110",)}),
    ("failover = rr\ndelay = yes", {"balance": "priority"}),
    ("client = no", {"client": False}),
    ("key = mail.key", {"certificate": "mail.pem", "private_key": "mail.key"}),
    ("CERT = other.pem", {"certificate": "other.pem"}),
    (
        "cert =\nkey = mail.key\nPSKsecrets = keys.txt\nPSKidentity = me",
        {"psk": "keys.txt", "psk_identity": "", "private_key": "", "verify": ""},
    ),
    (f"{VERIFIED}", {"verify": "chain", "ca": "ca.pem", "host": ()}),
    ("verifyPeer = yes\nCApath = /etc/peers", {"verify": "peer", "ca": "/etc/peers"}),
    ("verifyPeer = yes\nverifyChain = yes\nCAfile = ca.pem", {"verify": "peer"}),
    (f"{VERIFIED}CApath = /etc/ca\nCAfile =", {"verify": "chain", "ca": "/etc/ca"}),
    ("requireCert = no\nverifyChain = yes\nCAfile = ca.pem", {"verify": "chain"}),
    ("verify = 0", {"verify": "none"}),
    ("verify = 2\nCAfile = ca.pem", {"verify": "chain"}),
    ("verify = 3\nCAfile = ca.pem", {"verify": "peer"}),
    ("verify = 4\nCAfile = ca.pem", {"verify": "peer"}),
    ("verify = 2\nverifyChain = no", {"verify": "none", "ca": ""}),
    (f"{VERIFIED}redirect = 80\nredirect = [::1]:81", {"redirect": ("80", "[::1]:81")}),
    (f"{VERIFIED}requireCert = no\nredirect = 80", {"verify": "chain", "redirect": ("80",)}),
    (
        "connect =\nexec = /usr/sbin/popa3d",
        {"exec": ("/usr/sbin/popa3d",), "exec_file": "", "inetd": True, "pty": False},
    ),
    ("connect =\nexec = /opt/my pop", {"exec": ("'/opt/my pop'",)}),
    ("connect =\nexec = /bin/sh\nexecArgs = -sh   -i", {"exec": ("-sh", "-i"), "exec_file": "/bin/sh"}),
    ("connect =\nexec = /bin/sh\nexecArgs = -sh\npty = yes", {"exec": ("-sh",), "inetd": False, "pty": True}),
    ("local = 192.0.2.1", {"source": "192.0.2.1"}),
    ("protocol = imap", {"protocol": "imap", "starttls": True}),
    ("protocol = POP3", {"protocol": "pop3", "starttls": True}),
    ("protocol = smtp", {"protocol": "smtp", "starttls": True}),
    ("protocol = pgsql", {"protocol": "postgresql", "starttls": True}),
    ("protocol = proxy", {"protocol": "", "starttls": False, "proxy_send": "v1"}),
    ("ciphers = ECDHE+AESGCM", {"ciphers": "ECDHE+AESGCM"}),
    ("ciphersuites = TLS_AES_128_GCM_SHA256", {"ciphersuites": "TLS_AES_128_GCM_SHA256"}),
    ("curves = X25519:P-256", {"groups": "X25519:P-256"}),
    ("sslVersion = TLSv1.3", {"tls_minimum": "1.3", "tls_maximum": "1.3"}),
    ("sslVersion = all", {"tls_minimum": "", "tls_maximum": ""}),
    ("sslVersion = TLSv1.2\nsslVersionMax = TLSv1.3", {"tls_minimum": "1.2", "tls_maximum": "1.3"}),
    ("sslVersionMin = TLSv1.1", {"tls_minimum": ""}),
    ("options = NO_TLSv1_2", {"tls_minimum": "1.3"}),
    ("options = NO_TLSv1_3\noptions = NO_SSLv3", {"tls_maximum": "1.2"}),
    ("options = NO_TLSv1_3\noptions = -NO_TLSv1_3", {"tls_maximum": ""}),
    ("TIMEOUTbusy = 20", {"handshake_timeout_seconds": 20.0}),
    ("TIMEOUTclose = 0", {"close_timeout_seconds": 0.0}),
    ("TIMEOUTconnect = 5", {"connect_timeout_seconds": 5.0}),
    ("TIMEOUTidle = 86400", {"idle_timeout_seconds": 86400.0}),
    ("TIMEOUTidle = 172800", {"idle_timeout_seconds": 86400.0}),
    ("setuid = nobody\nsetgid = nogroup", {}),
    ("socket = l:TCP_NODELAY=1\nsocket = a:SO_REUSEADDR=yes", {}),
    ("retry = no", {}),
]

IN_A_CLIENT: list[tuple[str, dict[str, Any]]] = [
    ("", {"client": True, "verify": "none", "server_name": "", "certificate": ""}),
    (f"{VERIFIED}checkHost = a.example\ncheckHost = b.example", {"verify": "full", "host": ("a.example", "b.example")}),
    (f"{VERIFIED}checkIP = 192.0.2.1", {"verify": "full", "host": ("192.0.2.1",)}),
    ("verifyPeer = yes\nCAfile = server.pem\ncheckHost = a.example", {"verify": "peer", "host": ("a.example",)}),
    ("verify = 1\nCAfile = ca.pem", {"verify": "chain"}),
    ("sni = mail.example.org", {"server_name": "mail.example.org"}),
    ("PSKsecrets = keys.txt\nPSKidentity = me", {"psk": "keys.txt", "psk_identity": "me"}),
    ("PSKidentity = me\nPSKsecrets = keys.txt\nCAfile = ca.pem", {"verify": "", "ca": ""}),
    ("PSKidentity = me", {"psk_identity": ""}),
    ("cert = me.pem", {"certificate": "me.pem", "private_key": ""}),
    ("protocol = ldap", {"protocol": "ldap", "starttls": True}),
    ("protocol = nntp", {"protocol": "nntp", "starttls": True}),
    (
        "protocol = connect\nconnect =\nconnect = proxy:8080\nprotocolHost = pop.example.org:995",
        {"via": "http://proxy:8080", "connect": ("pop.example.org:995",), "protocol": ""},
    ),
    (
        "protocol = connect\nconnect =\nconnect = 8080\nprotocolHost = ::1:995\nprotocolAuthentication = BASIC\n"
        "protocolUsername = j/@e\nprotocolPassword = a:b/ c",
        {"via": "http://j%2F%40e:a%3Ab%2F%20c@localhost:8080", "connect": ("[::1]:995",)},
    ),
]


def with_lines(base: str, lines: str) -> str:
    """``base`` with more lines; ``NAME =`` without a value takes that line out of it."""
    for name in re.findall(r"(?m)^(\w+) =$", lines):
        if f"\n{name} = " in base:
            base = re.sub(rf"(?m)^{name} = .*\n", "", base)
            lines = lines.replace(f"{name} =\n", "")
    return f"{base}{lines}\n"


@pytest.mark.parametrize(
    ("base", "lines", "keys"),
    [(SERVER, *example) for example in IN_A_SERVER] + [(CLIENT, *example) for example in IN_A_CLIENT],
)
def test_an_option_becomes_a_key(conf: Conf, base: str, lines: str, keys: dict[str, Any]) -> None:
    (tunnel,) = conf(with_lines(base, lines)).tunnels
    assert {key: getattr(tunnel, key) for key in keys} == keys


def test_every_option_that_is_understood_has_an_example() -> None:
    examples = " ".join([SERVER, CLIENT, VERIFIED, *(lines for lines, _ in IN_A_SERVER + IN_A_CLIENT)])
    understood = {option.name for option in SERVICE if option.fate is Fate.UNDERSTOOD}
    assert {name for name in understood if not re.search(rf"\b{name} =", examples)} == {"include"}  # test_lines.py


def test_what_no_line_says_has_our_own_default(conf: Conf) -> None:
    (tunnel,) = conf(SERVER).tunnels
    ours = TunnelTable(name="pop3s", accept="0.0.0.0:995", connect=("110",), certificate="mail.pem")
    different = {
        key: getattr(tunnel, key) for key in TunnelTable.__slots__ if getattr(tunnel, key) != getattr(ours, key)
    }
    as_in_stunnel = {"verify": "none", "balance": "priority", "connections_per_address": ours.connections}
    assert different == as_in_stunnel


@pytest.mark.parametrize(
    ("base", "lines", "notice"),
    [
        (CLIENT, "", "stunnel.conf:1: [pop3]: nothing verifies the server: add verifyChain and checkHost"),
        (CLIENT, VERIFIED, "stunnel.conf:1: [pop3]: any certificate of the CA is taken for the server: add checkHost"),
        (SERVER, "TIMEOUTidle = 172800", "stunnel.conf:5: [pop3s]: TIMEOUTidle = 172800 is 86400 here, a day"),
        (SERVER, "sslVersionMin = TLSv1", "stunnel.conf:5: [pop3s]: TLSv1 is not spoken: TLS 1.2 is the lowest"),
        (
            CLIENT,
            f"{VERIFIED}checkHost = a.example\naccept = 1",
            "stunnel.conf:8: [pop3]: accept = 1 takes clear text from every machine: 127.0.0.1:PORT takes it from this",
        ),
    ],
)
def test_what_should_not_be_so_brings_a_notice(conf: Conf, base: str, lines: str, notice: str) -> None:
    assert conf(base + lines).notices == (notice,)


@pytest.mark.parametrize("lines", ["verifyPeer = yes\nCAfile = server.pem", "PSKsecrets = keys.txt"])
def test_who_is_proved_in_another_way_brings_no_notice(conf: Conf, lines: str) -> None:
    assert conf(CLIENT + lines).notices == ()


@pytest.mark.parametrize(
    "line",
    [
        "options = CIPHER_SERVER_PREFERENCE",
        "options = -CIPHER_SERVER_PREFERENCE",
        "socket = r:SO_KEEPALIVE=1",
        "retry = yes",
        "setuid = nobody",
        "setgid = nogroup",
        "retry = 5000",
        "CAfile = ca.pem",
        "protocolHost = mail.example.org",
        "protocolUsername = joe",
    ],
)
def test_what_changes_nothing_here_is_ignored_with_its_line(conf: Conf, line: str) -> None:
    assert [text.partition(" is ignored")[0] for text in conf(f"{SERVER}{line}\n").ignored] == [
        f"stunnel.conf:5: {line}"
    ]


def test_a_password_is_not_repeated(conf: Conf) -> None:
    (line,) = conf(f"{SERVER}protocolPassword = secret\n").ignored
    assert "secret" not in line
    with pytest.raises(ConfigError) as refusal:
        conf(f"{CLIENT}protocol = smtp\nprotocolPassword = secret\n")
    assert "secret" not in str(refusal.value)


REFUSED_IN_A_SERVER = [
    ("PSKsecrets = keys.txt", "either cert or PSKsecrets"),
    (f"cert =\n{VERIFIED}PSKsecrets = keys.txt", "either PSKsecrets or certificates"),
    ("ciphers =", "a value is needed"),
    ("accept = nonsense", "[HOST:]PORT"),
    ("accept = 65536", "[HOST:]PORT"),
    ("accept = a b:995", "[HOST:]PORT"),
    ("connect = :x", "[HOST:]PORT"),
    ("failover = best", "rr and prio"),
    ("delay = maybe", "yes or no"),
    ("client = 1", "yes or no"),
    ("verifyChain = true", "yes or no"),
    ("verifyChain = yes", "CAfile or CApath"),
    ("verifyPeer = yes\nCAfile = a\nCApath = b", "either CAfile or CApath"),
    (f"{VERIFIED}requireCert = no", "redirect is for the others"),
    ("verify = 1\nCAfile = ca.pem", "redirect is for the others"),
    ("verify = 5", "0 to 4"),
    ("checkHost = a.example", "not looked at"),
    ("checkIP = 192.0.2.1", "not looked at"),
    ("redirect = 80", "verifyChain or verifyPeer"),
    ("protocol = ldap", "possible in a server"),
    ("protocol = connect", "possible in a server"),
    ("protocol = socks", "no SOCKS server"),
    ("protocol = cifs", "possible in a server"),
    ("cert = pkcs11:token=a", "PEM files alone"),
    ("key = pkcs11:token=a", "PEM files alone"),
    ("sslVersion = TLSv1", "not spoken"),
    ("sslVersionMax = TLSv1.1", "not spoken"),
    ("sslVersionMin = TLSv2", "not spoken"),
    ("options = NO_TLSv1_2\noptions = NO_TLSv1_3", "must be left"),
    ("sslVersionMin = TLSv1.3\nsslVersionMax = TLSv1.2", "must be left"),
    ("options = -NO_SSLv3", "docs/stunnel.md"),
    ("options = LEGACY_SERVER_CONNECT", "docs/stunnel.md"),
    ("socket = TCP_NODELAY=1", "a:, l: or r:"),
    ("socket = l:TCP_NODELAY=0", "always on"),
    ("socket = a:IPV6_V6ONLY=maybe", "yes or no"),
    ("socket = a:SO_BINDTODEVICE=lo", "docs/stunnel.md"),
    ("TIMEOUTidle = 0", "at least 1"),
    ("TIMEOUTidle = 99999999999", "a number of seconds"),
    ("TIMEOUTclose = -1", "a number of seconds"),
    ("TIMEOUTbusy = 1.5", "a number of seconds"),
    ("TIMEOUTconnect = ١", "a number of seconds"),
    ("accept =\naccept = /run/pop3s.sock\nsetuid = nobody", "a Unix socket belongs to"),
    ("accept = /run/pop3s.sock\nsetgid = mail", "a Unix socket belongs to"),
    ("local = localhost", "an address"),
    ("retry = soon", "milliseconds"),
]

REFUSED_IN_A_CLIENT = [
    ("checkHost = a.example", "verifyChain = yes"),
    ("redirect = 80", "a server"),
    ("sni =", "a value is needed"),
    ("protocol = proxy", "possible in a client"),
    ("protocol = connect", "protocolHost"),
    ("protocol = connect\nprotocolHost = 995", "HOST:PORT"),
    ("protocol = connect\nprotocolHost = a:b:c", "[HOST:]PORT"),
    ("protocol = connect\nprotocolHost = a:1\nconnect = b:2", "one connect"),
    ("protocol = connect\nprotocolHost = a:1\nconnect =\nconnect = /run/proxy", "a proxy"),
    ("protocol = connect\nprotocolHost = a:1\nconnect =\nconnect = a:", "[HOST:]PORT"),
    ("protocol = connect\nprotocolHost = a:1\nprotocolAuthentication = ntlm", "basic"),
    ("protocol = smtp\nprotocolUsername = joe", "themselves"),
    ("protocol = smtp\nprotocolAuthentication = login", "themselves"),
]


@pytest.mark.parametrize(
    ("base", "lines", "words"),
    [(SERVER, *example) for example in REFUSED_IN_A_SERVER] + [(CLIENT, *example) for example in REFUSED_IN_A_CLIENT],
)
def test_what_is_not_possible_is_refused(conf: Conf, base: str, lines: str, words: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(words)) as refusal:
        conf(with_lines(base, lines))
    assert re.match(r"stunnel\.conf:[0-9]+: ", refusal.value.key)


def test_paths_are_relative_to_the_working_directory(conf: Conf, tmp_path: Path) -> None:
    assert conf(SERVER).tunnels[0].certificate == "mail.pem"
