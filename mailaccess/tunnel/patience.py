"""How long a step may take: its stream is cut when the time is over, and whoever waits on it is told why."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater


@contextmanager
def within(clock: IReactorTime, seconds: float, abort: Callable[[str], None], what: str) -> Iterator[None]:
    """Call ``abort`` with a reason if the block takes more than ``seconds``; ``what`` names the step in it."""
    call = clock.callLater(seconds, abort, f"{what} took more than {seconds:g} s")
    try:
        yield
    finally:
        if call.active():
            call.cancel()


async def pause(clock: IReactorTime, seconds: float) -> None:
    """Wait."""
    over: Deferred[None] = deferLater(clock, seconds)
    await over
