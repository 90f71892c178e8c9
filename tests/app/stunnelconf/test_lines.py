"""The format of the file, and files that it includes."""

import os
import re
from pathlib import Path

import pytest

from mailaccess.app.stunnelconf import lines
from mailaccess.app.stunnelconf.lines import Text, read_text
from mailaccess.errors import ConfigError


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def read(octets: bytes) -> Text:
    Path("stunnel.conf").write_bytes(octets)
    return read_text(Path("stunnel.conf"))


def said(text: Text) -> list[tuple[str, str]]:
    return [(setting.name, setting.value) for setting in text.settings()]


@pytest.mark.parametrize(
    ("octets", "settings"),
    [
        (b"", []),
        (b"\n  \t\n; a = b\n # c = d\n", []),
        (b"a=b", [("a", "b")]),
        (b"  a \t = \t b c \r\n", [("a", "b c")]),
        (b"a =", [("a", "")]),
        (b"a = b = c", [("a", "b = c")]),
        (b"a = b ; c", [("a", "b ; c")]),
        (b'a = "b"', [("a", '"b"')]),
        (b"= a", [("", "a")]),
        (b"\xef\xbb\xbfa = b", [("a", "b")]),
        (b"; Fran\xe7ois\na = b", [("a", "b")]),
        ("a = Zażółć".encode(), [("a", "Zażółć")]),
    ],
)
def test_a_line(here: Path, octets: bytes, settings: list[tuple[str, str]]) -> None:
    assert said(read(octets)) == settings


def test_sections_have_what_stands_below_them(here: Path) -> None:
    text = read(b"a = 1\n[one]\nb = 2\nc = 3\n [ two = ] \n[one]\nd = 4\n")
    assert [(section.name, [s.name for s in section.settings]) for section in text.sections] == [
        ("one", ["b", "c"]),
        (" two = ", []),
        ("one", ["d"]),
    ]
    assert [setting.name for setting in text.defaults] == ["a"]
    assert [str(setting.place) for setting in text.settings()] == [f"stunnel.conf:{n}" for n in (1, 3, 4, 7)]


@pytest.mark.parametrize(
    ("octets", "words"),
    [
        (b"\nnonsense", "stunnel.conf:2: 'nonsense' is not possible: a line is [section]"),
        (b"[a] ; b", "a line is [section]"),
        (b"a = \xe7", "a line is in UTF-8"),
        (b"a = b\x00c", "no control characters"),
        (b"a = b\x7fc", "no control characters"),
        (b"\n\xef\xbb\xbf[a]", "a line is [section]"),
    ],
)
def test_any_other_line_is_refused(here: Path, octets: bytes, words: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(words)):
        read(octets)


def test_a_file_that_cannot_be_read_is_refused(here: Path) -> None:
    with pytest.raises(ConfigError, match=r"--stunnel-conf: 'none' is not possible: .*No such file"):
        read_text(Path("none"))
    with pytest.raises(ConfigError, match="cannot be read"):
        read_text(here)


def test_a_file_without_end_is_refused(here: Path) -> None:
    with pytest.raises(ConfigError, match="at most"):
        read_text(Path("/dev/zero"))


def test_a_folder_is_included_in_the_order_of_names(here: Path) -> None:
    folder = here / "conf.d"
    (folder / "sub").mkdir(parents=True)
    for name in ("b", "10", "9", ".hidden", "B", "a~"):
        (folder / name).write_text(f"{name} = 1")
    os.mkfifo(folder / "fifo")
    assert [name for name, _ in said(read(b"Include = conf.d\nz = 1"))] == [".hidden", "10", "9", "B", "a~", "b", "z"]


def test_a_section_goes_on_behind_a_folder(here: Path) -> None:
    (here / "conf.d").mkdir()
    (here / "conf.d" / "one").write_text("a = 1\n[two]\nb = 2\n")
    text = read(b"[one]\ninclude = conf.d\nc = 3\n")
    assert [(section.name, [s.name for s in section.settings]) for section in text.sections] == [
        ("one", ["a"]),
        ("two", ["b", "c"]),
    ]
    assert str(text.sections[1].place) == "conf.d/one:2"


@pytest.mark.parametrize("folder", ["", "none", "stunnel.conf"])
def test_what_is_no_folder_is_refused_with_its_line(here: Path, folder: str) -> None:
    with pytest.raises(ConfigError, match=r"^stunnel\.conf:2: include: .* a folder"):
        read(f"\ninclude = {folder}".encode())


def test_links_in_a_circle_are_refused(here: Path) -> None:
    Path("circle").symlink_to("circle")
    with pytest.raises(ConfigError, match=r"^stunnel\.conf:1: include: "):
        read(b"include = circle")


def test_a_file_of_a_folder_that_cannot_be_read_names_the_line_that_asked(here: Path) -> None:
    (here / "conf.d").mkdir()
    (here / "conf.d" / "large").write_bytes(b"#" * (lines.FILE_BYTES + 1))
    with pytest.raises(ConfigError, match=r"^stunnel\.conf:1: include: 'conf\.d/large' is not possible"):
        read(b"include = conf.d")


def test_a_folder_does_not_include_itself(here: Path) -> None:
    (here / "conf.d").mkdir()
    (here / "conf.d" / "one").write_text("include = link")
    (here / "link").symlink_to("conf.d")
    with pytest.raises(ConfigError, match=r"^conf\.d/one:1: include: 'link' is not possible: .* already"):
        read(b"include = conf.d")


def test_one_folder_may_be_included_twice(here: Path) -> None:
    (here / "conf.d").mkdir()
    (here / "conf.d" / "one").write_text("a = 1")
    assert said(read(b"[x]\ninclude = conf.d\n[y]\ninclude = conf.d\n")) == [("a", "1")] * 2


def test_depth_is_bounded(here: Path) -> None:
    for depth in range(lines.INCLUDE_DEPTH + 1):
        (here / str(depth)).mkdir()
        (here / str(depth) / "next").write_text(f"include = {depth + 1}")
    with pytest.raises(ConfigError, match=f"at most {lines.INCLUDE_DEPTH} folders"):
        read(b"include = 0")


def test_lines_are_bounded(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "LINES_AT_MOST", 5)
    (here / "conf.d").mkdir()
    (here / "conf.d" / "one").write_text("\n\n\n")
    with pytest.raises(ConfigError, match="at most 5 lines"):
        read(b"include = conf.d\ninclude = conf.d")


@pytest.mark.parametrize(
    "line", [b"protocolPassword hunter2\n", b"protocolPassword = hunt\xfcer2\n", b"p = hunter2\x01\n"]
)
def test_what_may_be_a_password_is_in_no_message(tmp_path: Path, line: bytes) -> None:
    path = tmp_path / "stunnel.conf"
    path.write_bytes(line)
    with pytest.raises(ConfigError) as caught:
        read_text(path)
    assert "hunt" not in str(caught.value)
