"""What the first start makes: a user with a generated password, and two messages that say what to do next.

Only where there is no users file and none was named; only the hash of the password is stored.
"""

import getpass
import os
from dataclasses import dataclass
from pathlib import Path

from mailaccess.app.welcome import welcome
from mailaccess.auth.credentials import BadCredential, user_name
from mailaccess.auth.passwdfile_edit import UsersFile
from mailaccess.auth.passwords import generate
from mailaccess.auth.schemes import hash_password
from mailaccess.interfaces import IMailStore
from mailaccess.values import INBOX


@dataclass(frozen=True, slots=True)
class FirstUser:
    """The user that was made, and his password, which is told once."""

    user: str
    password: str


def first_user(path: Path) -> FirstUser | None:
    """Make the users file with one user; None where there is one already. ``OperatorFault``."""
    if os.path.lexists(path):
        return None
    made = FirstUser(_own_name(), generate())
    UsersFile(path, hash_password).add(made.user, made.password.encode())
    return made


async def greet(store: IMailStore, user: str) -> None:
    """Put the two messages into an inbox that has none."""
    status = await store.status(INBOX, size=False)
    if not status.messages:
        await store.append(INBOX, welcome(user))


def _own_name() -> str:
    """The name of whoever starts the server, where it can be a mail user's."""
    try:
        return user_name(getpass.getuser())
    except (BadCredential, KeyError, OSError):
        return "user"
