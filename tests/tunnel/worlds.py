"""The fixture ``make``, as a plugin of pytest: the stories of connections, each told to its end."""

import gc
from collections.abc import Iterator
from typing import Any

import pytest
from listening import no_descriptor_left
from stories import (
    Make,
    Opens,
    World,
)
from twisted.logger import ILogObserver, LogLevel, globalLogPublisher
from zope.interface import implementer


@pytest.fixture
def make() -> Iterator[Make]:
    worlds: list[World] = []
    unhandled: list[Any] = []

    def made(destination: Opens | None = None, **plan: Any) -> World:
        worlds.append(World(destination or Opens(), **plan))
        return worlds[-1]

    @implementer(ILogObserver)
    def watch(event: Any) -> None:
        if event.get("log_level", LogLevel.info) >= LogLevel.error:
            unhandled.append(event)

    globalLogPublisher.addObserver(watch)
    try:
        with no_descriptor_left():
            yield made
            for world in worlds:
                world.check()
        del worlds[:]
        gc.collect()
        assert unhandled == [], "a Deferred has an error that nobody looked at"
    finally:
        globalLogPublisher.removeObserver(watch)
