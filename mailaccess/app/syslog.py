"""Twisted's log to the machine's: for a process whose standard error is its client."""

import io
import syslog
from collections.abc import Callable

from twisted.logger import ILogObserver, LogEvent, LogLevel, eventAsText
from zope.interface import implementer

_PRIORITIES = {
    LogLevel.debug: syslog.LOG_DEBUG,
    LogLevel.info: syslog.LOG_INFO,
    LogLevel.warn: syslog.LOG_WARNING,
    LogLevel.error: syslog.LOG_ERR,
    LogLevel.critical: syslog.LOG_CRIT,
}


@implementer(ILogObserver)
class Syslog:
    """Writes each line of each event to syslog, as the facility ``mail``: ``mailaccess[4711]: login user=joe …``."""

    def __init__(self, write: Callable[[int, str], None] = syslog.syslog) -> None:
        self._write = write
        syslog.openlog("mailaccess", syslog.LOG_PID, syslog.LOG_MAIL)

    def __call__(self, event: LogEvent) -> None:
        """One event; a traceback has many lines."""
        priority = _PRIORITIES[event.get("log_level", LogLevel.info)]
        for line in eventAsText(event, includeTimestamp=False, includeSystem=False).splitlines():
            self._write(priority, line.replace("\0", "\\0"))


class SyslogText(io.TextIOBase):
    """What is printed to it goes to syslog, line by line: standard error, where that was the client."""

    def write(self, text: str) -> int:
        """Whole lines; nobody here prints others."""
        for line in text.splitlines():
            syslog.syslog(syslog.LOG_ERR, line.replace("\0", "\\0"))
        return len(text)
