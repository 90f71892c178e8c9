"""The configuration: sources, types, and one clear line for what is wrong."""

from pathlib import Path

import pytest

from mailaccess.app.config import Configuration, load
from mailaccess.errors import ConfigError


def toml(folder: Path, text: str) -> str:
    path = folder / "config.toml"
    path.write_text(text)
    return str(path)


def test_defaults_stand_where_nothing_is_said() -> None:
    loaded = load(None, {})
    assert loaded.values == Configuration()
    assert {setting.source for setting in loaded.settings()} == {"default"}


def test_the_file_wins_over_defaults_and_the_command_line_over_both(tmp_path: Path) -> None:
    path = toml(tmp_path, 'maildir = "mail"\nimaps = 1993\npop3 = "off"\n[limits]\nline_bytes = 9000\n')
    loaded = load(path, {"pop3": "1110"})
    assert (loaded.values.maildir, loaded.values.imaps, loaded.values.pop3) == ("mail", "1993", "1110")
    assert loaded.values.limits.line_bytes == 9000
    source = {setting.key: setting.source for setting in loaded.settings()}
    assert source["imaps"] == path
    assert source["pop3"] == "command line"
    assert source["limits.line_bytes"] == path
    assert source["limits.append_bytes"] == "default"


def test_lists_and_tables_of_certificates(tmp_path: Path) -> None:
    path = toml(tmp_path, 'trusted_proxy = ["127.0.0.1"]\n[[sni]]\ncertificate = "a.pem"\nprivate_key = "a.key"\n')
    values = load(path, {}).values
    assert values.trusted_proxy == ("127.0.0.1",)
    assert (values.sni[0].certificate, values.sni[0].private_key) == ("a.pem", "a.key")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("maildirs = 1", "maildirs: '1' is not possible: there is no such key; did you mean maildir?"),
        ("imaps = true", "imaps: 'True' is not possible: a text is expected"),
        ("allow_cleartext = 1", "allow_cleartext: '1' is not possible: true or false is expected"),
        ("limits = 3", "limits: '3' is not possible: a table is expected"),
        ("[limits]\nline_bytes = 0", "limits.line_bytes: '0' is not possible: a number above 0 is allowed"),
        ("[limits]\nline_bytes = 1.5", "limits.line_bytes: '1.5' is not possible: a whole number is expected"),
        ("[limits]\noutput_buffer_bytes = 9", "limits.output_buffer_bytes: '9' is not possible: at least 262144"),
        ("[limits]\nbytes = 1", "limits.bytes: '1' is not possible: there is no such key"),
        ('hierarchy_separator = "#"', "--hierarchy-separator: '#' is not possible: one of . / is allowed"),
        ('private_key = "k.pem"', "--private-key: 'k.pem' is not possible: a key needs its --certificate"),
        ("flag_sync_seconds = -1", "--flag-sync-seconds: '-1.0' is not possible: 0 to 86400 seconds are allowed"),
        (
            "sni = [{}]",
            "sni: \"{'certificate': '', 'private_key': ''}\" is not possible: each table needs a certificate",
        ),
        ("x = ", "--config: "),
    ],
)
def test_what_is_wrong_is_said_in_one_line(tmp_path: Path, text: str, line: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(toml(tmp_path, text), {})
    assert line in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("given", [{"maildir": 3}, {"imapx": "1"}, {"limits": {"bogus": 1}}, {"limits": 3}])
def test_a_program_is_told_what_is_wrong_too(given: dict[str, object]) -> None:
    with pytest.raises(ConfigError):
        load(None, given)


def test_a_program_gives_values_as_they_are() -> None:
    values = load(None, {"imaps": 1993, "limits": {"line_bytes": 9000}, "trusted_proxy": ("::1",)}).values
    assert (values.imaps, values.limits.line_bytes, values.trusted_proxy) == ("1993", 9000, ("::1",))


def test_a_file_that_is_not_there() -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        load("/nonexistent/mailaccess.toml", {})


def test_every_key_has_its_words() -> None:
    assert all(setting.words.endswith((".", "]")) or setting.words for setting in load(None, {}).settings())
    assert all(len(setting.words) > 20 for setting in load(None, {}).settings())
