"""Starts a tunnel (stunnel, or ours) in front of the plain server, and tells what it costs."""

import os
import re
import socket
import subprocess
import sys
import time
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
TICK = os.sysconf("SC_CLK_TCK")
STUNNEL = """foreground = yes
pid =
syslog = no
debug = notice
[echo]
accept = 127.0.0.1:{port}
connect = 127.0.0.1:{backend}
cert = {pem}
sslVersionMin = TLSv1.2
"""


def certificate(folder: Path) -> Path:
    """One ECDSA P-256 certificate, with its key, for all."""
    pem, key = folder / "certificate.pem", folder / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out", pem],
        check=True, capture_output=True,
    )  # fmt: skip
    pem.write_bytes(pem.read_bytes() + key.read_bytes())
    return pem


class Backend:
    """The plain server, as a process."""

    def __init__(self) -> None:
        command = [sys.executable, str(Path(__file__).with_name("backend.py"))]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline())

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()


class Peer:
    """A running tunnel: where it listens, and what it has cost so far."""

    def __init__(self, name: str, folder: Path, backend: int, pem: Path) -> None:
        self.name = name
        self.log = folder / f"{name}.log"
        with socket.socket() as held:  # stays bound until the tunnel listens, so that nobody else gets the port
            held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            held.bind(("127.0.0.1", 0))
            self.port = held.getsockname()[1]
            self._start(_stunnel(folder, self.port, backend, pem) if name == "stunnel" else _ours(self.port, backend, pem))

    def _start(self, command: list[str]) -> None:
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                command, stdout=log, stderr=log, env={**os.environ, "PYTHONPATH": str(PROJECT)}
            )
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
            except ConnectionRefusedError:
                time.sleep(0.05)
            else:
                return
        self.process.kill()
        raise SystemExit(f"{self.name} did not start: {self.log.read_text()}")

    def cpu_seconds(self) -> float:
        """Of the process so far, its children included; to a hundredth."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return sum(int(field) for field in fields[11:15]) / TICK

    def pss_kib(self) -> int:
        """Memory of the process, its share of what it shares with others (PSS)."""
        rollup = Path(f"/proc/{self.process.pid}/smaps_rollup").read_text()
        return int(re.search(r"^Pss:\s+(\d+)", rollup, re.M)[1])

    def stop(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def _stunnel(folder: Path, port: int, backend: int, pem: Path) -> list[str]:
    configuration = folder / "stunnel.conf"
    configuration.write_text(STUNNEL.format(port=port, backend=backend, pem=pem))
    return ["stunnel4", str(configuration)]


def _ours(port: int, backend: int, pem: Path) -> list[str]:
    return [
        sys.executable, "-m", "mailaccess.app.command", "tunnel", "--accept", f"127.0.0.1:{port}", "--protocol", "none",
        "--connect", f"127.0.0.1:{backend}", "--certificate", str(pem),
        "--connections", "20000", "--connections-per-address", "20000",
    ]  # fmt: skip
