"""Reads what a test writes as an stunnel.conf."""

from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import pytest

from mailaccess.app.stunnelconf.conf import StunnelConf, read


@pytest.fixture
def conf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], StunnelConf]:
    """Reads a text as ``stunnel.conf`` of the working directory."""
    monkeypatch.chdir(tmp_path)

    def read_text(text: str) -> StunnelConf:
        Path("stunnel.conf").write_text(dedent(text))
        return read(Path("stunnel.conf"))

    return read_text
