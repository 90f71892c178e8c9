"""The command ``mailaccess tunnel``, as a process."""

import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from server_process import environment, eventually
from tunnel.processes import Processes, Running

COMMAND = [sys.executable, "-m", "mailaccess.app.command", "tunnel"]
_LISTENING = re.compile(r"^listening (\S+) (TLS|STARTTLS|none) (\S+) (\d+)$", re.MULTILINE)


@dataclass
class Tunnel:
    """A running tunnel: the ports of its services by their names, in the order in which it told them."""

    running: Running
    ports: dict[str, int]
    said: Path

    @property
    def port(self) -> int:
        """The port of its only service."""
        (port,) = self.ports.values()
        return port

    def log(self) -> str:
        """Its events so far."""
        return self.running.words()

    def logs(self, *words: str) -> None:
        """Wait until an event has all these words."""
        self.running.says(*words)


StartTunnel = Callable[..., Tunnel]


def tunnel(processes: Processes, *options: str, environment_too: dict[str, str] | None = None) -> Tunnel:
    """Start a tunnel and wait until it is ready; ``--accept`` is a free port where ``options`` do not say it."""
    accept = ["--accept", "127.0.0.1:0"] if not _says_where(options) else []
    said = processes.folder / f"tunnel-{processes.count()}.out"
    said.touch()
    running = processes.start(
        [*COMMAND, *accept, *options], output=said, environment={**environment(), **(environment_too or {})}
    )
    eventually(lambda: running.alive() and said.read_text().endswith("ready\n"))
    return Tunnel(running, {match[1]: int(match[4]) for match in _LISTENING.finditer(said.read_text())}, said)


def _says_where(options: tuple[str, ...]) -> bool:
    return any(option.partition("=")[0] in {"--accept", "-d", "--stunnel-conf", "--config"} for option in options)


def executing(*command: str) -> list[str]:
    """The options, which must be the last, that run ``command`` for each connection."""
    return ["--exec", command[0], *(["--", *command[1:]] if command[1:] else [])]


def run(*options: str, folder: Path | None = None, seconds: float = 30) -> "subprocess.CompletedProcess[str]":
    """Run the command to its end: ``--check``, ``--help``, and what must be refused."""
    return subprocess.run(
        [*COMMAND, *options],
        cwd=folder,
        env=environment(),
        text=True,
        capture_output=True,
        timeout=seconds,
        check=False,
    )
