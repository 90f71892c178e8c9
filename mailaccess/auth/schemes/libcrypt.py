"""The C library's ``crypt_r``; Python's own ``crypt`` module was not safe for threads, and is gone since 3.13."""

import ctypes
from functools import cache

from mailaccess.errors import OperatorFault

DATA_BYTES = 256 * 1024
"""Room for ``struct crypt_data``: 32 KiB in libxcrypt, 128 KiB and more in old glibc."""

MAX_PHRASE_BYTES = 511
"""libxcrypt's CRYPT_MAX_PASSPHRASE_SIZE, its NUL left out."""

_NAMES = ("libcrypt.so.1", "libcrypt.so.2", None)
"""glibc and libxcrypt; libxcrypt without its old names; musl has it in the C library itself."""


def crypt(phrase: bytes, setting: bytes) -> bytes | None:
    """The hash of ``phrase`` under ``setting``, which begins with it; None where libcrypt will not have one of them.

    The interpreter is free while it works. ``OperatorFault`` where the machine has no libcrypt.
    """
    if b"\0" in phrase or b"\0" in setting or len(phrase) > MAX_PHRASE_BYTES:
        return None
    data = ctypes.create_string_buffer(DATA_BYTES)
    hashed = _crypt_r()(phrase, setting, data)
    if not isinstance(hashed, bytes) or hashed.startswith(b"*"):
        return None  # "*0" and "*1" say that it failed, and are equal to a setting that was copied from a failure
    return hashed


@cache
def _crypt_r() -> "ctypes._NamedFuncPointer":
    for name in _NAMES:
        try:
            function = ctypes.CDLL(name).crypt_r
        except (OSError, AttributeError):  # not this one: the next name
            continue
        function.restype = ctypes.c_char_p
        function.argtypes = [ctypes.c_char_p, ctypes.c_char_p, ctypes.c_void_p]
        return function
    raise OperatorFault("the crypt schemes need libcrypt, which is not on this machine (Debian: libcrypt1)")
