"""What is put together for a server, and for a process that serves one connection."""

import fcntl
import os
from pathlib import Path

import pytest

from mailaccess.app import parts
from mailaccess.app.config import load
from mailaccess.app.parts import served_certificates
from mailaccess.app.places import places
from mailaccess.net.certificates import CertificateFiles, CertifiedKey
from mailaccess.net.selfsigned import ensure_self_signed, make_self_signed


def test_a_certificate_of_our_own_is_made_while_no_other_process_makes_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = load(None, {"maildir": str(tmp_path)}).values
    where = places(config)

    def watched(files: CertificateFiles) -> CertifiedKey:
        other = os.open(where.state, os.O_RDONLY)
        with pytest.raises(BlockingIOError):
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.close(other)
        return ensure_self_signed(files)

    monkeypatch.setattr(parts, "ensure_self_signed", watched)
    said: list[str] = []
    [files] = served_certificates(config, where, said.append)
    assert files.certificate == where.certificate
    assert len(said) == 1
    monkeypatch.setattr(parts, "ensure_self_signed", ensure_self_signed)
    served_certificates(config, where, said.append)  # the lock was let go
    assert said[1] == said[0]


def test_a_certificate_that_is_named_is_served_and_none_made(tmp_path: Path) -> None:
    pem, key = tmp_path / "pem", tmp_path / "key"
    make_self_signed(pem, key)
    named = {"maildir": str(tmp_path / "mail"), "certificate": str(pem), "private_key": str(key)}
    config = load(None, named).values
    where = places(config)
    [files] = served_certificates(config, where, pytest.fail)
    assert files.certificate == pem
    assert not where.certificate.exists()
