"""What is put together for a server, and for a process that serves one connection."""

from pathlib import Path

import pytest

from mailaccess.app.config import load
from mailaccess.app.parts import served_certificates
from mailaccess.app.places import places
from mailaccess.net.selfsigned import make_self_signed


def test_a_certificate_that_is_named_is_served_and_none_made(tmp_path: Path) -> None:
    pem, key = tmp_path / "pem", tmp_path / "key"
    make_self_signed(pem, key)
    named = {"maildir": str(tmp_path / "mail"), "certificate": str(pem), "private_key": str(key)}
    config = load(None, named).values
    where = places(config)
    [files] = served_certificates(config, where, pytest.fail)
    assert files.certificate == pem
    assert not where.certificate.exists()
