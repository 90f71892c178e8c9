"""What a stored password is once it was read."""

import re
from typing import Protocol

from mailaccess.errors import OperatorFault


class Secret(Protocol):
    """A stored password: frozen, its form and its cost checked, so that ``matches`` neither fails nor stalls."""

    def matches(self, password: bytes, /) -> bool:
        """Whether ``password`` (not empty, no NUL) is the one; takes as long as its scheme does, in any thread."""


class BadSecret(OperatorFault):
    """A stored password that cannot be used: its scheme is unknown, its form wrong, or its cost without bound.

    The text is for the operator. It names the scheme, and never quotes the secret.
    """


def fields(pattern: re.Pattern[bytes], content: bytes, scheme: str) -> tuple[bytes, ...]:
    """The groups of ``pattern``, which must match the whole of a stored password's ``content``; ``BadSecret``."""
    match = pattern.fullmatch(content)
    if match is None:
        raise BadSecret(f"a stored password is not in the form of {scheme}")
    return match.groups(b"")


def at_most(ceiling: int, number: bytes | int, scheme: str, what: str) -> int:
    """``number`` (digits), unless it is above ``ceiling``: whoever writes the users file must not stall the server."""
    value = int(number)
    if value > ceiling:
        raise BadSecret(f"a stored password of {scheme} asks for {what} {value}; at most {ceiling} is computed")
    return value
