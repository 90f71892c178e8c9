"""LOGIN, AUTHENTICATE, ID, ENABLE, and the commands without arguments (RFC 9051 §6.1, §6.2, §6.3.1)."""

import re
from dataclasses import dataclass

from mailaccess.imap.grammar.tokens import (
    BadSyntax,
    astring,
    atom,
    end,
    expect,
    keyword,
    next_is,
    nstring,
    read,
    skip,
    sp,
    string,
)
from mailaccess.imap.wire import Arguments

MAX_ID_FIELDS = 30
MAX_ID_FIELD_BYTES = 30
MAX_ID_VALUE_BYTES = 1024
"""RFC 2971 §3.3: at most 30 field-value pairs, of 30 and 1024 octets."""

MAX_ENABLED = 100
"""Names in one ENABLE; there are not so many extensions that want it."""

# initial-resp = (base64 / "=")   (RFC 4959 §6); what is in it, SASL will see
_INITIAL_RESPONSE = re.compile(rb"[A-Za-z0-9+/]+={0,2}|=")


@dataclass(frozen=True, slots=True)
class LoginArguments:
    """Octets as they came; they are meant to be UTF-8."""

    user: bytes
    password: bytes


@dataclass(frozen=True, slots=True)
class AuthenticateArguments:
    """``mechanism`` is in upper case; ``initial`` is base64 as it came, or ``=``, or None where it was not sent."""

    mechanism: str
    initial: bytes | None = None


def login_arguments(arguments: Arguments) -> LoginArguments:
    """Read ``SP userid SP password`` to the end; both are astrings."""
    sp(arguments)
    user = astring(arguments)
    sp(arguments)
    password = astring(arguments)
    end(arguments)
    return LoginArguments(user, password)


def authenticate_arguments(arguments: Arguments) -> AuthenticateArguments:
    """Read ``SP auth-type [SP initial-resp]`` to the end (RFC 4959 §3)."""
    sp(arguments)
    mechanism = keyword(arguments).decode("ascii")
    initial = None
    if not arguments.at_end:
        sp(arguments)
        initial = read(arguments, _INITIAL_RESPONSE, "an initial response in base64")
    end(arguments)
    return AuthenticateArguments(mechanism, initial)


def id_parameters(arguments: Arguments) -> dict[str, str | None]:
    """Read ``SP ("(" [string SP nstring *(SP string SP nstring)] ")" / nil)`` to the end (RFC 2971 §4).

    It is for logs: what is not UTF-8 is replaced.
    """
    sp(arguments)
    fields: dict[str, str | None] = {}
    if next_is(arguments, b"("):
        fields = _id_fields(arguments)
    elif nstring(arguments) is not None:
        raise BadSyntax("Expected fields in parentheses or NIL")
    end(arguments)
    return fields


def _id_fields(arguments: Arguments) -> dict[str, str | None]:
    fields: dict[str, str | None] = {}
    expect(arguments, b"(")
    while not skip(arguments, b")"):
        if fields:
            sp(arguments)
        name = string(arguments)
        sp(arguments)
        value = nstring(arguments)
        if len(name) > MAX_ID_FIELD_BYTES or len(value or b"") > MAX_ID_VALUE_BYTES or len(fields) == MAX_ID_FIELDS:
            raise BadSyntax("ID takes up to 30 fields of 30 octets with values of 1024 octets")
        fields[name.decode("utf-8", "replace")] = None if value is None else value.decode("utf-8", "replace")
    return fields


def enable_names(arguments: Arguments) -> tuple[str, ...]:
    """Read ``1*(SP capability)`` to the end; the names are in upper case (RFC 5161 §4)."""
    names: dict[str, None] = {}
    while True:
        sp(arguments)
        names[atom(arguments).decode("ascii").upper()] = None
        if arguments.at_end:
            return tuple(names)
        if len(names) == MAX_ENABLED:
            raise BadSyntax("Too many names")


def no_arguments(arguments: Arguments) -> None:
    """Nothing may follow the command's name."""
    if not arguments.at_end:
        raise BadSyntax("This command takes no arguments")
