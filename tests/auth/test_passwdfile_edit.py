"""Changes to a users file: what is asked for, and nothing else."""

import fcntl
import os
import stat
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailaccess.auth.credentials import BadCredential
from mailaccess.auth.passwdfile import parse
from mailaccess.auth.passwdfile_edit import EditRefused, UsersFile, add, change, delete, users
from mailaccess.errors import OperatorFault

FILE = """\
# our users

joe:{PLAIN}pw:1000:1000:Joe:/home/joe:/bin/sh:userdb_mail=maildir:~/Maildir  x=y
 odd line without anything
ann:{SHA512-CRYPT}$6$x$y\r
#bob:{PLAIN}pw
joe:{PLAIN}never read
carl
"""


def test_users() -> None:
    assert users(FILE) == ["joe", " odd line without anything", "ann", "carl"]
    assert users("") == []


def test_add() -> None:
    assert add(FILE, "bob", "{PLAIN}x") == FILE + "bob:{PLAIN}x\n"
    assert add("", "bob", "{PLAIN}x") == "bob:{PLAIN}x\n"
    assert add("joe:{PLAIN}pw", "bob", "{PLAIN}x") == "joe:{PLAIN}pw\nbob:{PLAIN}x\n"
    assert add("joe:{PLAIN}pw\r\n", "bob", "{PLAIN}x") == "joe:{PLAIN}pw\r\nbob:{PLAIN}x\r\n"


def test_change() -> None:
    assert change(FILE, "joe", "{PLAIN}new") == FILE.replace("{PLAIN}pw:1000", "{PLAIN}new:1000")
    assert change(FILE, "ann", "{PLAIN}new") == FILE.replace("{SHA512-CRYPT}$6$x$y", "{PLAIN}new")
    assert change(FILE, "carl", "{PLAIN}new") == FILE.replace("carl", "carl:{PLAIN}new")


def test_delete() -> None:
    without = "".join(line for line in FILE.splitlines(keepends=True) if not line.startswith("joe:"))
    assert delete(FILE, "joe") == without
    assert delete("a:x\nb:y", "b") == "a:x"


def test_what_is_refused() -> None:
    refused: list[Callable[[], str]] = [
        lambda: add(FILE, "joe", "{PLAIN}x"),
        lambda: change(FILE, "bob", "{PLAIN}x"),
        lambda: delete(FILE, "bob"),
        lambda: delete(FILE, "#bob"),
        lambda: add(FILE, "a:b", "{PLAIN}x"),
        lambda: add(FILE, "#a", "{PLAIN}x"),
        lambda: add(FILE, " a", "{PLAIN}x"),
        lambda: add(FILE, "a", "{PLAIN}x:y"),
        lambda: add(FILE, "a", "{PLAIN}x\nroot:{PLAIN}y"),
        lambda: change(FILE, "joe", "{PLAIN}x\r"),
    ]
    for call in refused:
        with pytest.raises(EditRefused):
            call()


names = st.sampled_from(["a", "b", "c", "ü", "d e"])
secrets = st.text("xyz{}$ü", max_size=6).map("{{PLAIN}}{}x".format)
texts = st.lists(
    st.one_of(
        st.tuples(names, secrets, st.sampled_from(["", ":", ":1:2:g:h:s:k=v w=x:y", "\r"])).map(
            "{0[0]}:{0[1]}{0[2]}".format
        ),
        st.sampled_from(["", "# a:x", "#", "junk", ":x", "\r", "  "]),
    ),
    max_size=8,
).flatmap(lambda lines: st.sampled_from(["\n".join(lines), "\n".join([*lines, ""])]))


def _lines(text: str) -> list[str]:
    return [line for line in text.split("\n") if line]


@given(texts, names, secrets)
def test_the_law_of_add(text: str, user: str, secret: str) -> None:
    if user in users(text):
        with pytest.raises(EditRefused):
            add(text, user, secret)
        return
    after = add(text, user, secret)
    assert after.startswith(text)
    assert users(after) == [*users(text), user]
    assert parse(after.split("\n")).entries[user] == parse([f"{user}:{secret}"]).entries[user]
    assert _lines(delete(after, user)) == _lines(text)


@given(texts, names, secrets)
def test_the_law_of_change(text: str, user: str, secret: str) -> None:
    if user not in users(text):
        with pytest.raises(EditRefused):
            change(text, user, secret)
        return
    after = change(text, user, secret)
    assert users(after) == users(text)
    before_lines, after_lines = text.split("\n"), after.split("\n")
    assert sum(old != new for old, new in zip(before_lines, after_lines, strict=True)) <= 1
    before, now = parse(before_lines).entries[user], parse(after_lines).entries[user]
    assert now.secret == parse([f"{user}:{secret}"]).entries[user].secret
    assert now.identity == before.identity
    assert change(after, user, secret) == after


