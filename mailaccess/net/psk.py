"""Keys that both sides had before: the file that has them, and OpenSSL's callbacks that ask for one.

A file has a key on each line, ``IDENTITY:HEX``, as stunnel's ``PSKsecrets``; empty lines and those that begin with
``#`` are skipped. The callbacks live as long as this module, since a context, and all connections made with it, may
outlive whoever made them; they find the keys by the connection.
"""

import os
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from OpenSSL import SSL

from mailaccess.errors import ConfigError
from mailaccess.net.tls import NamedConnection

IDENTITY_OCTETS = 127  # OpenSSL's PSK_MAX_IDENTITY_LEN was 128 with the NUL until version 3
KEY_OCTETS = (16, 256)  # stunnel's least; OpenSSL's PSK_MAX_PSK_LEN until version 3
_FILE_BYTES = 4 << 20
_HEXADECIMAL = re.compile(rb"(?:[0-9A-Fa-f]{2})+")

_lib: Any = SSL._lib  # type: ignore[attr-defined]
_ffi: Any = SSL._ffi  # type: ignore[attr-defined]

Keys = Mapping[bytes, bytes]
"""From identities to keys, in the order of the file."""


@dataclass(frozen=True, slots=True)
class KeyFile:
    """What a file of keys has; ``open_to_others`` where any user of this machine may read or write it."""

    keys: Keys
    open_to_others: bool


def read_keys(path: Path) -> KeyFile:
    """The keys in a file. ``ConfigError`` names the line that is wrong, and never what is in it."""
    try:
        with path.open("rb") as file:
            lines = file.read(_FILE_BYTES).splitlines()
            mode = os.fstat(file.fileno()).st_mode
    except OSError as error:
        raise ConfigError("psk", str(path), f"the file cannot be read ({error.strerror})") from error
    keys: dict[bytes, bytes] = {}
    for number, line in enumerate(lines, 1):
        if line.strip() and not line.startswith(b"#"):
            identity, key = _read_line(path, number, line.strip())
            if identity in keys:
                raise _wrong(path, number, "its identity has a key already")
            keys[identity] = key
    if not keys:
        raise ConfigError("psk", str(path), "a line IDENTITY:HEX is needed")
    return KeyFile(keys, bool(mode & stat.S_IRWXO))


def _read_line(path: Path, number: int, line: bytes) -> tuple[bytes, bytes]:
    """``IDENTITY:HEX``; a key that is not hexadecimal stands for its octets, as in stunnel's files."""
    identity, colon, written = line.partition(b":")
    if not colon or not identity or b"\0" in identity:
        raise _wrong(path, number, "IDENTITY:HEX is needed")
    if len(identity) > IDENTITY_OCTETS:
        raise _wrong(path, number, f"an identity has at most {IDENTITY_OCTETS} octets")
    key = bytes.fromhex(written.decode()) if _HEXADECIMAL.fullmatch(written) else written
    if not KEY_OCTETS[0] <= len(key) <= KEY_OCTETS[1]:
        raise _wrong(path, number, f"a key has {KEY_OCTETS[0]} to {KEY_OCTETS[1]} octets, each two hexadecimal digits")
    return identity, key


def _wrong(path: Path, number: int, reason: str) -> ConfigError:
    return ConfigError("psk", str(path), f"line {number}: {reason}")


class KeyedConnection(NamedConnection):
    """A connection with the keys it may use, and then the identity of the one that it used."""

    keys: Keys
    identity: bytes = b""


def have_keys() -> bool:
    """Whether this version of cryptography has what is needed."""
    return bool(getattr(_lib, "Cryptography_HAS_PSK", 0))


def accept_keys(context: SSL.Context) -> None:
    """Have the clients of ``context``, whose connections are :class:`KeyedConnection`, use one of the keys."""
    _lib.SSL_CTX_set_psk_server_callback(context._context, _find_key)


def offer_key(context: SSL.Context) -> None:
    """Have ``context``, whose connections are :class:`KeyedConnection`, offer the first of their keys."""
    _lib.SSL_CTX_set_psk_client_callback(context._context, _offer_key)


def used_key(connection: SSL.Connection) -> bool:
    """Whether the handshake, which is done, used a key; where there are no tickets.

    What OpenSSL calls a resumed session is in TLS 1.3 one that began with a key (RFC 8446 §2.2).
    """
    if connection.get_protocol_version() == SSL.TLS1_3_VERSION:
        return bool(_lib.SSL_session_reused(connection._ssl))
    return "PSK-" in (connection.get_cipher_name() or "")


@_ffi.callback("unsigned int(SSL *, const char *, unsigned char *, unsigned int)")  # type: ignore[untyped-decorator]
def _find_key(ssl: Any, identity: Any, room: Any, octets: int) -> int:
    """The server's callback: write the key of ``identity`` to ``room``; its length, 0 for none."""
    connection = _connection_of(ssl)
    name = _ffi.string(identity) if identity else b""
    key = connection.keys.get(name, b"") if connection is not None else b""
    if connection is None or not 0 < len(key) <= octets:
        return 0
    connection.identity = name
    _ffi.memmove(room, key, len(key))
    return len(key)


@_ffi.callback("unsigned int(SSL *, char *, char *, unsigned int, unsigned char *, unsigned int)")  # type: ignore[untyped-decorator]
def _offer_key(ssl: Any, hint: Any, name_room: Any, name_octets: int, room: Any, octets: int) -> int:  # noqa: PLR0917
    """The client's callback: write identity (with NUL) and key; the key's length, 0 for none. Hints are for people."""
    connection = _connection_of(ssl)
    if connection is None:
        return 0
    name, key = next(iter(connection.keys.items()))
    if len(name) >= name_octets or len(key) > octets:
        return 0
    connection.identity = name
    _ffi.memmove(name_room, name + b"\0", len(name) + 1)
    _ffi.memmove(room, key, len(key))
    return len(key)


def _connection_of(ssl: Any) -> KeyedConnection | None:
    """pyOpenSSL's object for OpenSSL's."""
    found = SSL.Connection._reverse_mapping.get(ssl)
    return found if isinstance(found, KeyedConnection) else None
