"""The documents say what the source says."""

import re
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


def test_every_room_has_a_map_that_names_all_that_is_in_it() -> None:
    for map_ in (PROJECT / "mailaccess").rglob("__init__.py"):
        here = {path.stem for path in map_.parent.glob("*.py")} | {
            path.parent.name for path in map_.parent.glob("*/*.py")
        }
        missing = {name for name in here - {"__init__"} if not re.search(rf"\b{name}\b", map_.read_text())}
        assert not missing, f"{map_.relative_to(PROJECT)} does not name {missing}"
