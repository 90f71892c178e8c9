"""The rules of trust as an operator writes them; how they work is seen where the two sides are."""

from base64 import b64encode
from pathlib import Path

import pytest
import trustme

from mailaccess.errors import ConfigError
from mailaccess.net.trust import Judge, Trust, Verify, address_of, reference_name
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


@pytest.mark.parametrize(
    ("content", "reason"),
    [(None, "No such file"), ("", "no certificate in PEM"), ("-----BEGIN CERTIFICATE-----\nAAAA\n", "no certificate")],
)
def test_files_of_authorities_that_cannot_be(tmp_path: Path, content: str | None, reason: str) -> None:
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_text(content)
    for verify in ("chain", "full", "peer"):
        with pytest.raises(ConfigError, match=reason) as caught:
            Judge(Trust.written(verify, str(path)))
        assert caught.value.key == "ca"


def test_a_key_is_no_authority(tmp_path: Path) -> None:
    path = tmp_path / "ca.pem"
    path.write_bytes(trustme.CA().private_key_pem.bytes())
    with pytest.raises(ConfigError, match="there is no certificate in PEM format in it"):
        Judge(Trust.written("chain", str(path)))


def test_files_of_authorities_are_looked_at(tmp_path: Path) -> None:
    path = write_authority(tmp_path, "ca", trustme.CA())
    for trust in (Trust.written("chain", str(path)), Trust.written("chain", str(tmp_path))):
        before = trust.look()
        assert trust.look() == before
        write_authority(tmp_path, "ca", trustme.CA(), trustme.CA())
        assert trust.look() != before
    assert Trust.written("chain").look() is None
    gone = Trust.written("chain", str(path))
    path.unlink()
    assert gone.look() == [None]


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:DB8:0:0::7", "2001:db8::7"),
        ("[::1]", "::1"),
        ("fe80::1%eth0", "fe80::1"),
        ("a.example", ""),
        ("192.0.2", ""),
        ("", ""),
    ],
)
def test_addresses_and_names(host: str, address: str) -> None:
    assert address_of(host) == address


@pytest.mark.parametrize(
    ("written", "name"),
    [("LOCALHOST", "localhost"), ("_imap.a.example.", "_imap.a.example"), ("Bücher.Example", "xn--bcher-kva.example")],
)
def test_names_as_they_are_compared(written: str, name: str) -> None:
    assert reference_name("host", written) == name
