"""A program for each connection, as inetd and stunnel start them: its standard input and output are a stream.

Invariants:

1. The stream ends when the program's output does, not when the program does: what it said is read to its end, also
   what it left to its children.
2. That it reads no more is told to whoever writes (``StreamLost``), and to nobody else: what it still says is read.
3. It is always reaped. When its connection is cut it gets ``GRACE_SECONDS`` to go.
4. What it says on its standard error is for the log.
"""

import fcntl
import os
import shutil
import signal
import socket
import tty
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from typing import Any, Literal

from twisted.internet.defer import Deferred

from mailaccess.errors import ConfigError
from mailaccess.interfaces import IEvents
from mailaccess.tunnel.children import Child, FileAction, spawn
from mailaccess.tunnel.descriptors import Inflow, Outflow
from mailaccess.tunnel.faults import Unreachable
from mailaccess.tunnel.stderr import StandardError

STANDARD_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
"""Where there is no PATH, as under inetd: mail daemons are in the folders of the system's programs."""

How = Literal["pipes", "inetd", "pty"]


@dataclass(frozen=True, slots=True)
class Program:
    """What is started for a connection.

    ``arguments`` begin with the program's own name; ``path`` is the file where that is another (inetd.conf, stunnel's
    execArgs). A name without a slash is looked up in PATH. ``how`` it gets its standard input and output:

    ``pipes``  one each
    ``inetd``  one UNIX socket, unnamed, for both; it may shut down one direction
    ``pty``    a terminal that changes no octet, and the program's controlling one. It has no half-close: ``end`` hangs
               up (SIGHUP), and what the program says until it goes is read.
    """

    arguments: tuple[str, ...]
    how: How = "pipes"
    path: str = ""

    @property
    def file(self) -> str:
        """The file that is run."""
        return self.path or self.arguments[0]


def find_program(name: str, key: str) -> str:
    """The path of the program that the configuration's ``key`` names, by PATH where it has no slash.

    Raises ``ConfigError`` where there is none that we may execute.
    """
    found = shutil.which(name, path=os.environ.get("PATH", STANDARD_PATH))
    if found is None:
        raise ConfigError(key, name, "there is no such program, or it may not be executed")
    return os.path.abspath(found)


async def start(
    program: Program, environment: Mapping[str, str], reactor: Any, events: IEvents, service: str
) -> "ProgramStream":
    """Start a program; ``Unreachable`` where that fails. ``environment`` is all that it gets.

    ``service`` names it in the log. Its working directory is ours.
    """
    with ExitStack() as ours, ExitStack() as theirs:
        try:
            ends = _ENDS[program.how](ours, theirs)
            error, their_error = _pipe_from(ours, theirs)
            actions = [*ends.actions, (os.POSIX_SPAWN_DUP2, their_error, 2)]
            pid = spawn(program.file, program.arguments, environment, actions)
        except (OSError, ValueError) as problem:  # ValueError: a NUL among the arguments
            why = problem.strerror if isinstance(problem, OSError) else str(problem)
            raise Unreachable(f"{program.file} cannot be started: {why}") from problem
        ours.pop_all()
    child = Child(reactor, pid)
    return ProgramStream(reactor, child, ends, StandardError(reactor, error, events, service, pid))


@dataclass(frozen=True, slots=True)
class _Ends:
    """Our descriptors, what must be done to give the program its own, and how it hears that no more will come."""

    reading: int
    writing: int
    actions: tuple[FileAction, ...]
    finish: Callable[[Child, int], None]
    terminal: bool = False


