"""Proxies on the way out (CONNECT, SOCKS), and the PROXY protocol on the way in and out."""

import re
import socket
import subprocess

import pytest
from server_process import program
from tunnel import plain as servers
from tunnel.certificates import Certificates
from tunnel.ours import StartTunnel
from tunnel.peers import microsocks, stunnel, tinyproxy
from tunnel.plain import StartPlain
from tunnel.processes import Processes
from tunnel.traffic import echoed, said, trusting
from wire import Wire

pytestmark = pytest.mark.system


@pytest.fixture
def far(plain: StartPlain, processes: Processes, pem: Certificates) -> int:
    """stunnel's port, with an echo behind it."""
    target = plain(servers.echo).target
    return stunnel(processes, far=[f"connect = {target}", f"cert = {pem.server}"]).ports["far"]


def reaching(far: int, pem: Certificates, via: str, host: str = "localhost") -> list[str]:
    options = ["--client", "--protocol", "none", "--connect", f"{host}:{far}", "--host", "localhost"]
    return [*options, "--ca", pem.ca, "--via", via]


def test_connect_through_tinyproxy(tunnel: StartTunnel, processes: Processes, pem: Certificates, far: int) -> None:
    proxy, port = tinyproxy(processes, "BasicAuth joe secret")
    assert echoed(tunnel(*reaching(far, pem, f"http://joe:secret@127.0.0.1:{port}")).port)
    assert f"CONNECT localhost:{far}" in proxy.words()
    refused = tunnel(*reaching(far, pem, f"http://joe:wrong@127.0.0.1:{port}"))
    assert not echoed(refused.port)
    refused.logs("tunnel_", "40")
    assert "wrong" not in refused.log()


def test_socks5_through_microsocks(tunnel: StartTunnel, processes: Processes, pem: Certificates, far: int) -> None:
    proxy, port = microsocks(processes, "-u", "joe", "-P", "secret")
    assert echoed(tunnel(*reaching(far, pem, f"socks5://joe:secret@127.0.0.1:{port}")).port)
    proxy.says(f"connected to localhost:{far}")
    refused = tunnel(*reaching(far, pem, f"socks5://joe:wrong@127.0.0.1:{port}"))
    assert not echoed(refused.port)
    refused.logs("tunnel_")
    assert "wrong" not in refused.log()


@pytest.mark.parametrize("scheme", ["socks4", "socks4a", "socks5"])
def test_socks_through_stunnel(
    tunnel: StartTunnel, processes: Processes, pem: Certificates, far: int, scheme: str
) -> None:
    """stunnel's SOCKS is inside TLS: another stunnel takes that off, and ours speaks to it in clear.

    It goes nowhere on 127.0.0.0/8; the kernel takes 0.0.0.0 to this machine too.
    """
    inside = stunnel(processes, proxy=["protocol = socks", f"cert = {pem.server}"]).ports["proxy"]
    outside = stunnel(processes, outside=["client = yes", f"connect = 127.0.0.1:{inside}"]).ports["outside"]
    assert echoed(tunnel(*reaching(far, pem, f"{scheme}://127.0.0.1:{outside}", "0.0.0.0")).port)


def test_stunnel_comes_to_us_through_a_proxy(
    tunnel: StartTunnel, plain: StartPlain, processes: Processes, pem: Certificates
) -> None:
    _, port = tinyproxy(processes)
    ours = tunnel("--protocol", "none", "--connect", plain(servers.echo).target, "--certificate", pem.server)
    theirs = stunnel(
        processes,
        near=[
            "client = yes", f"connect = 127.0.0.1:{port}", "protocol = connect",
            f"protocolHost = 127.0.0.1:{ours.port}", f"CAfile = {pem.ca}", "verifyChain = yes",
        ],
    )  # fmt: skip
    assert echoed(theirs.ports["near"])


