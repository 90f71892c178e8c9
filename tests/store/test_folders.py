"""Folders on disk: Maildir++ names in either encoding; what is no folder is left alone, what is odd is shown."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailaccess.errors import ClientError, Code
from mailaccess.store.folders import Folders
from mailaccess.values import INBOX, MailboxName

PARTS = st.text(st.characters(exclude_characters="./\0", codec="utf-8"), min_size=1, max_size=8)


def make(root: Path, *directories: bytes) -> None:
    for directory in directories:
        os.makedirs(os.fsencode(root) + b"/" + directory + b"/cur", exist_ok=True)


def listed(folders: Folders) -> list[str]:
    return sorted(map(str, folders.names()))


@pytest.mark.parametrize("encoding", ["mutf7", "utf8"])
@given(parts=st.lists(PARTS, min_size=1, max_size=3))
def test_a_name_that_was_made_is_listed(
    encoding: str, parts: list[str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    root = tmp_path_factory.mktemp("root")
    folders = Folders(root, encoding)
    name = MailboxName(tuple(parts))
    if name.is_inbox:
        return
    make(root, os.fsencode(folders.path(name).name))
    assert folders.names() == [INBOX, name]
    assert folders.exists(name)


@pytest.mark.parametrize(
    ("setting", "directories", "expected"),
    [
        ("auto", [b".Entw&APw-rfe", b".A&-B"], ["A&B", "Entwürfe"]),
        ("auto", [".Entwürfe".encode(), b".A&B"], ["A&B", "Entwürfe"]),
        ("utf8", [b".Entw&APw-rfe"], ["Entw&APw-rfe"]),
        ("mutf7", [b".A.B.C"], ["A/B/C"]),
    ],
)
def test_encodings(setting: str, directories: list[bytes], expected: list[str], tmp_path: Path) -> None:
    make(tmp_path, *directories)
    assert listed(Folders(tmp_path, setting)) == sorted(["INBOX", *expected])


def test_what_is_no_folder_is_left_alone(tmp_path: Path) -> None:
    make(tmp_path, b".Sent", b"..DOVECOT-TRASHED", b"..mailaccess-deleted.1", b".", b".A..B", b".A.", b"plain")
    (tmp_path / ".git").mkdir()
    (tmp_path / ".file").touch()
    assert listed(Folders(tmp_path, "auto")) == ["INBOX", "Sent"]


@pytest.mark.parametrize(
    ("setting", "directory"),
    [("mutf7", b".A&broken"), ("mutf7", b".\xff\xfe"), ("utf8", b".\xff\xfe"), ("auto", b".A.&*-")],
)
def test_a_name_that_cannot_be_read_is_shown_and_can_be_opened(setting: str, directory: bytes, tmp_path: Path) -> None:
    make(tmp_path, directory)
    folders = Folders(tmp_path, setting)
    (name,) = [name for name in folders.names() if not name.is_inbox]
    assert folders.exists(name)
    assert os.fsencode(folders.path(name).name) == directory
    assert str(name).isprintable()


def test_inbox_in_any_case_is_the_root(tmp_path: Path) -> None:
    make(tmp_path, b".INBOX", b".Inbox", b".inbox.Work")
    folders = Folders(tmp_path, "auto")
    assert listed(folders) == ["INBOX", "INBOX/Work"]
    assert folders.path(INBOX) == tmp_path
    assert folders.exists(MailboxName(("INBOX", "Work")))


@pytest.mark.parametrize("part", ["a.b", "a/b", ".", "..", "a\0b", "x" * 255, "ü" * 100, "\ud800"])
def test_names_that_a_maildir_has_no_room_for(part: str, tmp_path: Path) -> None:
    with pytest.raises(ClientError) as refused:
        Folders(tmp_path, "auto").path(MailboxName(("Ok", part)))
    assert refused.value.code is Code.CANNOT
