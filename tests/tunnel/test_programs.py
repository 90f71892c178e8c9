"""Real programs, small ones; see ``tests/net/loopback.py`` for how the reactor turns."""

import hashlib
import os
import signal
import subprocess
import sys
from collections.abc import Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest
from pairs import result_of
from server_process import program
from twisted.internet.defer import Deferred

from mailaccess.errors import ConfigError
from mailaccess.tunnel import children
from mailaccess.tunnel.faults import StreamLost, Unreachable
from mailaccess.tunnel.programs import How, Program, ProgramStream, find_program, start
from tests.net.doubles import Remembered
from tests.net.loopback import reactor, turn_until

HOW: tuple[How, ...] = ("pipes", "inetd", "pty")
HALF_CLOSING: tuple[How, ...] = ("pipes", "inetd")
MUCH = hashlib.shake_256(b"octets of every kind, 0x04 and 0x03 and CR and LF among them").digest(8 * 1024 * 1024)


class Started:
    """Starts programs, and sees to it that none is left."""

    def __init__(self) -> None:
        self.events = Remembered()
        self.streams: list[ProgramStream] = []

    def __call__(self, *arguments: str, how: How = "pipes", environment: dict[str, str] | None = None) -> ProgramStream:
        given = {"PATH": os.environ["PATH"], "LC_ALL": "C"} if environment is None else environment
        stream = result_of(start(Program(arguments, how), given, reactor, self.events, "pop3s"))
        self.streams.append(stream)
        return stream

    def sh(self, script: str, how: How = "pipes") -> ProgramStream:
        return self("sh", "-c", script, how=how)

    def python(self, script: str, how: How = "pipes") -> ProgramStream:
        return self(sys.executable, "-Ic", script, how=how)


@pytest.fixture
def run() -> Iterator[Started]:
    before = os.listdir("/proc/self/fd")
    started = Started()
    yield started
    for stream in started.streams:
        stream.abort("the test is over")
        result_of(stream.ended())
        assert not Path(f"/proc/{stream.pid}").exists(), "a zombie"
    assert os.listdir("/proc/self/fd") == before, "a descriptor is left open"
    assert not [call for call in reactor.getDelayedCalls() if "signal_group" in str(call)]


async def everything(stream: ProgramStream) -> bytes:
    pieces = []
    while data := await stream.read():
        pieces.append(data)
    return b"".join(pieces)


async def exactly(stream: ProgramStream, count: int) -> bytes:
    pieces: list[bytes] = []
    while count > 0 and (data := await stream.read()):
        pieces.append(data)
        count -= len(data)
    return b"".join(pieces)


async def say(stream: ProgramStream, data: bytes) -> None:
    for place in range(0, len(data), 50_000):
        await stream.write(data[place : place + 50_000])


def begun(coroutine: Coroutine[Any, Any, Any]) -> list[Any]:
    """What a coroutine comes to: one value or failure, once it has come to that."""
    outcome: list[Any] = []
    Deferred.fromCoroutine(coroutine).addBoth(outcome.append)
    return outcome


@pytest.mark.parametrize("how", HOW)
def test_octets_pass_unchanged_both_ways_at_once(run: Started, how: How) -> None:
    stream = run("cat", how=how)
    said = begun(say(stream, MUCH))
    assert hashlib.sha256(result_of(exactly(stream, len(MUCH)))).digest() == hashlib.sha256(MUCH).digest()
    assert said == [None]
    assert not reactor.getWriters(), "the reactor turns for nothing"


@pytest.mark.parametrize("how", HALF_CLOSING)
def test_the_end_passes_and_what_follows_it_is_read(run: Started, how: How) -> None:
    stream = run("sha256sum", how=how)
    result_of(say(stream, MUCH))
    result_of(stream.end())
    result_of(stream.end())
    assert result_of(everything(stream)).split()[0].decode() == hashlib.sha256(MUCH).hexdigest()
    assert result_of(stream.read()) == b""
    assert result_of(stream.ended()) == "0"


@pytest.mark.parametrize("how", HALF_CLOSING)
def test_the_end_waits_for_what_is_being_written(run: Started, how: How) -> None:
    stream = run.sh("read go; wc -c", how)
    said = begun(stream.write(b"go\n" + MUCH))
    result_of(stream.end())
    assert result_of(everything(stream)).strip() == b"%d" % len(MUCH)
    assert said == [None]


