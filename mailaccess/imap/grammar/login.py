"""LOGIN, AUTHENTICATE, ID and ENABLE (RFC 9051 §6.2, §6.3.1; RFC 4959, RFC 2971)."""

from dataclasses import dataclass

from mailaccess.imap.wire import Arguments


@dataclass(frozen=True, slots=True)
class LoginArguments:
    """Octets as they came; they are meant to be UTF-8."""

    user: bytes
    password: bytes


@dataclass(frozen=True, slots=True)
class AuthenticateArguments:
    """``mechanism`` is in upper case; ``initial`` is base64 as it came, or ``=``; None where it was not sent (RFC 4959 §3)."""

    mechanism: str
    initial: bytes | None = None


def login_arguments(arguments: Arguments) -> LoginArguments:
    """Read ``SP astring SP astring`` to the end."""
    raise NotImplementedError


def authenticate_arguments(arguments: Arguments) -> AuthenticateArguments:
    """Read ``SP mechanism [SP initial-response]`` to the end."""
    raise NotImplementedError


def id_parameters(arguments: Arguments) -> dict[str, str | None]:
    """Read ``SP (field value …)`` or ``SP NIL`` to the end; for logs."""
    raise NotImplementedError


def enable_names(arguments: Arguments) -> tuple[str, ...]:
    """Read ``1*(SP capability)`` to the end, in upper case."""
    raise NotImplementedError


def no_arguments(arguments: Arguments) -> None:
    """Nothing may follow the command's name."""
    raise NotImplementedError
