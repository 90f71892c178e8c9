"""A real server process on loopback, for clients that nobody here wrote."""

import os
import re
import shutil
import ssl
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import pytest

PROJECT = Path(__file__).resolve().parents[2]
READY = re.compile(r"listening (imaps?|pop3s?) (TLS|STARTTLS|STLS|none) (\S+) (\d+)")
USER, PASSWORD = "joe", 'p_w"\\x'


@dataclass
class Server:
    """A running server: its folder, its ports, and what it said."""

    folder: Path
    process: "subprocess.Popen[str]"
    ports: dict[str, int]
    output: list[str]
    user: str = USER
    password: str = PASSWORD
    log: Path = field(default_factory=Path)

    @property
    def maildir(self) -> Path:
        """The user's Maildir."""
        return self.folder / "mail" / self.user

    @property
    def certificate(self) -> Path:
        """The certificate that the server made, which clients trust."""
        return self.folder / "mail" / "mailaccess-state" / "certificate.pem"

    def tls(self) -> ssl.SSLContext:
        """A client's context that verifies the server."""
        return ssl.create_default_context(cafile=str(self.certificate))

    def words(self) -> str:
        """What it has logged so far."""
        return self.log.read_text(errors="backslashreplace")

    def resident(self) -> int:
        """Octets of memory that the process holds."""
        return int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def descriptors(self) -> int:
        """How many files and sockets it has open."""
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def stop(self) -> int:
        """SIGTERM; the exit status."""
        self.process.terminate()
        return self.process.wait(15)


StartServer = Callable[..., Server]


def environment() -> dict[str, str]:
    """The environment in which the checkout is what ``twistd`` runs."""
    return {**os.environ, "PYTHONPATH": str(PROJECT), "PYTHONUNBUFFERED": "1"}


def start(folder: Path, *options: str, users: str | None = None, confined: bool = False) -> Server:
    """Start a server on free ports and wait for its listeners; ``confined``, root may not read everything."""
    mail = folder / "mail"
    mail.mkdir(parents=True, exist_ok=True)
    if not (mail / "users").exists():
        (mail / "users").write_text(users or f"{USER}:{{PLAIN}}{PASSWORD}\n")
    log = folder / "server.log"
    command = [str(Path(sys.executable).parent / "twistd"), "--nodaemon", "--pidfile=", f"--logfile={log}"]
    ports = [f"--{name}=127.0.0.1:0" for name in ("imap", "imaps", "pop3", "pop3s")]
    process = subprocess.Popen(
        [*(confinement() if confined else []), *command, "mailaccess", "--maildir", str(mail), *ports, *options],
        cwd=folder,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    output = _until_ready(process.stdout)
    found = {match[1]: int(match[4]) for line in output if (match := READY.search(line))}
    assert set(found) == {"imap", "imaps", "pop3", "pop3s"}, "".join(output) + (log.read_text() if log.exists() else "")
    return Server(folder, process, found, output, log=log)


def confinement() -> list[str]:
    """What takes from root the right to read what its mode forbids; nothing for others, who do not have it."""
    return [program("setpriv"), "--bounding-set=-dac_override,-dac_read_search"] if os.geteuid() == 0 else []


def eventually(condition: Callable[[], object], seconds: float = 10) -> None:
    """Wait until ``condition`` holds, and fail if it does not within ``seconds``."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"{condition} did not come true within {seconds} s"
        time.sleep(0.02)


def limits(folder: Path, **values: int) -> str:
    """The option that sets these limits."""
    path = folder / "limits.toml"
    path.write_text("[limits]\n" + "".join(f"{key} = {value}\n" for key, value in values.items()))
    return f"--config={path}"


def _until_ready(stream: IO[str]) -> list[str]:
    lines: list[str] = []
    for line in stream:
        lines.append(line)
        if line.startswith("ready"):
            break
    return lines


def program(name: str) -> str:
    """The path of a client; where it is missing a user's machine skips, CI fails."""
    found = shutil.which(name)
    if found is None:
        if os.environ.get("CI") == "true":
            pytest.fail(f"{name} is not installed, and CI must have it")
        pytest.skip(f"{name} is not installed")
    return found
