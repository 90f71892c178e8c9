"""What a SASL mechanism is (RFC 4422 §3): a state that takes the client's response, and says what comes of it.

A state is a frozen value. ``step`` gives an :data:`Outcome`, and a :class:`Challenge` among them holds the next state,
so that an exchange is a walk from value to value. What ends a walk:

* :class:`Credentials`: who the client says he is, with a password that somebody who has the accounts must check;
* :class:`Failed`: the client said something that can never be right.

A mechanism in which the server speaks first makes its first challenge in ``prompt``; one that must look up a user's
verifier before its next challenge (SCRAM) is one more member of :data:`Outcome`, which names the user and takes the
verifier to the next state.
"""

from dataclasses import dataclass
from typing import Protocol

from mailaccess.errors import Code


class State(Protocol):
    """A point in the exchange at which it is the client's turn."""

    def step(self, response: bytes, /) -> "Outcome":
        """What comes of the client's ``response``, which is any octets at all."""


class Mechanism(State, Protocol):
    """The first state: ``step`` takes the initial response, where the client sent one with its command."""

    def prompt(self) -> "Challenge":
        """What a client is told that sent no initial response (RFC 4422 §5.1; empty where the client speaks first)."""


@dataclass(frozen=True, slots=True)
class Challenge:
    """Say ``data`` to the client; his response goes to the state ``then``."""

    data: bytes
    then: State


@dataclass(frozen=True, slots=True)
class Credentials:
    """The client is ``user`` if ``password`` is his. Neither is empty, nor has a NUL."""

    user: str
    password: str

    def __repr__(self) -> str:
        return f"Credentials({self.user!r})"


@dataclass(frozen=True, slots=True)
class Failed:
    """The exchange is over, and ``code`` and ``text`` may be told to the client."""

    text: str
    code: Code = Code.AUTHENTICATIONFAILED


Outcome = Challenge | Credentials | Failed
"""What comes of a response."""


def text_of(octets: bytes) -> str | None:
    """``1*SAFE`` of RFC 4616 §2 as text: UTF-8, not empty, without NUL; None where it is not that."""
    if not octets or 0 in octets:
        return None
    try:
        return octets.decode("utf-8")
    except UnicodeDecodeError:
        return None
