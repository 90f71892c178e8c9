"""The documents say what the source says."""

import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]


def test_the_written_pages_are_what_the_source_says() -> None:
    made = subprocess.run(
        [sys.executable, "docs/make.py", "--check"], cwd=PROJECT, capture_output=True, text=True, check=False
    )
    assert made.returncode == 0, made.stderr


def test_no_file_is_too_long_to_read_in_one_sitting() -> None:
    long = [path for path in (PROJECT / "mailaccess").rglob("*.py") if len(path.read_text().splitlines()) > 500]
    assert not long


def test_every_room_has_a_map() -> None:
    rooms = [path for path in (PROJECT / "mailaccess").iterdir() if path.is_dir() and path.name != "__pycache__"]
    for room in rooms:
        assert (room / "__init__.py").read_text().startswith('"""'), room.name
