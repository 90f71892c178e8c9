"""CAPABILITY, computed (RFC 9051 §6.1.1)."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Situation:
    """What the answer depends on. ``clear_passwords_allowed`` is true under TLS, or where the operator allows it without.

    ``mechanisms`` are the SASL mechanisms offered; ``append_bytes`` is APPENDLIMIT.
    """

    authenticated: bool
    can_starttls: bool
    passwords_allowed: bool
    mechanisms: Sequence[str]
    append_bytes: int


def capabilities(situation: Situation) -> tuple[str, ...]:
    """The names, in the order in which they are told."""
    raise NotImplementedError
