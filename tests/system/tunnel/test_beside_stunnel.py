"""Debian's stunnel at the other end of each role: what one side wraps, the other unwraps."""

import socket
import ssl

import pytest
from server_process import eventually
from tunnel import plain as servers
from tunnel.certificates import Certificates, pin
from tunnel.ours import StartTunnel
from tunnel.peers import stunnel
from tunnel.plain import StartPlain
from tunnel.processes import Processes
from tunnel.traffic import Blocks, both_ways, echoed, said, trusting

pytestmark = pytest.mark.system

SIZE = 4 << 20


def goes_there_and_back(port: int) -> None:
    """Octets, and the end of each direction by itself."""
    blocks = Blocks(SIZE, seed=port)
    with socket.create_connection(("127.0.0.1", port), 20) as connection:
        assert both_ways(connection, blocks) == (SIZE, blocks.digest())


@pytest.mark.parametrize("version", ["TLSv1.2", "TLSv1.3"])
def test_stunnel_is_the_client_of_our_server_side(
    tunnel: StartTunnel, plain: StartPlain, processes: Processes, pem: Certificates, version: str
) -> None:
    ours = tunnel("--protocol", "none", "--connect", plain(servers.echo).target, "--certificate", pem.server)
    theirs = stunnel(
        processes,
        near=[
            "client = yes", f"connect = 127.0.0.1:{ours.port}", f"CAfile = {pem.ca}", "verifyChain = yes",
            "checkHost = localhost", f"sslVersion = {version}",
        ],
    )  # fmt: skip
    goes_there_and_back(theirs.ports["near"])


@pytest.mark.parametrize("version", ["TLSv1.2", "TLSv1.3"])
def test_stunnel_is_the_server_of_our_client_side(
    tunnel: StartTunnel, plain: StartPlain, processes: Processes, pem: Certificates, version: str
) -> None:
    target = plain(servers.echo).target
    theirs = stunnel(processes, far=[f"connect = {target}", f"cert = {pem.server}", f"sslVersion = {version}"])
    ours = tunnel("--client", "--protocol", "none", "--connect", f"localhost:{theirs.ports['far']}", "--ca", pem.ca)
    goes_there_and_back(ours.port)


def test_our_client_side_does_not_talk_to_whom_it_cannot_trust(
    tunnel: StartTunnel, plain: StartPlain, processes: Processes, pem: Certificates
) -> None:
    heard: list[bytes] = []
    came_back: list[bool] = []
    echo = plain(servers.hears(heard))
    theirs = stunnel(
        processes,
        good=[f"connect = {echo.target}", f"cert = {pem.server}"],
        other=[f"connect = {echo.target}", f"cert = {pem.other}"],
        stranger=[f"connect = {echo.target}", f"cert = {pem.stranger}"],
    )

    def through(name: str, *options: str) -> bool:
        target = f"localhost:{theirs.ports[name]}"
        ours = tunnel("--client", "--protocol", "none", "--connect", target, *options)
        came_back.append(echoed(ours.port))
        if not came_back[-1]:
            ours.logs("tunnel_tls_failed")
        ours.running.stop()
        return came_back[-1]

    assert through("good", "--ca", pem.ca)
    assert not through("good")  # the system's authorities do not know ours
    assert not through("stranger", "--ca", pem.ca)
    assert not through("other", "--ca", pem.ca)
    assert through("other", "--ca", pem.ca, "--host", "other.example.org")
    assert through("other", "--ca", pem.ca, "--verify", "chain")
    assert through("good", "--ca", pem.ca, "--pin", pin(pem.server))
    assert not through("good", "--ca", pem.ca, "--pin", pin(pem.other))
    assert through("stranger", "--verify", "none")
    assert through("stranger", "--verify", "peer", "--ca", pem.stranger)
    assert not through("good", "--verify", "peer", "--ca", pem.stranger)
    assert heard == [b"to and fro"] * came_back.count(True)


def test_a_client_certificate_is_required(
    tunnel: StartTunnel, plain: StartPlain, processes: Processes, pem: Certificates
) -> None:
    echo = plain(servers.echo)
    ours = tunnel(
        "--protocol", "none", "--connect", echo.target, "--certificate", pem.server, "--ca", pem.ca, "--verify", "chain"
    )
    common = ["client = yes", f"connect = 127.0.0.1:{ours.port}"]
    theirs = stunnel(
        processes, shows=[*common, f"cert = {pem.client}"], lacks=common, strange=[*common, f"cert = {pem.stranger}"]
    )
    assert echoed(theirs.ports["shows"])
    assert not echoed(theirs.ports["lacks"])
    assert not echoed(theirs.ports["strange"])
    eventually(lambda: ours.log().count("tunnel_tls_failed") == 2)
    assert len(echo.accepted) == 1


