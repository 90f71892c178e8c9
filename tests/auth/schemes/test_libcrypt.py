"""The C library's crypt: what it says when it fails, from many threads, and where there is none."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from mailaccess.auth.schemes import libcrypt
from mailaccess.errors import OperatorFault

SETTING = b"$5$rounds=1000$abcdefgh"


@pytest.mark.parametrize("setting", [b"", b"*0", b"*1", b"x", b"$2y$10$short", b"$6$rounds=999$abcdefgh", b"$5$\0"])
def test_a_failure_is_no_hash(setting: bytes) -> None:
    assert libcrypt.crypt(b"pw", setting) is None


@pytest.mark.parametrize("phrase", [b"pw\0", b"\0", b"x" * (libcrypt.MAX_PHRASE_BYTES + 1)])
def test_no_phrase_is_cut(phrase: bytes) -> None:
    assert libcrypt.crypt(phrase, SETTING) is None


def test_threads_do_not_disturb_each_other() -> None:
    phrases = [b"%d" % number for number in range(64)]
    alone = [libcrypt.crypt(phrase, SETTING) for phrase in phrases]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(libcrypt.crypt, phrases, [SETTING] * len(phrases)))
    assert together == alone
    assert None not in alone
    assert len(set(alone)) == len(phrases)


@pytest.fixture
def _forgotten() -> Iterator[None]:
    """Look for the library anew, and again afterwards."""
    libcrypt._crypt_r.cache_clear()
    yield
    libcrypt._crypt_r.cache_clear()


@pytest.mark.usefixtures("_forgotten")
def test_a_machine_without_libcrypt_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(libcrypt, "_NAMES", ("libnothing.so.1", "libm.so.6"))
    with pytest.raises(OperatorFault, match="libcrypt1"):
        libcrypt.crypt(b"pw", SETTING)
