"""Reading and making stored passwords, and what is refused."""

import contextlib
import hashlib
import re
import shutil
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailaccess.auth.schemes import SCHEMES, BadSecret, hash_password, matches, read, verify
from mailaccess.auth.schemes.argon2 import MAX_MEMORY_KIB, MAX_WORK_KIB, Argon2id
from mailaccess.auth.schemes.crypt import MAX_BCRYPT_COST, MAX_SHA_ROUNDS
from mailaccess.auth.schemes.pbkdf2 import MAX_ROUNDS
from mailaccess.errors import OperatorFault

PASSWORD = "pässword \N{GRINNING FACE}".encode()
NEW = [name for name, scheme in SCHEMES.items() if scheme.make is not None]
SALT, KEY = "c29tZXNhbHQ", "CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"


@pytest.mark.parametrize("suffix", ["", ".b64", ".hex"])
@pytest.mark.parametrize("scheme", NEW)
def test_what_is_made_is_verified(scheme: str, suffix: str) -> None:
    stored = hash_password(PASSWORD, scheme + suffix)
    assert re.fullmatch(r"\{" + re.escape((scheme + suffix).upper()) + r"\}[^:\n\0]+", stored)
    assert verify(PASSWORD, stored)
    assert not verify(PASSWORD[:-1], stored)


@pytest.mark.parametrize("scheme", [name for name in NEW if "SHA" not in name or name.startswith("SSHA")])
def test_every_new_one_has_its_own_salt(scheme: str) -> None:
    if scheme not in ("PLAIN", "CLEAR", "CLEARTEXT"):
        assert hash_password(PASSWORD, scheme) != hash_password(PASSWORD, scheme)


@pytest.mark.skipif(shutil.which("doveadm") is None, reason="Dovecot is not installed")
@pytest.mark.parametrize("scheme", [*NEW, "ARGON2ID.b64", "SSHA256.hex"])
def test_dovecot_verifies_what_is_made(scheme: str) -> None:
    stored = hash_password(PASSWORD, scheme)
    for password, status in ((PASSWORD, 0), (PASSWORD + b"x", 1)):
        done = subprocess.run(
            ["doveadm", "pw", "-t", stored, "-p", password.decode()], check=False, capture_output=True
        )
        assert bool(done.returncode) == bool(status), done.stderr


@pytest.mark.parametrize("password", [b"", b"\0", b"a\0b"])
def test_no_password_is_empty_or_has_a_nul(password: bytes) -> None:
    with pytest.raises(OperatorFault):
        hash_password(password)
    assert not verify(password, "{PLAIN}a")
    assert not verify(b"a\0b", hash_password(b"a"))
    assert not verify(password, "{SHA256.hex}" + hashlib.sha256(password).hexdigest())


def test_an_unknown_scheme_is_named() -> None:
    for call in (lambda: verify(b"pw", "{ROT13}cj"), lambda: hash_password(b"pw", "ROT13")):
        with pytest.raises(OperatorFault, match=r"\{ROT13\}"):
            call()


@pytest.mark.parametrize(
    "stored",
    [
        "",
        "pw",
        "{PLAIN",
        "{}pw",
        "{PLAIN.rot13}pw",
        "{PLAIN.b64}p!",
        "{PLAIN.hex}abc",
        "{SHA}abc=",
        "{SHA}SirLh1UgpCPICO8LjzVPWKzjNGc",  # the padding is missing
        "{SHA256}SirLh1UgpCPICO8LjzVPWKzjNGc=",
        "{SSHA}AAAA",
        "{CRYPT}pw",
        "{CRYPT}ab.cdefghijkl",  # DES would see eight octets of the password
        "{CRYPT}$6$",
        "{CRYPT}$6$salt$",
        "{CRYPT}$2y$10$wOI879BKAZVyiw3TphN68O",
        "{CRYPT}$7$CU..../....abc$def",
        "{ARGON2ID}$argon2id$v=19$m=65536,t=3,p=1$" + SALT,
        f"{{ARGON2ID}}$argon2i$v=19$m=65536,t=3,p=1${SALT}${KEY}",
        f"{{ARGON2ID}}$argon2id$v=19$m=7,t=1,p=1${SALT}${KEY}",
        f"{{ARGON2ID}}$argon2id$v=19$m=64,t=0,p=1${SALT}${KEY}",
        f"{{ARGON2ID}}$argon2id$v=19$m=64,t=1,p=0${SALT}${KEY}",
        f"{{ARGON2ID}}$argon2id$v=19$m=64,t=1,p=1${SALT}xx${KEY}",  # no base64 has this length
        "{PBKDF2}$1$salt$0$" + "0" * 40,
        "{PBKDF2}$1$salt$5000$" + "0" * 38,
        "{PBKDF2}$2$salt$5000$" + "0" * 40,
    ],
)
def test_what_cannot_be_used(stored: str) -> None:
    with pytest.raises(BadSecret) as caught:
        verify(b"pw", stored)
    assert len(stored) < 8 or stored.partition("}")[2] not in str(caught.value)


