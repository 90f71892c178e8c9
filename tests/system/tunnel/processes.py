"""Processes that a test starts, what they say, and the ports that they get."""

import os
import signal
import socket
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from server_process import eventually


@dataclass
class Running:
    """A process, and the file with all that it has said so far."""

    process: "subprocess.Popen[bytes]"
    log: Path
    stop_signal: signal.Signals = signal.SIGTERM

    def words(self) -> str:
        """What it has said on standard error, and on standard output where that is not kept apart."""
        return self.log.read_text(errors="backslashreplace")

    def resident(self) -> int:
        """Octets of memory that the process holds."""
        return int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def descriptors(self) -> int:
        """How many files and sockets it has open."""
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def says(self, *words: str, seconds: float = 10) -> None:
        """Wait until a line with all these words was said."""
        eventually(lambda: any(all(word in line for word in words) for line in self.words().splitlines()), seconds)

    def listens(self, port: int) -> None:
        """Wait until the process, which must go on, accepts connections on ``port``."""
        eventually(lambda: self.alive() and _answers(port))

    def alive(self) -> bool:
        """True; fails with its last words where the process has ended."""
        assert self.process.poll() is None, self.words()
        return True

    def ask_to_stop(self) -> None:
        """Send its signal, where it still runs."""
        if self.process.poll() is None:
            self.process.send_signal(self.stop_signal)

    def stop(self) -> int:
        """Ask the process to stop; its exit status."""
        self.ask_to_stop()
        return self.process.wait(15)


@dataclass
class Processes:
    """Starts processes in ``folder``, each with a log of its own, and ends those that still run."""

    folder: Path
    _running: list[Running] = field(default_factory=list)
    _held: list[socket.socket] = field(default_factory=list)

    def count(self) -> int:
        """How many were started."""
        return len(self._running)

    def start(
        self,
        command: Sequence[str],
        *,
        output: Path | None = None,
        environment: Mapping[str, str] | None = None,
        stop_signal: signal.Signals = signal.SIGTERM,
    ) -> Running:
        """Start ``command``; its standard output goes to ``output``, or with its errors to its log."""
        log = self.folder / f"{self.count()}-{Path(command[0]).name}.log"
        with log.open("wb") as errors, (output or log).open("ab") as said:
            process = subprocess.Popen(
                command, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=said, stderr=errors,
                env={**os.environ, **(environment or {})},
            )  # fmt: skip
        self._running.append(Running(process, log, stop_signal))
        return self._running[-1]

    def free_port(self) -> int:
        """A port for a process that cannot tell which one it got.

        It stays bound here, without listening, so that nobody else gets it; servers set SO_REUSEADDR and may bind too.
        """
        held = socket.socket()
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.bind(("127.0.0.1", 0))
        self._held.append(held)
        return int(held.getsockname()[1])

    def end(self) -> None:
        """End what still runs."""
        for running in self._running:
            running.ask_to_stop()
        for running in self._running:
            try:
                running.process.wait(15)
            except subprocess.TimeoutExpired:
                running.process.kill()
                running.process.wait()
        for held in self._held:
            held.close()


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True
