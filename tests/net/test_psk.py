"""Files of pre-shared keys."""

from pathlib import Path

import pytest

from mailaccess.errors import ConfigError
from mailaccess.net.psk import read_keys

KEY = "00112233445566778899aabbccddeeff"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "psk.txt"
    path.touch(0o600)
    return path


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        (f"joe:{KEY}\n", {b"joe": bytes.fromhex(KEY)}),
        (
            f"joe:{KEY.upper()}\r\n\n# jane:{KEY}\nann:{KEY * 2}",
            {b"joe": bytes.fromhex(KEY), b"ann": bytes.fromhex(KEY * 2)},
        ),
        ("joe:a phrase: of words", {b"joe": b"a phrase: of words"}),
        (f"joe:{KEY}0", {b"joe": f"{KEY}0".encode()}),
        (f"jö e:{KEY}", {"jö e".encode(): bytes.fromhex(KEY)}),
        ("joe:" + "ab" * 256, {b"joe": b"\xab" * 256}),
        ("j" * 127 + f":{KEY}", {b"j" * 127: bytes.fromhex(KEY)}),
    ],
)
def test_what_a_file_says(path: Path, text: str, keys: dict[bytes, bytes]) -> None:
    path.write_text(text, newline="")
    assert read_keys(path).keys == keys


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "a line IDENTITY:HEX is needed"),
        ("# nothing\n", "a line IDENTITY:HEX is needed"),
        (f"ann:{KEY}\njoe", "line 2: IDENTITY:HEX is needed"),
        (f":{KEY}", "line 1: IDENTITY:HEX is needed"),
        (f"a\0b:{KEY}", "line 1: IDENTITY:HEX is needed"),
        ("joe:" + KEY[2:], "line 1: a key has 16 to 256 octets"),
        ("joe:" + "ab" * 257, "line 1: a key has 16 to 256 octets"),
        ("joe:fifteen octets!", "line 1: a key has 16 to 256 octets"),
        ("j" * 128 + f":{KEY}", "line 1: an identity has at most 127 octets"),
        (f"joe:{KEY}\njoe:{KEY}", "line 2: its identity has a key already"),
    ],
)
def test_what_it_cannot_say(path: Path, text: str, reason: str) -> None:
    path.write_text(text)
    with pytest.raises(ConfigError, match=reason) as caught:
        read_keys(path)
    assert caught.value.key == "psk"
    assert "ab" * 16 not in str(caught.value)


def test_a_file_that_is_not_there(path: Path) -> None:
    with pytest.raises(ConfigError, match="No such file"):
        read_keys(path.with_name("other"))


@pytest.mark.parametrize(("mode", "open_to_others"), [(0o600, False), (0o640, False), (0o644, True), (0o602, True)])
def test_who_may_read_it(path: Path, mode: int, open_to_others: bool) -> None:
    path.write_text(f"joe:{KEY}")
    path.chmod(mode)
    assert read_keys(path).open_to_others is open_to_others