def _argon2id(memory: int, passes: int, lanes: int = 1) -> str:
    return f"{{ARGON2ID}}$argon2id$v=19$m={memory},t={passes},p={lanes}${SALT}${KEY}"


@pytest.mark.parametrize(
    ("possible", "too_much"),
    [
        (_argon2id(MAX_MEMORY_KIB, 4), _argon2id(MAX_MEMORY_KIB + 1, 1)),
        (_argon2id(64, MAX_WORK_KIB // 64), _argon2id(64, MAX_WORK_KIB // 64 + 1)),
        (_argon2id(128, 1, 16), _argon2id(136, 1, 17)),
        (f"{{CRYPT}}$2y${MAX_BCRYPT_COST}${'a' * 53}", f"{{CRYPT}}$2y${MAX_BCRYPT_COST + 1}${'a' * 53}"),
        (f"{{CRYPT}}$6$rounds={MAX_SHA_ROUNDS}$s${'a' * 86}", f"{{CRYPT}}$6$rounds={MAX_SHA_ROUNDS + 1}$s${'a' * 86}"),
        (f"{{CRYPT}}$5$rounds={MAX_SHA_ROUNDS}$s${'a' * 43}", f"{{CRYPT}}$5$rounds={MAX_SHA_ROUNDS + 1}$s${'a' * 43}"),
        (f"{{CRYPT}}$y$jDT$salt${'a' * 43}", f"{{CRYPT}}$y$jET$salt${'a' * 43}"),
        (f"{{PBKDF2}}$1$s${MAX_ROUNDS}${'0' * 40}", f"{{PBKDF2}}$1$s${MAX_ROUNDS + 1}${'0' * 40}"),
        (f"{{SSHA.hex}}{'0' * 168}", f"{{SSHA.hex}}{'0' * 170}"),
    ],
)
def test_cost_has_a_ceiling(possible: str, too_much: str) -> None:
    assert read(possible) is not None
    with pytest.raises(BadSecret):
        read(too_much)


@pytest.mark.parametrize("secret", ["", "!", "*", "*0", "*1", "!!", "*LK*", "!$1$abcdefgh$oPCh2atZTtpkSEJ/jFj3q/"])
def test_a_locked_account_has_no_password(secret: str) -> None:
    assert read("{CRYPT}" + secret) is None
    for password in (b"grusse", b"x", secret.encode()):
        assert not verify(password, "{CRYPT}" + secret)


def test_an_empty_secret_is_no_password() -> None:
    assert read("{PLAIN}") is None
    assert not verify(b"", "{PLAIN}")


def test_bcrypt_does_not_cut_a_new_password() -> None:
    assert hash_password(b"x" * 72, "BLF-CRYPT")
    with pytest.raises(OperatorFault, match="72"):
        hash_password(b"x" * 73, "BLF-CRYPT")


def test_libcrypt_refuses_what_it_would_cut() -> None:
    assert not verify(b"x" * 512, hash_password(b"x" * 511, "SHA512-CRYPT"))
    with pytest.raises(OperatorFault):
        hash_password(b"x" * 512, "SHA512-CRYPT")


def test_old_hashes_are_only_read() -> None:
    with pytest.raises(OperatorFault, match="new passwords"):
        hash_password(b"pw", "MD5-CRYPT")
    with pytest.raises(OperatorFault, match="rot13"):
        hash_password(b"pw", "PLAIN.rot13")


@pytest.mark.parametrize("scheme", ["PLAIN", "SHA256", "SSHA", "PBKDF2", "ARGON2ID", "CRYPT"])
def test_a_secret_is_not_shown_by_what_it_is_read_to(scheme: str) -> None:
    assert "hunter2hunter2" not in repr(read(hash_password(b"hunter2hunter2", scheme)))


@given(
    st.binary(min_size=1, max_size=80).filter(lambda octets: 0 not in octets),
    st.sampled_from(["PLAIN", "PLAIN.hex", "SSHA", "SHA512.b64"]),
)
def test_any_password_can_be_stored(password: bytes, scheme: str) -> None:
    assert verify(password, hash_password(password, scheme))


@given(st.text(max_size=60), st.sampled_from([*SCHEMES, "SSHA.hex", "CRYPT.b64"]))
def test_any_text_is_read_or_refused(text: str, scheme: str) -> None:
    with contextlib.suppress(BadSecret):
        secret = read(f"{{{scheme}}}{text}")
        assert secret is None or not matches(secret, b"")


def test_new_argon2id_costs_what_it_says() -> None:
    made = Argon2id.read(Argon2id.make(b"pw"))
    assert (made.memory_kib, made.passes, made.lanes, len(made.salt), len(made.key)) == (19456, 2, 1, 16, 32)
