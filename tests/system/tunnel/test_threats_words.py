"""Words that an attacker chooses, where they must not go: environments, logs, headers for whom a client comes."""

import datetime
import re
import socket
import ssl

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from OpenSSL import SSL
from server_process import program
from tunnel import plain as servers
from tunnel.certificates import Certificates
from tunnel.ours import StartTunnel, Tunnel, executing
from tunnel.plain import Serve, StartPlain
from tunnel.traffic import said, trusting
from wire import Wire

pytestmark = pytest.mark.system

SPOOFED = b"PROXY TCP4 6.6.6.6 203.0.113.1 4711 995\r\n"
SPOOFED_2 = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c" + bytes((6, 6, 6, 6, 1, 2, 3, 4)) + b"\x12\x34\x03\xe3"
FRIENDLY = re.compile(r"\A[0-9T:+-]+ \[[^\]]*\] [ -~]*\Z")
VALUE_CHARACTERS = 2000


def log_is_clean(ours: Tunnel) -> None:
    """Each line is one of ours, and nothing in it moves a cursor."""
    lines = ours.running.log.read_bytes().decode("ascii").split("\n")
    assert lines.pop() == ""
    assert [line for line in lines if not FRIENDLY.match(line)] == []


# -- the PROXY protocol


@pytest.mark.parametrize("header", [SPOOFED, SPOOFED_2], ids=["v1", "v2"])
def test_nobody_says_for_another_whom_he_comes_for(
    tunnel: StartTunnel, plain: StartPlain, pem: Certificates, header: bytes
) -> None:
    """The target reads our header, with the true address; a client's own is the first thing that the client says."""
    heard: list[bytes] = []
    ours = tunnel(
        "--protocol", "none", "--connect", plain(servers.hears(heard)).target, "--certificate", pem.server,
        "--proxy-send", "v1", "--proxy-from", "192.0.2.0/24",
    )  # fmt: skip
    with Wire(ours.port, trusting(pem.ca), source="127.0.0.5") as wire:
        wire.send(header)
        line = wire.line()
        assert line.startswith(b"PROXY TCP4 127.0.0.5 127.0.0.1 ")
        assert wire.octets(len(header)) == header
    ours.logs("address=127.0.0.5")
    assert "6.6.6.6" not in ours.log()


@pytest.mark.parametrize("header", [SPOOFED, SPOOFED_2], ids=["v1", "v2"])
def test_a_header_of_nobody_before_tls_is_no_handshake(
    tunnel: StartTunnel, plain: StartPlain, pem: Certificates, header: bytes
) -> None:
    server = plain(servers.echo)
    ours = tunnel("--protocol", "none", "--connect", server.target, "--certificate", pem.server)
    with Wire(ours.port, None) as wire:
        wire.send(header)
        assert wire.rest()[:1] in {b"\x15", b""}
    ours.logs("tunnel_tls_failed", "address=127.0.0.1")
    assert not server.accepted


BAD_HEADERS = {
    "a line without end": b"PROXY TCP4 " + b"1" * 5000,
    "a huge block": b"\r\n\r\n\0\r\nQUIT\n\x21\x11\xff\xff" + bytes(65535),
    "half a block": SPOOFED_2[:20],
    "half a line": SPOOFED[:20],
    "nothing": b"",
    "two in one": SPOOFED[:-2] + b"\n" + SPOOFED,
    "letters that are none": b"PROXY TCP4 6.6.6.6\x1b[2J 203.0.113.1 4711 995\r\n",
}


@pytest.mark.parametrize("header", BAD_HEADERS.values(), ids=BAD_HEADERS)
def test_who_may_say_it_must_say_it_well_and_in_time(
    tunnel: StartTunnel, plain: StartPlain, pem: Certificates, header: bytes
) -> None:
    server = plain(servers.echo)
    ours = tunnel(
        "--protocol", "none", "--connect", server.target, "--certificate", pem.server, "--proxy-from", "127.0.0.0/8",
        "--handshake-timeout-seconds", "0.5",
    )  # fmt: skip
    with Wire(ours.port, None) as wire:
        try:
            wire.send(header)
            assert wire.rest() == b""
        except ConnectionError:
            pass
    ours.logs("address=127.0.0.1", "PROXY")
    assert not server.accepted
    log_is_clean(ours)


# -- certificates

NASTY = "joe\nREMOTE_HOST=6.6.6.6\r\n\x1b[2J\x07 \u202e\u2028 o\u00df \\ \" ' $(id) `id` %n"
LONG = "x" * 60_000


@pytest.fixture(scope="module")
def nasty(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """An authority, and a client's certificate of it whose every name is an attack."""
    folder = tmp_path_factory.mktemp("nasty")
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.datetime.now(datetime.UTC)
    names = {NameOID.COMMON_NAME: NASTY, NameOID.ORGANIZATION_NAME: LONG, NameOID.EMAIL_ADDRESS: "joe@b\nX: y"}
    subject = x509.Name([x509.NameAttribute(kind, name, _validate=False) for kind, name in names.items()])
    issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "CA\n\x1b[31m")])
    made = (
        x509.CertificateBuilder().public_key(key.public_key()).not_valid_before(now - datetime.timedelta(1))
        .not_valid_after(now + datetime.timedelta(1)).issuer_name(issuer)
    )  # fmt: skip
    authority = (
        made.subject_name(issuer).serial_number(1)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    )  # fmt: skip
    client = made.subject_name(subject).serial_number(x509.random_serial_number())
    ca, joe = folder / "ca.pem", folder / "joe.pem"
    ca.write_bytes(authority.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM))
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    joe.write_bytes(secret + client.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM))
    return str(ca), str(joe)


