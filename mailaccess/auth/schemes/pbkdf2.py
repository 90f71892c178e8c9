"""PBKDF2 as Dovecot writes it: HMAC-SHA1 (RFC 8018 §5.2), ``$1$salt$rounds$hash``."""

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass

from mailaccess.auth.schemes.secret import BadSecret, at_most, fields

ROUNDS = 300_000
"""For new passwords: some 50 ms. Dovecot writes 5000."""

MAX_ROUNDS = 4_000_000
"""About a second of one core."""

KEY_BYTES = 20

_FORM = re.compile(rb"\$1\$([^$]{1,128})\$(\d{1,9})\$([0-9A-Fa-f]{40})")


@dataclass(frozen=True, slots=True)
class Pbkdf2:
    """A stored password. The salt is text, and used as the octets that it is written with."""

    salt: bytes
    rounds: int
    key: bytes

    @classmethod
    def read(cls, content: bytes) -> "Pbkdf2":
        """From Dovecot's form; ``BadSecret``."""
        salt, rounds, key = fields(_FORM, content, "PBKDF2")
        secret = cls(salt, at_most(MAX_ROUNDS, rounds, "PBKDF2", "rounds"), bytes.fromhex(key.decode("ascii")))
        if not secret.rounds:
            raise BadSecret("a stored password of PBKDF2 has no rounds")
        return secret

    def matches(self, password: bytes, /) -> bool:
        """Whether ``password`` leads to the key."""
        return hmac.compare_digest(_derive(password, self.salt, self.rounds), self.key)

    @classmethod
    def make(cls, password: bytes) -> bytes:
        """A new one for ``password``."""
        salt = secrets.token_hex(16).encode("ascii")
        return b"$1$%s$%d$%s" % (salt, ROUNDS, _derive(password, salt, ROUNDS).hex().encode("ascii"))


def _derive(password: bytes, salt: bytes, rounds: int) -> bytes:
    return hashlib.pbkdf2_hmac("sha1", password, salt, rounds, KEY_BYTES)
