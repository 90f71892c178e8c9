"""Stored passwords, ``{SCHEME}secret`` with Dovecot's names: read, checked, made.

``secret``    what a stored password is once it was read
``argon2``    ARGON2ID
``libcrypt``  the C library's crypt, safe to call from threads
``crypt``     CRYPT, BLF-CRYPT, SHA512-CRYPT, SHA256-CRYPT, MD5-CRYPT: what libcrypt is given
``pbkdf2``    PBKDF2
``digests``   SHA, SHA256, SHA512 and their salted kin
``plain``     PLAIN, CLEAR, CLEARTEXT
``table``     all of them by name, ``.b64`` and ``.hex``, and the functions that others call
"""

from mailaccess.auth.schemes.secret import BadSecret, Secret
from mailaccess.auth.schemes.table import DEFAULT_SCHEME, SCHEMES, hash_password, matches, read, verify

__all__ = ["DEFAULT_SCHEME", "SCHEMES", "BadSecret", "Secret", "hash_password", "matches", "read", "verify"]
