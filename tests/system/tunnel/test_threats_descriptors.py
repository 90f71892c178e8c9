"""A tunnel that has no descriptor left: it does not spin, who is inside goes on, and it recovers by itself."""

import resource
import sys
import time

import pytest
from server_process import eventually
from tunnel import plain as servers
from tunnel.certificates import Certificates
from tunnel.crowd import cpu_seconds, crowd
from tunnel.ours import StartTunnel, Tunnel, executing
from tunnel.plain import StartPlain
from tunnel.processes import Running
from tunnel.traffic import echoed, said, trusting
from wire import Wire

pytestmark = pytest.mark.system

DESCRIPTORS = 64
WATCHED_SECONDS = 1.5
SPINNING = 0.75  # of a core
ECHO = executing(
    sys.executable, "-c",
    "import os\nos.write(1, b'+OK\\n')\nwhile data := os.read(0, 65536): os.write(1, data)",
)  # fmt: skip


def starve(running: Running) -> None:
    """From now on the process has few descriptors."""
    resource.prlimit(running.process.pid, resource.RLIMIT_NOFILE, (DESCRIPTORS, DESCRIPTORS))


def bears_a_crowd(ours: Tunnel, inside: Wire, many: int = DESCRIPTORS + 40) -> None:
    """While there are more connections than descriptors, ``inside`` goes on and nothing spins."""
    with crowd(ours.port, many):
        eventually(lambda: ours.running.descriptors() >= DESCRIPTORS - 2)
        before = cpu_seconds(ours.running)
        began = time.monotonic()
        while time.monotonic() - began < WATCHED_SECONDS:
            asked = time.monotonic()
            inside.send(b"still here")
            assert inside.octets(10) == b"still here"
            assert time.monotonic() - asked < 1
            time.sleep(0.1)
        assert cpu_seconds(ours.running) - before < SPINNING * WATCHED_SECONDS


def test_connections_take_all(tunnel: StartTunnel, plain: StartPlain, pem: Certificates) -> None:
    tls = trusting(pem.ca)
    ours = tunnel("--protocol", "none", "--connect", plain(servers.echo).target, "--certificate", pem.server)
    starve(ours.running)
    with Wire(ours.port, tls) as inside:
        bears_a_crowd(ours, inside)
        eventually(lambda: echoed(ours.port, tls))
        assert echoed(ours.port, tls)
    assert "Unhandled" not in ours.log()


def test_nothing_is_left_for_the_way_to_the_target(tunnel: StartTunnel, plain: StartPlain, pem: Certificates) -> None:
    """A client that is taken in hears that nobody is there, and the target is not given up."""
    far = tunnel("--protocol", "pop3", "--connect", plain(servers.POP3).target, "--certificate", pem.server)
    near = tunnel(
        "--client", "--protocol", "pop3", "--connect", f"127.0.0.1:{far.port}", "--ca", pem.ca, "--retries", "0"
    )
    starve(near.running)
    with crowd(near.port, DESCRIPTORS) as many:
        assert {connection.recv(100)[:4] for connection in many} <= {b"+OK ", b"-ERR", b""}
    eventually(lambda: said(near.port, send=b"QUIT\r\n").startswith(b"+OK"))
    assert "Traceback" not in near.log()


@pytest.mark.parametrize("how", [(), ("--inetd",), ("--pty",)], ids=["pipes", "inetd", "pty"])
def test_programs_take_all(tunnel: StartTunnel, pem: Certificates, how: tuple[str, ...]) -> None:
    tls = trusting(pem.ca)
    ours = tunnel("--protocol", "pop3", "--certificate", pem.server, *how, *ECHO)
    starve(ours.running)
    with Wire(ours.port, tls) as inside:
        assert inside.line() == b"+OK"
        wires = []
        for _ in range(DESCRIPTORS // 3):
            try:
                wires.append(Wire(ours.port, tls))
            except OSError:
                break
        ours.logs("tunnel_unreachable", "cannot be started: Too many open files")
        bears_a_crowd(ours, inside)
        for wire in wires:
            wire.close()
        eventually(lambda: said_plus(ours, pem))
    assert "Traceback" not in ours.log()


def said_plus(ours: Tunnel, pem: Certificates) -> bool:
    """Whether a program greets."""
    try:
        with Wire(ours.port, trusting(pem.ca)) as wire:
            return wire.line() == b"+OK"
    except OSError:
        return False