def test_curl_uses_stunnels_socks_through_our_client_side(
    tunnel: StartTunnel, plain: StartPlain, processes: Processes, pem: Certificates
) -> None:
    web = plain(servers.lines(b"", {b"": b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi"}, b""))
    theirs = stunnel(processes, proxy=["protocol = socks", f"cert = {pem.server}"])
    target = f"localhost:{theirs.ports['proxy']}"
    ours = tunnel("--client", "--protocol", "none", "--connect", target, "--ca", pem.ca)
    command = [program("curl"), "--silent", "--max-time", "10", "--socks5-hostname", f"127.0.0.1:{ours.port}"]
    assert subprocess.run([*command, f"http://0.0.0.0:{web.port}/"], capture_output=True, check=True).stdout == b"hi"


def header(connection: socket.socket) -> None:
    """Send back the first octets, whatever they are, and close."""
    connection.sendall(connection.recv(1000).hex().encode() + b"\r\n")


def test_the_proxy_protocol_is_sent(tunnel: StartTunnel, plain: StartPlain, pem: Certificates) -> None:
    options = ["--protocol", "none", "--connect", plain(header).target, "--certificate", pem.server]
    ours = tunnel(*options, "--proxy-send", "v1")
    with Wire(ours.port, trusting(pem.ca), source="127.0.0.9") as wire:
        source = wire.socket.getsockname()[1]
        words = f"PROXY TCP4 127.0.0.9 127.0.0.1 {source} {ours.port}\r\n"
        assert bytes.fromhex(wire.line().decode()).startswith(words.encode())
    ours = tunnel(*options, "--proxy-send", "v2")
    with Wire(ours.port, trusting(pem.ca), source="127.0.0.9") as wire:
        source = wire.socket.getsockname()[1]
        first = bytes.fromhex(wire.line().decode())
        assert first.startswith(b"\r\n\r\n\x00\r\nQUIT\n\x21\x11")
        assert first[16:28] == b"\x7f\x00\x00\x09\x7f\x00\x00\x01" + source.to_bytes(2) + ours.port.to_bytes(2)


V1 = b"PROXY TCP4 203.0.113.7 192.0.2.1 51000 995\r\n"
V2 = b"\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c" + bytes([203, 0, 113, 7, 192, 0, 2, 1]) + b"\xc7\x38\x03\xe3"


@pytest.mark.parametrize("words", [V1, V2], ids=["v1", "v2"])
def test_the_proxy_protocol_is_received_from_named_networks(
    tunnel: StartTunnel, plain: StartPlain, processes: Processes, pem: Certificates, words: bytes
) -> None:
    script = processes.folder / "tells"
    script.write_text('#!/bin/sh\necho "$REMOTE_HOST $REMOTE_PORT"\n')
    script.chmod(0o755)
    options = ["--protocol", "none", "--certificate", pem.server, "--exec", str(script)]

    def told(port: int, words: bytes) -> bytes:
        with Wire(port, None) as wire:
            wire.send(words)
            try:
                wire.start_tls(trusting(pem.ca))
            except OSError:
                return b""
            return wire.line()

    named = tunnel(*options, "--proxy-from", "192.0.2.0/24", "--proxy-from", "127.0.0.0/8")
    assert told(named.port, words) == b"203.0.113.7 51000"
    named.logs("203.0.113.7")
    assert told(named.port, b"") == b""  # those who must begin with the PROXY protocol, and do not
    other = tunnel(*options, "--proxy-from", "192.0.2.0/24")
    assert told(other.port, words) == b""
    assert told(other.port, b"").startswith(b"127.0.0.1 ")


def test_curl_speaks_the_proxy_protocol(tunnel: StartTunnel, plain: StartPlain, pem: Certificates) -> None:
    ours = tunnel(
        "--protocol", "pop3", "--connect", plain(servers.POP3).target, "--certificate", pem.server,
        "--proxy-from", "127.0.0.0/8",
    )  # fmt: skip
    command = [program("curl"), "--verbose", "--max-time", "10", "--haproxy-protocol", "--cacert", pem.ca]
    result = subprocess.run(
        [*command, "--user", "joe:x", f"pop3s://localhost:{ours.port}/"], capture_output=True, check=False, timeout=20

    )  # fmt: skip
    assert b"> LIST" in result.stderr, result.stderr


def test_the_address_goes_from_stunnel_to_us_and_on(
    tunnel: StartTunnel, plain: StartPlain, processes: Processes, pem: Certificates
) -> None:
    """stunnel unwraps TLS and says who came; our client side wraps it again, and our server side tells the target."""
    last = tunnel(
        "--protocol", "none", "--connect", plain(header).target, "--certificate", pem.server,
        "--proxy-from", "127.0.0.0/8", "--proxy-send", "v1",
    )  # fmt: skip
    middle = tunnel(
        "--client", "--protocol", "none", "--connect", f"localhost:{last.port}", "--ca", pem.ca,
        "--proxy-from", "127.0.0.0/8", "--proxy-send", "v2",
    )  # fmt: skip
    first = stunnel(processes, far=[f"connect = 127.0.0.1:{middle.port}", f"cert = {pem.server}", "protocol = proxy"])
    with Wire(first.ports["far"], trusting(pem.ca), source="127.0.0.9") as wire:
        source = wire.socket.getsockname()[1]
        told = bytes.fromhex(wire.line().decode()).decode()
    assert re.match(rf"PROXY TCP4 127\.0\.0\.9 127\.0\.0\.1 {source} \d+\r\n", told)


def test_a_proxy_that_is_away_is_told_in_the_protocols_words(
    tunnel: StartTunnel, processes: Processes, pem: Certificates
) -> None:
    ours = tunnel(
        "--client", "--protocol", "pop3", "--connect", "mail.example.org:995", "--ca", pem.ca,
        "--via", f"http://127.0.0.1:{processes.free_port()}", "--retries", "0",
    )  # fmt: skip
    assert said(ours.port).startswith(b"-ERR ")
    ours.logs("tunnel_unreachable")
