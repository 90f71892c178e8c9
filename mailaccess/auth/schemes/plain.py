"""Passwords that are stored as they are: what APOP needs (RFC 1939 §7)."""

import hmac
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Plain:
    """The password itself."""

    password: bytes

    @classmethod
    def read(cls, content: bytes) -> "Plain | None":
        """From the password; None where it is empty: nobody logs in with that."""
        return cls(content) if content else None

    def matches(self, password: bytes, /) -> bool:
        """Whether ``password`` is the same."""
        return hmac.compare_digest(password, self.password)

    def __repr__(self) -> str:
        return "Plain(…)"
