"""Which of several certificates a client gets that names a host (RFC 6066 §3)."""

from collections.abc import Iterable
from typing import Generic, TypeVar

T = TypeVar("T")


class ServerNames(Generic[T]):
    """From host names to what serves them. Two look-ups for every name, known or not, however many there are."""

    def __init__(self, served: Iterable[tuple[Iterable[str], T]], default: T) -> None:
        """``served`` are names with what serves them, the first of equal names wins; ``default`` has all others.

        Names are A-labels; one that begins with ``*.`` stands for every name with one label more (RFC 6125 §6.4.3).
        """
        self._by_name: dict[bytes, T] = {}
        self._default = default
        for names, value in served:
            for name in names:
                self._by_name.setdefault(name.lower().encode(), value)

    def choose(self, name: bytes | None) -> T:
        """What serves the host ``name``; None is a client that names none."""
        if name is None:
            return self._default
        name = name.lower().rstrip(b".")  # RFC 6066 §3 forbids the final dot; names typed with one come with it
        exact = self._by_name.get(name)
        if exact is not None:
            return exact
        label, dot, parent = name.partition(b".")
        return self._by_name.get(b"*." + parent, self._default) if label and dot else self._default
