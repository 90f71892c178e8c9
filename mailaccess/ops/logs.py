"""One structured line for each event; never a password, never a control character that an attacker chose."""

import re
import secrets

from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from mailaccess.interfaces import IEvents

_PLAIN = re.compile(r"[A-Za-z0-9_.@:/+\[\]$-]+\Z")
_VALUE_CHARACTERS = 256  # a hostile user name is cut, not a log disk filled


def quote(value: object) -> str:
    """``value`` as it stands behind ``key=``: plain where it can be, else quoted with escapes, one line always."""
    text = str(value)
    if len(text) > _VALUE_CHARACTERS:
        text = text[:_VALUE_CHARACTERS] + "…"
    if _PLAIN.match(text):
        return text
    escaped = "".join(c if c.isprintable() and c not in '"\\' else c.encode("unicode_escape").decode() for c in text)
    return '"' + escaped.replace('"', '\\"') + '"'


@implementer(IEvents)
class EventLog:
    """Writes events to Twisted's log: ``login user=joe address=192.0.2.1``."""

    def __init__(self, logger: Logger | None = None) -> None:
        self._log = logger or Logger(namespace="mailaccess")

    def event(self, name: str, /, **fields: object) -> None:
        """Log one line for one event."""
        line = " ".join([name, *(f"{key}={quote(value)}" for key, value in fields.items())])
        self._log.info("{line}", line=line, event=name, fields=fields)

    def incident(self, what: str, error: BaseException) -> str:
        """Log what went wrong with its traceback under a new id, which a client may be told."""
        incident = secrets.token_hex(6)
        failure = Failure(error)  # type: ignore[no-untyped-call]
        self._log.failure("incident {incident}: {what}", failure, incident=incident, what=what)
        return incident
