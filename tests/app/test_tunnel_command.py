"""``mailaccess tunnel`` as a process: what it says, when it ends, and with which status."""

import json
import os
import re
import signal
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mailaccess.app.command import main

COMMAND = [sys.executable, "-m", "mailaccess.app.command", "tunnel"]
SECONDS = 30.0
POP3 = "print('+OK ready', flush=True); print('+OK bye', input(), flush=True)"
PROGRAM = ["--exec", sys.executable, "--", "-c", POP3]


class Started:
    """A running command; its lines are read as they come, so that nothing has to be waited for by the clock."""

    def __init__(self, folder: Path, *options: str, stdin: Any = subprocess.DEVNULL, **environment: str) -> None:
        self.errors = folder / "stderr"
        with self.errors.open("wb") as errors:
            self.process = subprocess.Popen(
                [*COMMAND, *options],
                stdin=stdin,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                env={**os.environ, "XDG_STATE_HOME": str(folder / "state"), **environment},
            )
        self.lines: list[str] = []

    def ready(self) -> "Started":
        assert self.process.stdout is not None
        while (line := self.process.stdout.readline()) != "ready\n":
            assert line, self.log()
            self.lines.append(line)
        return self

    @property
    def ports(self) -> list[int]:
        return [int(match[1]) for line in self.lines if (match := re.fullmatch(r"listening \S+ \S+ \S+ (\d+)\n", line))]

    def log(self) -> str:
        return self.errors.read_text()

    def stop(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(SECONDS)

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(SECONDS)
        assert self.process.stdout is not None
        self.process.stdout.close()


@pytest.fixture
def started(tmp_path: Path) -> Iterator[Any]:
    running: list[Started] = []

    def start(*options: str, **more: Any) -> Started:
        running.append(Started(tmp_path, *options, **more))
        return running[-1]

    yield start
    for one in running:
        one.close()


def secured(wire: socket.socket) -> ssl.SSLSocket:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    wire.settimeout(SECONDS)
    return context.wrap_socket(wire)


def client(port: int) -> ssl.SSLSocket:
    return secured(socket.create_connection(("127.0.0.1", port), SECONDS))


def heard(inside: ssl.SSLSocket) -> bytes:
    said = b""
    while not said.endswith(b"\n"):
        more = inside.recv(100)
        assert more, said
        said += more
    return said


def ends(folder: Path, *options: str, **more: Any) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [*COMMAND, *options],
        check=False,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        stdin=subprocess.DEVNULL,
        env={**os.environ, "XDG_STATE_HOME": str(folder / "state")},
        **more,
    )


# -- what is wrong

ONE_OF_THREE = "the options of one tunnel, or --config FILE.toml, or --stunnel-conf FILE: one of these, and no two"


@pytest.mark.parametrize(
    ("options", "line"),
    [
        ([], ONE_OF_THREE),
        (["--check"], ONE_OF_THREE),
        (["--config", "{config}", "-d", "pop3s"], ONE_OF_THREE),
        (["--config", "{config}", "--stunnel-conf", "{config}"], ONE_OF_THREE),
        (["--config", "/nonexistent"], "--config: '/nonexistent' is not possible: the file cannot be read"),
        (["--config", "{config}"], "there is no table [[tunnel]] in it"),
        (["--stunnel-conf", "/nonexistent"], "/nonexistent"),
        (["-d", "pop3s", "-v", "5"], "invalid choice: '5'"),
        (["-d", "pop3s", "--nonsense"], "'--nonsense' is not an option"),
        (["-d", "pop3s", "-r", "110", "--retries", "many"], "--retries: 'many' is not possible"),
    ],
)
def test_wrong_usage_is_one_line_and_status_2(
    options: list[str], line: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "c.toml"
    config.write_text('maildir = "mail"\n')
    try:
        status: Any = main(["tunnel", *(option.format(config=config) for option in options)])
    except SystemExit as end:
        status = end.code
    said = capsys.readouterr()
    assert (status, said.out) == (2, "")
    assert line in said.err
    assert said.err.startswith("mailaccess: ")
    assert said.err.count("\n") == 1


def listening() -> socket.socket:
    return socket.create_server(("127.0.0.1", 0))


@pytest.mark.parametrize("accept", ["127.0.0.1:{port}", "tcp:{port}:interface=127.0.0.1"])
def test_a_port_in_use_is_one_line_and_status_2(accept: str, tmp_path: Path) -> None:
    with listening() as other:
        result = ends(tmp_path, "-d", accept.format(port=other.getsockname()[1]), "-r", "127.0.0.1:1")
    assert result.returncode == 2
    last = result.stderr.splitlines()[-1]
    assert last.startswith("mailaccess: --accept: ")
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    ("tables", "line"),
    [
        (
            '[[tunnel]]\nname = "a"\naccept = "1"\nconnect = "110"\nverify = "full"\n',
            "tunnel 'a': verify: 'full' is not possible",
        ),
        ('[[tunnel]]\naccept = "1"\n', "tunnel '1': connect: '' is not possible"),
        ('[[tunnel]]\naccept = "1"\nconect = "2"\n', "tunnel.conect: '2' is not possible: there is no such key"),
        (
            '[[tunnel]]\naccept = "127.0.0.1:0"\nconnect = "110"\n[[tunnel]]\nname = "b"\nconnect = "110"\n',
            "tunnel 'b': accept: '' is not possible: where to listen is needed",
        ),
    ],
)
def test_what_is_wrong_with_a_file_is_said_with_its_place(tables: str, line: str, tmp_path: Path) -> None:
    config = tmp_path / "c.toml"
    config.write_text(tables)
    result = ends(tmp_path, "--config", str(config))
    assert result.returncode == 2
    assert line in result.stderr
    assert "Traceback" not in result.stderr


