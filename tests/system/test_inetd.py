"""``mailaccess inetd``: one process for each connection, started by Debian's inetd, by systemd's, and by hand."""

import imaplib
import os
import poplib
import pwd
import re
import signal
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from corpus import crlf, deliver, messages
from server_process import environment, eventually, program
from super_servers import COMMAND, House, activating, free_port, listens, running

pytestmark = pytest.mark.system

GREETING = {"imap": b"* OK ", "pop3": b"+OK "}
GOODBYE = {"imap": b"* BYE [UNAVAILABLE] The server is stopping", "pop3": b"-ERR [SYS/TEMP] The server is stopping"}
REFUSAL = {
    "imap": b"* BYE [UNAVAILABLE] The server is not available now\r\n",
    "pop3": b"-ERR [SYS/PERM] The server is not available now\r\n",
}


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def tls(house: House) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(house.certificate))


def curl(house: House, url: str, *options: str) -> bytes:
    user = f"{house.user}:{house.password}"
    return subprocess.run(
        [program("curl"), "--silent", "--show-error", "--max-time", "20", "--ssl-reqd",
         "--cacert", str(house.certificate), "--user", user, *options, url],
        check=True, capture_output=True, timeout=30,
    ).stdout  # fmt: skip


# -- real super-servers


@contextmanager
def debian_inetd(house: House) -> Iterator[dict[str, int]]:
    """Debian's inetd in the foreground; the ports of its services."""
    user = pwd.getpwuid(os.geteuid()).pw_name
    ports = {service: free_port() for service in ("imap", "imaps", "pop3", "pop3s")}
    lines = [
        f"127.0.0.1:{port} stream tcp4 nowait {user} {COMMAND[0]} {' '.join(house.inetd_command(service))}\n"
        for service, port in ports.items()
    ]
    (house.folder / "inetd.conf").write_text("".join(lines))
    with running([program("inetd"), "-d", "-E", str(house.folder / "inetd.conf")], house.folder) as process:
        eventually(lambda: all(listens(process, port) for port in ports.values()))
        yield ports


def test_debians_inetd_serves_real_clients(house: House) -> None:
    sent = deliver(house.maildir, messages(3))
    with debian_inetd(house) as ports:
        assert curl(house, f"imaps://localhost:{ports['imaps']}/INBOX;MAILINDEX=2") == crlf(sent[1])
        assert curl(house, f"imap://localhost:{ports['imap']}/INBOX;MAILINDEX=3") == crlf(sent[2])
        assert curl(house, f"pop3s://localhost:{ports['pop3s']}/1") == crlf(sent[0])
        client = poplib.POP3("localhost", ports["pop3"], timeout=20)
        client.stls(tls(house))
        client.user(house.user)
        client.pass_(house.password)
        client.dele(1)
        client.quit()
        assert curl(house, f"pop3s://localhost:{ports['pop3s']}/").count(b"\n") == 2
    assert "Traceback" not in house.words()
    assert house.words().count("login protocol=imap user=joe address=127.0.0.1 tls=TLSv1.3") == 2


def test_systemds_sockets_with_accept_serve_real_clients(house: House) -> None:
    sent = deliver(house.maildir, messages(2))
    with activating(house, house.inetd_command("imap"), 1, "--inetd", "-a") as (_, [port]):
        client = imaplib.IMAP4("localhost", port, timeout=20)
        client.starttls(tls(house))
        client.login(house.user, house.password)
        assert client.select() == ("OK", [b"2"])
        assert client.fetch("1", "(BODY.PEEK[])")[1][0][1] == crlf(sent[0])  # type: ignore[index]
        client.logout()
        output = house.folder / "super-server"
        eventually(lambda: re.search(r"Child \d+ died with code 0", output.read_text()))


# -- by hand


