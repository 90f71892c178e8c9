"""How a coroutine waits without a reactor: for a :class:`Signal`, or for whatever a room below returned.

A command is a coroutine that :class:`Task` steps by hand: one that never has to wait costs half a microsecond, and no
Deferred. Where it waits for something that is not a Signal (a Deferred), the transport's side is asked to wake it: only
that side knows Twisted.
"""

from collections.abc import Callable, Coroutine, Generator
from typing import Any, Generic, TypeVar

T = TypeVar("T")

Wake = Callable[[], None]
Resume = Callable[[BaseException | None], None]
"""To be called with what went wrong, or with None where what was awaited has its result, which it hands out itself."""

Waiter = Callable[[object, Resume], None]
"""Calls the second argument once, when the first, something that was awaited, has its result."""


class Signal(Generic[T]):
    """A value that comes once, and that one coroutine waits for."""

    __slots__ = ("_error", "_value", "_wake", "given")

    def __init__(self) -> None:
        self.given = False
        self._value: T | None = None
        self._error: Exception | None = None
        self._wake: Wake | None = None

    def give(self, value: T) -> None:
        """The value is here. What comes after the first is ignored."""
        self._end(value, None)

    def fail(self, error: Exception) -> None:
        """There will be no value: who waits gets ``error``."""
        self._end(None, error)

    def when_given(self, wake: Wake) -> None:
        """Call ``wake`` when the value is here; now, where it is."""
        if self.given:
            wake()
        else:
            self._wake = wake

    def _end(self, value: T | None, error: Exception | None) -> None:
        if self.given:
            return
        self.given = True
        self._value, self._error = value, error
        if self._wake is not None:
            wake, self._wake = self._wake, None
            wake()

    def __await__(self) -> Generator["Signal[T]", None, T]:
        while not self.given:
            yield self
        if self._error is not None:
            raise self._error
        return self._value  # type: ignore[return-value]  # given without an error: a T


class Task:
    """Runs one coroutine, which raises nothing, to its end.

    ``resumed`` is called after each piece that somebody else's call began.
    """

    __slots__ = ("_coroutine", "_resumed", "_waiter")

    def __init__(self, coroutine: Coroutine[Any, None, None], waiter: Waiter, resumed: Wake) -> None:
        self._coroutine = coroutine
        self._waiter = waiter
        self._resumed = resumed

    def step(self, error: BaseException | None = None) -> None:
        """Run until the coroutine must wait, or ends; what it waited for has come, or ``error`` instead."""
        try:
            awaited = self._coroutine.send(None) if error is None else self._coroutine.throw(error)
            while isinstance(awaited, Signal):
                if not awaited.given:
                    awaited.when_given(self._resume)
                    return
                awaited = self._coroutine.send(None)
        except StopIteration:
            return
        self._waiter(awaited, self._resume)

    def _resume(self, error: BaseException | None = None) -> None:
        self.step(error)
        self._resumed()
