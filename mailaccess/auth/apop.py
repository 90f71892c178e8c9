"""APOP (RFC 1939 §7): a digest over the greeting's timestamp and a secret that the server has in clear.

MD5 protects nobody who listens; it is here for clients that cannot do otherwise, inside TLS, and only where a password
is stored in clear. A timestamp in the greeting makes fdm and S-nail choose it: a server that has no such password is
to greet without one.
"""

import hashlib
import hmac

from twisted.cred.credentials import IUsernameHashedPassword
from zope.interface import implementer

from mailaccess.auth.credentials import IFromPeer
from mailaccess.values import Peer


@implementer(IUsernameHashedPassword, IFromPeer)
class ApopDigest:
    """A name and the hexadecimal digest that came with it, for the ``timestamp`` that the greeting had."""

    def __init__(self, username: bytes, timestamp: str, digest: str, peer: Peer) -> None:
        self.username = username
        self.peer = peer
        self._timestamp = timestamp.encode("utf-8")
        self._digest = digest.encode("utf-8", "surrogatepass")

    def checkPassword(self, password: bytes) -> bool:  # noqa: N802  # twisted.cred calls it
        """Whether the digest was made with ``password``. RFC 1939 §7 has lower-case digits; nothing else is taken."""
        wanted = hashlib.md5(self._timestamp + password, usedforsecurity=False).hexdigest()
        return hmac.compare_digest(wanted.encode("ascii"), self._digest)
