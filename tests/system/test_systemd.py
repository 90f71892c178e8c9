"""The units as systemd reads them, their programs as they start them, and what a server tells systemd."""

import imaplib
import os
import poplib
import re
import shlex
import shutil
import signal
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from corpus import crlf, deliver, messages
from sandbox import settings
from server_process import PROJECT, environment, eventually, program
from super_servers import COMMAND, House, activating, running

pytestmark = pytest.mark.system

UNITS = PROJECT / "systemd"
SERVICES = sorted(UNITS.glob("*.service"))
SANDBOX = [sys.executable, str(Path(__file__).with_name("sandbox.py"))]
TWISTD = [str(Path(sys.executable).parent / "twistd")]
DROP_INS = {
    "mailaccess-network.conf": "mailaccess.service",
    "mailaccess-tunnel-exec.conf": "mailaccess-tunnel@.service",
}


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """A folder with the units as they are, and in place of our programs one that is there."""
    for unit in UNITS.iterdir():
        (tmp_path / unit.name).write_text(re.sub(r"/opt/mailaccess/bin/\w+", "/bin/true", unit.read_text()))
    return tmp_path


def analyze(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [program("systemd-analyze"), "--no-pager", *arguments], capture_output=True, text=True, timeout=60, check=False
    )


# -- the units


def test_systemd_finds_nothing_wrong_with_the_units(installed: Path) -> None:
    for drop_in, service in DROP_INS.items():
        (installed / f"{service}.d").mkdir()
        (installed / drop_in).rename(installed / f"{service}.d" / drop_in)
    port = installed / "mailaccess-tunnel@.socket"
    port.rename(port.with_name("mailaccess-tunnel@995.socket"))  # else its instance is "i", which is no port
    units = [str(path) for path in sorted(installed.iterdir()) if path.suffix in (".service", ".socket")]
    assert len(units) == 9
    done = analyze("verify", "--man=no", *units)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


@pytest.mark.parametrize("service", SERVICES, ids=lambda path: path.name)
def test_a_unit_is_exposed_to_little(installed: Path, service: Path) -> None:
    done = analyze("security", "--offline=true", "--threshold=20", str(installed / service.name))
    assert done.returncode == 0, done.stdout
    assert re.search(r"Overall exposure level for \S+: [01]\.\d", done.stdout)


@pytest.mark.parametrize(("drop_in", "service"), DROP_INS.items())
def test_with_a_drop_in_it_is_too(installed: Path, drop_in: str, service: str) -> None:
    together = installed / service
    added = (UNITS / drop_in).read_text()
    unit = together.read_text()
    for key in settings(UNITS / drop_in):  # where systemd takes both, the latter counts
        unit = re.sub(rf"^{key}=.*\n", "", unit, flags=re.MULTILINE)
    together.write_text(unit.replace("[Install]", f"{added}\n[Install]"))
    done = analyze("security", "--offline=true", "--threshold=20", str(together))
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("service", SERVICES, ids=lambda path: path.name)
def test_keys_come_as_credentials(service: Path) -> None:
    keys = settings(service)
    assert keys["LoadCredential"]
    assert "/etc/mailaccess/private-key.pem" not in " ".join(keys["ExecStart"])
    assert ("User" in keys) != ("DynamicUser" in keys)


# -- their programs


class Unit(House):
    """A unit's program as systemd starts it, in the sandbox of its system calls, with the places of a test."""

    def __init__(self, folder: Path, name: str) -> None:
        super().__init__(folder)
        self.file = UNITS / name
        credentials, self.state = folder / "credentials", folder / "state"
        credentials.mkdir()
        self.certificate.rename(credentials / "certificate")
        (folder / "key.pem").rename(credentials / "private-key")
        self.certificate = credentials / "certificate"
        example = (UNITS / "mailaccess.toml").read_text()
        for there, here in (("/var/vmail/%u", folder / "mail/%u"), ("/etc/mailaccess/users", folder / "mail/users")):
            assert there in example
            example = example.replace(there, str(here))
        (folder / "mailaccess.toml").write_text(example)
        both = self.certificate.read_bytes() + (credentials / "private-key").read_bytes()
        (credentials / "certificate").write_bytes(both)  # as a tunnel wants it, and a server does not mind
        self.variables = {"CREDENTIALS_DIRECTORY": str(credentials), "STATE_DIRECTORY": str(self.state)}

    def command(self, instance: str = "") -> list[str]:
        [line] = settings(self.file)["ExecStart"]
        line = line.replace("%j", instance).replace("%i", instance).replace("/etc/mailaccess/", f"{self.folder}/")
        for name, value in self.variables.items():
            line = line.replace(f"${{{name}}}", value)
        words = shlex.split(line)
        ours = {"/opt/mailaccess/bin/twistd": TWISTD, "/opt/mailaccess/bin/mailaccess": COMMAND}[words[0]]
        assert "$" not in line
        assert "%" not in line
        return [*SANDBOX, str(self.file), *ours, *words[1:]]


