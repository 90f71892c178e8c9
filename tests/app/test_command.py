"""``mailaccess user`` and ``mailaccess config``."""

import io
import json
from pathlib import Path

import pytest

from mailaccess.app.command import main
from mailaccess.auth.passwdfile import parse
from mailaccess.auth.schemes import verify


@pytest.fixture
def users(tmp_path: Path) -> Path:
    return tmp_path / "users"


def run(*arguments: str) -> int:
    try:
        return main(arguments)
    except SystemExit as end:
        return int(str(end.code))


def stored(users: Path, user: str) -> str:
    (line,) = [line for line in users.read_text().splitlines() if line.startswith(user + ":")]
    return line.split(":", 1)[1]


def test_a_user_from_his_first_password_to_his_end(
    users: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("one two\n"))
    assert run("user", "add", "joe", "--stdin", "--users", str(users)) == 0
    assert users.stat().st_mode & 0o777 == 0o600
    assert stored(users, "joe").startswith("{ARGON2ID}")
    assert verify(b"one two", stored(users, "joe"))

    answers = iter(["three", "three"])
    monkeypatch.setattr("getpass.getpass", lambda prompt: next(answers))
    assert run("user", "--users", str(users), "passwd", "joe") == 0
    assert verify(b"three", stored(users, "joe"))

    assert run("user", "add", "ann", "--generate", "--users", str(users)) == 0
    assert verify(capsys.readouterr().out.strip().encode(), stored(users, "ann"))

    assert run("user", "list", "--users", str(users)) == 0
    assert capsys.readouterr().out == "joe\nann\n"
    assert run("user", "delete", "joe", "--users", str(users)) == 0
    assert run("user", "list", "--json", "--users", str(users)) == 0
    assert json.loads(capsys.readouterr().out) == ["ann"]
    assert list(parse(users.read_text().splitlines()).entries) == ["ann"]


def test_the_users_file_is_found_beside_the_mail(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "mailaccess.toml").write_text(f'maildir = "{tmp_path}/%u/Maildir"\n')
    assert run("user", "add", "joe", "--generate", "--config", str(tmp_path / "mailaccess.toml")) == 0
    assert (tmp_path / "users").exists()
    capsys.readouterr()
    assert run("user", "list", "--maildir", str(tmp_path)) == 0
    assert capsys.readouterr().out == "joe\n"


@pytest.mark.parametrize(
    ("arguments", "status", "line"),
    [
        (["user", "add", "joe", "--generate"], 1, "There is a user joe already"),
        (["user", "passwd", "eve", "--generate"], 1, "There is no user eve"),
        (["user", "delete", "eve"], 1, "There is no user eve"),
        (["user", "add", "a/b", "--generate"], 1, "A user name has no slash"),
        (["user", "frob"], 2, "invalid choice: 'frob'"),
        (["user", "list", "extra"], 2, "'extra' is not an option of mailaccess user list"),
        (["config", "check"], 2, "--maildir: '' is not possible"),
        (["config", "check", "--maildir", "mail/%q"], 2, "--maildir: 'mail/%q' is not possible: %u %n %d %h"),
        (["config", "check", "--maildir", "mail", "--imap", "abc"], 2, "--imap: 'abc' is not possible"),
        (["config", "check", "--maildir", "mail", "--trusted-proxy", "nonsense"], 2, "an IPv4 or IPv6 address"),
        (["config", "check", "--maildir", "mail", "--certificate", "/nope.pem"], 2, "--certificate: '/nope.pem'"),
        (["config", "check", "--maildir", "mail", "--auth", "ldap:x"], 2, "--auth: 'ldap:x' is not possible"),
        (
            ["config", "check", "--maildir", "m", "--imap=off", "--imaps=off", "--pop3=off", "--pop3s=off"],
            2,
            "no listener is left",
        ),
        (["user", "add", "users", "--generate"], 1, "users is the name of a file of the server"),
        (["config", "show", "--imapz"], 2, "option --imapz not recognized"),
        ([], 2, "the following arguments are required: COMMAND"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(
    users: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], status: int, line: str
) -> None:
    users.write_text("joe:{PLAIN}x\n")
    where = ["--users", str(users)] if arguments[:1] == ["user"] and "frob" not in arguments else []
    assert run(*arguments, *where) == status
    said = capsys.readouterr()
    assert said.out == ""
    assert line in said.err
    assert said.err.startswith("mailaccess: ")
    assert said.err.count("\n") == 1


def test_a_users_file_must_be_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("user", "list") == 2
    assert "--users FILE" in capsys.readouterr().err


def test_two_passwords_that_differ(users: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter(["one", "two"])
    monkeypatch.setattr("getpass.getpass", lambda prompt: next(answers))
    assert run("user", "add", "joe", "--users", str(users)) == 1
    assert not users.exists() or users.read_text() == ""


def test_config_shows_each_value_and_where_it_came_from(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "c.toml").write_text('imaps = "1993"\n')
    assert run("config", "show", "--config", str(tmp_path / "c.toml"), "--maildir", "mail") == 0
    lines = {line.split()[0]: line for line in capsys.readouterr().out.splitlines()}
    assert lines["maildir"].endswith('= "mail"  # command line')
    assert lines["imaps"].endswith(f'= "1993"  # {tmp_path}/c.toml')
    assert lines["limits.line_bytes"].endswith("= 65536  # default")
    assert run("config", "show", "--json", "--maildir", "mail") == 0
    shown = {setting["key"]: setting for setting in json.loads(capsys.readouterr().out)}
    assert shown["pop3"]["value"] == "110, or 1110 where that may not be bound"
    assert (shown["users"]["value"], shown["users"]["source"]) == ("mail/users", "default")


def test_config_check(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("config", "check", "--maildir", "mail/%d/%n") == 0
    assert "good" in capsys.readouterr().out


def test_config_check_looks_at_tunnels(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "mail.toml"
    path.write_text(f'maildir = "{tmp_path}"\nimaps = "127.0.0.1:0"\n[[tunnel]]\naccept = "pop3s"\n')
    assert main(["config", "check", "--config", str(path)]) == 2
    assert capsys.readouterr().err == (
        "mailaccess: tunnel 'pop3s': connect: '' is not possible: either targets or a program to exec is needed\n"
    )
    path.write_text(path.read_text() + 'connect = "110"\n')
    assert main(["config", "check", "--config", str(path)]) == 0


def test_config_show_keeps_a_proxys_password(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "mail.toml"
    path.write_text('[[tunnel]]\naccept = "1"\nconnect = "2"\nclient = true\nvia = "http://joe:hunter2@proxy:3128"\n')
    assert main(["config", "show", "--config", str(path)]) == 0
    shown = capsys.readouterr().out
    assert "hunter2" not in shown
    assert "http://…@proxy:3128" in shown


@pytest.mark.parametrize(("error", "status"), [(KeyboardInterrupt, 130), (EOFError, 1)])
def test_who_gives_up_at_the_password_gets_one_line(
    users: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    error: type[BaseException],
    status: int,
) -> None:
    def give_up(_: str) -> str:
        raise error

    monkeypatch.setattr("getpass.getpass", give_up)
    assert main(["user", "--users", str(users), "add", "joe"]) == status
    assert len(capsys.readouterr().err.splitlines()) == 1