@pytest.mark.parametrize("how", HOW)
def test_nobody_writes_faster_than_the_other_side_reads(run: Started, how: How) -> None:
    stream = run("cat", how=how)
    taken = 0

    async def push() -> None:
        nonlocal taken
        for _ in range(len(MUCH) // 4096):
            await stream.write(bytes(4096))
            taken += 4096

    begun(push())
    seen = -1
    while seen != taken:  # until no turn takes more
        seen = taken
        result_of(settled(0.1))
    assert taken < 2 * 1024 * 1024


def settled(seconds: float) -> Deferred[None]:
    """Fires when that much time has passed, for what must not happen meanwhile."""
    waiting: Deferred[None] = Deferred()
    reactor.callLater(seconds, waiting.callback, None)
    return waiting


@pytest.mark.parametrize("how", HOW)
def test_nothing_is_lost_when_the_program_has_gone_first(run: Started, how: How) -> None:
    stream = run.sh("printf 'last words'", how)
    assert result_of(stream.ended()) == "0"
    assert result_of(everything(stream)) == b"last words"


@pytest.mark.parametrize("how", HOW)
def test_a_program_that_reads_nothing_is_heard_and_a_write_says_so(run: Started, how: How) -> None:
    stream = run.sh("sleep 0.05; echo bye; exit 3", how)
    result_of(stream.write(b"QUIT\r\n"))
    assert result_of(stream.ended()) == "3"
    assert result_of(everything(stream)) == b"bye\n"
    with pytest.raises(StreamLost):
        result_of(stream.write(b"more"))
    result_of(stream.end())


@pytest.mark.parametrize("how", HALF_CLOSING)
def test_a_write_that_waits_hears_that_the_program_is_gone_and_its_words_are_read(run: Started, how: How) -> None:
    stream = run.sh("echo -ERR; kill -9 $$", how)
    with pytest.raises(StreamLost, match="reads no more"):
        result_of(stream.write(MUCH))
    assert result_of(everything(stream)) == b"-ERR\n"
    assert result_of(stream.ended()) == "SIGKILL"


def test_what_its_children_say_belongs_to_it(run: Started) -> None:
    stream = run.sh("exec 3<&0; (read go <&3; echo child) & exit 0")
    result_of(stream.ended())
    result_of(stream.write(b"go\n"))
    assert result_of(everything(stream)) == b"child\n"


def test_what_was_read_too_far_is_read_again(run: Started) -> None:
    stream = run.sh("printf abc")
    assert result_of(stream.read()) == b"abc"
    stream.unread(b"c")
    stream.unread(b"b")
    assert result_of(everything(stream)) == b"bc"


@pytest.mark.parametrize("how", HOW)
def test_what_comes_while_nobody_reads_is_read_later(run: Started, how: How) -> None:
    stream = run.sh("echo one; read go; echo two", how)
    assert result_of(stream.read()) == b"one\n"
    result_of(stream.write(b"go\n"))
    assert result_of(stream.ended()) == "0"
    reactor.iterate(0.01)
    assert result_of(everything(stream)) == b"two\n"


def test_a_reader_that_gives_up_takes_nothing_with_it(run: Started) -> None:
    stream = run.sh("read go; echo for the next")
    reading = Deferred.fromCoroutine(stream.read())
    reading.addErrback(lambda _: None)
    reading.cancel()
    result_of(stream.write(b"go\n"))
    result_of(stream.ended())
    reactor.iterate(0.01)
    assert result_of(stream.read()) == b"for the next\n"


def test_a_writer_that_gives_up_leaves_nobody_to_write(run: Started) -> None:
    stream = run.sh("read go; wc -c")
    writing = Deferred.fromCoroutine(stream.write(MUCH))
    writing.addErrback(lambda _: None)
    writing.cancel()
    with pytest.raises(StreamLost, match="broken off"):
        result_of(stream.write(b"the rest is missing"))


@pytest.mark.parametrize("how", HOW)
def test_a_cut_is_told_to_reader_and_writer(run: Started, how: How) -> None:
    stream = run.sh("sleep 60", how)
    reading, writing = begun(stream.read()), begun(stream.write(MUCH))
    stream.abort("time is up")
    stream.abort("again")
    assert [outcome[0].value.args for outcome in (reading, writing)] == [("time is up",)] * 2
    assert result_of(stream.ended()) == ("SIGHUP" if how == "pty" else "SIGTERM")
    for attempt in (stream.read(), stream.write(b"x")):
        with pytest.raises(StreamLost, match="time is up"):
            result_of(attempt)


@pytest.mark.parametrize("how", HOW)
def test_a_stubborn_program_is_killed(run: Started, how: How, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(children, "GRACE_SECONDS", 0.05)
    stream = run.sh("trap '' TERM HUP; echo ready; while :; do read x || sleep 60; done", how)
    assert result_of(stream.read()) == b"ready\n"
    stream.abort("over")
    assert result_of(stream.ended()) == "SIGKILL"


def test_its_children_go_with_it(run: Started) -> None:
    stream = run.sh("(trap '' TERM; exec sleep 60) & echo $!; wait")
    child = int(result_of(stream.read()))
    turn_until(lambda: Path(f"/proc/{child}/cmdline").read_text().startswith("sleep"))
    stream.abort("over")
    result_of(stream.ended())
    turn_until(lambda: not Path(f"/proc/{child}").exists() or "Z" in Path(f"/proc/{child}/stat").read_text())


def test_a_terminal_that_ends_is_hung_up(run: Started) -> None:
    stream = run.sh("trap 'echo bye; exit 0' HUP; echo ready; while :; do sleep 0.01; done", "pty")
    assert result_of(stream.read()) == b"ready\n"
    result_of(stream.end())
    assert result_of(everything(stream)) == b"bye\n"
    assert result_of(stream.ended()) == "0"


@pytest.mark.parametrize("how", HOW)
def test_a_program_has_its_three_descriptors_and_no_more(run: Started, how: How) -> None:
    inherited = os.dup(0)
    os.set_inheritable(inherited, True)
    stream = run.python("import os; print(sorted(map(int, os.listdir('/proc/self/fd')))[:-1], os.get_blocking(0))", how)
    os.close(inherited)
    assert result_of(everything(stream)) == b"[0, 1, 2] True\n"


@pytest.mark.parametrize("how", HOW)
def test_a_process_without_descriptors_of_its_own_starts_programs(how: How, tmp_path: Path) -> None:
    script = f"""
import os, sys
sys.path[:0] = {sys.path!r}
from pairs import result_of
from mailaccess.tunnel.programs import Program, start
from tests.net.doubles import Remembered
from tests.net.loopback import reactor

os.closerange(0, 3)
events = Remembered()
stream = result_of(start(Program(("sh", "-c", "read x; echo said >&2; echo $x"), {how!r}), {{}}, reactor, events, "x"))
for standard in range(3):  # what a library prints must not reach a client or a program
    try:
        os.write(standard, b"stray\\n")
    except OSError:
        pass
result_of(stream.write(b"heard\\n"))
heard = result_of(stream.read())
result_of(stream.ended())
while not events.events:
    reactor.iterate(0.01)
sys.exit(0 if heard == b"heard\\n" and events.events[0][1]["line"] == "said" else 1)
"""
    assert subprocess.run([sys.executable, "-c", script], cwd=tmp_path, timeout=30, check=False).returncode == 0


@pytest.mark.parametrize("how", HOW)
def test_a_reactor_that_stops_tells_whoever_waits(how: How, tmp_path: Path) -> None:
    script = f"""
import sys
sys.path[:0] = {sys.path!r}
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from mailaccess.tunnel.faults import StreamLost
from mailaccess.tunnel.programs import Program, start
from tests.net.doubles import Remembered

lost = []

async def serve():
    stream = await start(Program(("sleep", "60"), {how!r}), {{}}, reactor, Remembered(), "x")
    for waiting in (stream.read(), stream.write(bytes(8_000_000))):
        Deferred.fromCoroutine(waiting).addErrback(lambda failure: lost.append(failure.check(StreamLost)))
    reactor.callLater(0, reactor.stop)
    reactor.addSystemEventTrigger("after", "shutdown", stream.abort, "over")

reactor.callWhenRunning(lambda: Deferred.fromCoroutine(serve()))
reactor.run()
sys.exit(0 if lost == [StreamLost] * 2 else 1)
"""
    assert subprocess.run([sys.executable, "-c", script], cwd=tmp_path, timeout=30, check=False).returncode == 0


@pytest.mark.parametrize("how", HOW)
def test_a_program_has_a_session_of_its_own_and_default_signals(run: Started, how: How) -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        stream = run.sh("exec cat /proc/self/status /proc/self/stat", how)
    finally:
        signal.signal(signal.SIGHUP, before)
    lines = result_of(everything(stream)).decode().splitlines()
    masks = [int(line.split()[1], 16) for line in lines if line.startswith(("SigIgn", "SigBlk"))]
    assert not [number for number in signal.valid_signals() for mask in masks if mask & 1 << number - 1]
    group, session, terminal = lines[-1].rpartition(")")[2].split()[2:5]
    assert group == session == str(stream.pid)
    assert (terminal != "0") is (how == "pty")


def test_a_socket_of_inetd_is_one_socket_without_a_name(run: Started) -> None:
    stream = run.python(
        "import os, socket; s = socket.socket(fileno=0)\n"
        "print(s.family.name, s.type.name, repr(s.getpeername()), os.fstat(0).st_ino == os.fstat(1).st_ino)",
        "inetd",
    )
    assert result_of(everything(stream)) == b"AF_UNIX SOCK_STREAM '' True\n"


def test_its_standard_error_is_for_the_log(run: Started) -> None:
    stream = run.sh("echo one >&2; echo >&2; echo '+OK'; printf 'two\\377' >&2")
    assert result_of(everything(stream)) == b"+OK\n"
    turn_until(lambda: len(run.events.events) == 2)
    who = {"service": "pop3s", "pid": stream.pid}
    assert run.events.events == [
        ("program_says", {**who, "line": "one"}),
        ("program_says", {**who, "line": "two\\xff"}),
    ]


def test_who_says_no_more_may_still_complain(run: Started) -> None:
    stream = run.sh("exec >&-; read go; echo late >&2")
    assert result_of(stream.read()) == b""
    result_of(stream.write(b"go\n"))
    turn_until(lambda: run.events.events)
    assert run.events.events[0][1]["line"] == "late"


def test_so_may_its_children(run: Started) -> None:
    stream = run.sh("exec 3<&0; (read go <&3; echo late >&2) & exit 0")
    result_of(stream.ended())
    result_of(stream.write(b"go\n"))
    turn_until(lambda: run.events.events)
    assert run.events.events[0][1]["line"] == "late"


def test_a_chatty_program_fills_no_log(run: Started) -> None:
    stream = run.python("import sys; sys.stderr.write('x' * 5000 + '\\n'); sys.stderr.write('y\\n' * 100000)")
    result_of(stream.ended())
    turn_until(lambda: "program_says_more" in run.events.names())
    assert run.events.events[0][1]["line"] == "x" * 1000
    assert run.events.names().count("program_says") == 60
    assert run.events.events[-1][1]["lines"] == 100_001 - 60


def test_it_gets_the_environment_that_it_is_given(run: Started) -> None:
    stream = run(sys.executable, "-Ic", "import os; print(dict(os.environ))", environment={"A": "1", "B": "ä"})
    said = result_of(everything(stream)).decode()
    assert "'A': '1'" in said
    assert "PATH" not in said


def test_another_name_than_its_file(run: Started) -> None:
    stream = result_of(start(Program(("login", "-c", "echo $0"), path="/bin/sh"), {}, reactor, run.events, "x"))
    run.streams.append(stream)
    assert result_of(everything(stream)) == b"login\n"


@pytest.mark.parametrize("how", HOW)
def test_a_program_that_is_not_there_is_unreachable(run: Started, how: How, tmp_path: Path) -> None:
    with pytest.raises(Unreachable, match="cannot be started: No such file or directory"):
        run(str(tmp_path / "gone"), how=how)
    (tmp_path / "text").write_text("no program")
    with pytest.raises(Unreachable, match="cannot be started: Permission denied"):
        run(str(tmp_path / "text"), how=how)


def test_a_program_is_found_when_the_configuration_is_read(tmp_path: Path) -> None:
    assert Path(find_program("sh", "--exec")).is_file()
    assert find_program("/bin/sh", "--exec") == "/bin/sh"
    (tmp_path / "text").write_text("no program")
    for name in ("no-such-program", str(tmp_path), str(tmp_path / "text")):
        with pytest.raises(ConfigError, match="--exec"):
            find_program(name, "--exec")


def test_a_kernel_without_pidfd_is_asked_now_and_then(run: Started, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(pid: int) -> int:
        raise OSError

    monkeypatch.setattr(os, "pidfd_open", unknown)
    monkeypatch.setattr(children, "POLL_SECONDS", 0.01)
    stream = run.sh("read x; exit 7")
    result_of(stream.end())
    assert result_of(stream.ended()) == "7"


def test_where_another_reaps_all_children_the_status_is_unknown(run: Started) -> None:
    before = signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    try:
        stream = run.sh("exit 7")
        assert result_of(stream.ended()) == "unknown"
    finally:
        signal.signal(signal.SIGCHLD, before)


@pytest.mark.system
@pytest.mark.parametrize("how", HALF_CLOSING)
def test_popa3d_greets_and_says_goodbye(run: Started, how: How, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f"{os.environ['PATH']}:/usr/local/sbin:/usr/sbin")
    stream = run(program("popa3d"), how=how)
    assert result_of(stream.read()).startswith(b"+OK")
    result_of(stream.write(b"QUIT\r\n"))
    assert result_of(everything(stream)).startswith(b"+OK")
    result_of(stream.ended())