def tls(house: House) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(house.certificate))


def test_the_server_serves_on_handed_over_sockets_inside_its_sandbox(tmp_path: Path) -> None:
    unit = Unit(tmp_path, "mailaccess.service")
    sent = deliver(unit.maildir, messages(2))
    add = [*COMMAND, "user", "add", "--generate", "anna", f"--users={tmp_path / 'mail/users'}"]
    password = subprocess.run(add, env=environment(), capture_output=True, text=True, check=True).stdout.strip()
    with activating(unit, unit.command(), 2, "--fdname=imaps:pop3s", **unit.variables) as (process, [imaps, pop3s]):
        client = imaplib.IMAP4_SSL("localhost", imaps, ssl_context=tls(unit), timeout=30)
        client.login(unit.user, unit.password)
        client.select()
        assert client.fetch("2", "(BODY.PEEK[])")[1][0][1] == crlf(sent[1])  # type: ignore[index]
        assert client.append("INBOX", "", "", b"Subject: x\r\n\r\nx\r\n")[0] == "OK"
        other = poplib.POP3_SSL("localhost", pop3s, context=tls(unit), timeout=30)
        other.user("anna")  # whose password is hashed with Argon2
        other.pass_(password)
        other.quit()
        client.logout()
        process.send_signal(signal.SIGTERM)
        assert process.wait(15) == 0
    said = (tmp_path / "super-server").read_text()
    assert f"listening imaps TLS 127.0.0.1 {imaps}" in said
    assert f"listening pop3s TLS 127.0.0.1 {pop3s}" in said
    assert "Traceback" not in said
    assert (unit.state / "index/joe.sqlite").exists()
    assert not (tmp_path / "mail/mailaccess-state").exists()


def test_a_process_for_each_connection_serves_inside_its_sandbox(tmp_path: Path) -> None:
    unit = Unit(tmp_path, "mailaccess-inetd-imaps@.service")
    sent = deliver(unit.maildir, messages(1))
    command = unit.command("imaps")
    with activating(unit, command, 1, "--inetd", "-a", **unit.variables) as (_, [port]):
        client = imaplib.IMAP4_SSL("localhost", port, ssl_context=tls(unit), timeout=30)
        client.login(unit.user, unit.password)
        client.select()
        assert client.fetch("1", "(BODY.PEEK[])")[1][0][1] == crlf(sent[0])  # type: ignore[index]
        client.logout()
        said = tmp_path / "super-server"
        eventually(lambda: re.search(r"Child \d+ died with code 0", said.read_text()))
    assert "login protocol=imap user=joe address=127.0.0.1" in said.read_text()


def test_a_tunnel_runs_inside_its_sandbox_and_tells_systemd(tmp_path: Path, systemd: "Systemd") -> None:
    unit = Unit(tmp_path, "mailaccess-tunnel@.service")
    with socket.create_server(("127.0.0.1", 0)) as daemon:
        daemon.settimeout(30)
        (tmp_path / "tunnel-pop3.toml").write_text(
            f'[[tunnel]]\naccept = "systemd:pop3s"\nconnect = "127.0.0.1:{daemon.getsockname()[1]}"\n'
            f'certificate = "{unit.certificate}"\n'
        )
        told = {"NOTIFY_SOCKET": str(systemd.path), "WATCHDOG_USEC": "400000", **unit.variables}
        with activating(unit, unit.command("pop3"), 1, "--fdname=pop3s", **told) as (process, [port]):
            client = socket.create_connection(("127.0.0.1", port), 30)
            with tls(unit).wrap_socket(client, server_hostname="localhost") as secured:
                with daemon.accept()[0] as inner:
                    inner.sendall(b"+OK a daemon that knows no TLS\r\n")
                assert secured.recv(100) == b"+OK a daemon that knows no TLS\r\n"
            assert systemd.hears("READY")["READY"] == "1"
            systemd.hears("WATCHDOG")
            process.send_signal(signal.SIGTERM)
            assert systemd.hears("STOPPING")["STOPPING"] == "1"
            assert process.wait(15) == 0
    assert "Traceback" not in (tmp_path / "super-server").read_text()


