"""What a process for one connection says where it cannot serve it; the rest needs real descriptors (tests/system)."""

import syslog
from typing import Any

import pytest
from twisted.internet.task import Clock
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from mailaccess.app import inetd
from mailaccess.app.descriptors import NoConnection, Standard
from mailaccess.app.inetd import LastGate
from mailaccess.app.offered import SERVICES
from mailaccess.app.syslog import Syslog
from mailaccess.errors import Code
from mailaccess.interfaces import ISession
from mailaccess.ops.limits import Limits
from mailaccess.ops.logs import EventLog
from mailaccess.values import Peer


@implementer(ISession)
class Session:
    peer = Peer("192.0.2.1")

    def say_goodbye(self, code: Code | None, text: str) -> None:
        raise AssertionError(text)

    def abort(self) -> None:
        raise AssertionError("nobody was to be cut off")


def test_the_gate_of_one_connection_tells_when_it_is_gone() -> None:
    left: list[bool] = []
    clock = Clock()
    gate = LastGate(Limits(), EventLog(), clock, lambda: left.append(True))
    session = Session()
    gate.opened(session)
    assert left == []
    gate.closed(session)
    assert left == [True]


class Lines:
    """What syslog is given."""

    def __init__(self) -> None:
        self.written: list[tuple[int, str]] = []
        self.log = Logger(namespace="mailaccess", observer=Syslog(lambda *line: self.written.append(line)))


def test_an_event_is_one_line_of_syslog_with_its_priority() -> None:
    lines = Lines()
    lines.log.info("login user=joe")
    lines.log.error("--maildir: 'x\0y' is not possible")
    assert lines.written == [
        (syslog.LOG_INFO, "login user=joe"),
        (syslog.LOG_ERR, r"--maildir: 'x\0y' is not possible"),  # syslog(3) takes no NUL
    ]


def test_a_traceback_is_many_lines_of_syslog() -> None:
    lines = Lines()
    lines.log.failure("incident 4711", Failure(ValueError("x")))  # type: ignore[no-untyped-call]
    assert [priority for priority, _ in lines.written] == [syslog.LOG_CRIT] * len(lines.written)
    assert lines.written[0][1] == "incident 4711"
    assert lines.written[-1][1].endswith("builtins.ValueError: x")


def test_no_socket_is_no_connection() -> None:
    with pytest.raises(NoConnection, match="descriptor 0 is not a socket"):
        Standard(None, stderr_was_given=False).connection()


def test_every_service_that_begins_in_clear_has_words_for_a_refusal() -> None:
    clear: set[Any] = {service.protocol for service in SERVICES if service.upgrade}
    assert set(inetd._REFUSALS) == clear
