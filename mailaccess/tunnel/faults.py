"""What can go wrong with a connection through the tunnel: for the log, never for the client.

The client gets the words of its own protocol (``Spoken.unavailable``), or nothing where there are none.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from mailaccess.errors import MailAccessError


class TunnelFault(MailAccessError):
    """A connection cannot go on; ``str()`` is one line that says why, and ``event`` names it in the log."""

    event = "tunnel_failed"


class StreamLost(TunnelFault):
    """One end is gone: reset, timed out, or cut off by ourselves."""

    event = "tunnel_lost"


class Unreachable(TunnelFault):
    """No target took the connection."""

    event = "tunnel_unreachable"


class Refused(TunnelFault):
    """The other side, or a proxy on the way, said no: no STARTTLS, CONNECT 403, a bad PROXY header."""

    event = "tunnel_refused"


class Full(Refused):
    """There are as many connections as there may be."""


class Mismatch(TunnelFault):
    """The other side speaks another protocol than the one that clients of this service speak."""

    event = "tunnel_mismatch"


class TLSFailed(TunnelFault):
    """The handshake failed, or the peer is not who it must be."""

    event = "tunnel_tls_failed"


@contextmanager
def blamed_on(whom: object) -> Iterator[None]:
    """Have the faults of the block say whose they are."""
    try:
        yield
    except TunnelFault as fault:
        raise type(fault)(f"{whom}: {fault}") from fault


_SHOWN_OCTETS = 200  # a line of the log stays one that can be read


def shown(said: bytes) -> str:
    """What the other side said, as it may stand in a fault: quoted, printable US-ASCII, cut where it is long."""
    text = said[:_SHOWN_OCTETS].decode("ascii", "replace").strip()
    return repr("".join(letter if " " <= letter <= "~" else "?" for letter in text))
