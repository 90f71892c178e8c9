"""What systemd is told of a service of ``Type=notify`` (sd_notify(3)): ready, reloading, stopping, alive, how it goes.

Whoever runs a process makes one :class:`Notify` and tells it what happens::

    notify = Notify.from_environment(reactor, events, status=lambda: "imaps 993, 12 sessions")
    notify.ready()  # it serves: systemd starts what waits for it, and from now on the watchdog is fed
    notify.reloading(), notify.ready()  # around a reload
    notify.stopping()  # it says good-bye; the watchdog is fed until the end
    notify.close()

Where nobody listens, nothing happens. The watchdog is fed in the reactor's turns, so that a reactor that hangs is
started again. Nothing that is wrong with the socket harms the service: it is an event, once.
"""

import os
import socket
import time
from collections import deque
from collections.abc import Callable, MutableMapping
from typing import Self

from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall

from mailaccess.interfaces import IEvents

STATUS_SECONDS = 5.0
"""How often the status is looked at, and so the most that is told of it."""

WAITING_MESSAGES = 8
"""What is kept while systemd does not read: more than there are between two starts; the oldest are forgotten."""


class Notify:
    """Tells ``address`` (a path, or ``@`` and an abstract name) what happens; None: nobody.

    ``watchdog_seconds`` is the longest that systemd waits for a sign of life; 0: it does not wait for one.
    ``status`` gives one line for ``systemctl status``.
    """

    def __init__(
        self,
        clock: IReactorTime,
        events: IEvents,
        *,
        status: Callable[[], str],
        address: str | None,
        watchdog_seconds: float = 0.0,
    ) -> None:
        self._events = events
        self._status = status
        self._told = ""
        self._waiting: deque[bytes] = deque(maxlen=WAITING_MESSAGES)
        self._complained = False
        self._socket: socket.socket | None = None
        self._calls: list[tuple[LoopingCall, float]] = []
        if address:
            self._address = "\0" + address[1:] if address.startswith("@") else address
            self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            self._socket.setblocking(False)
            self._every(STATUS_SECONDS, self._tell_status, clock)
            if watchdog_seconds:
                self._every(watchdog_seconds / 2, self._feed_watchdog, clock)  # sd_watchdog_enabled(3): half of it

    @classmethod
    def from_environment(
        cls,
        clock: IReactorTime,
        events: IEvents,
        *,
        status: Callable[[], str],
        environment: MutableMapping[str, str] = os.environ,
    ) -> Self:
        """As ``NOTIFY_SOCKET``, ``WATCHDOG_USEC`` and ``WATCHDOG_PID`` say; no program that we start shall see them."""
        address = environment.pop("NOTIFY_SOCKET", None)
        microseconds = environment.pop("WATCHDOG_USEC", "")
        meant = environment.pop("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        watched = int(microseconds) / 1e6 if meant and microseconds.isascii() and microseconds.isdigit() else 0.0
        return cls(clock, events, status=status, address=address, watchdog_seconds=watched)

    # -- what happens

    def ready(self) -> None:
        """It serves, for the first time or again after :meth:`reloading`."""
        self._told = self._status_now()
        self._send(f"READY=1\nSTATUS={self._told}")
        for call, seconds in self._calls:
            if not call.running:
                call.start(seconds, now=False)

    def reloading(self) -> None:
        """It reads its configuration again. ``MONOTONIC_USEC`` is for ``Type=notify-reload``."""
        self._send(f"RELOADING=1\nMONOTONIC_USEC={time.monotonic_ns() // 1000}\nSTATUS=reloading")

    def stopping(self) -> None:
        """It begins to stop."""
        self._status = lambda: "stopping"
        self._told = self._status_now()
        self._send(f"STOPPING=1\nSTATUS={self._told}")

    def close(self) -> None:
        """Nothing happens any more. Harmless when repeated."""
        for call, _ in self._calls:
            if call.running:
                call.stop()
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    # -- by itself

    def _every(self, seconds: float, act: Callable[[], None], clock: IReactorTime) -> None:
        call = LoopingCall(act)
        call.clock = clock
        self._calls.append((call, seconds))

    def _feed_watchdog(self) -> None:
        self._send("WATCHDOG=1")

    def _tell_status(self) -> None:
        now = self._status_now()
        if now != self._told:
            self._told = now
            self._send(f"STATUS={now}")
        else:
            self._flush()

    def _status_now(self) -> str:
        return " ".join(self._status().split())

    # -- the socket

    def _send(self, message: str) -> None:
        self._waiting.append(message.encode())
        self._flush()

    def _flush(self) -> None:
        """Send what waits, in order; where systemd does not read now, the rest at the next occasion."""
        while self._socket is not None and self._waiting:
            try:
                self._socket.sendto(self._waiting[0], self._address)
            except BlockingIOError as error:
                return self._complain(error)
            except OSError as error:
                self._waiting.clear()
                return self._complain(error)
            self._waiting.popleft()
        return None

    def _complain(self, error: OSError) -> None:
        if not self._complained:
            self._complained = True
            self._events.event("systemd_not_told", reason=error.strerror or error)
