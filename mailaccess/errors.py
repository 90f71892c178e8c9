"""Two kinds of bad news: what a client may read, and what the operator must read.

:class:`ClientError` carries a response code and a text that are safe to send. Everything else that goes wrong
is logged with an incident id, and the client is told that id and no more (RFC 5530 §3, ``SERVERBUG``).
"""

from dataclasses import dataclass
from enum import StrEnum


class MailAccessError(Exception):
    """The root of the errors that this package raises on purpose."""


class Code(StrEnum):
    """Response codes of IMAP (RFC 9051 §7.1, RFC 5530 §3) that a room below the front ends may ask for.

    The POP3 front end maps those that it has a word for (RFC 2449 §8, RFC 3206).
    """

    ALERT = "ALERT"
    ALREADYEXISTS = "ALREADYEXISTS"
    AUTHENTICATIONFAILED = "AUTHENTICATIONFAILED"
    AUTHORIZATIONFAILED = "AUTHORIZATIONFAILED"
    BADCHARSET = "BADCHARSET"
    CANNOT = "CANNOT"
    CLIENTBUG = "CLIENTBUG"
    CONTACTADMIN = "CONTACTADMIN"
    CORRUPTION = "CORRUPTION"
    EXPIRED = "EXPIRED"
    EXPUNGEISSUED = "EXPUNGEISSUED"
    HASCHILDREN = "HASCHILDREN"
    INUSE = "INUSE"
    LIMIT = "LIMIT"
    NONEXISTENT = "NONEXISTENT"
    NOPERM = "NOPERM"
    OVERQUOTA = "OVERQUOTA"
    PARSE = "PARSE"
    PRIVACYREQUIRED = "PRIVACYREQUIRED"
    SERVERBUG = "SERVERBUG"
    TOOBIG = "TOOBIG"
    TRYCREATE = "TRYCREATE"
    UNAVAILABLE = "UNAVAILABLE"
    UNKNOWN_CTE = "UNKNOWN-CTE"
    USEATTR = "USEATTR"


class ClientError(MailAccessError):
    """A request that is refused: the connection lives on, and the client may read ``code`` and ``text``.

    ``text`` is one line of printable US-ASCII without a path, a traceback or a secret.
    """

    def __init__(self, code: Code | None, text: str) -> None:
        super().__init__(code, text)
        self.code = code
        self.text = text

    def __str__(self) -> str:
        return f"[{self.code}] {self.text}" if self.code else self.text


class OperatorFault(MailAccessError):
    """Something that the operator must mend: logged with an incident id, never sent to a client."""


class Disconnected(MailAccessError):
    """The client is gone, or must go: there is nobody to answer."""


class StoreUnavailable(ClientError):
    """The disk refused (EACCES, EROFS, EIO, a Maildir that went away): nothing was changed, try again later.

    Raised from the ``OSError`` that caused it, which is for the log.
    """

    def __init__(self, text: str = "The mail store is not available now", code: Code = Code.UNAVAILABLE) -> None:
        super().__init__(code, text)


class OverQuota(ClientError):
    """No room for more (ENOSPC, EDQUOT): nothing was stored (RFC 9208 §4.3)."""

    def __init__(self, text: str = "No space left for this message") -> None:
        super().__init__(Code.OVERQUOTA, text)


class NoSuchMailbox(ClientError):
    """The mailbox that was named does not exist (RFC 5530 §3)."""

    def __init__(self, text: str = "No such mailbox", code: Code = Code.NONEXISTENT) -> None:
        super().__init__(code, text)


class MailboxInUse(ClientError):
    """Another session holds the maildrop (RFC 2449 §8.1.1, RFC 5530 §3)."""

    def __init__(self, text: str = "The maildrop is locked by another session") -> None:
        super().__init__(Code.INUSE, text)


@dataclass(unsafe_hash=True)
class ConfigError(MailAccessError):
    """Wrong usage or configuration: exit status 2 and this one line.

    ``key`` is the option as it was written (``--imaps``, ``limits.line_bytes``), ``value`` what stood there. Not
    frozen: Python itself sets ``__traceback__`` where an exception passes through a context manager.
    """

    key: str
    value: str
    allowed: str

    def __str__(self) -> str:
        return f"{self.key}: {self.value!r} is not possible: {self.allowed}"