class Started:
    """``mailaccess inetd`` with one end of a pair of sockets as all of its standard descriptors."""

    def __init__(
        self, house: House, service: str, *options: str, stderr: int | None = None, command: Sequence[str] = COMMAND
    ) -> None:
        self.client, given = socket.socketpair()
        self.client.settimeout(20)
        self.process: subprocess.Popen[bytes] = subprocess.Popen(
            [*command, "inetd", service, *options, *house.options],
            stdin=given.fileno(), stdout=given.fileno(), stderr=stderr or given.fileno(),
            cwd=house.folder, env=environment(),
        )  # fmt: skip
        given.close()
        self.log = house.folder / "log"

    def greeting(self) -> bytes:
        return self.client.recv(1000)

    def rest(self) -> bytes:
        """All that the client reads until the end."""
        return b"".join(iter(lambda: self.client.recv(1000), b""))

    def stderr(self) -> str:
        assert self.process.stderr is not None
        with self.process.stderr as stream:
            return bytes(stream.read()).decode()

    def status(self) -> int:
        with self.client:
            return self.process.wait(20)


@pytest.mark.parametrize("service", ["imap", "pop3"])
def test_sigterm_says_good_bye(house: House, service: str) -> None:
    started = Started(house, service, f"--logfile={house.log}")
    assert started.greeting().startswith(GREETING[service])
    started.process.send_signal(signal.SIGTERM)
    assert started.rest().startswith(GOODBYE[service])
    assert started.status() == 0
    assert "Traceback" not in house.words()


@pytest.mark.parametrize("service", ["imap", "pop3"])
def test_the_process_ends_with_its_connection(house: House, service: str) -> None:
    started = Started(house, service, f"--logfile={house.log}")
    assert started.greeting().startswith(GREETING[service])
    started.client.close()
    assert started.status() == 0
    assert "disconnect protocol=" in house.words()
    assert "Traceback" not in house.words()


@pytest.mark.parametrize("service", ["imap", "pop3"])
@pytest.mark.parametrize(
    "wrong", ["--nonsense", "--maildir=/proc/nowhere", "--certificate=nowhere.pem", "--users=none"]
)
def test_a_client_reads_a_refusal_and_the_operator_the_reason(house: House, service: str, wrong: str) -> None:
    house.options.append(wrong)
    started = Started(house, service, stderr=subprocess.PIPE)
    started.client.sendall(b"CAPABILITY\r\n")  # or the close would cost the client what it is told
    assert started.rest() == REFUSAL[service]
    assert started.status() == 2
    assert started.stderr().count("\n") == 1


@pytest.mark.parametrize("service", ["imaps", "pop3s", "nonsense"])
def test_nothing_in_clear_is_said_where_tls_is_expected(house: House, service: str) -> None:
    house.options.append("--certificate=nowhere.pem")
    started = Started(house, service)  # with standard error at the client, too
    assert started.rest() == b""
    assert started.status() == 2


def test_a_fault_of_ours_is_for_the_log_alone(house: House) -> None:
    faulty = "import sys, mailaccess.app.inetd as inetd; del inetd.places; sys.exit(inetd.main(sys.argv[2:]))"
    started = Started(house, "imap", f"--logfile={house.log}", command=[sys.executable, "-c", faulty])
    assert started.rest() == REFUSAL["imap"]
    assert started.status() == 1
    assert "NameError" in house.words()


def test_descriptors_that_are_closed_do_not_become_the_clients(house: House) -> None:
    client, given = socket.socketpair()
    with client:
        client.settimeout(20)
        shell = ["/bin/sh", "-c", 'exec "$@" >&- 2>&-', "sh", *house.inetd_command("pop3")]
        process = subprocess.Popen(shell, stdin=given.fileno(), env=environment())
        given.close()
        assert client.recv(100).startswith(b"+OK ")
        client.sendall(b"QUIT\r\n")
        assert client.recv(100) == b"+OK Bye\r\n"
        assert client.recv(100) == b""
    assert process.wait(20) == 0
    assert "Traceback" not in house.words()


def test_a_client_that_speaks_no_tls_reads_nothing_of_ours(house: House) -> None:
    started = Started(house, "imaps", f"--logfile={house.log}")
    started.client.sendall(b"a CAPABILITY\r\n")
    alert = started.rest()
    assert alert[:1] in (b"", b"\x15")  # a TLS alert at most
    assert started.status() == 0
    assert "tls_failure=" in house.words()


def test_what_standard_error_is_gets_the_log(house: House) -> None:
    started = Started(house, "imap", stderr=subprocess.PIPE)
    started.greeting()
    started.client.sendall(b"a LOGOUT\r\n")
    started.rest()
    assert started.status() == 0
    assert "[mailaccess#info] connect protocol=imap address=local" in started.stderr()


