"""Addresses as stunnel writes them (``[HOST:]PORT`` or the path of a Unix socket), in our own writing.

The last colon separates: ``:::995`` is port 995 of all IPv6 addresses, ``::1:143`` is port 143 of ``::1``.
"""

from mailaccess.ops.services import port_of

_HIGHEST_PORT = 65535
ALLOWED = "[HOST:]PORT is needed, PORT a number or a service's name, or the path of a Unix socket"


def listening(text: str) -> str:
    """What ``accept = text`` means, as a key ``accept``; without a host all IPv4 addresses. ``ValueError``."""
    if text.startswith("/"):
        return "unix:" + text.replace("\\", "\\\\").replace(":", "\\:").replace("=", "\\=")
    host, port = _parts(text)
    return f"{_bracketed(host or '0.0.0.0')}:{port}"  # noqa: S104  (what stunnel does)


def target(text: str) -> str:
    """What ``connect = text`` means, as a key ``connect``; without a host this machine. ``ValueError``."""
    if text.startswith("/"):
        return "unix:" + text
    host, port = _parts(text)
    return f"{_bracketed(host)}:{port}" if host else str(port)


def host_and_port(text: str) -> tuple[str, int]:
    """HOST and PORT of ``text``, both of which must stand there. ``ValueError``."""
    host, port = _parts(text)
    if not host:
        raise ValueError("HOST:PORT is needed")
    return _bracketed(host), port


def _parts(text: str) -> tuple[str, int]:
    host, _, service = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if service.isascii() and service.isdigit() and len(service) <= len(str(_HIGHEST_PORT)):
        port: int | None = int(service)
    else:
        port = port_of(service.lower())
    if port is None or port > _HIGHEST_PORT or any(char in host for char in " \t/[]@"):
        raise ValueError(ALLOWED)
    return host, port


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
