"""What the first command of the README makes, and what a start that cannot be says."""

import re
import shlex
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from server_process import environment, program

pytestmark = pytest.mark.system

TWISTD = str(Path(sys.executable).parent / "twistd")
FREE_PORTS = [f"--{name}=127.0.0.1:0" for name in ("imap", "imaps", "pop3", "pop3s")]


def server(folder: Path, *options: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [TWISTD, "--nodaemon", "--pidfile=", "--logfile=log", "mailaccess", *options],
        cwd=folder, env=environment(), text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def test_the_first_start_makes_a_user_a_certificate_and_two_messages(tmp_path: Path) -> None:
    program("curl")
    running = server(tmp_path, "--maildir", "mail", *FREE_PORTS)
    assert running.stdout is not None
    said = []
    for line in running.stdout:
        said.append(line)
        if line == "ready\n":
            break
    try:
        assert len([line for line in said if line.startswith("listening ")]) == 4
        assert any(re.search(r"SHA-256 ([0-9A-F]{2}:){31}[0-9A-F]{2}$", line) for line in said)
        (told,) = [line for line in said if line.startswith("user ")]
        user, password = told.split()[1], told.split()[3]
        stored = (tmp_path / "mail/users").read_text()
        assert stored.startswith(f"{user}:{{ARGON2ID}}")
        assert password not in stored
        assert (tmp_path / "mail/users").stat().st_mode & 0o777 == 0o600
        (paste,) = [line.removeprefix("try: ") for line in said if line.startswith("try: curl ")]
        message = subprocess.run(
            [*shlex.split(paste), "--silent", "--show-error"], cwd=tmp_path, capture_output=True, timeout=30, check=True
        )
        assert b"\r\nSubject: Welcome to mailaccess\r\n" in message.stdout
        second = paste.replace("MAILINDEX=1", "MAILINDEX=2")
        subprocess.run([*shlex.split(second), "--silent"], cwd=tmp_path, capture_output=True, timeout=30, check=True)
        third = subprocess.run(
            [*shlex.split(paste.replace("MAILINDEX=1", "MAILINDEX=3")), "--silent"],
            cwd=tmp_path, capture_output=True, timeout=30, check=False,
        )  # fmt: skip
        assert third.returncode != 0
    finally:
        running.terminate()
        running.communicate(timeout=15)
    assert running.returncode == 0
    assert password not in (tmp_path / "log").read_text()


def test_the_second_start_tells_no_password(tmp_path: Path) -> None:
    for first in (True, False):
        running = server(tmp_path, "--maildir", "mail", *FREE_PORTS)
        assert running.stdout is not None
        said = [line for line in iter(running.stdout.readline, "ready\n") if line]
        running.terminate()
        running.communicate(timeout=15)
        assert any("password" in line for line in said) is first


@pytest.mark.parametrize(
    ("options", "line"),
    [
        ([], "--maildir: '' is not possible"),
        (["--maildir", "mail", "--imaps", "x:y:z"], "--imaps: 'x:y:z' is not possible"),
        (["--maildir", "mail", "--certificate", "none.pem"], "--certificate: 'none.pem' is not possible"),
        (["--maildir", "mail", "--auth", "ldap:x"], "--auth: 'ldap:x' is not possible: passwdfile:FILE is allowed"),
        (["--maildir", "/proc/nowhere"], "--maildir: '/proc/nowhere' is not possible"),
        (["--maildir", "mail", "--imaps", "192.0.2.1:993"], "--imaps: '192.0.2.1:993' is not possible"),
        (["--maildir", "mail", "--imaps", "tcp:nonsense"], "--imaps: 'tcp:nonsense' is not possible"),
        (["--nonsense"], "option --nonsense not recognized"),
    ],
)
def test_a_start_that_cannot_be_ends_with_status_2_and_one_line(tmp_path: Path, options: list[str], line: str) -> None:
    ended = server(tmp_path, *options)
    out, err = ended.communicate(timeout=30)
    assert ended.returncode == 2
    assert line in err
    assert err.count("\n") == 1
    assert "Traceback" not in out + err


def test_a_maildir_is_served_to_the_one_user_there_is(tmp_path: Path) -> None:
    for folder in ("cur", "new", "tmp"):
        (tmp_path / "mail" / folder).mkdir(parents=True)
    (tmp_path / "mail/new/1.a.b").write_bytes(b"Subject: mine\n\nhello\n")
    running = server(tmp_path, "--maildir", "mail", *FREE_PORTS)
    assert running.stdout is not None
    said = [line for line in iter(running.stdout.readline, "ready\n") if line]
    try:
        (paste,) = [line.removeprefix("try: ") for line in said if line.startswith("try: curl ")]
        command = [*shlex.split(paste), "--silent", "--show-error"]
        message = subprocess.run(command, cwd=tmp_path, capture_output=True, timeout=30, check=True)
        assert message.stdout == b"Subject: mine\r\n\r\nhello\r\n"
    finally:
        running.terminate()
        running.communicate(timeout=15)


@pytest.mark.parametrize("refused", [["--certificate", "/nope.pem"], ["--pop3s", "unix:/nope/socket"]])
def test_a_first_start_that_fails_leaves_no_user_whose_password_nobody_knows(
    tmp_path: Path, refused: list[str]
) -> None:
    ended = server(tmp_path, "--maildir", "mail", *FREE_PORTS, *refused)
    _, err = ended.communicate(timeout=30)
    assert ended.returncode == 2
    assert err.count("\n") == 1
    assert not (tmp_path / "mail/users").exists()


def test_a_daemon_that_cannot_start_says_so_and_ends(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as busy:
        where = f"127.0.0.1:{busy.getsockname()[1]}"
        ended = subprocess.run(
            [TWISTD, "--pidfile=p", "--logfile=log", "mailaccess", "--maildir=mail", *FREE_PORTS, f"--imaps={where}"],
            cwd=tmp_path, env=environment(), capture_output=True, text=True, timeout=30, check=False,
        )  # fmt: skip
    assert ended.returncode == 2
    assert ended.stderr == f"mailaccess: --imaps: '{where}' is not possible: another program listens there: " + (
        "a free port is needed\n"
    )
    assert not (tmp_path / "p").exists()
