"""The table of all options."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from mailaccess.app.stunnelconf.conf import StunnelConf
from mailaccess.app.stunnelconf.options import GLOBAL, SERVICE, Fate, Option
from mailaccess.errors import ConfigError

Conf = Callable[[str], StunnelConf]

SERVER = "[pop3s]\naccept = 995\nconnect = 110\ncert = mail.pem\n"
MANUAL = Path("/usr/share/doc/stunnel4/stunnel.html")


def of(fate: Fate, options: tuple[Option, ...]) -> list[Option]:
    return [option for option in options if option.fate is fate]


@pytest.mark.parametrize("option", of(Fate.REFUSED, GLOBAL), ids=lambda option: option.name)
def test_a_global_option_is_refused_with_its_reason(conf: Conf, option: Option) -> None:
    with pytest.raises(ConfigError) as refusal:
        conf(f"\n{option.name.upper()} = 1\n{SERVER}")
    assert refusal.value == ConfigError(f"stunnel.conf:2: {option.name.upper()}", "1", option.words)


@pytest.mark.parametrize("option", of(Fate.REFUSED, SERVICE), ids=lambda option: option.name)
def test_an_option_of_a_section_is_refused_with_its_reason(conf: Conf, option: Option) -> None:
    with pytest.raises(ConfigError) as refusal:
        conf(f"{SERVER}{option.name} = 1\n")
    assert refusal.value == ConfigError(f"stunnel.conf:5: {option.name}", "1", option.words)


def test_an_option_of_sections_is_refused_as_a_default_too(conf: Conf) -> None:
    with pytest.raises(ConfigError, match=r"stunnel\.conf:1: checkEmail: "):
        conf(f"checkEmail = joe@example.org\n{SERVER}")


def test_an_option_of_the_process_has_another_meaning_in_a_section(conf: Conf) -> None:
    assert conf(f"setuid = nobody\n{SERVER}").user == "nobody"
    assert conf(f"{SERVER}setuid = nobody\n").user == ""


@pytest.mark.parametrize("option", of(Fate.IGNORED, GLOBAL), ids=lambda option: option.name)
def test_a_global_option_is_ignored_with_its_line(conf: Conf, option: Option) -> None:
    assert conf(f"{option.name} = 1\n{SERVER}").ignored == (
        f"stunnel.conf:1: {option.name} = 1 is ignored: {option.words}",
    )


@pytest.mark.parametrize("option", of(Fate.IGNORED, SERVICE), ids=lambda option: option.name)
def test_an_option_of_a_section_is_ignored_with_its_line(conf: Conf, option: Option) -> None:
    value = "…" if "Secret" in option.name else "1"
    assert conf(f"{SERVER}{option.name} = 1\n").ignored == (
        f"stunnel.conf:5: {option.name} = {value} is ignored: {option.words}",
    )


@pytest.mark.parametrize(
    ("option", "value"),
    [(option.name, value) for option in (*GLOBAL, *SERVICE) for value in option.unless],
)
def test_of_what_is_so_anyway_nothing_is_said(conf: Conf, option: str, value: str) -> None:
    assert conf(f"{option} = {value.upper()}\n{SERVER}").ignored == ()


@pytest.mark.parametrize("name", sorted({one.name for one in GLOBAL} - {one.name for one in SERVICE}))
def test_a_global_option_has_no_place_in_a_section(conf: Conf, name: str) -> None:
    with pytest.raises(ConfigError, match="before the first section"):
        conf(f"{SERVER}{name} = 1\n")


def test_an_option_of_another_name_is_refused(conf: Conf) -> None:
    with pytest.raises(ConfigError, match=r"stunnel\.conf:5: checkHosts: .* did you mean checkHost\?"):
        conf(f"{SERVER}checkHosts = a.example\n")
    with pytest.raises(ConfigError, match=r"stunnel has no such option$"):
        conf(f"{SERVER}xyzzy = 1\n")


def test_words_fit_into_one_line_of_a_table() -> None:
    for option in (*GLOBAL, *SERVICE):
        assert option.words
        assert not set(option.words) & {"\n", "|"}


@pytest.mark.system
def test_every_option_of_the_manual_stands_in_the_table() -> None:
    in_manual = re.findall(r'<dt id="[^"]*"><b>(\w+)</b> = ', MANUAL.read_text(encoding="utf-8"))
    assert len(in_manual) > 90
    assert set(in_manual) - {option.name for option in (*GLOBAL, *SERVICE)} == set()
