"""A proxy on the way out, as an operator writes it: a URL."""

import re
from dataclasses import dataclass, field
from urllib.parse import unquote

from mailaccess.errors import ConfigError
from mailaccess.ops.services import HIGHEST_PORT
from mailaccess.tunnel.conversation import Conversation
from mailaccess.tunnel.proxies import http, socks

SOCKS_PORT = 1080
"""IANA's port of SOCKS; HTTP proxies have no port of their own."""

_SCHEMES = ("http", "socks5", "socks5h", "socks4a", "socks4")
_FORM = "http:// socks5:// socks4a:// socks4:// [USER:PASS@]HOST:PORT is needed"

# via       = scheme "://" [ user [ ":" password ] "@" ] host [ ":" port ] [ "/" ]   (RFC 3986 §3)
# user, password: with %XX for what is none of the characters there
_VIA = re.compile(
    r"(?P<scheme>[A-Za-z0-9+.-]+)://"
    r"(?:(?P<user>(?:[^:@/%\s]|%[0-9A-Fa-f]{2})+)(?::(?P<password>(?:[^@/%\s]|%[0-9A-Fa-f]{2})*))?@)?"
    r"(?P<end>(?:\[(?P<ipv6>[0-9A-Fa-f:.]+)\]|(?P<host>[A-Za-z0-9._-]+))(?::(?P<port>[0-9]{1,5}))?)/?"
)


@dataclass(frozen=True, slots=True)
class Via:
    """A proxy: ``scheme`` in lower case; ``user`` is empty where it wants none."""

    scheme: str
    host: str
    port: int
    user: str = ""
    password: str = field(default="", repr=False)

    async def pass_through(self, far: Conversation, host: str, port: int) -> None:
        """Have the proxy, to which ``far`` is connected, join us with ``host`` and ``port``; ``Refused``."""
        match self.scheme:
            case "http":
                await http.connect(far, host, port, self.user, self.password)
            case "socks4":
                await socks.connect4(far, host, port, self.user)
            case "socks4a":
                await socks.connect4a(far, host, port, self.user)
            case _:  # socks5, and socks5h as curl has it: names are always the proxy's to resolve
                await socks.connect5(far, host, port, self.user, self.password)


def parse_via(text: str, key: str) -> Via:
    """Read ``http://user:password@host:port`` and the like; the port may be left out for SOCKS.

    ``ConfigError`` with ``key``, whose value shows neither user nor password.
    """
    given = _VIA.fullmatch(text.strip())
    if given is None:
        begin = re.match(r"[A-Za-z0-9+.-]{1,10}://", text.strip())
        raise ConfigError(key, f"{begin[0] if begin else ''}…", _FORM)
    shown = f"{given['scheme']}://{'…@' if given['user'] else ''}{given['end']}"
    scheme = given["scheme"].lower()
    if scheme not in _SCHEMES:
        raise ConfigError(key, shown, _FORM)
    if scheme == "http" and given["port"] is None:
        raise ConfigError(key, shown, "an HTTP proxy needs its port")
    port = int(given["port"] or SOCKS_PORT)
    if not 0 < port <= HIGHEST_PORT:
        raise ConfigError(key, shown, f"a port is 1 to {HIGHEST_PORT}")
    try:
        user, password = (unquote(given[part] or "", errors="strict") for part in ("user", "password"))
        (user + password).encode()
    except UnicodeError:
        raise ConfigError(key, shown, "user and password must be UTF-8") from None
    why_not = _cannot_be_said(scheme, user, password)
    if why_not:
        raise ConfigError(key, shown, why_not)
    return Via(scheme, given["ipv6"] or given["host"], port, user, password)


def _cannot_be_said(scheme: str, user: str, password: str) -> str:
    """Why this proxy cannot be told these; empty where it can."""
    if any(letter < " " or letter == "\x7f" for letter in user + password):
        return "user and password must have no control characters"
    if scheme == "http" and ":" in user:
        return "an HTTP proxy's user must have no colon (RFC 7617 §2)"
    if scheme.startswith("socks4") and password:
        return "SOCKS 4 has no passwords"
    if scheme.startswith("socks5") and max(len(user.encode()), len(password.encode())) > socks.TEXT_BYTES:
        return f"user and password of SOCKS 5 have at most {socks.TEXT_BYTES} octets"
    return ""
