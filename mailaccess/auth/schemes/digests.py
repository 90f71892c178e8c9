"""One digest over password and salt: SHA and SSHA and their longer kin. To be read from old files; not to be made anew
where there is a choice, for a digest is computed a billion times a second.
"""

import hashlib
import hmac
import secrets
from dataclasses import dataclass

from mailaccess.auth.schemes.secret import BadSecret

SALT_BYTES = 8

MAX_SALT_BYTES = 64
"""Dovecot writes 4, OpenLDAP up to 16."""


@dataclass(frozen=True, slots=True)
class Digested:
    """The digest of ``password + salt`` by the hashlib algorithm of this name."""

    algorithm: str
    digest: bytes
    salt: bytes = b""

    def matches(self, password: bytes, /) -> bool:
        """Whether ``password`` has the digest."""
        return hmac.compare_digest(_digest(self.algorithm, password, self.salt), self.digest)


def read(algorithm: str, salted: bool, content: bytes) -> Digested:
    """From digest and, where it is salted, the salt behind it; ``BadSecret``."""
    size = hashlib.new(algorithm, usedforsecurity=False).digest_size
    salt = content[size:]
    if len(content) < size or (len(salt) > MAX_SALT_BYTES if salted else salt):
        raise BadSecret(f"a stored password of {algorithm.upper()} has the wrong length")
    return Digested(algorithm, content[:size], salt)


def make(algorithm: str, salted: bool, password: bytes) -> bytes:
    """A new digest with a new salt behind it, or without one."""
    salt = secrets.token_bytes(SALT_BYTES) if salted else b""
    return _digest(algorithm, password, salt) + salt


def _digest(algorithm: str, password: bytes, salt: bytes) -> bytes:
    return hashlib.new(algorithm, password + salt, usedforsecurity=False).digest()