def test_our_client_side_shows_its_certificate(
    tunnel: StartTunnel, plain: StartPlain, processes: Processes, pem: Certificates
) -> None:
    target = plain(servers.echo).target
    theirs = stunnel(
        processes, far=[f"connect = {target}", f"cert = {pem.server}", f"CAfile = {pem.ca}", "verifyChain = yes"]
    )
    options = ["--client", "--protocol", "none", "--connect", f"localhost:{theirs.ports['far']}", "--ca", pem.ca]
    assert echoed(tunnel(*options, "--certificate", pem.client).port)
    assert not echoed(tunnel(*options).port)


def test_clients_without_a_good_certificate_are_redirected(
    tunnel: StartTunnel, plain: StartPlain, pem: Certificates
) -> None:
    good, bad = plain(servers.lines(b"good\r\n", {}, b"")), plain(servers.lines(b"bad\r\n", {}, b""))
    ours = tunnel(
        "--protocol", "none", "--connect", good.target, "--redirect", bad.target,
        "--certificate", pem.server, "--ca", pem.ca, "--verify", "chain",
    )  # fmt: skip
    quit_ = b"QUIT\r\n"
    assert said(ours.port, trusting(pem.ca, pem.client), send=quit_) == b"good\r\n"
    assert said(ours.port, trusting(pem.ca), send=quit_) == b"bad\r\n"
    assert said(ours.port, trusting(pem.ca, pem.stranger), send=quit_) == b"bad\r\n"


def test_our_client_side_asks_stunnel_for_a_host(
    tunnel: StartTunnel, plain: StartPlain, processes: Processes, pem: Certificates
) -> None:
    usual, other = plain(servers.lines(b"usual\r\n", {}, b"")), plain(servers.lines(b"other\r\n", {}, b""))
    theirs = stunnel(
        processes,
        far=[f"connect = {usual.target}", f"cert = {pem.server}"],
        named=["sni = far:other.example.org", f"connect = {other.target}", f"cert = {pem.other}"],
    )
    options = ["--client", "--protocol", "none", "--connect", f"localhost:{theirs.ports['far']}", "--ca", pem.ca]
    assert said(tunnel(*options).port, send=b"QUIT\r\n") == b"usual\r\n"
    asks = ["--server-name", "other.example.org", "--host", "other.example.org"]
    assert said(tunnel(*options, *asks).port, send=b"QUIT\r\n") == b"other\r\n"


def test_pre_shared_keys(tunnel: StartTunnel, plain: StartPlain, processes: Processes) -> None:
    key, wrong = "0123456789abcdef" * 2, "fedcba9876543210" * 2
    right, bad = processes.folder / "right", processes.folder / "wrong"
    right.write_text(f"joe:{key}\n")
    bad.write_text(f"joe:{wrong}\n")
    for path in (right, bad):
        path.chmod(0o600)
    target = plain(servers.echo).target
    ours = tunnel("--protocol", "none", "--connect", target, "--psk", str(right))
    common = ["client = yes", f"connect = 127.0.0.1:{ours.port}", "ciphers = PSK"]
    theirs = stunnel(
        processes,
        near=[*common, f"PSKsecrets = {right}"],
        bad=[*common, f"PSKsecrets = {bad}"],
        far=[f"connect = {target}", f"PSKsecrets = {right}", "ciphers = PSK"],
    )
    assert echoed(theirs.ports["near"])
    assert not echoed(theirs.ports["bad"])
    client = ["--client", "--protocol", "none", "--connect", f"localhost:{theirs.ports['far']}"]
    assert echoed(tunnel(*client, "--psk", str(right)).port)
    assert not echoed(tunnel(*client, "--psk", str(bad)).port)


def test_old_versions_of_tls_are_refused(tunnel: StartTunnel, plain: StartPlain, pem: Certificates) -> None:
    target = plain(servers.echo).target
    options = ["--protocol", "none", "--connect", target, "--certificate", pem.server]
    newest = tunnel(*options, "--tls-minimum", "1.3")
    old = trusting(pem.ca)
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    assert echoed(newest.port, trusting(pem.ca))
    assert not echoed(newest.port, old)
    assert echoed(tunnel(*options).port, old)
