import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from mailaccess.app.privileges import Privileges
from mailaccess.errors import ConfigError


def test_the_soft_limit_of_descriptors_becomes_the_hard_one() -> None:
    script = (
        "import resource; from mailaccess.app.privileges import take_descriptors; "
        "resource.setrlimit(resource.RLIMIT_NOFILE, (64, 128)); take_descriptors(); "
        "print(*resource.getrlimit(resource.RLIMIT_NOFILE))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["128", "128"]
    assert resource.getrlimit(resource.RLIMIT_NOFILE) != (128, 128)


def test_a_pid_file_is_there_while_it_runs(tmp_path: Path) -> None:
    path = tmp_path / "tunnel.pid"
    with Privileges(pid_file=str(path)).in_force():
        assert path.read_text() == f"{os.getpid()}\n"
    assert not path.exists()


def test_a_pid_file_that_cannot_be_written(tmp_path: Path) -> None:
    path = str(tmp_path / "nowhere" / "tunnel.pid")
    with pytest.raises(ConfigError, match=r"^pid: .*No such file"), Privileges(pid_file=path).in_force():
        pass


@pytest.mark.parametrize(
    ("privileges", "line"),
    [
        (Privileges(user="no-such-user"), "setuid: 'no-such-user' is not possible: there is no such user"),
        (Privileges(user="4000000"), "setuid: '4000000' is not possible: there is no such user"),
        (Privileges(group="no-such-group"), "setgid: 'no-such-group' is not possible: there is no such group"),
    ],
)
def test_who_is_not_there_cannot_be_become(privileges: Privileges, line: str) -> None:
    with pytest.raises(ConfigError) as caught, privileges.in_force():
        pass
    assert str(caught.value) == line


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may become another user")
def test_root_becomes_another_user_and_no_more() -> None:
    script = (
        "import os; from mailaccess.app.privileges import Privileges\n"
        "with Privileges(user='nobody').in_force(): print(os.getresuid(), os.getgroups())"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("(65534, 65534, 65534)")
    assert "[0" not in done.stdout
