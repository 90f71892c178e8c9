"""What is made of files, and made again when they change: certificates, authorities, pre-shared keys."""

from abc import ABC, abstractmethod

from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall

from mailaccess.errors import ConfigError
from mailaccess.interfaces import IEvents


class Following(ABC):
    """Follows files. What was made of them stays in force until what is made of new ones is known to be good."""

    def __init__(self, events: IEvents, clock: IReactorTime) -> None:
        self._events = events
        self._clock = clock
        self._watch: LoopingCall | None = None
        self._stamps = self._look()

    @abstractmethod
    def _look(self) -> object:
        """How the files are now: equal to what it was while they are the same."""

    @abstractmethod
    def _renew(self) -> dict[str, object]:
        """Read the files and put them in force, all or none; what the log is told. ``ConfigError``."""

    def watch(self, seconds: float) -> None:
        """Look at the files every ``seconds`` from now on; 0: never."""
        self.unwatch()
        if seconds > 0:
            self._watch = LoopingCall(self.reload_if_changed)
            self._watch.clock = self._clock
            self._watch.start(seconds, now=False)

    def unwatch(self) -> None:
        """End what ``watch`` began."""
        if self._watch is not None:
            self._watch.stop()
            self._watch = None

    def reload_if_changed(self) -> bool:
        """Read the files again where one was replaced or written; True where new ones are in force."""
        return self._look() != self._stamps and self.reload()

    def reload(self) -> bool:
        """Read the files now, as on SIGHUP; True where new ones are in force.

        Where something is wrong with one of them, all stay as they were, and one line is logged.
        """
        self._stamps = self._look()  # before reading: a file that changes meanwhile is read again at the next look
        try:
            loaded = self._renew()
        except ConfigError as error:
            self._events.event("certificate_refused", reason=str(error))
            return False
        self._events.event("certificate_loaded", **loaded)
        return True
