"""CAPABILITY, computed (RFC 9051 §6.1.1, §7.2.2)."""

from collections.abc import Sequence
from dataclasses import dataclass

ALWAYS = ("IMAP4rev1", "LITERAL+", "SASL-IR", "ENABLE", "ID")
"""What is understood in every state (RFC 3501, RFC 7888, RFC 4959, RFC 5161, RFC 2971)."""

AFTER_LOGIN = (
    "IDLE",  # RFC 2177
    "NAMESPACE",  # RFC 2342
    "UIDPLUS",  # RFC 4315
    "UNSELECT",  # RFC 3691
    "MOVE",  # RFC 6851
    "CHILDREN",  # RFC 3348
    "SPECIAL-USE",  # RFC 6154
    "CREATE-SPECIAL-USE",  # RFC 6154
    "STATUS=SIZE",  # RFC 8438
    "LIST-EXTENDED",  # RFC 5258
    "LIST-STATUS",  # RFC 5819
    "ESEARCH",  # RFC 4731
    "CONDSTORE",  # RFC 7162
)


@dataclass(frozen=True, slots=True)
class Situation:
    """What the answer depends on.

    ``can_starttls``: TLS is not there and can be begun. ``passwords_allowed``: under TLS, or where the operator allows
    passwords without it. ``mechanisms`` are SASL's that are offered then; ``append_bytes`` is APPENDLIMIT (RFC 7889).
    """

    authenticated: bool
    can_starttls: bool
    passwords_allowed: bool
    mechanisms: Sequence[str]
    append_bytes: int


def capabilities(situation: Situation) -> tuple[str, ...]:
    """The names, in the order in which they are told. Before login only what matters before login."""
    if situation.authenticated:
        always = tuple(name for name in ALWAYS if name != "SASL-IR")
        return (*always, *AFTER_LOGIN, f"APPENDLIMIT={situation.append_bytes}")
    names: tuple[str, ...] = ALWAYS
    if situation.can_starttls:
        names += ("STARTTLS",)
    if not situation.passwords_allowed:
        return (*names, "LOGINDISABLED")
    return (*names, *(f"AUTH={mechanism}" for mechanism in situation.mechanisms))
