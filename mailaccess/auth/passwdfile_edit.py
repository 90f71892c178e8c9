"""Changes to the users file: add, change, delete, list.

The first half is text in, text out: all that is not asked to change stays as it is, octet for octet. The second half is
the file: one editor at a time, and a new file takes the old one's place, so that a reader sees the one or the other.
"""

import fcntl
import os
import tempfile
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from mailaccess.auth.credentials import user_name
from mailaccess.errors import MailAccessError, OperatorFault

NEW_FILE_MODE = 0o600
"""Nobody but the server's user reads hashes."""


class EditRefused(MailAccessError):
    """The change cannot be made; the text is one line for the administrator."""


def users(text: str) -> list[str]:
    """The users in the file's order, each once."""
    return list(dict.fromkeys(name for line in text.split("\n") if (name := _user(line)) is not None))


def add(text: str, user: str, secret: str) -> str:
    """``text`` with a line for ``user`` at its end. ``EditRefused`` where there is one already."""
    _check(user, secret)
    if user in users(text):
        raise EditRefused(f"There is a user {user} already")
    ending = "\r\n" if text.endswith("\r\n") else "\n"
    return f"{text}{'' if not text or text.endswith(chr(10)) else ending}{user}:{secret}{ending}"


def change(text: str, user: str, secret: str) -> str:
    """``text`` with another secret for ``user`` in the line that counts. ``EditRefused`` where there is none."""
    _check(user, secret)
    lines = text.split("\n")
    for index, line in enumerate(lines):
        if _user(line) == user:
            lines[index] = _with_secret(line, secret)
            return "\n".join(lines)
    raise EditRefused(f"There is no user {user}")


def delete(text: str, user: str) -> str:
    """``text`` without any line for ``user``: a second one would count from now on. ``EditRefused``: there is none."""
    if user not in users(text):
        raise EditRefused(f"There is no user {user}")
    return "\n".join(line for line in text.split("\n") if _user(line) != user)


def _user(line: str) -> str | None:
    """Whose line this is, as names are compared; None for one that is nobody's."""
    if line.startswith(("#", ":")) or not line.rstrip("\r"):
        return None
    return unicodedata.normalize("NFC", line.rstrip("\r").partition(":")[0])


def _with_secret(line: str, secret: str) -> str:
    body = line.rstrip("\r")
    user, _, rest = body.partition(":")
    _, colon, fields = rest.partition(":")
    return f"{user}:{secret}{colon}{fields}{line[len(body) :]}"


def _check(user: str, secret: str) -> None:
    """``EditRefused`` for what would become another line, or more fields, than was meant."""
    if ":" in user or user.startswith("#") or user != user.strip():
        raise EditRefused("A user name has no colon, no blank at its ends, and does not begin with #")
    if any(character in ":\r\n\0" for character in secret):
        raise EditRefused("A stored password has no colon and no line end; store it as {SCHEME.b64}")


class UsersFile:
    """A users file on disk. ``hash_password`` makes ``{SCHEME}secret`` of a password."""

    def __init__(self, path: Path, hash_password: Callable[[bytes], str]) -> None:
        self._path = Path(os.path.realpath(path))  # a link stays a link
        self._hash = hash_password

    def list(self) -> list[str]:
        """The users in the file's order; none where there is no file. ``OperatorFault``."""
        try:
            return users(_decode(self._path.read_bytes()))
        except FileNotFoundError:
            return []
        except OSError as error:
            raise _fault(self._path, error) from error

    def add(self, user: str, password: bytes) -> None:
        """Add a user. ``BadCredential``, ``EditRefused``, ``OperatorFault``."""
        name, secret = user_name(user), self._hash(password)
        self._edit(lambda text: add(text, name, secret), create=True)

    def passwd(self, user: str, password: bytes) -> None:
        """Give a user another password. ``BadCredential``, ``EditRefused``, ``OperatorFault``."""
        name, secret = user_name(user), self._hash(password)
        self._edit(lambda text: change(text, name, secret))

    def delete(self, user: str) -> None:
        """Take a user out. His mail stays. ``EditRefused``, ``OperatorFault``."""
        name = unicodedata.normalize("NFC", user)  # and no more: a line with an impossible name can go
        self._edit(lambda text: delete(text, name))

    def _edit(self, edit: Callable[[str], str], *, create: bool = False) -> None:
        try:
            with _locked(self._path, os.O_CREAT if create else 0) as descriptor:
                with open(descriptor, "rb", closefd=False) as file:
                    old = file.read()
                _replace(self._path, _encode(edit(_decode(old))), os.fstat(descriptor))
        except OSError as error:
            raise _fault(self._path, error) from error


@contextmanager
def _locked(path: Path, flags: int) -> Iterator[int]:
    """The file, opened with ``flags``, under a lock that dies with the process.

    Who waited for the lock may hold that of a file that was replaced meanwhile; then the new one is locked.
    """
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW | flags, NEW_FILE_MODE)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            if _is_still(path, descriptor):
                yield descriptor
                return
        finally:
            os.close(descriptor)


def _is_still(path: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def _replace(path: Path, content: bytes, old: os.stat_result) -> None:
    """Put ``content`` in the file's place, with the mode and owner that ``old`` had, durable before it returns."""
    descriptor, beside = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with open(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fchmod(descriptor, old.st_mode & 0o777)
            if (old.st_uid, old.st_gid) != (os.geteuid(), os.getegid()):
                os.fchown(descriptor, old.st_uid, old.st_gid)
            os.fsync(descriptor)
        os.rename(beside, path)
    except BaseException:
        os.unlink(beside)
        raise
    directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def _decode(octets: bytes) -> str:
    return octets.decode("utf-8", "surrogateescape")


def _encode(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _fault(path: Path, error: OSError) -> OperatorFault:
    return OperatorFault(f"the users file {path} cannot be read or replaced: {error.strerror}")
