"""What a signal means to a process of ours."""

import signal
from collections.abc import Callable
from typing import Any


def take_signals(reactor: Any, stop: Callable[[], object], reload: Callable[[], object]) -> None:
    """``stop`` on SIGTERM and SIGINT, ``reload`` on SIGHUP, in the reactor's turn.

    To be called when the reactor runs: its own handlers would end the process with the signal instead of status 0.
    """
    for number, act in ((signal.SIGTERM, stop), (signal.SIGINT, stop), (signal.SIGHUP, reload)):
        signal.signal(number, lambda *_, act=act: reactor.callFromThread(act))
