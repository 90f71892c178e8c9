"""Programs that listen in our place: Debian's inetd, and systemd's socket-activate."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from server_process import PASSWORD, USER, environment, program

from mailaccess.net.selfsigned import make_self_signed

COMMAND = [sys.executable, "-m", "mailaccess.app.command"]


class House:
    """A folder with a user, a certificate and a log; the options that name them."""

    user, password = USER, PASSWORD

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.maildir = folder / "mail" / USER
        self.certificate, self.log = folder / "certificate.pem", folder / "log"
        (folder / "mail").mkdir()
        (folder / "mail/users").write_text(f"{USER}:{{PLAIN}}{PASSWORD}\n")
        make_self_signed(self.certificate, folder / "key.pem")
        self.options = [
            f"--maildir={folder / 'mail'}", f"--certificate={self.certificate}", f"--private-key={folder / 'key.pem'}"
        ]  # fmt: skip

    def inetd_command(self, service: str) -> list[str]:
        """What a super-server runs for each connection."""
        return [*COMMAND, "inetd", service, f"--logfile={self.log}", *self.options]

    def words(self) -> str:
        """What was logged so far."""
        return self.log.read_text(errors="backslashreplace") if self.log.exists() else ""


@contextmanager
def running(
    command: list[str], folder: Path, *, pass_fds: Sequence[int] = (), **variables: str
) -> "Iterator[subprocess.Popen[bytes]]":
    """A program, and at the end no more of it."""
    with open(folder / "super-server", "wb") as output:
        process = subprocess.Popen(
            command, cwd=folder, env=environment() | variables, stdout=output, stderr=output, pass_fds=pass_fds
        )
        try:
            yield process
        finally:
            if process.poll() is None:
                process.terminate()
            process.wait(15)


_AS_SYSTEMD = """
import os, sys
given = sys.argv[1].split(",")
copies = [os.dup(os.dup(int(number))) for number in given]
for place, number in enumerate(copies, 3):
    os.dup2(number, place)
os.environ |= {"LISTEN_FDS": str(len(given)), "LISTEN_PID": str(os.getpid())}
os.execv(sys.argv[2], sys.argv[2:])
"""


@contextmanager
def activating(
    house: House, command: list[str], count: int, *options: str, **variables: str
) -> "Iterator[tuple[subprocess.Popen[bytes], list[int]]]":
    """``systemd-socket-activate`` on ``count`` ports, and these: it becomes ``command``, or with -a starts many.

    It takes no port 0, but sockets that somebody has bound for it.
    """
    given = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    numbers = [each.fileno() for each in given]
    laundered = [f"--setenv={name}" for name in ("PYTHONPATH", "PYTHONUNBUFFERED", *variables)]
    activate = [program("systemd-socket-activate"), *options, *laundered, *command]
    launch = [sys.executable, "-c", _AS_SYSTEMD, ",".join(map(str, numbers)), *activate]
    with running(launch, house.folder, pass_fds=numbers, **variables) as process:
        ports = [each.getsockname()[1] for each in given]
        for each in given:
            each.close()
        yield process, ports


def listens(process: "subprocess.Popen[bytes]", port: int) -> bool:
    """Whether a process listens on a port."""
    try:
        here = {os.readlink(entry.path) for entry in os.scandir(f"/proc/{process.pid}/fd")}
    except FileNotFoundError:  # closed since it was listed
        return False
    table = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()]
    return any(f"socket:[{row[9]}]" in here for row in table if row[1].endswith(f":{port:04X}") and row[3] == "0A")


def free_port() -> int:
    """A port that nobody has now: inetd wants one in its file."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])
