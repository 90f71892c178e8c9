"""Programs at their worst: they neither hold a connection for ever, nor outlive it, nor fill the log."""

import os
import signal
import sys
import time
from pathlib import Path

import pytest
from server_process import eventually
from tunnel.certificates import Certificates
from tunnel.crowd import cpu_seconds
from tunnel.ours import StartTunnel, Tunnel, executing
from tunnel.traffic import trusting
from wire import Wire

pytestmark = pytest.mark.system

HOWS = [pytest.param((), id="pipes"), pytest.param(("--inetd",), id="inetd"), pytest.param(("--pty",), id="pty")]
MORE_BYTES = 16_000_000


def shell(script: str) -> list[str]:
    return executing("sh", "-c", script)


def children(ours: Tunnel) -> list[int]:
    """Processes that the tunnel has started, and that it has not reaped."""
    pid = ours.running.process.pid
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def told_pid(wire: Wire) -> int:
    return int(wire.line())


@pytest.mark.parametrize("how", HOWS)
def test_one_that_never_reads(tunnel: StartTunnel, pem: Certificates, how: tuple[str, ...]) -> None:
    """What it is told stays with the client; a program that nobody can tell of the end has the time of silence."""
    ours = tunnel(
        "--protocol", "none", "--certificate", pem.server, "--idle-timeout-seconds", "1", *how,
        *shell("echo $$; exec sleep 1000"),
    )  # fmt: skip
    resident = ours.running.resident()
    with Wire(ours.port, trusting(pem.ca)) as wire:
        pid = told_pid(wire)
        wire.wait_up_to(0.5)
        with pytest.raises(TimeoutError):
            wire.send(bytes(64 << 20))
        assert ours.running.resident() - resident < MORE_BYTES
    eventually(lambda: not running(pid))
    eventually(lambda: not children(ours))
    ours.logs("tunnel_closed", "status=")


@pytest.mark.parametrize("how", HOWS)
def test_one_that_does_not_end(tunnel: StartTunnel, pem: Certificates, how: tuple[str, ...]) -> None:
    """It is asked to go, and then it goes."""
    ours = tunnel(
        "--protocol", "none", "--certificate", pem.server, "--close-timeout-seconds", "0.5", *how,
        *shell("trap '' TERM HUP; echo $$; while :; do sleep 1; done"),
    )  # fmt: skip
    with Wire(ours.port, trusting(pem.ca)) as wire:
        pid = told_pid(wire)
    eventually(lambda: not running(pid), 15)
    ours.logs("tunnel_closed", "status=SIGKILL")


@pytest.mark.parametrize("how", HOWS[:2])
def test_one_that_closes_its_output_and_goes_on(tunnel: StartTunnel, pem: Certificates, how: tuple[str, ...]) -> None:
    ours = tunnel(
        "--protocol", "none", "--certificate", pem.server, "--close-timeout-seconds", "0.5", *how,
        *shell("echo $$; exec <&- >&-; sleep 1000"),
    )  # fmt: skip
    with Wire(ours.port, trusting(pem.ca)) as wire:
        pid = told_pid(wire)
        assert wire.rest() == b""
    eventually(lambda: not running(pid), 15)


@pytest.mark.parametrize("how", HOWS)
def test_one_that_leaves_a_child_behind(tunnel: StartTunnel, pem: Certificates, how: tuple[str, ...]) -> None:
    """A child that has the connection is served; without its client it goes too."""
    ours = tunnel(
        "--protocol", "none", "--certificate", pem.server, "--close-timeout-seconds", "0.5", *how,
        *executing(sys.executable, "-c", CHILD),
    )  # fmt: skip
    with Wire(ours.port, trusting(pem.ca)) as wire:
        pid = told_pid(wire)
        wire.send(b"are you there?\n")
        if how != ("--pty",):  # its leader is gone, and with it the terminal
            assert wire.line() == b"are you there?"
    eventually(lambda: not running(pid), 15)
    eventually(lambda: not children(ours), 15)


