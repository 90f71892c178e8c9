"""Files that are followed by the clock."""

from typing import Any

from twisted.internet.task import Clock

from mailaccess.errors import ConfigError
from mailaccess.net.following import Following
from tests.net.doubles import Remembered


class Counting(Following):
    """Follows a number: what is negative cannot be used."""

    def __init__(self, events: Remembered, clock: Any) -> None:
        self.number = 0
        self.used: list[int] = []
        super().__init__(events, clock)

    def _look(self) -> object:
        return self.number

    def _renew(self) -> dict[str, object]:
        if self.number < 0:
            raise ConfigError("number", str(self.number), "it is negative")
        self.used.append(self.number)
        return {"number": self.number}


def test_what_changed_is_used_at_the_next_look(events: Remembered) -> None:
    clock: Any = Clock()
    counting = Counting(events, clock)
    counting.watch(5.0)
    counting.number = 1
    clock.advance(4.0)
    assert counting.used == []
    clock.advance(1.0)
    clock.advance(5.0)
    assert counting.used == [1]
    assert events.events == [("certificate_loaded", {"number": 1})]


def test_what_is_wrong_is_told_once(events: Remembered) -> None:
    clock: Any = Clock()
    counting = Counting(events, clock)
    counting.watch(5.0)
    counting.number = -1
    clock.advance(5.0)
    clock.advance(5.0)
    assert events.events == [("certificate_refused", {"reason": "number: '-1' is not possible: it is negative"})]
    assert counting.used == []


def test_reload_reads_what_did_not_change_too(events: Remembered) -> None:
    clock: Any = Clock()
    counting = Counting(events, clock)
    assert counting.reload()
    assert not counting.reload_if_changed()
    counting.number = -1
    assert not counting.reload()
    assert counting.used == [0]


def test_nobody_looks_after_the_end_or_where_it_is_never(events: Remembered) -> None:
    clock: Any = Clock()
    counting = Counting(events, clock)
    counting.watch(0)
    assert not clock.getDelayedCalls()
    counting.watch(5.0)
    counting.watch(7.0)
    assert len(clock.getDelayedCalls()) == 1
    counting.unwatch()
    counting.unwatch()
    assert not clock.getDelayedCalls()
