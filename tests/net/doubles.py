"""What tests of this room are given: an event log that remembers, and how certificates are asked for."""

from collections.abc import Callable

from zope.interface import implementer

from mailaccess.interfaces import IEvents
from mailaccess.net.certificates import CertificateFiles

Issue = Callable[..., CertificateFiles]


@implementer(IEvents)
class Remembered:
    """Keeps the events instead of writing them."""

    def __init__(self) -> None:
        self.events: list[tuple[str, dict[str, object]]] = []

    def event(self, name: str, /, **fields: object) -> None:
        """Keep one event."""
        self.events.append((name, fields))

    def incident(self, what: str, error: BaseException) -> str:
        """Fail the test: nothing here is an incident."""
        raise error

    def names(self) -> list[str]:
        """The names of what happened, in order."""
        return [name for name, _ in self.events]
