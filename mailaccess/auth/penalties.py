"""How long whoever failed to log in waits, counted by address.

Every refusal takes a second at least. From the second one on, the wait comes *before* the password is looked at, so
that hanging up early gains nothing: 2, 4, 8, then 15 seconds. A wait holds no thread and no lock; other addresses do
not notice. A mail program that repeats one wrong password for days does not make it longer.
"""

import hashlib
import secrets
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field

from mailaccess.ops.addresses import network_of

FIRST_SECONDS = 1.0
"""What a refusal takes at least."""

MAX_SECONDS = 15.0
"""The longest wait: shorter than the timeouts of mail programs, which are 30 seconds and more."""

MAX_LEVEL = 4
"""Failures that count: the doubling is at its end."""

DECAY_SECONDS = 60.0
"""Each such time without a failure takes back one."""

MAX_NETWORKS = 10_000
"""Networks that are remembered, the longest quiet go first: some 10 MB at worst."""

REMEMBERED_ATTEMPTS = 8
"""Wrong passwords that may be repeated: a family's mail programs behind one address."""

_ATTEMPT_BYTES = 16


@dataclass(slots=True)
class _Record:
    """The failures of one network: how many count, since when, and what was tried."""

    level: int
    since: float
    attempts: deque[bytes] = field(default_factory=lambda: deque(maxlen=REMEMBERED_ATTEMPTS))


class Penalties:
    """The table of those who failed. ``seconds`` is a clock that never goes back."""

    def __init__(self, seconds: Callable[[], float]) -> None:
        self._seconds = seconds
        self._key = secrets.token_bytes(32)
        self._records: OrderedDict[str, _Record] = OrderedDict()

    def delay_seconds(self, address: str) -> float:
        """How long the next attempt from ``address`` waits: 0 where nobody failed there lately."""
        level = self._level(self._records.get(network_of(address)))
        return min(MAX_SECONDS, FIRST_SECONDS * 2**level) if level else 0.0

    def attempt(self, user: str, password: str) -> bytes:
        """What stands for one guess: a hash under a key that dies with the process."""
        name, guess = (text.encode("utf-8", "surrogatepass") for text in (user, password))
        return hashlib.blake2b(
            len(name).to_bytes(8, "big") + name + guess, key=self._key, digest_size=_ATTEMPT_BYTES
        ).digest()

    def failed(self, address: str, attempt: bytes) -> None:
        """``attempt`` was wrong. It counts where it was not made from there lately."""
        network = network_of(address)
        record = self._records.pop(network, None) or _Record(0, 0.0)
        record.level = self._level(record)
        record.since = self._seconds()
        if attempt not in record.attempts or not record.level:
            record.level = min(MAX_LEVEL, record.level + 1)
            record.attempts.append(attempt)
        self._records[network] = record
        if len(self._records) > MAX_NETWORKS:
            self._records.popitem(last=False)

    def succeeded(self, address: str) -> None:
        """Somebody from ``address`` proved who he is: nothing is held against it any more."""
        self._records.pop(network_of(address), None)

    def _level(self, record: _Record | None) -> int:
        if record is None:
            return 0
        return max(0, record.level - int((self._seconds() - record.since) / DECAY_SECONDS))
