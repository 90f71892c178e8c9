"""The way out through an HTTP proxy: CONNECT (RFC 9110 §9.3.6)."""

import re
from base64 import b64encode

from mailaccess.tunnel.conversation import Conversation
from mailaccess.tunnel.faults import Refused, shown

HEADER_LINES = 100
"""Lines of all answers to one CONNECT: proxies send a handful."""

# status-line   = HTTP-version SP status-code SP [ reason-phrase ]   (RFC 9112 §4)
# The second space may be missing, as curl and Go's net/http read it too.
_STATUS_LINE = re.compile(rb"HTTP/1\.[01] ([0-9]{3}(?: [^\r\n]*)?)\r?\n")
_HOST = re.compile(r"[!-~]+")
_EMPTY = (b"\r\n", b"\n")  # LF alone: RFC 9112 §2.2


async def connect(far: Conversation, host: str, port: int, user: str = "", password: str = "") -> None:
    """Have the proxy join us with ``host`` (a name or an address) and ``port``; ``user`` empty: without a password.

    ``Refused`` where it does not answer with 2xx.
    """
    await far.say(request(host, port, user, password))
    status = await _final_status(far)
    if not status.startswith(b"2"):
        raise Refused(f"the proxy says {shown(status)}")
    # the answer's Content-Length, if any, means nothing (RFC 9110 §9.3.6)


async def _final_status(far: Conversation) -> bytes:
    """Status code and reason of the answer, read to its empty line; interim ones come before (RFC 9110 §15.2)."""
    status = b""
    for _ in range(HEADER_LINES):
        line = await far.line()
        if not status:
            status = _status(line)
        elif line in _EMPTY:
            if not status.startswith(b"1"):
                return status
            status = b""
    raise Refused(f"the proxy's answer has more than {HEADER_LINES} lines")


def _status(line: bytes) -> bytes:
    status_line = _STATUS_LINE.fullmatch(line)
    if status_line is None:
        raise Refused(f"the proxy does not speak HTTP/1.1: {shown(line)}")
    return status_line[1]


def request(host: str, port: int, user: str = "", password: str = "") -> bytes:
    """What is asked; the password as RFC 7617 §2 has it, in UTF-8. ``Refused`` for a host that cannot be written."""
    if not _HOST.fullmatch(host):
        raise Refused(f"no proxy can be asked for {host!r}")
    authority = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    lines = [f"CONNECT {authority} HTTP/1.1", f"Host: {authority}"]
    if user:
        lines.append(f"Proxy-Authorization: Basic {b64encode(f'{user}:{password}'.encode()).decode()}")
    return "".join(line + "\r\n" for line in [*lines, ""]).encode()
