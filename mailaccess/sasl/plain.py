"""The PLAIN mechanism (RFC 4616)."""

from dataclasses import dataclass

from mailaccess.errors import Code
from mailaccess.sasl.mechanism import Challenge, Credentials, Failed, Outcome, text_of


# message   = [authzid] UTF8NUL authcid UTF8NUL passwd
# authcid   = 1*SAFE ; MUST accept up to 255 octets
# authzid   = 1*SAFE ; MUST accept up to 255 octets
# passwd    = 1*SAFE ; MUST accept up to 255 octets
# SAFE      = any UTF-8 encoded Unicode character except NUL
@dataclass(frozen=True, slots=True)
class Plain:
    """One message from the client: whom to act as, who he is, and his password.

    Names are compared as they are: no SASLprep, which RFC 4616 §2 leaves open. Nobody may act as another.
    """

    def prompt(self) -> Challenge:
        """An empty challenge: the client speaks first."""
        return Challenge(b"", self)

    def step(self, response: bytes, /) -> Outcome:
        """Read the message."""
        parts = response.split(b"\0")
        if len(parts) != 3:
            return Failed("Expected authorization identity, user and password, with a NUL between them")
        authzid, authcid, passwd = parts
        user, password = text_of(authcid), text_of(passwd)
        if user is None or password is None:
            return Failed("User and password are UTF-8, and not empty")
        if authzid not in (b"", authcid):
            return Failed("Nobody may act as another user", Code.AUTHORIZATIONFAILED)
        return Credentials(user, password)
