"""The lines of a SASL exchange, which IMAP (RFC 9051 §6.2.2, RFC 4959) and POP3 (RFC 5034 §4) have in common.

Octets go in, one line at a time and without its end; what to do next comes out. The lines are as long as the front end
lets them be.
"""

import base64
import binascii
import re
from dataclasses import dataclass

from mailaccess.sasl.mechanism import Challenge, Credentials, Failed, Mechanism, Outcome, State


@dataclass(frozen=True, slots=True)
class Continue:
    """Send ``+ `` and ``challenge``, which is in base64 and may be empty; the client's next line goes to ``send``."""

    challenge: bytes


@dataclass(frozen=True, slots=True)
class Cancelled:
    """The client sent ``*``: BAD (RFC 9051 §6.2.2), or -ERR (RFC 5034 §4)."""


@dataclass(frozen=True, slots=True)
class Malformed:
    """The line is no base64: BAD (RFC 9051 §6.2.2), or -ERR (RFC 5034 §4)."""


Next = Continue | Credentials | Failed | Cancelled | Malformed
"""What to do next. Everything but :class:`Continue` ends the exchange."""


class Exchange:
    """One AUTHENTICATE or AUTH command.

    ``initial`` is the initial response as it stood behind the mechanism's name: base64, ``=`` for an empty one, or None
    where there was none.
    """

    def __init__(self, mechanism: Mechanism, initial: bytes | None = None) -> None:
        self._mechanism = mechanism
        self._initial = initial
        self._state: State | None = None

    def begin(self) -> Next:
        """What to do first."""
        if self._initial is None:
            return self._next(self._mechanism.prompt())
        response = b"" if self._initial == b"=" else decode(self._initial)
        if response is None or not self._initial:
            return Malformed()
        return self._next(self._mechanism.step(response))

    def send(self, line: bytes) -> Next:
        """What to do after the client's ``line``, which answers the last :class:`Continue`."""
        if self._state is None:
            raise RuntimeError("the exchange is over, or has not begun")
        state, self._state = self._state, None
        if line == b"*":
            return Cancelled()
        response = decode(line)
        if response is None:
            return Malformed()
        return self._next(state.step(response))

    def _next(self, outcome: Outcome) -> Next:
        if isinstance(outcome, Challenge):
            self._state = outcome.then
            return Continue(base64.b64encode(outcome.data))
        return outcome


# base64          = *(4base64-char) [base64-terminal]
# base64-char     = ALPHA / DIGIT / "+" / "/"
# base64-terminal = (2base64-char "==") / (3base64-char "=")          (RFC 9051 §9)
_BASE64 = re.compile(rb"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?")


def decode(line: bytes) -> bytes | None:
    """The octets that ``line`` is the base64 of, or None where it has anything that does not belong there."""
    if not _BASE64.fullmatch(line):
        return None
    return binascii.a2b_base64(line)
