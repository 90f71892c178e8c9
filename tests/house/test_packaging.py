"""The wheel, in a fresh virtual environment and outside the checkout, makes ``twistd`` know ``mailaccess``."""

import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.system


def run(folder: Path, *command: str) -> str:
    made = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=300)
    assert made.returncode == 0, made.stdout + made.stderr
    return made.stdout


@pytest.mark.timeout(300)
def test_a_wheel_made_from_the_sdist_installs_the_plugin(tmp_path: Path) -> None:
    run(PROJECT, sys.executable, "-m", "build", "--outdir", str(tmp_path / "dist"), ".")
    (sdist,) = (tmp_path / "dist").glob("*.tar.gz")
    (wheel,) = (tmp_path / "dist").glob("*.whl")
    with tarfile.open(sdist) as archive:
        assert any(name.endswith("twisted/plugins/mailaccess_plugin.py") for name in archive.getnames())
    run(tmp_path, sys.executable, "-m", "venv", str(tmp_path / "venv"))
    run(tmp_path, str(tmp_path / "venv/bin/pip"), "install", "--quiet", str(wheel))
    assert "mailaccess" in run(tmp_path, str(tmp_path / "venv/bin/twistd"), "--help")
    assert "--maildir" in run(tmp_path, str(tmp_path / "venv/bin/twistd"), "mailaccess", "--help")
    assert "user" in run(tmp_path, str(tmp_path / "venv/bin/mailaccess"), "--help")
