"""Octets to lines, and replies to octets, without I/O (RFC 1939 §3, RFC 2449 §3 and §4, RFC 3206).

A line ends with LF; one CR before it is not part of the line. (RFC 1939 wants CRLF. A bare LF is what people type
through ``openssl s_client``; nobody relays POP3, so that nothing can be smuggled.)
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from mailaccess.errors import ClientError, Code

COMMAND_BYTES = 255
"""A command with its CRLF (RFC 2449 §4)."""

CREDENTIAL_BYTES = 8 * 1024
"""A command that carries a name, a password or an initial response: OAuth tokens have kilobytes, and RFC 5034 §4's 255
is not what clients keep to (fetchmail and getmail send what they have). The same for a line of a SASL exchange."""

REPLY_BYTES = 512
"""The first line of a reply with its CRLF (RFC 2449 §4)."""

_CREDENTIAL_VERBS = (b"AUTH", b"PASS", b"USER", b"APOP")
_COMPACT_BYTES = 16 * 1024


@dataclass(frozen=True, slots=True)
class Line:
    """One line without its end."""

    text: bytes


@dataclass(frozen=True, slots=True)
class Refused:
    """A line that no command can be: it was read to its end, dropped, and wants one ``-ERR`` with this text."""

    text: str


TOO_LONG = Refused("Line too long")
HAS_NUL = Refused("NUL is not allowed")


class LineReader:
    """Cuts octets into lines: linear in the octets, however they come.

    A line that is too long costs memory up to its limit (and what one ``feed`` brings), and gives one :class:`Refused`.
    """

    __slots__ = ("_buffer", "_dropping", "_scanned", "_start")

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._start = 0  # of the line that comes next
        self._scanned = 0  # no LF stands before this
        self._dropping = False

    @property
    def buffered(self) -> int:
        """Octets that wait to be read."""
        return len(self._buffer) - self._start

    def feed(self, data: bytes) -> None:
        """Take what the client sent."""
        self._buffer += data

    def clear(self) -> int:
        """Forget what waits, and return how many octets it was."""
        waiting = self.buffered
        self._buffer.clear()
        self._start = self._scanned = 0
        self._dropping = False
        return waiting

    def command(self) -> Line | Refused | None:
        """The next command line, None where it is not whole yet."""
        verb = self._buffer[self._start : self._start + 4].upper()
        return self._line(CREDENTIAL_BYTES if verb in _CREDENTIAL_VERBS else COMMAND_BYTES)

    def response(self) -> Line | Refused | None:
        """The next line of a SASL exchange, None where it is not whole yet."""
        return self._line(CREDENTIAL_BYTES)

    def _line(self, limit: int) -> Line | Refused | None:
        end = self._buffer.find(b"\n", self._scanned)
        if end < 0:
            self._scanned = len(self._buffer)
            if self.buffered >= limit:
                self._drop()
            return None
        start, self._start, self._scanned = self._start, end + 1, end + 1
        too_long, self._dropping = self._dropping or end + 1 - start > limit, False
        text = b"" if too_long else bytes(self._buffer[start:end]).removesuffix(b"\r")
        self._compact()
        if too_long:
            return TOO_LONG
        return HAS_NUL if b"\0" in text else Line(text)

    def _drop(self) -> None:
        """Forget a line's beginning that is too long already; its rest goes the same way."""
        self._buffer.clear()
        self._start = self._scanned = 0
        self._dropping = True

    def _compact(self) -> None:
        if self._start == len(self._buffer):
            self._buffer.clear()
        elif self._start > _COMPACT_BYTES:
            del self._buffer[: self._start]
        else:
            return
        self._scanned -= self._start
        self._start = 0


class ResponseCode(StrEnum):
    """Why a command was refused, for programs (RFC 2449 §8.1, RFC 3206 §4 and §5)."""

    IN_USE = "IN-USE"
    AUTH = "AUTH"
    SYS_TEMP = "SYS/TEMP"
    SYS_PERM = "SYS/PERM"


def ok(text: str = "") -> bytes:
    """``+OK text`` (RFC 1939 §3)."""
    return _reply("+OK", text)


def err(text: str, code: ResponseCode | None = None) -> bytes:
    """``-ERR [code] text`` (RFC 1939 §3, RFC 2449 §8)."""
    return _reply("-ERR", f"[{code}] {text}" if code else text)


def _reply(status: str, text: str) -> bytes:
    """One line whatever ``text`` holds: a checker or store of somebody else's may have written it."""
    line = f"{status} {' '.join(text.split())}".rstrip().encode("ascii", "replace")
    return line[: REPLY_BYTES - 2] + b"\r\n"


_RESPONSE_CODES = {
    Code.AUTHENTICATIONFAILED: ResponseCode.AUTH,
    Code.AUTHORIZATIONFAILED: ResponseCode.AUTH,
    Code.EXPIRED: ResponseCode.AUTH,
    Code.INUSE: ResponseCode.IN_USE,
    Code.LIMIT: ResponseCode.IN_USE,
    Code.OVERQUOTA: ResponseCode.SYS_TEMP,
    Code.SERVERBUG: ResponseCode.SYS_TEMP,
    Code.UNAVAILABLE: ResponseCode.SYS_TEMP,
    Code.CONTACTADMIN: ResponseCode.SYS_PERM,
    Code.CORRUPTION: ResponseCode.SYS_PERM,
    Code.NOPERM: ResponseCode.SYS_PERM,
    Code.PRIVACYREQUIRED: ResponseCode.SYS_PERM,
}
"""POP3's words for what the rooms below say. PRIVACYREQUIRED is a wrong setting that a person must mend, which is
SYS/PERM's meaning (RFC 3206 §4); AUTH would make mail programs ask for another password, and send it in clear too."""


def refusal(error: ClientError) -> bytes:
    """``-ERR`` for what a room below refused."""
    return err(error.text, _RESPONSE_CODES.get(error.code) if error.code else None)


def multiline(lines: Iterable[bytes]) -> bytes:
    """The lines of a multi-line reply behind its first, and its end (RFC 1939 §3). None of ours begins with a dot."""
    return b"".join(line + b"\r\n" for line in lines) + b".\r\n"


class DotStuffer:
    """Byte-stuffs one message that comes in chunks of any size (RFC 1939 §3).

    A line begins at the message's first octet and behind every LF, also where a chunk ends between the two: what
    one client may take for a line, no mail's author shall end the reply with.
    """

    __slots__ = ("_tail",)

    def __init__(self) -> None:
        self._tail = b"\r\n"  # the last two octets; a message begins as a line does

    def stuff(self, chunk: bytes) -> bytes:
        """The chunk as it goes to the client."""
        if not chunk:
            return chunk
        stuffed = chunk.replace(b"\n.", b"\n..")
        if chunk.startswith(b".") and self._tail.endswith(b"\n"):
            stuffed = b"." + stuffed
        self._tail = chunk[-2:] if len(chunk) > 1 else self._tail[-1:] + chunk
        return stuffed

    def end(self) -> bytes:
        """The end of the reply, on a line of its own."""
        return b".\r\n" if self._tail == b"\r\n" else b"\r\n.\r\n"
