"""Awaitables without a reactor."""

from collections.abc import Awaitable
from typing import TypeVar

T = TypeVar("T")


def result(awaitable: Awaitable[T]) -> T:
    """What an awaitable returns that never has to wait."""
    steps = awaitable.__await__()
    try:
        next(steps)
    except StopIteration as stop:
        value: T = stop.value
        return value
    raise AssertionError("it waits for something")
