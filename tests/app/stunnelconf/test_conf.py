"""Whole files."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailaccess.app.stunnelconf.conf import StunnelConf, read
from mailaccess.app.stunnelconf.options import GLOBAL, SERVICE
from mailaccess.app.tunnel_table import TunnelTable
from mailaccess.errors import ConfigError

Conf = Callable[[str], StunnelConf]

SAMPLE = Path("/usr/share/doc/stunnel4/examples/stunnel.conf-sample")


def test_the_server_of_the_manual(conf: Conf) -> None:
    read = conf("""\
        [imapd]
        accept = 993
        exec = /usr/sbin/imapd
        execArgs = imapd -x
        cert = mail.pem
        """)
    assert read.tunnels == (
        TunnelTable(
            name="imapd",
            accept="0.0.0.0:993",
            exec=("imapd", "-x"),
            exec_file="/usr/sbin/imapd",
            inetd=True,
            certificate="mail.pem",
            verify="none",
            balance="priority",
            connections_per_address=10_000,
        ),
    )
    assert not read.inetd
    assert read.notices == ()


def test_a_client_that_verifies_has_no_notice(conf: Conf) -> None:
    read = conf("""\
        [imap]
        client = yes
        accept = 127.0.0.1:143
        connect = imap.example.org:993
        verifyChain = yes
        CAfile = ca.pem
        checkHost = imap.example.org
        """)
    (tunnel,) = read.tunnels
    assert tunnel.client
    assert (tunnel.verify, tunnel.ca, tunnel.host) == ("full", "ca.pem", ("imap.example.org",))
    assert read.notices == ()


def test_what_stands_before_the_first_section_is_a_default(conf: Conf) -> None:
    read = conf("""\
        cert = mail.pem
        TIMEOUTidle = 60
        [pop3s]
        accept = 995
        connect = 110
        [imaps]
        accept = 993
        connect = 143
        cert = imap.pem
        """)
    assert [tunnel.certificate for tunnel in read.tunnels] == ["mail.pem", "imap.pem"]
    assert [tunnel.idle_timeout_seconds for tunnel in read.tunnels] == [60.0, 60.0]


def test_what_the_process_does_is_told_apart_from_tunnels(conf: Conf) -> None:
    read = conf("""\
        setuid = stunnel4
        setgid = mail
        pid = /run/tunnel.pid
        debug = 7
        foreground = no
        [pop3s]
        accept = 995
        connect = 110
        cert = mail.pem
        """)
    assert (read.user, read.group, read.pid_file) == ("stunnel4", "mail", "/run/tunnel.pid")
    assert [line.split(" is ignored: ")[0] for line in read.ignored] == [
        "stunnel.conf:4: debug = 7",
        "stunnel.conf:5: foreground = no",
    ]


def test_a_file_without_sections_serves_one_connection(conf: Conf) -> None:
    read = conf("""\
        exec = /usr/sbin/imapd
        cert = mail.pem
        """)
    assert read.inetd
    assert [(tunnel.accept, tunnel.exec) for tunnel in read.tunnels] == [("", ("/usr/sbin/imapd",))]


def test_each_address_is_a_tunnel(conf: Conf) -> None:
    read = conf("""\
        [pop3s]
        accept = 995
        accept = :::995
        connect = 110
        cert = mail.pem
        """)
    assert [tunnel.accept for tunnel in read.tunnels] == ["0.0.0.0:995", "[::]:995"]


def test_all_ipv6_addresses_are_all_of_both_kinds(conf: Conf) -> None:
    everywhere = "[pop3s]\naccept = :::995\nconnect = 110\ncert = mail.pem\n"
    assert conf(everywhere).tunnels[0].accept == "995"
    assert conf(f"{everywhere}socket = a:IPV6_V6ONLY=yes\n").tunnels[0].accept == "[::]:995"
    assert conf(f"{everywhere}socket = a:IPV6_V6ONLY=1\nsocket = a:IPV6_V6ONLY=0\n").tunnels[0].accept == "995"


def test_a_name_of_another_section_is_a_route(conf: Conf) -> None:
    read = conf("""\
        [virtual]
        accept = 443
        cert = default.pem
        connect = default.example.org:8080
        [one]
        sni = virtual:one.example.org
        sni = virtual:*.one.example.org
        cert = one.pem
        key = one.key
        connect = one.internal:8081
        """)
    (tunnel,) = read.tunnels
    assert [(route.name, route.connect, route.certificate, route.private_key) for route in tunnel.sni] == [
        ("one.example.org", ("one.internal:8081",), "one.pem", "one.key"),
        ("*.one.example.org", ("one.internal:8081",), "one.pem", "one.key"),
    ]


def test_of_two_sections_with_one_name_the_first_has_the_routes(conf: Conf) -> None:
    read = conf("""\
        cert = a.pem
        connect = 80
        [a]
        accept = 443
        [a]
        accept = 444
        [b]
        sni = a:b.example.org
        """)
    assert [len(tunnel.sni) for tunnel in read.tunnels] == [1, 0]


@pytest.mark.parametrize(
    ("option", "names"),
    [("verifyPeer = yes\nCAfile = ca.pem", "ca, verify"), ("TIMEOUTidle = 5", "idle_timeout_seconds")],
)
def test_a_route_that_differs_in_more_is_refused(conf: Conf, option: str, names: str) -> None:
    text = f"[a]\naccept = 443\ncert = a.pem\nconnect = 80\n[b]\nsni = a:b.example\nconnect = 81\n{option}\n"
    with pytest.raises(ConfigError, match=re.escape(f"differs from [a] in {names}")) as refusal:
        conf(text)
    assert refusal.value.key == "stunnel.conf:6: sni"


@pytest.mark.parametrize("value", ["b.example", "c:b.example", "client:b.example", "a:", "a:*", "a:*b.example", "b:x"])
def test_a_route_of_no_section_or_no_name_is_refused(conf: Conf, value: str) -> None:
    text = (
        "[a]\naccept = 443\ncert = a.pem\nconnect = 80\n"
        "[client]\nclient = yes\naccept = 127.0.0.1:1\nconnect = 2\n"
        f"[b]\nsni = {value}\ncert = b.pem\nconnect = 81\n"
    )
    with pytest.raises(ConfigError, match="sni"):
        conf(text)


def test_the_line_names_all_that_is_in_the_way(conf: Conf) -> None:
    with pytest.raises(ConfigError) as refusal:
        conf("""\
            chroot = /var/empty
            [pop3s]
            accept = 995
            connect = 110
            cert = mail.pem
            libwrap = yes
            OCSPaia = yes
            """)
    assert str(refusal.value).startswith("stunnel.conf:1: chroot: '/var/empty' is not possible: ")
    assert str(refusal.value).endswith("; nor are line 6 libwrap, line 7 OCSPaia")
    assert "\n" not in str(refusal.value)


def test_a_line_of_another_file_is_named_with_it(conf: Conf, tmp_path: Path) -> None:
    (tmp_path / "conf.d").mkdir()
    (tmp_path / "conf.d" / "one").write_text("libwrap = yes\n")
    with pytest.raises(ConfigError, match=r"; nor are conf\.d/one:1 libwrap, line 3 ident$"):
        conf("chroot = /\ninclude = conf.d\nident = joe\n[a]\naccept = 1\nconnect = 2\ncert = a.pem\n")


def test_a_default_that_is_refused_is_named_once(conf: Conf) -> None:
    with pytest.raises(ConfigError) as refusal:
        conf("""\
            cert = a.pem
            failover = best
            [a]
            accept = 1
            connect = 2
            [b]
            accept = 3
            connect = 4
            """)
    assert "nor are" not in str(refusal.value)


@pytest.mark.system
def test_the_sample_of_debian_names_what_is_refused() -> None:
    with pytest.raises(ConfigError) as refusal:
        read(SAMPLE)
    assert re.fullmatch(rf"{SAMPLE}:[0-9]+: OCSPaia", refusal.value.key)
    assert re.search(r"; nor are line [0-9]+ OCSPaia, line [0-9]+ OCSPaia$", refusal.value.allowed)


@pytest.mark.system
def test_the_sample_of_debian_without_what_is_refused(conf: Conf) -> None:
    sample = SAMPLE.read_text(encoding="utf-8-sig").replace("OCSPaia = yes", "")
    _, head, clients = sample.partition("[gmail-pop3]")
    clients, _, rest = clients.partition(";[example-pkcs11]")  # a token's key is not read
    servers = re.sub(r"(?m)^;(\[|[A-Za-z]+ +?= )", r"\1", rest.partition(";[pop3s]")[2])
    read = conf(f"{head}{clients}\n[pop3s]{servers}")
    assert [(tunnel.name, tunnel.accept, *tunnel.connect, *tunnel.exec) for tunnel in read.tunnels] == [
        ("gmail-pop3", "127.0.0.1:110", "pop.gmail.com:995"),
        ("gmail-imap", "127.0.0.1:143", "imap.gmail.com:993"),
        ("gmail-smtp", "127.0.0.1:25", "smtp.gmail.com:465"),
        ("pop3s", "0.0.0.0:995", "110"),
        ("imaps", "0.0.0.0:993", "143"),
        ("ssmtp", "0.0.0.0:465", "25"),
        ("https", "0.0.0.0:443", "80"),
        ("shell", "0.0.0.0:1337", "sh", "-i"),
        ("mysql", "0.0.0.0:3307", "unix:/run/mysqld/mysqld.sock"),
    ]
    assert {tunnel.verify for tunnel in read.tunnels if tunnel.client} == {"full"}
    assert read.notices == ()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("accept = 995\nconnect = 110\ncert = a.pem\n", "accept stands in a [section]"),
        ("accept = 995\n[a]\nconnect = 110\ncert = a.pem\n", "accept stands in a [section]"),
        ("connect = 110\nsni = a:b.example.org\ncert = a.pem\n", "stands in a [section]"),
        (
            "[a]\naccept = 1\nconnect = 2\ncert = a.pem\n[b]\nsni = a:b.org\naccept = 3",
            "accepts where that service does",
        ),
        ("", "one of connect and exec"),
        ("[a]\naccept = 995\ncert = a.pem\n", "one of connect and exec"),
        ("[a]\naccept = 995\nconnect = 110\nexec = /bin/cat\ncert = a.pem\n", "one of connect and exec"),
        ("[a]\naccept = 995\nconnect = 110\n", "needs cert"),
        ("[a]\nconnect = 110\ncert = a.pem\n", "accept is needed"),
        ("[a]\nconnect = 110\nexec = /bin/cat\nretry = yes\ncert = a.pem\n", "accept is needed"),
        ("[a]\nclient = yes\naccept = 127.0.0.1:995\nexec = /bin/cat\n", "server side only"),
    ],
)
def test_a_section_has_two_ends_and_a_certificate(conf: Conf, text: str, words: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(words)):
        conf(text)


NAMES = [option.name for option in (*GLOBAL, *SERVICE)]
VALUES = st.one_of(
    st.sampled_from(
        ["", "yes", "no", "993", ":::993", "0", "4", "connect", "smtp", "imap", "a:b", "b", "/x", "NO_TLSv1_3"]
    ),
    st.sampled_from(
        ["l:TCP_NODELAY=1", "TLSv1.2", "rr", "pkcs11:x", "h:1", "..", "b:*.c", "127.0.0.1:5", "ntlm", "proxy"]
    ),
    st.text(max_size=12),
)
LINES = st.one_of(
    st.tuples(st.sampled_from(NAMES), VALUES).map(" = ".join),
    st.sampled_from(["[a]", "[b]", "client = yes", "accept = 1", "connect = 2", "cert = c", "CAfile = c", "exec = /e"]),
    st.text(max_size=20),
)


def told(path: Path) -> str:
    """What an operator is told."""
    try:
        conf = read(path)
    except ConfigError as refusal:
        return str(refusal)
    return " ".join((*conf.ignored, *conf.notices))


@given(lines=st.lists(LINES, max_size=12))
def test_no_text_raises_anything_else(tmp_path_factory: pytest.TempPathFactory, lines: list[str]) -> None:
    path = tmp_path_factory.mktemp("conf") / "stunnel.conf"
    path.write_bytes("\n".join(lines).encode(errors="surrogatepass"))
    assert "\n" not in told(path)


@given(octets=st.binary(max_size=60))
def test_no_octets_raise_anything_else(tmp_path_factory: pytest.TempPathFactory, octets: bytes) -> None:
    path = tmp_path_factory.mktemp("conf") / "stunnel.conf"
    path.write_bytes(octets)
    assert "\n" not in told(path)