@pytest.mark.parametrize("how", [(), ("--pty",), ("--inetd",)], ids=["pipes", "pty", "inetd"])
def test_a_certificate_s_names_are_one_line_each(
    tunnel: StartTunnel, pem: Certificates, nasty: tuple[str, str], how: tuple[str, ...]
) -> None:
    ca, joe = nasty
    ours = tunnel(
        "--protocol", "none", "--certificate", pem.server, "--verify", "chain", "--ca", ca, *how,
        *executing(program("env"), "-0"),
    )  # fmt: skip
    words = said(ours.port, trusting(pem.ca, joe))
    variables = dict(entry.split(b"=", 1) for entry in words.split(b"\0") if entry)
    assert variables[b"REMOTE_HOST"] == b"127.0.0.1"
    of_client = {name: value for name, value in variables.items() if name.startswith(b"SSL_CLIENT_")}
    assert of_client[b"SSL_CLIENT_VERIFY"] == b"SUCCESS"
    assert of_client[b"SSL_CLIENT_CN"].startswith(b"joe?REMOTE_HOST=6.6.6.6??")
    for value in of_client.values():
        assert value.decode().isprintable()
        assert len(value) < VALUE_CHARACTERS
    log_is_clean(ours)


def test_who_is_turned_away_is_logged_in_one_line(
    tunnel: StartTunnel, plain: StartPlain, pem: Certificates, nasty: tuple[str, str]
) -> None:
    """By his name, or by his chain: whatever is in his certificate."""
    _, joe = nasty
    target = plain(servers.echo).target
    for rules in (
        ("--verify", "peer", "--ca", pem.ca),
        ("--verify", "chain", "--ca", pem.ca),
    ):
        ours = tunnel("--protocol", "none", "--connect", target, "--certificate", pem.server, *rules)
        assert said(ours.port, trusting(pem.ca, joe), send=b"x") == b""
        ours.logs("tunnel_tls_failed")
        log_is_clean(ours)


def test_a_server_with_such_a_certificate(
    tunnel: StartTunnel, plain: StartPlain, nasty: tuple[str, str], pem: Certificates
) -> None:
    inside = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    inside.load_cert_chain(nasty[1])

    def serve(connection: socket.socket) -> None:
        inside.wrap_socket(connection, server_side=True).close()

    target = plain(serve).target
    for rules in (("--ca", nasty[0]), ("--ca", pem.ca), ("--verify", "none", "--pin", "sha256//" + "A" * 43 + "=")):
        ours = tunnel("--client", "--protocol", "none", "--connect", target, *rules)
        assert said(ours.port) == b""
        ours.logs("tunnel_tls_failed")
        log_is_clean(ours)


# -- names

NAMES = [b"a\nb", b"\x1b[2J", b"a" * 255, b"..", b"*.example.org", b"\xff\xfe", b"a b=c", b"example.org\r\nX: y"]


@pytest.mark.parametrize("name", NAMES)
def test_a_name_that_is_none_is_nowhere(tunnel: StartTunnel, pem: Certificates, name: bytes) -> None:
    ours = tunnel("--protocol", "none", "--certificate", pem.server, *executing(program("env"), "-0"))
    client = SSL.Connection(SSL.Context(SSL.TLS_CLIENT_METHOD), socket.create_connection(("127.0.0.1", ours.port)))
    client.set_tlsext_host_name(name)
    client.set_connect_state()
    words = b""
    try:
        client.do_handshake()
        while data := client.recv(1 << 16):
            words += data
    except SSL.Error:
        pass
    client.close()
    ours.logs("tunnel_")
    assert b"SSL_TLS_SNI" not in words
    assert "server_name" not in ours.log()
    log_is_clean(ours)


# -- proxies


def answers(*pieces: bytes) -> Serve:
    def serve(connection: socket.socket) -> None:
        for piece in pieces:
            connection.recv(1 << 16)
            connection.sendall(piece)
        connection.recv(1 << 16)

    return serve


REPLIES = {
    "http, control characters": ("http", [b"HTTP/1.1 403 \x1b[2J\x07\xff no\r\n\r\n"]),
    "http, no HTTP": ("http", [b"\x1b]0;x\x07\n"]),
    "http, a long line": ("http", [b"HTTP/1.1 200 " + b"x" * 10_000]),
    "http, endless": ("http", [b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 100_000]),
    "http, then clear": ("http", [b"HTTP/1.1 200 OK\r\n\r\n\x1b[2J injected"]),
    "socks5, a name": ("socks5", [b"\5\0", b"\5\0\0\3\xff" + b"\x1b[2J\n" * 51 + b"\0\0", b"\x1b[2J"]),
    "socks5, an unknown kind": ("socks5", [b"\5\0", b"\5\0\0\x1b" + bytes(300)]),
    "socks5, no": ("socks5", [b"\5\0", b"\5\x1b\0\1" + bytes(6)]),
    "socks5, another": ("socks5", [b"\x1b[2J"]),
    "socks4, no": ("socks4a", [b"\0\x1b" + bytes(6)]),
}


@pytest.mark.parametrize(("scheme", "replies"), REPLIES.values(), ids=REPLIES)
def test_what_a_proxy_says_is_not_passed_on(
    tunnel: StartTunnel, plain: StartPlain, pem: Certificates, scheme: str, replies: list[bytes]
) -> None:
    via = f"{scheme}://{plain(answers(*replies)).target}"
    ours = tunnel(
        "--client", "--protocol", "pop3", "--connect", "mail.example.org:995", "--via", via, "--ca", pem.ca,
        "--handshake-timeout-seconds", "1", "--retries", "0",
    )  # fmt: skip
    assert said(ours.port) == b"-ERR [SYS/TEMP] The service is not available now\r\n"
    ours.logs("mail.example.org:995")
    log_is_clean(ours)