@given(texts, names)
def test_the_law_of_delete(text: str, user: str) -> None:
    if user not in users(text):
        with pytest.raises(EditRefused):
            delete(text, user)
        return
    after = delete(text, user)
    assert users(after) == [other for other in users(text) if other != user]
    assert _lines(after) == [line for line in _lines(text) if line.rstrip("\r").partition(":")[0] != user]


# -- the file


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "users"


@pytest.fixture
def file(path: Path) -> UsersFile:
    return UsersFile(path, lambda password: "{PLAIN}" + password.decode())


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_new_file_is_the_owners_alone(file: UsersFile, path: Path) -> None:
    assert file.list() == []
    old = os.umask(0)
    try:
        file.add("joe", b"pw")
    finally:
        os.umask(old)
    assert path.read_text() == "joe:{PLAIN}pw\n"
    assert _mode(path) == 0o600
    assert file.list() == ["joe"]


def test_a_life(file: UsersFile, path: Path) -> None:
    path.write_text(FILE, newline="")
    file.add("bob", b"x")
    file.passwd("bob", b"y")
    file.delete("ann")
    assert path.read_bytes().decode() == delete(FILE, "ann") + "bob:{PLAIN}y\n"
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o400])
def test_the_mode_stays(file: UsersFile, path: Path, mode: int) -> None:
    path.write_text(FILE)
    path.chmod(mode)
    if not os.access(path, os.W_OK):
        pytest.skip("only root writes there")
    file.add("bob", b"x")
    assert _mode(path) == mode


def test_a_reader_sees_the_old_file_or_the_new_one(file: UsersFile, path: Path) -> None:
    path.write_text(FILE, newline="")
    with path.open(newline="") as reader:
        file.add("bob", b"x")
        assert reader.read() == FILE
    assert "bob" in file.list()


def test_a_link_stays_a_link(file: UsersFile, path: Path, tmp_path: Path) -> None:
    target = tmp_path / "elsewhere"
    target.write_text(FILE)
    path.symlink_to(target)
    UsersFile(path, lambda password: "{PLAIN}" + password.decode()).add("bob", b"x")
    assert path.is_symlink()
    assert "bob" in target.read_text()


def test_octets_that_are_no_utf8_stay(file: UsersFile, path: Path) -> None:
    path.write_bytes(b"# caf\xe9\nj\xf6:{PLAIN}\xff\n")
    file.add("bob", b"x")
    assert path.read_bytes() == b"# caf\xe9\nj\xf6:{PLAIN}\xff\nbob:{PLAIN}x\n"


def test_nothing_is_left_of_what_failed(file: UsersFile, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path.write_text("joe:{PLAIN}pw\n")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OperatorFault, match="No space left"):
        file.add("bob", b"x")
    assert path.read_text() == "joe:{PLAIN}pw\n"
    assert list(path.parent.iterdir()) == [path]


def test_what_is_not_there_is_not_made(file: UsersFile, path: Path) -> None:
    with pytest.raises(OperatorFault):
        file.passwd("joe", b"x")
    with pytest.raises(OperatorFault):
        file.delete("joe")
    assert not path.exists()


@pytest.mark.parametrize("name", ["", "../x", "a\nb", ".."])
def test_no_impossible_user_is_added(file: UsersFile, path: Path, name: str) -> None:
    with pytest.raises(BadCredential):
        file.add(name, b"pw")
    assert not path.exists()


def test_an_impossible_user_can_be_deleted(file: UsersFile, path: Path) -> None:
    path.write_text("../x:{PLAIN}pw\njoe:{PLAIN}pw\n")
    file.delete("../x")
    assert file.list() == ["joe"]


def test_editors_wait_for_each_other(file: UsersFile, path: Path) -> None:
    file.add("joe", b"pw")
    with path.open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        waiting = threading.Thread(target=file.add, args=("bob", b"x"))
        waiting.start()
        # meanwhile another editor, which has the lock, puts a new file in its place
        beside = path.with_name("beside")
        beside.write_text("joe:{PLAIN}pw\nann:{PLAIN}x\n")
        beside.rename(path)
    waiting.join(30)
    assert file.list() == ["joe", "ann", "bob"]


def test_many_editors_lose_nothing(file: UsersFile) -> None:
    names = [f"user{number}" for number in range(24)]
    threads = [threading.Thread(target=file.add, args=(name, b"x")) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(file.list()) == sorted(names)