def test_a_client_that_has_gone_before_is_no_failure(house: House) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        client = socket.create_connection(server.getsockname())
        given, _ = server.accept()
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")  # close with a reset
        client.close()
        with given:
            done = subprocess.run(
                house.inetd_command("imap"), stdin=given.fileno(), stdout=given.fileno(), stderr=given.fileno(),
                env=environment(), timeout=20, check=False,
            )  # fmt: skip
    assert done.returncode == 0
    assert "Traceback" not in house.words()


@pytest.mark.parametrize(
    ("given", "words"),
    [("nothing", "is not a socket"), ("datagram", "is not a TCP or UNIX stream"), ("listening", "nowait")],
)
def test_what_is_no_connection_is_refused_in_one_line(house: House, given: str, words: str) -> None:
    datagram = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with datagram, socket.create_server(("127.0.0.1", 0)) as listening, open("/dev/null", "rb") as nothing:
        numbers = {"nothing": nothing.fileno(), "datagram": datagram.fileno(), "listening": listening.fileno()}
        done = subprocess.run(
            [*COMMAND, "inetd", "imap", *house.options], stdin=numbers[given],
            env=environment(), capture_output=True, text=True, timeout=20, check=False,
        )  # fmt: skip
    assert done.returncode == 2
    assert words in done.stderr
    assert done.stderr.count("\n") == 1
    assert done.stdout == ""


# -- many processes, one user


def client_of(house: House) -> imaplib.IMAP4:
    """An IMAP client with a process of its own, logged in over TLS."""
    given, other = socket.socketpair()
    process = subprocess.Popen(
        house.inetd_command("imaps"), stdin=given.fileno(), stdout=given.fileno(), stderr=given.fileno(),
        env=environment(),
    )  # fmt: skip
    given.close()

    class Client(imaplib.IMAP4_SSL):
        def _create_socket(self, timeout: float | None) -> ssl.SSLSocket:
            other.settimeout(20)
            return tls(house).wrap_socket(other, server_hostname="localhost")

        def shutdown(self) -> None:
            super().shutdown()
            assert process.wait(20) == 0

    client = Client("localhost")
    client.login(house.user, house.password)
    return client


def test_many_processes_serve_one_user_at_once(house: House) -> None:
    def work() -> None:
        client = client_of(house)
        client.select()
        for number in range(5):
            assert client.append("INBOX", "", "", b"Subject: %d\r\n\r\nx\r\n" % number)[0] == "OK"
        client.store("1:*", "+FLAGS", r"(\Flagged)")
        client.logout()

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    client = client_of(house)
    assert client.select() == ("OK", [b"20"])
    _, found = client.uid("SEARCH", "ALL")
    assert len(set(found[0].split())) == 20
    client.logout()
    assert "Traceback" not in house.words()


def test_processes_that_begin_at_once_make_one_certificate(house: House) -> None:
    house.options = house.options[:1]
    house.certificate = house.folder / "mail/mailaccess-state/certificate.pem"
    started = [Started(house, "imap", f"--logfile={house.log}") for _ in range(6)]
    for one in started:
        assert one.greeting().startswith(b"* OK ")
        one.client.sendall(b"a STARTTLS\r\n")
        assert one.client.recv(100).startswith(b"a OK ")
        with tls(house).wrap_socket(one.client, server_hostname="localhost") as client:
            client.sendall(b"b LOGOUT\r\n")
            assert client.recv(100).startswith(b"* BYE")
        assert one.process.wait(20) == 0
    assert "Traceback" not in house.words()


def test_one_process_hears_what_another_one_does(house: House) -> None:
    waiting, acting = client_of(house), client_of(house)
    waiting.select()
    waiting.send(b"x IDLE\r\n")
    assert waiting.readline().startswith(b"+")
    acting.append("INBOX", "", "", b"Subject: pushed\r\n\r\nx\r\n")
    assert waiting.readline() == b"* 1 EXISTS\r\n"
    acting.logout()
    waiting.send(b"DONE\r\n")
    waiting.shutdown()
