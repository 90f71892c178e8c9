"""Makes passwords that can be read out and typed."""

import secrets

ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
"""Letters and digits without those that look like another (i, l, o, 0, 1)."""

GROUPS = 5
GROUP_CHARACTERS = 4
"""20 characters of 31: 99 bits."""


def generate() -> str:
    """A new password of 99 random bits: ``t7qk-3mnf-…``."""
    return "-".join("".join(secrets.choice(ALPHABET) for _ in range(GROUP_CHARACTERS)) for _ in range(GROUPS))
