"""The schemes by their names, and how ``{SCHEME.encoding}secret`` is written."""

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType

from mailaccess.auth.schemes import crypt, digests, pbkdf2
from mailaccess.auth.schemes.argon2 import Argon2id
from mailaccess.auth.schemes.plain import Plain
from mailaccess.auth.schemes.secret import BadSecret, Secret
from mailaccess.errors import OperatorFault

DEFAULT_SCHEME = "ARGON2ID"
"""What new passwords are stored as."""


@dataclass(frozen=True, slots=True)
class Scheme:
    """How a stored password is read, and how a new one is made (None: only read).

    ``binary``: it is octets, in base64 unless it says otherwise. ``digest_bytes``: their number, where that tells hex
    from base64; 0 where it does not.
    """

    read: Callable[[bytes], Secret | None]
    make: Callable[[bytes], bytes] | None = None
    binary: bool = False
    digest_bytes: int = 0


def _digest(algorithm: str, size: int, *, salted: bool) -> Scheme:
    return Scheme(
        partial(digests.read, algorithm, salted), partial(digests.make, algorithm, salted), True, 0 if salted else size
    )


_PLAIN = Scheme(Plain.read, bytes)
_SHA = _digest("sha1", 20, salted=False)

SCHEMES: Mapping[str, Scheme] = MappingProxyType(
    {
        "ARGON2ID": Scheme(Argon2id.read, Argon2id.make),
        "BLF-CRYPT": Scheme(crypt.Crypted.read, crypt.make_bcrypt),
        "SHA512-CRYPT": Scheme(crypt.Crypted.read, crypt.make_sha512),
        "SHA256-CRYPT": Scheme(crypt.Crypted.read, crypt.make_sha256),
        "MD5-CRYPT": Scheme(crypt.Crypted.read),
        "CRYPT": Scheme(crypt.Crypted.read, crypt.make_bcrypt),
        "PBKDF2": Scheme(pbkdf2.Pbkdf2.read, pbkdf2.Pbkdf2.make),
        "SSHA": _digest("sha1", 20, salted=True),
        "SSHA256": _digest("sha256", 32, salted=True),
        "SSHA512": _digest("sha512", 64, salted=True),
        "SHA": _SHA,
        "SHA1": _SHA,
        "SHA256": _digest("sha256", 32, salted=False),
        "SHA512": _digest("sha512", 64, salted=False),
        "PLAIN": _PLAIN,
        "CLEAR": _PLAIN,
        "CLEARTEXT": _PLAIN,
    }
)
"""Dovecot's names. Names are compared without regard to case."""

# stored   = "{" scheme ["." encoding] "}" secret
# encoding = "b64" / "base64" / "hex"
_STORED = re.compile(r"\{([A-Za-z0-9-]{1,32})(?:\.([A-Za-z0-9]{1,8}))?\}(.*)", re.DOTALL)


def verify(password: bytes, stored: str) -> bool:
    """Whether ``password`` is the one that ``stored`` (``{SCHEME}secret``) was made of.

    An empty password, and one with a NUL (behind which libcrypt sees nothing), is never the one; nor is any where the
    account is locked. ``BadSecret`` where ``stored`` cannot be used. It takes long: call it in a thread.
    """
    secret = read(stored)
    return secret is not None and matches(secret, password)


def matches(secret: Secret, password: bytes) -> bool:
    """Whether ``password``, which may be anything, is the one."""
    return bool(password) and 0 not in password and secret.matches(password)


def read(stored: str) -> Secret | None:
    """What ``stored`` (``{SCHEME}secret``) says, None where the account is locked (``!``, ``*``, nothing).

    ``BadSecret`` where it cannot be used; costs no hashing.
    """
    match = _STORED.fullmatch(stored)
    if match is None:
        raise BadSecret("a stored password does not begin with {SCHEME}")
    name, encoding, text = match[1].upper(), (match[2] or "").lower(), match[3]
    return _scheme(name).read(_decode(_scheme(name), name, encoding, text.encode("utf-8", "surrogateescape")))


def hash_password(password: bytes, scheme: str = DEFAULT_SCHEME) -> str:
    """``{SCHEME}secret`` for a new password; ``scheme`` may end in ``.b64`` or ``.hex``. It takes long.

    ``OperatorFault`` where the scheme is unknown, is not for new passwords, or cannot hold this password.
    """
    if not password or 0 in password:
        raise OperatorFault("a password is not empty, and has no NUL")
    name, _, encoding = scheme.partition(".")
    make = _scheme(name.upper()).make
    if make is None:
        raise OperatorFault(f"{scheme} is not for new passwords")
    text = _encode(_scheme(name.upper()), encoding.lower(), make(password))
    return f"{{{scheme.upper()}}}{text}"


def _scheme(name: str) -> Scheme:
    if name not in SCHEMES:
        raise BadSecret(f"unknown password scheme {{{name}}}; known are {', '.join(SCHEMES)}")
    return SCHEMES[name]


def _decode(scheme: Scheme, name: str, encoding: str, text: bytes) -> bytes:
    """The octets of the secret. An unsalted digest without a suffix may be hex, which its length shows (Dovecot)."""
    if not encoding and scheme.digest_bytes and len(text) == 2 * scheme.digest_bytes:
        encoding = "hex"
    try:
        if encoding == "hex":
            return binascii.unhexlify(text)
        if encoding in ("b64", "base64") or (scheme.binary and not encoding):
            return base64.b64decode(text, validate=True)
    except ValueError:
        raise BadSecret(f"a stored password of {name} is not in {encoding or 'base64'}") from None
    if encoding:
        raise BadSecret(f"unknown encoding {{{name}.{encoding}}}; known are b64 and hex")
    return text


def _encode(scheme: Scheme, encoding: str, content: bytes) -> str:
    if encoding == "hex":
        return content.hex()
    if encoding in ("b64", "base64") or (scheme.binary and not encoding):
        return base64.b64encode(content).decode("ascii")
    if encoding:
        raise OperatorFault(f"unknown encoding {encoding}; known are b64 and hex")
    return content.decode("utf-8", "surrogateescape")
