"""Host names and addresses as TLS speaks of them: compared with certificates, and asked for."""

import re
from ipaddress import ip_address

from mailaccess.errors import ConfigError

_NAME = re.compile(r"[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*")


def address_of(host: str) -> str:
    """``host`` as a plain IP address, without brackets and zone; empty where it is a name."""
    try:
        return str(ip_address(host.strip("[]").partition("%")[0]))
    except ValueError:
        return ""


def reference_name(key: str, written: str) -> str:
    """A host name or address as it is compared with certificates: A-labels in lower case (RFC 6125 §6.4).

    By IDNA of 2003, as the names are resolved. ``ConfigError`` for ``key`` where it is neither.
    """
    address = address_of(written)
    if address:
        return address
    try:
        name = written.rstrip(".").encode("idna").decode().lower()
    except ValueError:  # an empty label, one of more than 63 octets, a character that no host's name has
        name = ""
    if not _NAME.fullmatch(name) or name.replace("_", "").isdigit():
        raise ConfigError(key, written, "a host name or an address is needed")
    return name


def asked_of(key: str, host: str) -> bytes:
    """The name to ask a server for; empty for none. Addresses are not asked for (RFC 6066 §3). ``ConfigError``."""
    return b"" if not host or address_of(host) else reference_name(key, host).encode()
