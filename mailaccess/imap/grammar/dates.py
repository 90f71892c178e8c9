"""Dates (RFC 9051 §9)."""

from datetime import date as Date

from mailaccess.imap.wire import Arguments


def date(arguments: Arguments) -> Date:
    """Read a date: ``1-Feb-2026``, quoted or not."""
    raise NotImplementedError


def date_time(arguments: Arguments) -> int:
    """Read a date-time; returns seconds since the epoch."""
    raise NotImplementedError
