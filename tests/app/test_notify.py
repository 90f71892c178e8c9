"""What systemd is told: read from a real socket, with a clock that only the test moves."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from twisted.internet.task import Clock
from zope.interface import implementer

from mailaccess.app.notify import STATUS_SECONDS, WAITING_MESSAGES, Notify
from mailaccess.interfaces import IEvents


@implementer(IEvents)
class Events:
    def __init__(self) -> None:
        self.names: list[str] = []

    def event(self, name: str, /, **fields: object) -> None:
        self.names.append(name)

    def incident(self, what: str, error: BaseException) -> str:
        raise AssertionError(what)


class Systemd:
    """The other end of ``NOTIFY_SOCKET``."""

    def __init__(self, address: str | bytes) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.setblocking(False)
        self.socket.bind(address)

    def heard(self) -> list[dict[str, str]]:
        messages: list[dict[str, str]] = []
        while True:
            try:
                message = self.socket.recv(4096).decode()
            except BlockingIOError:
                return messages
            messages.append(dict(line.split("=", 1) for line in message.split("\n")))


@pytest.fixture
def systemd(tmp_path: Path) -> Iterator[Systemd]:
    systemd = Systemd(str(tmp_path / "notify"))
    yield systemd
    systemd.socket.close()


class Service:
    """A service with a status, told to ``systemd``."""

    def __init__(self, environment: dict[str, str]) -> None:
        self.clock = Clock()
        self.events = Events()
        self.status = "imaps 993, 0 sessions"
        self.notify = Notify.from_environment(
            self.clock, self.events, status=lambda: self.status, environment=environment
        )


def service(systemd: Systemd, **environment: str) -> Service:
    return Service({"NOTIFY_SOCKET": systemd.socket.getsockname(), **environment})


def test_ready_comes_with_the_status(systemd: Systemd) -> None:
    service(systemd).notify.ready()
    assert systemd.heard() == [{"READY": "1", "STATUS": "imaps 993, 0 sessions"}]


def test_nothing_is_told_before_it_is_ready(systemd: Systemd) -> None:
    waiting = service(systemd, WATCHDOG_USEC="2000000")
    waiting.clock.pump([1] * 20)
    assert systemd.heard() == []


def test_the_watchdog_is_fed_at_half_of_its_time_until_the_end(systemd: Systemd) -> None:
    watched = service(systemd, WATCHDOG_USEC="3000000", WATCHDOG_PID=str(os.getpid()))
    watched.notify.ready()
    watched.clock.pump([1.5] * 4)
    watched.notify.stopping()
    watched.clock.advance(1.5)
    fed = [message for message in systemd.heard() if message == {"WATCHDOG": "1"}]
    assert len(fed) == 5
    watched.notify.close()
    watched.clock.advance(10)
    assert systemd.heard() == []
    assert watched.clock.getDelayedCalls() == []


@pytest.mark.parametrize(
    "environment",
    [{"WATCHDOG_USEC": "2000000", "WATCHDOG_PID": str(os.getppid())}, {"WATCHDOG_USEC": "soon"}, {}],
)
def test_a_watchdog_that_is_not_ours_is_not_fed(systemd: Systemd, environment: dict[str, str]) -> None:
    watched = service(systemd, **environment)
    watched.notify.ready()
    watched.clock.pump([1] * 10)
    assert [message for message in systemd.heard() if "WATCHDOG" in message] == []


def test_the_status_is_told_when_it_changes_and_not_more_often_than_it_may(systemd: Systemd) -> None:
    running = service(systemd)
    running.notify.ready()
    systemd.heard()
    for sessions in range(100):
        running.status = f"imaps 993, {sessions} sessions"
        running.clock.advance(STATUS_SECONDS / 10)
    assert len(systemd.heard()) == 10
    running.status = "imaps 993, 100 sessions"
    running.clock.pump([STATUS_SECONDS] * 5)
    assert systemd.heard() == [{"STATUS": "imaps 993, 100 sessions"}]


def test_a_status_of_many_lines_cannot_say_anything_else(systemd: Systemd) -> None:
    running = service(systemd)
    running.status = "imaps\nSTOPPING=1"
    running.notify.ready()
    assert systemd.heard() == [{"READY": "1", "STATUS": "imaps STOPPING=1"}]


def test_a_reload_is_told_with_its_time_and_then_its_end(systemd: Systemd) -> None:
    running = service(systemd)
    running.notify.reloading()
    running.notify.ready()
    begun, done = systemd.heard()
    assert begun["RELOADING"] == "1"
    assert int(begun["MONOTONIC_USEC"]) > 0
    assert done["READY"] == "1"


def test_stopping_stays_the_status(systemd: Systemd) -> None:
    running = service(systemd)
    running.notify.ready()
    running.notify.stopping()
    running.status = "imaps 993, 7 sessions"
    running.clock.pump([STATUS_SECONDS] * 3)
    assert systemd.heard()[1:] == [{"STOPPING": "1", "STATUS": "stopping"}]


def test_an_abstract_name_is_understood() -> None:
    name = f"mailaccess-test-{os.getpid()}"
    systemd = Systemd(b"\0" + name.encode())
    Service({"NOTIFY_SOCKET": f"@{name}"}).notify.ready()
    assert len(systemd.heard()) == 1
    systemd.socket.close()


def test_where_nobody_listens_nothing_happens() -> None:
    alone = Service({"WATCHDOG_USEC": "1000000"})
    alone.notify.ready()
    alone.notify.reloading()
    alone.notify.stopping()
    alone.notify.close()
    assert alone.clock.getDelayedCalls() == []
    assert alone.events.names == []


@pytest.mark.parametrize("address", ["/nowhere/socket", "nonsense", "/" + "long" * 40, "@" + "long" * 40])
def test_a_socket_that_takes_nothing_is_told_of_once(address: str) -> None:
    running = Service({"NOTIFY_SOCKET": address, "WATCHDOG_USEC": "1000000"})
    running.notify.ready()
    running.clock.pump([1] * 20)
    running.notify.stopping()
    running.notify.close()
    assert running.events.names == ["systemd_not_told"]


def test_what_systemd_does_not_read_at_once_it_reads_later_in_order(systemd: Systemd) -> None:
    running = service(systemd)
    for number in range(10_000):  # until the socket is full
        running.status = str(number)
        running.notify.ready()
        if running.events.names:
            break
    running.notify.reloading()
    before = len(systemd.heard())
    running.clock.advance(STATUS_SECONDS)
    rest = systemd.heard()
    assert [next(iter(message)) for message in rest] == ["READY", "RELOADING"]
    assert rest[0]["STATUS"] == str(before)
    assert running.events.names == ["systemd_not_told"]


def test_what_systemd_never_reads_is_bounded(systemd: Systemd) -> None:
    running = service(systemd, WATCHDOG_USEC="1000000")
    running.notify.ready()
    running.clock.pump([0.5] * 5_000)
    before = len(systemd.heard())
    running.clock.advance(0.5)
    assert before < 5_000
    assert len(systemd.heard()) <= WAITING_MESSAGES


def test_programs_that_we_start_do_not_see_it(systemd: Systemd) -> None:
    environment = {"NOTIFY_SOCKET": "@x", "WATCHDOG_USEC": "1", "WATCHDOG_PID": "1", "PATH": "/bin"}
    Service(environment)
    assert environment == {"PATH": "/bin"}
