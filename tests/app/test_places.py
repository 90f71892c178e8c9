"""Where mail, index and state lie."""

from pathlib import Path

import pytest

from mailaccess.app.config import Configuration
from mailaccess.app.places import places
from mailaccess.errors import ConfigError, OperatorFault
from mailaccess.values import Identity

JOE = Identity("joe@example.org", home="/home/joe")


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("mail", "mail/joe@example.org"),
        ("mail/%u", "mail/joe@example.org"),
        ("mail/%d/%n/Maildir", "mail/example.org/joe/Maildir"),
        ("mail/x-%n", "mail/x-joe"),
        ("mail/100%%/%n", "mail/100%/joe"),
    ],
)
def test_templates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, template: str, expected: str) -> None:
    monkeypatch.chdir(tmp_path)
    found = places(Configuration(maildir=template))
    assert found.maildir(JOE) == Path(expected)
    assert found.state == Path("mail/mailaccess-state")
    assert found.users == Path("mail/users")
    assert found.state.is_dir()


def test_home(tmp_path: Path) -> None:
    found = places(Configuration(maildir="%h/Maildir", state=str(tmp_path)))
    assert found.maildir(JOE) == Path("/home/joe/Maildir")
    with pytest.raises(OperatorFault, match="no home"):
        found.maildir(Identity("ann"))


def test_a_maildir_is_served_to_the_one_user(tmp_path: Path) -> None:
    for folder in ("cur", "new", "tmp"):
        (tmp_path / folder).mkdir()
    found = places(Configuration(maildir=str(tmp_path)))
    assert found.single
    assert found.maildir(JOE) == tmp_path


def test_names_that_lead_elsewhere_are_refused(tmp_path: Path) -> None:
    found = places(Configuration(maildir=str(tmp_path)))
    for user in ("users", "mailaccess-state"):
        with pytest.raises(OperatorFault, match="file of the server"):
            found.maildir(Identity(user))
    for user in ("../ann", "a/b", "..", ".ssh"):
        with pytest.raises(OperatorFault, match="part of a path"):
            found.maildir(Identity(user))
    assert "/" not in found.index(Identity("a/b")).name


@pytest.mark.parametrize("maildir", ["", "mail/%x", "mail/%"])
def test_what_cannot_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, maildir: str) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match="--maildir"):
        places(Configuration(maildir=maildir))
