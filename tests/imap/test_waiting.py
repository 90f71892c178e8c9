"""Coroutines that wait without a reactor."""

from collections.abc import Coroutine, Generator
from typing import Any

import pytest

from mailaccess.imap.waiting import Resume, Signal, Task


class Awaited:
    """Something of another world that is awaited, as a Deferred is."""

    def __await__(self) -> Generator["Awaited", None, None]:
        yield self


class Stage:
    """Runs a coroutine and writes down what happens."""

    def __init__(self) -> None:
        self.log: list[str] = []
        self.waiting: list[tuple[object, Resume]] = []

    def run(self, work: Coroutine[Any, Any, None]) -> None:
        task = Task(work, lambda awaited, resume: self.waiting.append((awaited, resume)), lambda: self.log.append("!"))
        task.step()


@pytest.fixture
def stage() -> Stage:
    return Stage()


def test_what_need_not_wait_runs_at_once(stage: Stage) -> None:
    given: Signal[str] = Signal()
    given.give("now")

    async def work() -> None:
        stage.log.append(await given)

    stage.run(work())
    assert stage.log == ["now"]


def test_a_signal_wakes_who_waits(stage: Stage) -> None:
    signal: Signal[str] = Signal()

    async def work() -> None:
        stage.log.append(await signal)

    stage.run(work())
    assert stage.log == []
    signal.give("first")
    signal.give("second")
    assert stage.log == ["first", "!"]


def test_a_signal_that_fails(stage: Stage) -> None:
    signal: Signal[str] = Signal()

    async def work() -> None:
        try:
            await signal
        except ValueError as error:
            stage.log.append(str(error))

    stage.run(work())
    signal.fail(ValueError("no"))
    assert stage.log == ["no", "!"]


def test_what_is_no_signal_is_waited_for_by_the_waiter(stage: Stage) -> None:
    awaited = Awaited()

    async def work() -> None:
        await awaited
        stage.log.append("went on")

    stage.run(work())
    ((waited_for, resume),) = stage.waiting
    assert waited_for is awaited
    resume(None)
    assert stage.log == ["went on", "!"]


def test_an_error_goes_to_who_waits(stage: Stage) -> None:
    async def work() -> None:
        try:
            await Awaited()
        except ValueError as error:
            stage.log.append(str(error))
            await Awaited()
            stage.log.append("went on")

    stage.run(work())
    stage.waiting.pop()[1](ValueError("no"))
    stage.waiting.pop()[1](None)
    assert stage.log == ["no", "!", "went on", "!"]


def test_when_given_calls_at_once_what_was_given() -> None:
    signal: Signal[None] = Signal()
    calls: list[int] = []
    signal.when_given(lambda: calls.append(1))
    signal.give(None)
    signal.when_given(lambda: calls.append(2))
    assert calls == [1, 2]
