"""TLS 1.3 records as no library sends them: whoever knows the secrets of a connection may write what he likes."""

import hashlib
import hmac
import os
import socket
import ssl
from pathlib import Path

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from wire import Wire

APPLICATION_DATA, HANDSHAKE, ALERT = 23, 22, 21
KEY_UPDATE = bytes((24, 0, 0, 1))  # RFC 8446 §4.6.3
ASKING, NOT_ASKING = b"\1", b"\0"


class Forger:
    """Writes records on a connection whose handshake Python's ``ssl`` has done, in the client's place (RFC 8446 §5.2).

    ``ssl`` must have written nothing inside TLS: the numbers of records begin at 0.
    """

    def __init__(self, wire: Wire, secrets: Path) -> None:
        self._wire = wire
        words = [line.split() for line in secrets.read_text().splitlines()]
        (self._secret,) = [bytes.fromhex(word[2]) for word in words if word[0] == "CLIENT_TRAFFIC_SECRET_0"]
        self._begin()

    def _begin(self) -> None:
        self._number = 0
        self._cipher = AESGCM(self._expand(b"key", 32))
        self._iv = int.from_bytes(self._expand(b"iv", 12))

    def _expand(self, label: bytes, length: int) -> bytes:
        """HKDF-Expand-Label for what fits in one hash (RFC 8446 §7.1)."""
        label = b"tls13 " + label
        info = length.to_bytes(2) + bytes([len(label)]) + label + b"\0"
        return hmac.digest(self._secret, info + b"\1", hashlib.sha384)[:length]

    def record(self, kind: int, contents: bytes) -> bytes:
        """A record of this kind, encrypted."""
        inside = contents + bytes([kind])
        head = b"\x17\x03\x03" + (len(inside) + 16).to_bytes(2)
        nonce = (self._iv ^ self._number).to_bytes(12)
        self._number += 1
        return head + self._cipher.encrypt(nonce, inside, head)

    def key_update(self, ask: bytes) -> bytes:
        """A KeyUpdate; what follows has the new key."""
        record = self.record(HANDSHAKE, KEY_UPDATE + ask)
        self._secret = self._expand(b"traffic upd", 48)
        self._begin()
        return record

    def send(self, records: bytes) -> None:
        """Write them below ``ssl``."""
        below(self._wire).sendall(records)


def below(wire: Wire) -> socket.socket:
    """The socket itself, under TLS: what is written there is not encrypted."""
    return socket.socket(fileno=os.dup(wire.socket.fileno()))


def forgeable(tls: ssl.SSLContext, secrets: Path) -> ssl.SSLContext:
    """Have connections write their secrets to a file; of their ciphers, the one that OpenSSL prefers is known here."""
    tls.minimum_version = ssl.TLSVersion.TLSv1_3
    tls.keylog_filename = str(secrets)
    return tls