# -- sockets by their names


def server_command(house: House, **endpoints: str) -> list[str]:
    chosen = {"imap": "off", "imaps": "off", "pop3": "off", "pop3s": "off"} | endpoints
    return [
        *TWISTD,
        "--nodaemon",
        "--pidfile=",
        "mailaccess",
        *house.options,
        *(f"--{k}={v}" for k, v in chosen.items()),
    ]


@pytest.mark.parametrize("endpoint", ["systemd:mail", "systemd:1", "systemd:domain=INET:name=mail"])
def test_an_endpoint_names_a_socket(house: House, endpoint: str) -> None:
    command = server_command(house, imap=endpoint)
    with activating(house, command, 2, "--fdname=other:mail") as (_, [_, port]):
        client = imaplib.IMAP4("localhost", port, timeout=30)
        client.starttls(tls(house))
        client.login(house.user, house.password)
        client.logout()


def test_several_sockets_of_one_name_are_one_service(house: House) -> None:
    with activating(house, server_command(house, pop3="systemd:pop3"), 2, "--fdname=pop3:pop3") as (_, ports):
        for port in ports:
            client = poplib.POP3("localhost", port, timeout=30)
            client.stls(tls(house))
            client.quit()


def test_a_name_that_nobody_handed_over_ends_the_start(house: House) -> None:
    command = server_command(house, imaps="systemd:imapz")
    with (
        activating(house, command, 2, "--fdname=imap:imaps") as (process, [port, _]),
        socket.create_connection(("127.0.0.1", port)),  # which makes it start
    ):
        assert process.wait(20) == 2
    said = (house.folder / "super-server").read_text()
    assert "mailaccess: --imaps: 'systemd:imapz' is not possible: systemd handed over imap imaps\n" in said


# -- what systemd is told


class Systemd:
    """The other end of ``NOTIFY_SOCKET``."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "notify"
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.settimeout(20)
        self.socket.bind(str(self.path))

    def hears(self, word: str) -> dict[str, str]:
        """The next message with ``word`` in it; none but signs of life and states come before."""
        while True:
            message = dict(line.split("=", 1) for line in self.socket.recv(4096).decode().split("\n"))
            if word in message:
                return message
            assert set(message) <= {"WATCHDOG", "STATUS"}, message


@pytest.fixture
def systemd() -> Iterator[Systemd]:
    folder = Path("/tmp", f"mailaccess-{os.getpid()}")  # a socket's path must be short
    folder.mkdir()
    systemd = Systemd(folder)
    yield systemd
    systemd.socket.close()
    shutil.rmtree(folder)


def test_systemd_is_told_of_start_reload_life_and_end(house: House, systemd: Systemd) -> None:
    command = server_command(house, imaps="127.0.0.1:0")
    with running(command, house.folder, NOTIFY_SOCKET=str(systemd.path), WATCHDOG_USEC="400000") as process:
        ready = systemd.hears("READY")
        port = int(re.fullmatch(r"imaps (\d+), 0 sessions", ready["STATUS"])[1])  # type: ignore[index]
        systemd.hears("WATCHDOG")
        systemd.hears("WATCHDOG")
        with tls(house).wrap_socket(socket.create_connection(("127.0.0.1", port)), server_hostname="localhost"):
            assert systemd.hears("STATUS") == {"STATUS": f"imaps {port}, 1 sessions"}
        process.send_signal(signal.SIGHUP)
        assert int(systemd.hears("RELOADING")["MONOTONIC_USEC"]) > 0
        assert systemd.hears("READY")["READY"] == "1"
        process.send_signal(signal.SIGTERM)
        assert systemd.hears("STOPPING") == {"STOPPING": "1", "STATUS": "stopping"}
        assert process.wait(15) == 0


def test_a_systemd_that_does_not_listen_harms_nobody(house: House) -> None:
    command = server_command(house, imap="127.0.0.1:0")
    with running(command, house.folder, NOTIFY_SOCKET="/nowhere", WATCHDOG_USEC="100000") as process:
        said = house.folder / "super-server"
        eventually(lambda: "ready\n" in said.read_text())
        process.send_signal(signal.SIGHUP)
        eventually(lambda: "users_loaded" in said.read_text())
        process.send_signal(signal.SIGTERM)
        assert process.wait(15) == 0
    assert said.read_text().count("systemd_not_told") == 1
    assert "Traceback" not in said.read_text()