class ProgramStream:
    """A running program as a :class:`~mailaccess.tunnel.stream.Stream`."""

    def __init__(self, reactor: Any, child: Child, ends: _Ends, error: StandardError) -> None:
        self._child = child
        self._error = error
        self._terminal = ends.terminal
        self._exited = False
        self._in = Inflow(reactor, ends.reading, self._output_ended)
        self._out = Outflow(reactor, ends.writing, lambda descriptor: ends.finish(child, descriptor))
        Deferred.fromCoroutine(child.ended()).addCallback(self._has_exited)

    @property
    def pid(self) -> int:
        """Its process id, and that of its group."""
        return self._child.pid

    async def read(self) -> bytes:
        """The next octets of its standard output."""
        return await self._in.read()

    def unread(self, data: bytes) -> None:
        """Put back what was read too far."""
        self._in.unread(data)

    async def write(self, data: bytes) -> None:
        """Write to its standard input, and wait until the kernel has taken all."""
        await self._out.write(data)

    async def end(self) -> None:
        """End its standard input after what was written; a terminal is hung up."""
        self._out.end()

    def unsent(self) -> int:
        """How many octets the program has not taken of what is being written."""
        return self._out.unsent()

    def abort(self, reason: str) -> None:
        """Cut both directions, and see that the program goes: SIGTERM (a terminal's: SIGHUP), later SIGKILL."""
        self._child.put_down(signal.SIGHUP if self._terminal else signal.SIGTERM)
        self._out.abort(reason)
        self._in.abort(reason)

    async def ended(self) -> str:
        """Wait for the end of the program itself: ``0`` and other exit statuses, ``SIGTERM`` and other signals."""
        return await self._child.ended()

    def _output_ended(self) -> None:
        if self._terminal:  # the kernel takes what is written to a terminal that nobody has open, and forgets it
            self._out.abort("the program has closed its terminal")
        self._settle()

    def _has_exited(self, _: str) -> None:
        self._exited = True
        self._settle()

    def _settle(self) -> None:
        """When neither the program nor its output goes on, nobody has anything to complain about."""
        if self._exited and self._in.closed:
            self._error.close()


def _pipes(ours: ExitStack, theirs: ExitStack) -> _Ends:
    their_input, writing = os.pipe()
    their_input, writing = _keep(theirs, their_input), _keep(ours, writing)
    reading, their_output = _pipe_from(ours, theirs)
    os.set_blocking(writing, False)
    actions = ((os.POSIX_SPAWN_DUP2, their_input, 0), (os.POSIX_SPAWN_DUP2, their_output, 1))
    return _Ends(reading, writing, actions, lambda child, descriptor: None)


def _inetd(ours: ExitStack, theirs: ExitStack) -> _Ends:
    mine, other = socket.socketpair()
    reading, theirs_both = _keep(ours, mine.detach()), _keep(theirs, other.detach())
    os.set_blocking(reading, False)
    actions = ((os.POSIX_SPAWN_DUP2, theirs_both, 0), (os.POSIX_SPAWN_DUP2, theirs_both, 1))
    return _Ends(reading, _keep(ours, os.dup(reading)), actions, lambda child, descriptor: _shut_down(descriptor))


def _pty(ours: ExitStack, theirs: ExitStack) -> _Ends:
    master, slave = os.openpty()
    reading, slave = _keep(ours, master), _keep(theirs, slave)
    tty.setraw(slave)
    os.set_blocking(reading, False)
    # Opened by the leader of a session that has no terminal, it becomes its controlling terminal.
    actions = ((os.POSIX_SPAWN_OPEN, 0, os.ttyname(slave), os.O_RDWR, 0), (os.POSIX_SPAWN_DUP2, 0, 1))
    writing = _keep(ours, os.dup(reading))
    return _Ends(reading, writing, actions, lambda child, _: child.put_down(signal.SIGHUP), terminal=True)


_ENDS: dict[How, Callable[[ExitStack, ExitStack], _Ends]] = {"pipes": _pipes, "inetd": _inetd, "pty": _pty}


def _pipe_from(ours: ExitStack, theirs: ExitStack) -> tuple[int, int]:
    reading, their_output = os.pipe()
    reading, their_output = _keep(ours, reading), _keep(theirs, their_output)
    os.set_blocking(reading, False)
    return reading, their_output


def _keep(stack: ExitStack, descriptor: int) -> int:
    """Have ``stack`` close it; it is moved where it has a number that the program needs, since ours were closed."""
    if descriptor < 3:
        low, descriptor = descriptor, fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, 3)
        os.close(low)
    stack.callback(os.close, descriptor)
    return descriptor


def _shut_down(descriptor: int) -> None:
    with socket.socket(fileno=os.dup(descriptor)) as both, suppress(OSError):  # the program has closed its side
        both.shutdown(socket.SHUT_WR)
