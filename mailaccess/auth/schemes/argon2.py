"""ARGON2ID in the PHC string format (RFC 9106): what new passwords are stored as."""

import base64
import hmac
import re
import secrets
from dataclasses import dataclass

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id as Kdf

from mailaccess.auth.schemes.secret import BadSecret, at_most, fields
from mailaccess.errors import OperatorFault

MEMORY_KIB = 19 * 1024
PASSES = 2
LANES = 1
"""For new passwords: OWASP's first choice, some 25 ms. Mail programs open 5 to 10 connections, each with a login."""

SALT_BYTES = 16
HASH_BYTES = 32

MAX_MEMORY_KIB = 256 * 1024
"""Each hashing thread holds this much at worst. Dovecot writes 64 MiB."""

MAX_WORK_KIB = 1024 * 1024
"""Memory times passes: about a second of one core."""

MAX_LANES = 16
"""RFC 9106 §4 asks for 4 at most."""

# $argon2id$v=19$m=<KiB>,t=<passes>,p=<lanes>$<salt>$<hash>, both in base64 without padding
_FORM = re.compile(
    rb"\$argon2id\$v=19\$m=(\d{1,8}),t=(\d{1,8}),p=(\d{1,8})\$([A-Za-z0-9+/]{11,86})\$([A-Za-z0-9+/]{16,86})"
)


@dataclass(frozen=True, slots=True)
class Argon2id:
    """A stored password: its cost, its salt and the key that comes of it."""

    memory_kib: int
    passes: int
    lanes: int
    salt: bytes
    key: bytes

    @classmethod
    def read(cls, content: bytes) -> "Argon2id":
        """From its PHC string; ``BadSecret``."""
        memory, passes, lanes, salt, key = fields(_FORM, content, "ARGON2ID")
        secret = cls(
            at_most(MAX_MEMORY_KIB, memory, "ARGON2ID", "memory in KiB (m)"),
            at_most(MAX_WORK_KIB, passes, "ARGON2ID", "passes (t)"),
            at_most(MAX_LANES, lanes, "ARGON2ID", "lanes (p)"),
            _decode(salt),
            _decode(key),
        )
        at_most(MAX_WORK_KIB, secret.memory_kib * secret.passes, "ARGON2ID", "memory times passes (m * t)")
        if not secret.passes or not secret.lanes or secret.memory_kib < 8 * secret.lanes:
            raise BadSecret("a stored password of ARGON2ID has parameters that cannot be (RFC 9106 §3.1)")
        return secret

    def matches(self, password: bytes, /) -> bool:
        """Whether ``password`` leads to the key."""
        return hmac.compare_digest(self._derive(password), self.key)

    @classmethod
    def unmatchable(cls) -> "Argon2id":
        """What takes as long as a new password's hash, and which no password leads to."""
        return cls(MEMORY_KIB, PASSES, LANES, bytes(SALT_BYTES), bytes(HASH_BYTES))

    @classmethod
    def make(cls, password: bytes) -> bytes:
        """A new PHC string for ``password``."""
        empty = cls(MEMORY_KIB, PASSES, LANES, secrets.token_bytes(SALT_BYTES), bytes(HASH_BYTES))
        salt, key = _encode(empty.salt), _encode(empty._derive(password))
        return b"$argon2id$v=19$m=%d,t=%d,p=%d$%s$%s" % (MEMORY_KIB, PASSES, LANES, salt, key)

    def _derive(self, password: bytes) -> bytes:
        try:
            kdf = Kdf(
                salt=self.salt,
                length=len(self.key),
                iterations=self.passes,
                lanes=self.lanes,
                memory_cost=self.memory_kib,
            )
        except UnsupportedAlgorithm as error:
            raise OperatorFault("ARGON2ID needs a cryptography package with OpenSSL 3.2 or newer") from error
        return kdf.derive(password)


def _decode(text: bytes) -> bytes:
    if len(text) % 4 == 1:
        raise BadSecret("a stored password of ARGON2ID is cut short")
    return base64.b64decode(text + b"=" * (-len(text) % 4))


def _encode(octets: bytes) -> bytes:
    return base64.b64encode(octets).rstrip(b"=")
