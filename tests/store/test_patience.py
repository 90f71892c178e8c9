"""Few calls wait for long, so that there are threads for those that need not wait."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import pytest

from mailaccess.app.parts import STORE_THREADS
from mailaccess.errors import StoreUnavailable
from mailaccess.store import patience
from mailaccess.store.foreign.dotlock import dotlock


def test_places_are_fewer_than_threads() -> None:
    assert 2 * patience.PLACES <= STORE_THREADS


def test_who_finds_no_place_waits_a_moment_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "CROWDED_SECONDS", 0.0)
    lock = tmp_path / "list.lock"
    lock.write_text("1:another-host.example")
    waiting, taken = [Event() for _ in range(patience.PLACES)], Event()

    def wait(begun: Event) -> None:
        with patience.attempts(60, 0) as attempts:
            for turn, _ in enumerate(attempts):
                if turn:
                    begun.set()
                    assert taken.wait(60)
                    break

    with ThreadPoolExecutor(patience.PLACES) as threads:
        done = [threads.submit(wait, begun) for begun in waiting]
        try:
            assert all(begun.wait(60) for begun in waiting)
            with pytest.raises(StoreUnavailable), dotlock(tmp_path / "list"):
                pass
        finally:
            taken.set()
        for one in done:
            one.result()
    lock.unlink()
    with dotlock(tmp_path / "list"):
        assert lock.exists()


def test_a_place_is_given_back() -> None:
    for _ in range(2 * patience.PLACES):
        with patience.attempts(0.001, 0.0001) as attempts:
            assert len(list(attempts)) > 1