CHILD = """
import os, sys
told, tell = os.pipe()
if os.fork():
    os.read(told, 1)  # a terminal ends with its leader: the child must have spoken
    os._exit(0)
os.write(1, b"%d\\n" % os.getpid())
os.write(tell, b"x")
while data := os.read(0, 1000):
    os.write(1, data)
"""


def test_one_that_complains_without_end(tunnel: StartTunnel, pem: Certificates) -> None:
    """Its complaints are counted; others are served."""
    ours = tunnel(
        "--protocol", "none", "--certificate", pem.server,
        *shell('echo $$; if [ "$REMOTE_HOST" = 127.0.0.1 ]; then exec yes complaint >&2; else exec cat; fi'),
    )  # fmt: skip
    tls = trusting(pem.ca)
    with Wire(ours.port, tls) as loud, Wire(ours.port, tls, source="127.0.0.2") as other:
        pid = told_pid(loud)
        told_pid(other)
        resident = ours.running.resident()
        for _ in range(300):
            began = time.monotonic()
            other.send(b"still here")
            assert other.octets(10) == b"still here"
            assert time.monotonic() - began < 1
        assert ours.running.resident() - resident < MORE_BYTES
    eventually(lambda: not running(pid))
    ours.logs("program_says_more")
    assert ours.log().count("program_says ") < 200


def test_many_at_once(tunnel: StartTunnel, pem: Certificates) -> None:
    """Two hundred: each is answered, each is reaped, and at rest it costs nothing."""
    ours = tunnel("--protocol", "none", "--certificate", pem.server, *executing("cat"))
    tls = trusting(pem.ca)
    descriptors = ours.running.descriptors()
    wires = [Wire(ours.port, tls) for _ in range(200)]
    for number, wire in enumerate(wires):
        wire.send(b"%d\n" % number)
    assert [int(wire.line()) for wire in wires] == list(range(200))
    assert len(children(ours)) == 200
    before = cpu_seconds(ours.running)
    time.sleep(0.5)
    assert cpu_seconds(ours.running) - before < 0.2
    for wire in wires:
        wire.close()
    eventually(lambda: not children(ours))
    eventually(lambda: ours.running.descriptors() == descriptors)
    assert "Traceback" not in ours.log()


@pytest.mark.parametrize("how", HOWS)
def test_its_parent_is_killed(tunnel: StartTunnel, pem: Certificates, how: tuple[str, ...]) -> None:
    """Nobody is there to tell it: the end of its input does, or its terminal hangs up."""
    ours = tunnel("--protocol", "none", "--certificate", pem.server, *how, *shell("echo $$; exec cat"))
    with Wire(ours.port, trusting(pem.ca)) as wire:
        pid = told_pid(wire)
        ours.running.process.kill()
        eventually(lambda: not running(pid))


@pytest.mark.parametrize("how", HOWS)
@pytest.mark.parametrize("protocol", ["none", "pop3"])
def test_a_stop_leaves_none_behind(tunnel: StartTunnel, pem: Certificates, protocol: str, how: tuple[str, ...]) -> None:
    """Also of those that ignore SIGTERM; with POP3 their greeting is still waited for."""
    ours = tunnel(
        "--protocol", protocol, "--certificate", pem.server, *how,
        *shell("trap '' TERM HUP; echo $$ >&2; while :; do sleep 1; done"),
    )  # fmt: skip
    with Wire(ours.port, trusting(pem.ca)):
        ours.logs("program_says")
        (pid,) = children(ours)
        began = time.monotonic()
        ours.running.process.send_signal(signal.SIGTERM)
        assert ours.running.process.wait(15) == 0
        assert time.monotonic() - began < 10
    try:
        eventually(lambda: not running(pid), 1)
    finally:
        if running(pid):
            os.kill(pid, signal.SIGKILL)