def test_without_a_place_to_listen_a_connection_is_needed(tmp_path: Path) -> None:
    result = ends(tmp_path, "-r", "127.0.0.1:110")
    assert result.returncode == 2
    assert result.stderr == (
        "mailaccess: --accept: '' is not possible: where to listen is needed; "
        "descriptor 0 is not a socket: inetd or systemd (Accept=yes) starts this program\n"
    )


# -- serving


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_serves_until_a_signal(started: Any, number: int) -> None:
    command = started("-d", "127.0.0.1:0", "--protocol", "pop3", *PROGRAM).ready()
    assert any(line.startswith("certificate ") for line in command.lines)
    (port,) = command.ports
    with client(port) as inside:
        assert heard(inside) == b"+OK ready\n"
        inside.sendall(b"QUIT\n")
        assert heard(inside) == b"+OK bye QUIT\n"
    assert command.stop(number) == 0
    assert "tunnel_closed" in command.log()
    assert "status=0" in command.log()


def test_a_stop_does_not_wait_for_who_is_idle(started: Any) -> None:
    command = started("-d", "127.0.0.1:0", "--protocol", "pop3", *PROGRAM).ready()
    with client(command.ports[0]) as inside:
        assert heard(inside) == b"+OK ready\n"
        command.process.send_signal(signal.SIGTERM)
        command.process.send_signal(signal.SIGTERM)
        assert command.stop() == 0
    assert "the service is stopping" in command.log()


def test_the_tunnels_of_a_file(started: Any, tmp_path: Path) -> None:
    config = tmp_path / "c.toml"
    program = json.dumps([sys.executable, "-c", POP3])
    config.write_text(
        "".join(
            f'[[tunnel]]\nname = "{name}"\naccept = "127.0.0.1:0"\nprotocol = "pop3"\nexec = {program}\n'
            for name in ("one", "two")
        )
    )
    command = started("--config", str(config)).ready()
    for port in command.ports:
        with client(port) as inside:
            assert heard(inside) == b"+OK ready\n"
    assert [line.split()[1] for line in command.lines if line.startswith("listening")] == ["one", "two"]
    assert command.stop() == 0


def test_systemd_is_told_how_it_goes(started: Any, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.settimeout(SECONDS)
        systemd.bind(str(tmp_path / "notify"))
        command = started("-d", "127.0.0.1:0", *PROGRAM, NOTIFY_SOCKET=str(tmp_path / "notify")).ready()
        assert systemd.recv(1000).startswith(b"READY=1\nSTATUS=127.0.0.1:0 ")
        command.process.send_signal(signal.SIGHUP)
        assert systemd.recv(1000).startswith(b"RELOADING=1\n")
        assert systemd.recv(1000).startswith(b"READY=1\n")
        assert command.stop() == 0
        assert systemd.recv(1000).startswith(b"STOPPING=1\n")


# -- one connection


def test_one_connection_is_served_and_the_process_ends_with_it(started: Any) -> None:
    ours, theirs = socket.socketpair()
    with ours:
        command = started("--protocol", "pop3", *PROGRAM, stdin=theirs)
        theirs.close()
        with secured(ours) as inside:
            assert heard(inside) == b"+OK ready\n"
            inside.sendall(b"QUIT\n")
            assert heard(inside) == b"+OK bye QUIT\n"
            inside.unwrap()
    assert command.process.wait(SECONDS) == 0
    assert command.process.stdout.read() == "", "a word that the client could take for its server's"


def test_one_connection_is_ended_by_a_signal(started: Any) -> None:
    ours, theirs = socket.socketpair()
    with ours:
        command = started("--protocol", "pop3", *PROGRAM, stdin=theirs)
        theirs.close()
        with secured(ours) as inside:
            assert heard(inside) == b"+OK ready\n"
            assert command.stop() == 0
    assert "the service is stopping" in command.log()


def test_a_client_that_has_gone_already_is_no_fault(started: Any) -> None:
    with listening() as server:
        ours = socket.create_connection(server.getsockname())
        theirs, _ = server.accept()
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    ours.close()
    command = started("--protocol", "pop3", *PROGRAM, stdin=theirs)
    theirs.close()
    assert command.process.wait(SECONDS) == 0
    assert "client_gone" in command.log()


# -- --check


@pytest.mark.parametrize(
    ("options", "status", "line"),
    [
        (["--protocol", "pop3", *PROGRAM], 0, "good, it speaks pop3"),
        (["--protocol", "imap", *PROGRAM], 1, "pop3 greeting where imap is expected"),
    ],
)
def test_a_check_says_what_it_finds_and_ends(options: list[str], status: int, line: str, tmp_path: Path) -> None:
    result = ends(tmp_path, "-d", "127.0.0.1:0", "--check", *options)
    assert (result.returncode, result.stderr) == (status, "")
    assert line in result.stdout
    assert not (tmp_path / "state").exists(), "a certificate that nobody asked for"


def test_a_check_as_json(tmp_path: Path) -> None:
    result = ends(tmp_path, "-d", "127.0.0.1:0", "--check", "--json", "--protocol", "pop3", *PROGRAM)
    (finding,) = json.loads(result.stdout)
    assert finding["fault"] == ""


def test_a_check_of_a_name_that_no_host_has(tmp_path: Path) -> None:
    result = ends(tmp_path, "-d", "127.0.0.1:0", "-r", "host.invalid:110", "--check")
    assert result.returncode == 1
    assert "host.invalid:110: cannot be reached: " in result.stdout
