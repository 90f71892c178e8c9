"""The LOGIN mechanism: obsolete, never an RFC (draft-murchison-sasl-login-00), and all that some mail programs have."""

from dataclasses import dataclass

from mailaccess.sasl.mechanism import Challenge, Credentials, Failed, Outcome, text_of


@dataclass(frozen=True, slots=True)
class Login:
    """Two questions. They are worded as Dovecot has them: there are clients that look for these very words.

    An initial response is taken as the answer to the first, as Dovecot does.
    """

    def prompt(self) -> Challenge:
        """Ask for the name."""
        return Challenge(b"Username:", self)

    def step(self, response: bytes, /) -> Outcome:
        """Take the name, and ask for the password."""
        user = text_of(response)
        if user is None:
            return Failed("The user name is UTF-8, and not empty")
        return Challenge(b"Password:", _Named(user))


@dataclass(frozen=True, slots=True)
class _Named:
    """The client has said his name."""

    user: str

    def step(self, response: bytes, /) -> Outcome:
        """Take the password."""
        password = text_of(response)
        if password is None:
            return Failed("The password is UTF-8, and not empty")
        return Credentials(self.user, password)
