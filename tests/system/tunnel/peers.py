"""The programs at the other end: Debian's stunnel, proxies, inetd, a directory and a database."""

import os
import pwd
import re
import shutil
import signal
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from server_process import eventually, program
from tunnel.processes import Processes, Running

NOBODY = "nobody"
_BOUND = re.compile(r"Service \[(\w+)\] \(FD=\d+\) bound to 127\.0\.0\.1:(\d+)")


@dataclass
class Stunnel:
    """A running stunnel and the ports of its services."""

    running: Running
    ports: dict[str, int]


def stunnel(processes: Processes, **services: Sequence[str]) -> Stunnel:
    """stunnel with these services, each the lines of its section; ``accept`` is a free port where they have none."""
    lines = ["foreground = yes", "pid =", "syslog = no", "debug = info"]
    for name, section in services.items():
        has_place = any(line.startswith(("accept", "sni")) for line in section)
        lines += [f"[{name}]", *([] if has_place else ["accept = 127.0.0.1:0"]), *section]
    configuration = processes.folder / f"stunnel-{'-'.join(services)}.conf"
    configuration.write_text("\n".join(lines) + "\n")
    running = processes.start([program("stunnel4"), str(configuration)])
    eventually(lambda: running.alive() and "Accepting new connections" in running.words())
    return Stunnel(running, {name: int(port) for name, port in _BOUND.findall(running.words())})


def inetd(processes: Processes, *command: str, user: str = "root") -> int:
    """Debian's inetd, which runs ``command`` on the socket of each connection; its port."""
    port = processes.free_port()
    configuration = processes.folder / f"inetd-{port}.conf"
    configuration.write_text(f"127.0.0.1:{port} stream tcp nowait {user} {command[0]} {' '.join(command)}\n")
    processes.start([program("inetd"), "-i", str(configuration)]).listens(port)
    return port


def tinyproxy(processes: Processes, *settings: str) -> tuple[Running, int]:
    """An HTTP proxy for CONNECT; its port."""
    port = processes.free_port()
    configuration = processes.folder / "tinyproxy.conf"
    lines = (f"Port {port}", "Listen 127.0.0.1", "Allow 127.0.0.1", "LogLevel Connect", "MaxClients 20", *settings)
    configuration.write_text("\n".join(lines) + "\n")
    running = processes.start([program("tinyproxy"), "-d", "-c", str(configuration)])
    running.listens(port)
    return running, port


def microsocks(processes: Processes, *options: str) -> tuple[Running, int]:
    """A SOCKS5 proxy; its port."""
    port = processes.free_port()
    running = processes.start([program("microsocks"), "-i", "127.0.0.1", "-p", str(port), *options])
    running.listens(port)
    return running, port


def slapd(processes: Processes, certificate: str = "") -> int:
    """OpenLDAP with a user ``cn=config``, password ``secret``, and STARTTLS if it has a certificate; its port."""
    port = processes.free_port()
    lines = [f"pidfile {processes.folder}/slapd.pid"]
    if certificate:
        lines += [
            f"TLSCertificateFile {certificate}",
            f"TLSCertificateKeyFile {certificate}",
            "security simple_bind=128",
        ]
    lines += ["database config", "rootdn cn=config", "rootpw secret"]
    configuration = processes.folder / "slapd.conf"
    configuration.write_text("\n".join(lines) + "\n")
    command = [program("slapd"), "-f", str(configuration), "-h", f"ldap://127.0.0.1:{port}", "-d", "0"]
    processes.start(command).listens(port)
    return port


@contextmanager
def folder_of(user: str) -> Iterator[Path]:
    """A folder that ``user`` can reach, as pytest's are not; for tests that run as root."""
    folder = Path(tempfile.mkdtemp(prefix="mailaccess-tunnel-"))
    if os.geteuid() == 0:
        shutil.chown(folder, user)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def give(folder: Path, user: str) -> None:
    """Have all in ``folder``, and itself, belong to ``user``, where we may."""
    if os.geteuid() == 0:
        for path in (folder, *folder.rglob("*")):
            shutil.chown(path, user)


def as_user(user: str) -> list[str]:
    """What runs a command as ``user``, for programs that refuse to run as root; nothing where we are not root."""
    if os.geteuid() != 0:
        return []
    return [program("setpriv"), f"--reuid={user}", f"--regid={pwd.getpwnam(user).pw_gid}", "--init-groups"]


@dataclass
class PostgreSQL:
    """A database server that asks for a password; with TLS, it takes nobody in clear.

    It asks by SCRAM, as by default; with TLS it offers to bind the login to that, which a client in clear cannot.
    """

    port: int
    user: str = "postgres"
    password: str = "secret"


def postgresql(processes: Processes, folder: Path, certificate: str = "") -> PostgreSQL:
    """Start a database in ``folder``, which belongs to the user ``postgres``."""
    server = PostgreSQL(processes.free_port())
    data, secret = folder / "data", folder / "secret"
    secret.write_text(server.password)
    secret.chmod(0o644)
    command = [
        postgres_program("initdb"),
        "--no-sync",
        "-A",
        "scram-sha-256",
        "--pwfile",
        str(secret),
        "-U",
        server.user,
    ]
    initdb = processes.start([*as_user("postgres"), *command, "-D", str(data)])
    assert initdb.process.wait(60) == 0, initdb.words()
    settings = {
        "port": server.port, "listen_addresses": "127.0.0.1", "unix_socket_directories": "", "fsync": "off",
        "shared_buffers": "16MB", "max_connections": "10",
    }  # fmt: skip
    if certificate:
        owned = folder / "server.pem"
        shutil.copy(certificate, owned)
        owned.chmod(0o600)
        if os.geteuid() == 0:
            shutil.chown(owned, "postgres")
        settings |= {"ssl": "on", "ssl_cert_file": str(owned), "ssl_key_file": str(owned)}
        (data / "pg_hba.conf").write_text("hostssl all all 127.0.0.1/32 scram-sha-256\n")
    options = [part for key, value in settings.items() for part in ("-c", f"{key}={value}")]
    running = processes.start(
        [*as_user("postgres"), postgres_program("postgres"), "-D", str(data), *options], stop_signal=signal.SIGINT
    )
    running.listens(server.port)
    return server


def postgres_program(name: str) -> str:
    """The path of one of PostgreSQL's programs, which Debian keeps out of PATH."""
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    return str(found[-1]) if found else program(name)


def dovecot_imap(maildir: Path) -> list[str]:
    """Dovecot's IMAP on standard input and output, as its user already logged in (PREAUTH)."""
    setting = f"mail_location=maildir:{maildir}"
    return [
        program("env"),
        f"USER={NOBODY}",
        f"HOME={maildir}",
        *as_user(NOBODY),
        "/usr/lib/dovecot/imap",
        "-o",
        setting,
        "-o",
        "log_path=/dev/stderr",
    ]
