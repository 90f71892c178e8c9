"""Small files: the old content or the new one, never a mixture, and nothing left beside it."""

import errno
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailaccess.errors import ClientError, OverQuota, StoreUnavailable
from mailaccess.store import files


def refuse(number: int) -> object:
    def call(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    return call


def test_replace(tmp_path: Path) -> None:
    path = tmp_path / "file"
    files.replace(path, b"one")
    files.replace(path, b"two", "beside", mtime_ns=5_000_000_000)
    assert files.read(path) == b"two"
    assert path.stat().st_mtime == 5
    assert path.stat().st_mode & 0o777 == 0o600
    assert os.listdir(tmp_path) == ["file"]


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_failed_replacement_leaves_the_old_file_alone(
    call: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file"
    files.replace(path, b"one")
    monkeypatch.setattr(os, call, refuse(errno.ENOSPC))
    with pytest.raises(OSError, match="space"):
        files.replace(path, b"two")
    assert path.read_bytes() == b"one"
    assert os.listdir(tmp_path) == ["file"]


def test_append(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"one\n")
    files.append(path, b"two\n")
    assert path.read_bytes() == b"one\ntwo\n"


@given(whole=st.lists(st.binary(max_size=9).map(lambda data: data.replace(b"\n", b"")), max_size=3), torn=st.binary())
def test_half_a_line_is_not_continued(
    whole: list[bytes], torn: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("append") / "file"
    lines = b"".join(line + b"\n" for line in whole)
    path.write_bytes(lines + torn.replace(b"\n", b""))
    files.append(path, b"new\n")
    assert path.read_bytes() == lines + b"new\n"


def test_what_cannot_be_appended_whole_is_taken_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"one\n")
    write = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, data: write(descriptor, data[:2]))
    with pytest.raises(OSError, match="space"):
        files.append(path, b"two\n")
    assert path.read_bytes() == b"one\n"


def test_reading_what_is_no_file(tmp_path: Path) -> None:
    (tmp_path / "directory").mkdir()
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "file").write_bytes(b"x")
    (tmp_path / "link").symlink_to("file")
    descriptors = len(os.listdir("/proc/self/fd"))
    for name in ("directory", "fifo", "link", "missing", "file/below"):
        assert files.read(tmp_path / name) is None
    assert len(os.listdir("/proc/self/fd")) == descriptors


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        (errno.ENOSPC, OverQuota),
        (errno.EDQUOT, OverQuota),
        (errno.EACCES, StoreUnavailable),
        (errno.EROFS, StoreUnavailable),
        (errno.EIO, StoreUnavailable),
    ],
)
def test_what_the_client_is_told(number: int, kind: type[ClientError]) -> None:
    with pytest.raises(kind) as told, files.told_to_client():
        raise OSError(number, os.strerror(number), "/secret/path")
    assert "secret" not in str(told.value)
    assert isinstance(told.value.__cause__, OSError)


def test_a_stamp_changes_with_the_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    assert files.stamp(path) is None
    path.write_bytes(b"x")
    first = files.stamp(path)
    assert first == files.stamp(path)
    files.replace(path, b"x")
    assert files.stamp(path) != first
