"""What libcrypt hashed: CRYPT, and its methods under Dovecot's names for them.

A stored string must be one whole hash of a method below. libcrypt by itself takes half a setting, and gives back
something that can be compared; so its answer is never asked for where the form is not known beforehand.
"""

import hmac
import re
import secrets
from dataclasses import dataclass

from mailaccess.auth.schemes import libcrypt
from mailaccess.auth.schemes.secret import BadSecret, at_most
from mailaccess.errors import OperatorFault

BCRYPT_COST = 10
"""For new passwords: some 50 ms."""

SHA_ROUNDS = 200_000
"""For new passwords: some 50 ms. Dovecot writes 5000, which is 1 ms today."""

MAX_BCRYPT_COST = 14
"""About a second of one core; every step doubles it."""

MAX_SHA_ROUNDS = 2_000_000
"""Half a second of one core."""

BCRYPT_PASSWORD_BYTES = 72
"""bcrypt takes no notice of what follows."""

# The methods of crypt(5), each as one whole hash
_BCRYPT = re.compile(rb"\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}")
_SHA256 = re.compile(rb"\$5\$(?:rounds=(\d{1,9})\$)?[^$:\n\0]{0,16}\$[./A-Za-z0-9]{43}")
_SHA512 = re.compile(rb"\$6\$(?:rounds=(\d{1,9})\$)?[^$:\n\0]{0,16}\$[./A-Za-z0-9]{86}")
_MD5 = re.compile(rb"\$1\$[^$:\n\0]{0,8}\$[./A-Za-z0-9]{22}")
# yescrypt as crypt_gensalt writes it, N up to 65536 with r = 32: 256 MiB, a quarter of a second
_YESCRYPT = re.compile(rb"\$g?y\$j[./0-9A-D][5T]\$[./A-Za-z0-9]{1,86}\$[./A-Za-z0-9]{43}")

_LOCKED = (b"!", b"*")
"""What stands before a hash, or for one, where nobody may log in (shadow(5))."""


@dataclass(frozen=True, slots=True)
class Crypted:
    """A whole hash of a known method, which is its own setting."""

    hashed: bytes

    @classmethod
    def read(cls, content: bytes) -> "Crypted | None":
        """From a hash; None for an account that is locked; ``BadSecret``."""
        if not content or content.startswith(_LOCKED):
            return None
        if match := _BCRYPT.fullmatch(content):
            at_most(MAX_BCRYPT_COST, match[1], "BLF-CRYPT", "the cost")
        elif match := _SHA512.fullmatch(content) or _SHA256.fullmatch(content):
            at_most(MAX_SHA_ROUNDS, match[1] or 0, "SHA-CRYPT", "rounds")
        elif not (_MD5.fullmatch(content) or _YESCRYPT.fullmatch(content)):
            raise BadSecret("a stored password of CRYPT is no whole hash of bcrypt, SHA-512, SHA-256, MD5 or yescrypt")
        return cls(content)

    def matches(self, password: bytes, /) -> bool:
        """Whether ``password`` leads to the same hash."""
        hashed = libcrypt.crypt(password, self.hashed)
        return hashed is not None and hmac.compare_digest(hashed, self.hashed)


def make_bcrypt(password: bytes) -> bytes:
    """A new hash; ``OperatorFault`` for a password that bcrypt would cut."""
    if len(password) > BCRYPT_PASSWORD_BYTES:
        raise OperatorFault(f"BLF-CRYPT takes passwords of up to {BCRYPT_PASSWORD_BYTES} octets")
    return _make(password, b"$2y$%02d$%s" % (BCRYPT_COST, _salt(21) + b"."))


def make_sha512(password: bytes) -> bytes:
    """A new hash."""
    return _make(password, b"$6$rounds=%d$%s$" % (SHA_ROUNDS, _salt(16)))


def make_sha256(password: bytes) -> bytes:
    """A new hash."""
    return _make(password, b"$5$rounds=%d$%s$" % (SHA_ROUNDS, _salt(16)))


def _make(password: bytes, setting: bytes) -> bytes:
    hashed = libcrypt.crypt(password, setting)
    if hashed is None:
        raise OperatorFault("libcrypt does not take this password, or does not have this method")
    return hashed


_ALPHABET = b"./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


def _salt(characters: int) -> bytes:
    return bytes(secrets.choice(_ALPHABET) for _ in range(characters))
