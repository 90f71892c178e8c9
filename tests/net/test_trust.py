"""The rules of trust as an operator writes them; how they work is seen where the two sides are."""

from base64 import b64encode
from pathlib import Path

import pytest
import trustme

from mailaccess.errors import ConfigError
from mailaccess.net.trust import Judge, Trust, Verify
from tests.net.handshakes import write_authority

DIGEST = bytes(range(32))
PIN = b64encode(DIGEST).decode()


def test_what_is_written() -> None:
    trust = Trust.written("full", "/ca.pem", ["Mail.Example.", "bücher.example", "[::1]"], [PIN, f"sha256//{PIN}"])
    assert trust == Trust(
        Verify.FULL, Path("/ca.pem"), ("mail.example", "xn--bcher-kva.example", "::1"), frozenset([DIGEST])
    )


@pytest.mark.parametrize(
    ("trust", "asks"),
    [
        (Trust(), False),
        (Trust.written("none"), False),
        (Trust.written("none", pin=[PIN]), True),
        (Trust.written("chain"), True),
    ],
)
def test_whether_anything_is_asked(trust: Trust, asks: bool) -> None:
    assert trust.asks is asks


@pytest.mark.parametrize(
    ("key", "written"),
    [
        ("verify", {"verify": "peer"}),
        ("ca", {"verify": "none", "ca": "/ca.pem"}),
        ("host", {"verify": "none", "host": ["a.example"]}),
        ("host", {"verify": "full", "host": [""]}),
        ("host", {"verify": "full", "host": ["a b"]}),
        ("host", {"verify": "full", "host": ["12345"]}),
        ("host", {"verify": "full", "host": ["*.example.org"]}),
        ("pin", {"verify": "none", "pin": [""]}),
        ("pin", {"verify": "none", "pin": ["sha256//"]}),
        ("pin", {"verify": "none", "pin": [PIN[:-1]]}),
        ("pin", {"verify": "none", "pin": [PIN.replace("A", "*")]}),
        ("pin", {"verify": "none", "pin": [b64encode(DIGEST[:20]).decode()]}),
        ("pin", {"verify": "none", "pin": [f"sha1//{PIN}"]}),
        ("pin", {"verify": "none", "pin": ["é"]}),
    ],
)
def test_what_cannot_be(key: str, written: dict[str, object]) -> None:
    with pytest.raises(ConfigError) as caught:
        Trust.written(**written)  # type: ignore[arg-type]
    assert caught.value.key == key
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("verify", ["chain", "full", "peer"])
def test_authorities_that_cannot_be_read(tmp_path: Path, verify: str) -> None:
    with pytest.raises(ConfigError, match="ca: "):
        Judge(Trust.written(verify, str(tmp_path / "ca.pem")))


def test_authorities_are_looked_at(tmp_path: Path) -> None:
    path = write_authority(tmp_path, "ca", trustme.CA())
    trust = Trust.written("chain", str(path))
    before = trust.look()
    write_authority(tmp_path, "ca", trustme.CA(), trustme.CA())
    assert trust.look() != before
    assert Trust.written("chain").look() is None
