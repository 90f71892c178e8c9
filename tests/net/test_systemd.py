"""Sockets that systemd hands over: as values here, and in processes that are really given some."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from mailaccess.errors import ConfigError
from mailaccess.net.endpoints import SystemdEndpoint
from mailaccess.net.systemd import HandedOver

PROJECT = Path(__file__).resolve().parents[2]


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def endpoint(name: str, key: str = "--imaps") -> SystemdEndpoint:
    return SystemdEndpoint(key, f"systemd:{name}", name)


def listening(stack: ExitStack, address: str = "127.0.0.1", family: socket.AddressFamily = socket.AF_INET) -> int:
    bound = stack.enter_context(socket.socket(family, socket.SOCK_STREAM))
    bound.bind((address, 0))
    bound.listen()
    return bound.fileno()


def names_of(stack: ExitStack, found: list[socket.socket]) -> list[object]:
    return [stack.enter_context(each).getsockname() for each in found]


def name_of(number: int) -> object:
    with socket.socket(fileno=os.dup(number)) as given:
        return given.getsockname()


def test_all_sockets_of_a_name_whatever_their_family(stack: ExitStack) -> None:
    ipv4, other = listening(stack), listening(stack)
    local = stack.enter_context(socket.socket(socket.AF_UNIX))
    local.bind(b"\0mailaccess-test-%d" % os.getpid())
    local.listen()
    handed = HandedOver([ipv4, other, local.fileno()], ["imaps", "imap", "imaps"])
    found = handed.sockets(endpoint("imaps"))
    assert names_of(stack, found) == [name_of(ipv4), local.getsockname()]
    assert [each.family for each in found] == [socket.AF_INET, socket.AF_UNIX]
    assert all(not each.getblocking() and not each.get_inheritable() for each in found)


def test_a_number_where_no_name_is_so(stack: ExitStack) -> None:
    first, second = listening(stack), listening(stack)
    assert names_of(stack, HandedOver([first, second], ["a", "b"]).sockets(endpoint("1"))) == [name_of(second)]
    assert names_of(stack, HandedOver([first, second], ["1", "b"]).sockets(endpoint("1"))) == [name_of(first)]


def refusal(handed: HandedOver, wanted: SystemdEndpoint) -> str:
    with pytest.raises(ConfigError) as raised:
        handed.sockets(wanted)
    assert (raised.value.key, raised.value.value) == (wanted.key, wanted.text)
    return raised.value.allowed


@pytest.mark.parametrize("name", ["pop3", "2", "99999999999", "²"])
def test_an_unknown_name_is_answered_with_those_that_there_are(stack: ExitStack, name: str) -> None:
    handed = HandedOver([listening(stack), listening(stack)], ["imap", "imaps"])
    assert refusal(handed, endpoint(name)) == "systemd handed over imap imaps"


def test_without_sockets_that_is_said() -> None:
    assert refusal(HandedOver([], []), endpoint("imap")) == (
        "systemd handed over no sockets with names to this process"
    )


def test_a_socket_serves_one_key_as_often_as_it_likes(stack: ExitStack) -> None:
    handed = HandedOver([listening(stack)], ["mail"])
    for _ in range(2):
        names_of(stack, handed.sockets(endpoint("mail", "--imap")))
    assert refusal(handed, endpoint("0", "--imaps")) == "--imap has that socket"


def test_what_does_not_listen_is_refused(stack: ExitStack) -> None:
    datagram = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
    idle = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_STREAM))
    connected, _ = map(stack.enter_context, socket.socketpair())
    for given in (datagram, idle, connected):
        assert "it does not listen" in refusal(HandedOver([given.fileno()], ["x"]), endpoint("x"))
    with open(os.devnull, "rb") as no_socket:
        assert "is not a socket" in refusal(HandedOver([no_socket.fileno()], ["x"]), endpoint("x"))


# -- as a process sees it

AS_SYSTEMD = """
import os, sys
given = [int(number) for number in sys.argv[1].split(",")]
copies = [os.dup(os.dup(number)) for number in given]  # none of them below the numbers that they shall have
for place, number in enumerate(copies, 3):
    os.dup2(number, place)
os.environ |= {"LISTEN_FDS": str(len(given)), "LISTEN_FDNAMES": sys.argv[2]}
os.environ["LISTEN_PID"] = sys.argv[3] or str(os.getpid())
os.execv(sys.executable, [sys.executable, "-c", sys.argv[4]])
"""
TELL = """
import os, mailaccess.net.listen
from mailaccess.errors import ConfigError
from mailaccess.net.endpoints import SystemdEndpoint
from mailaccess.net.systemd import handed_over
try:
    for name in ("imap", "imaps"):
        print(*(given.getsockname()[1] for given in handed_over().sockets(SystemdEndpoint(name, name, name))))
except ConfigError as error:
    print(error.allowed)
print([name for name in os.environ if name.startswith("LISTEN_")], [os.get_inheritable(n) for n in (3, 4)])
"""


def told(stack: ExitStack, names: str, pid: str = "") -> tuple[list[int], list[str]]:
    given = [listening(stack), listening(stack)]
    done = subprocess.run(
        [sys.executable, "-c", AS_SYSTEMD, ",".join(map(str, given)), names, pid, TELL],
        env={**os.environ, "PYTHONPATH": str(PROJECT)}, pass_fds=given, text=True, capture_output=True, check=True,
    )  # fmt: skip
    return [name_of(number)[1] for number in given], done.stdout.splitlines()  # type: ignore[index]


def test_a_process_finds_what_it_was_given_and_leaves_nothing_to_its_children(stack: ExitStack) -> None:
    (imap, imaps), lines = told(stack, "imap:imaps")
    assert lines == [str(imap), str(imaps), "[] [False, False]"]


def test_what_was_given_to_another_process_is_not_ours(stack: ExitStack) -> None:
    _, lines = told(stack, "imap:imaps", pid="1")
    assert lines == ["systemd handed over no sockets with names to this process", "[] [True, True]"]
