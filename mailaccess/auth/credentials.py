"""What a user name and a password may be, and what a checker is handed."""

import hmac
import unicodedata

from twisted.cred.credentials import ICredentials, IUsernamePassword
from zope.interface import Attribute, implementer

from mailaccess.values import Peer

MAX_USER_BYTES = 255
"""RFC 4616 §2 asks for as many; a user's folder has his name, and 255 octets is what a file system takes."""

MAX_PASSWORD_BYTES = 1024
"""RFC 4616 §2 asks for 255. A digest over more would be somebody else's time."""

_NO_NAME = ("Cc", "Cs", "Zl", "Zp")
"""Unicode's categories of control characters, of what is no character, and of line ends."""


class BadCredential(ValueError):
    """A user name or password that nobody can have; the text says why, and may be told to anyone."""


def user_name(text: str) -> str:
    """``text`` as a user name, in Unicode's composed form (NFC). ``BadCredential`` where it is none.

    Case is kept, and counts: ``Joe`` is not ``joe``. A name becomes a part of paths, as do what stands before and
    behind an ``@`` in it (``%n``, ``%d``): none of them is empty, begins with a dot, or has a slash.
    """
    name = unicodedata.normalize("NFC", text)
    if any(unicodedata.category(character) in _NO_NAME for character in name):
        raise BadCredential("A user name has no control characters")
    if len(name.encode("utf-8")) > MAX_USER_BYTES:
        raise BadCredential(f"A user name has up to {MAX_USER_BYTES} octets")
    if "/" in name or not all(part and part[0] != "." for part in name.split("@")):
        raise BadCredential("A user name has no slash, and no part of it is empty or begins with a dot")
    return name


def password_octets(text: str) -> bytes:
    """``text`` as the UTF-8 that is hashed. ``BadCredential`` where it is no password."""
    try:
        octets = text.encode("utf-8")
    except UnicodeEncodeError:
        raise BadCredential("A password is Unicode") from None
    if not octets or 0 in octets or len(octets) > MAX_PASSWORD_BYTES:
        raise BadCredential(f"A password has 1 to {MAX_PASSWORD_BYTES} octets, and no NUL")
    return octets


class IFromPeer(ICredentials):
    """Credentials that know where they come from, so that a checker can let a user in from some networks only."""

    peer: Peer = Attribute("The other end of the connection")


@implementer(IUsernamePassword, IFromPeer)
class PeerPassword:
    """A name and a password, and where they come from."""

    def __init__(self, username: bytes, password: bytes, peer: Peer) -> None:
        self.username = username
        self.password = password
        self.peer = peer

    def checkPassword(self, password: bytes) -> bool:  # noqa: N802  # twisted.cred calls it
        """Whether ``password``, which the checker has in clear, is the one."""
        return hmac.compare_digest(self.password, password)
