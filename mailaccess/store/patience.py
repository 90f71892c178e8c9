"""How long a call waits for what another process holds: whoever waits has a thread, and threads are few."""

import threading
import time
from collections.abc import Generator
from contextlib import closing

WAIT_SECONDS = 10.0
"""How long a command waits for another program's lock before it is told that the store is not available."""

CROWDED_SECONDS = 0.25
"""How long it waits where others wait already: a lock that its owner works with is held for milliseconds."""

PLACES = 3
"""Calls of this process that may wait for long: well below the number of its threads, so that others are served."""

_places = threading.BoundedSemaphore(PLACES)


def attempts(seconds: float, pause_seconds: float) -> "closing[Generator[None, None, None]]":
    """Once, and again after each pause until ``seconds`` are over, or ``CROWDED_SECONDS`` where no place is free."""
    return closing(_attempts(seconds, pause_seconds))


def _attempts(seconds: float, pause_seconds: float) -> Generator[None, None, None]:
    yield
    if seconds <= 0:
        return
    has_place = _places.acquire(blocking=False)
    try:
        deadline = time.monotonic() + (seconds if has_place else min(seconds, CROWDED_SECONDS))
        while time.monotonic() < deadline:
            time.sleep(pause_seconds)
            yield
    finally:
        if has_place:
            _places.release()
