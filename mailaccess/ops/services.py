"""Services by the names that operators write for ports (IANA's, as /etc/services has them)."""

import re
import socket
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class KnownService:
    """A service as IANA lists it; ``protocol`` is what it speaks, ``tls`` whether it does from the first octet."""

    name: str
    port: int
    protocol: str
    tls: bool


KNOWN = (
    KnownService("imap", 143, "imap", False),
    KnownService("imap2", 143, "imap", False),
    KnownService("imaps", 993, "imap", True),
    KnownService("pop3", 110, "pop3", False),
    KnownService("pop-3", 110, "pop3", False),
    KnownService("pop3s", 995, "pop3", True),
    KnownService("smtp", 25, "smtp", False),
    KnownService("submission", 587, "smtp", False),
    KnownService("submissions", 465, "smtp", True),
    KnownService("smtps", 465, "smtp", True),
    KnownService("ssmtp", 465, "smtp", True),
    KnownService("nntp", 119, "nntp", False),
    KnownService("nntps", 563, "nntp", True),
    KnownService("ldap", 389, "ldap", False),
    KnownService("ldaps", 636, "ldap", True),
    KnownService("postgresql", 5432, "postgresql", False),
    KnownService("postgres", 5432, "postgresql", False),
)
"""Those that the server and the tunnel know something of; a machine without /etc/services has them too."""

HIGHEST_PORT = 65535

# RFC 6335 §5.1 without its bound of 15: Debian's /etc/services has clc-build-daemon.
_SERVICE_NAME = re.compile(r"[0-9-]*[A-Za-z][A-Za-z0-9-]*\Z")
_BY_NAME = {service.name: service for service in KNOWN}
_BY_PORT = {str(service.port): service for service in reversed(KNOWN)}


def port_of(name: str) -> int | None:
    """The TCP port of the service ``name``, of our own list or of the machine's; None where neither has it."""
    known = _BY_NAME.get(name)
    if known is not None:
        return known.port
    try:
        return socket.getservbyname(name, "tcp")
    except (OSError, UnicodeError):
        return None


def known_service(name_or_port: str) -> KnownService | None:
    """What is known of the service that has this name, or usually this port (decimal digits); None: nothing."""
    return _BY_PORT.get(name_or_port) or _BY_NAME.get(name_or_port)


def read_port(text: str) -> int | None:
    """The port that an operator means by ``text``: decimal digits, or a service's name; None where it is neither."""
    if text.isascii() and text.isdigit():
        number = int(text) if len(text) <= len(str(HIGHEST_PORT)) else HIGHEST_PORT + 1
        return number if number <= HIGHEST_PORT else None
    return port_of(text) if _SERVICE_NAME.match(text) else None
