"""``twistd mailaccess``'s options are the configuration's keys."""

from pathlib import Path

import pytest

from mailaccess.app.options import ServerOptions


def parse(*arguments: str) -> ServerOptions:
    options = ServerOptions()
    options.parseOptions(list(arguments))
    return options


def test_every_form_of_option() -> None:
    values = parse(
        "--maildir",
        "mail",
        "--imaps=1993",
        "--allow-cleartext",
        "--trusted-proxy",
        "::1",
        "--trusted-proxy",
        "127.0.0.1",
    ).loaded.values
    assert (values.maildir, values.imaps, values.allow_cleartext) == ("mail", "1993", True)
    assert values.trusted_proxy == ("::1", "127.0.0.1")


def test_the_command_line_wins_over_the_file(tmp_path: Path) -> None:
    (tmp_path / "c.toml").write_text('imaps = "1"\npop3 = "2"\n')
    values = parse("--config", str(tmp_path / "c.toml"), "--imaps", "3").loaded.values
    assert (values.imaps, values.pop3) == ("3", "2")


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["--nonsense"], "option --nonsense not recognized"),
        (["stray"], "'stray' is not an option"),
        (["--config", "/nonexistent"], "--config: '/nonexistent' is not possible"),
        (["--flag-sync-seconds", "soon"], "--flag-sync-seconds: 'soon' is not possible: a number of seconds"),
    ],
)
def test_wrong_usage_ends_with_status_2_and_one_line(
    arguments: list[str], line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        parse(*arguments)
    assert caught.value.code == 2
    said = capsys.readouterr().err
    assert line in said
    assert said.count("\n") == 1
