"""Status responses and continuation requests (RFC 9051 §7.1, §7.6)."""


def tagged(tag: bytes, status: str, code: bytes | None, text: str) -> bytes:
    """The reply to a command: ``status`` is OK, NO or BAD; ``code`` comes from ``codes``. ``text`` is made one printable line."""
    raise NotImplementedError


def untagged(status: str, code: bytes | None, text: str) -> bytes:
    """``* OK``, ``* NO``, ``* BAD``, ``* BYE``, ``* PREAUTH``."""
    raise NotImplementedError


def continuation(text: bytes = b"") -> bytes:
    """``+ text``: send a literal, or (base64) a SASL challenge. A space always follows the plus (RFC 9051 §7.6)."""
    raise NotImplementedError
