"""Checks names and passwords against a users file, which is read again when it has changed.

One hash is computed for each attempt, whether the user exists or not: for one who does not (or who is locked) it is
that of somebody else in the file, of the scheme that most there have, and its answer is thrown away.
"""

import os
import secrets
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple

from twisted.cred.checkers import ICredentialsChecker
from twisted.cred.credentials import IUsernameHashedPassword, IUsernamePassword
from twisted.cred.error import LoginDenied, UnauthorizedLogin
from twisted.internet.defer import Deferred
from zope.interface import implementer

from mailaccess.auth.credentials import BadCredential, IFromPeer, user_name
from mailaccess.auth.hashing import Run
from mailaccess.auth.passwdfile import Entry, Users, parse
from mailaccess.auth.schemes import Secret, matches
from mailaccess.auth.schemes.argon2 import Argon2id
from mailaccess.auth.schemes.plain import Plain
from mailaccess.errors import OperatorFault
from mailaccess.interfaces import IEvents
from mailaccess.values import Identity

MAX_FILE_BYTES = 64 * 1024 * 1024
"""Half a million users. Whoever has more wants a data base."""

MAX_LOGGED_PROBLEMS = 20
"""Lines of the log for one reading of a file: it may be no users file at all."""


class Stamp(NamedTuple):
    """What tells that a file is another than before."""

    inode: int
    size: int
    modified_ns: int
    changed_ns: int


@dataclass(frozen=True, slots=True)
class _Snapshot:
    """The users as they were read, and what is hashed for those who are not among them."""

    stamp: Stamp | None
    users: Users
    decoy: Secret
    in_clear: bool = False
    """Whether any password is stored in clear."""


@implementer(ICredentialsChecker)
class PasswdFileChecker:
    """The users of one file. ``run`` carries out in a thread what takes long; ``events`` is told of bad lines.

    An avatar id is the user's name as the file has it, in UTF-8.
    """

    credentialInterfaces = (IUsernamePassword, IUsernameHashedPassword)  # noqa: N815  # twisted.cred reads it

    def __init__(self, path: Path, run: Run, events: IEvents) -> None:
        self._path = path
        self._run = run
        self._events = events
        self._snapshot = _Snapshot(None, Users({}), decoy({}))

    def load(self) -> None:
        """Read the file now, where it has changed; ``OperatorFault`` where it cannot be read."""
        self._adopt(read_users(self._path, self._snapshot))

    def lookup(self, user: str) -> Entry | None:
        """What the file says of ``user``, as it was last read."""
        return self._snapshot.users.entries.get(user)

    def identity(self, user: str) -> Identity:
        """Who ``user`` is, as it was last read; ``UnauthorizedLogin`` where he is not there any more."""
        entry = self.lookup(user)
        if entry is None:
            raise UnauthorizedLogin("the user is gone")
        return entry.identity

    @property
    def has_secrets_for_apop(self) -> bool:
        """Whether there is anybody who can use APOP."""
        return self._snapshot.in_clear

    def requestAvatarId(  # noqa: N802  # twisted.cred calls it
        self, credentials: IUsernamePassword | IUsernameHashedPassword
    ) -> Deferred[bytes | tuple[()]]:
        """The name of the user who has these credentials; ``UnauthorizedLogin``, ``LoginDenied``, ``OperatorFault``."""
        return Deferred.fromCoroutine(self._check(credentials))

    async def _check(self, credentials: IUsernamePassword | IUsernameHashedPassword) -> bytes:
        try:
            user = user_name(credentials.username.decode("utf-8"))
        except (BadCredential, UnicodeDecodeError) as error:
            raise UnauthorizedLogin("no user has such a name") from error
        snapshot, proven = await self._run(partial(self._prove, user, _proof(credentials)))
        self._adopt(snapshot)
        entry = snapshot.users.entries.get(user)
        if entry is None or not proven:
            raise UnauthorizedLogin
        _admit(entry, credentials)
        return entry.user.encode("utf-8")

    def _prove(self, user: str, proof: Callable[[Secret], bool]) -> tuple[_Snapshot, bool]:
        """In a thread: the users now, and whether ``user`` proved who he is."""
        snapshot = read_users(self._path, self._snapshot)
        entry = snapshot.users.entries.get(user)
        secret = entry.secret if entry is not None else None
        proven = proof(secret or snapshot.decoy)
        return snapshot, proven and secret is not None

    def _adopt(self, snapshot: _Snapshot) -> None:
        if snapshot.stamp == self._snapshot.stamp:
            return
        self._snapshot = snapshot
        problems = snapshot.users.problems
        for problem in problems[:MAX_LOGGED_PROBLEMS]:
            self._events.event("users_line_ignored", file=self._path, line=problem.line, reason=problem.text)
        self._events.event("users_loaded", file=self._path, users=len(snapshot.users.entries), ignored=len(problems))


_NO_SECRET = Plain(secrets.token_bytes(32))
"""What a digest is compared with where there is no secret in clear: random, so that none matches."""


def _proof(credentials: IUsernamePassword | IUsernameHashedPassword) -> Callable[[Secret], bool]:
    """How a secret is held against the credentials: by hashing the password, or, for a digest, in clear."""
    if IUsernamePassword.providedBy(credentials):
        return partial(_matches_password, credentials.password)
    return partial(_matches_digest, credentials)


def _matches_password(password: bytes, secret: Secret) -> bool:
    return matches(secret, password)


def _matches_digest(credentials: IUsernameHashedPassword, secret: Secret) -> bool:
    in_clear = secret if isinstance(secret, Plain) else _NO_SECRET
    right: bool = credentials.checkPassword(in_clear.password)  # type: ignore[no-untyped-call]
    return right


def _admit(entry: Entry, credentials: object) -> None:
    """Hold ``allow_nets`` and ``nologin`` against one who has proved himself."""
    if entry.networks is not None and not (IFromPeer.providedBy(credentials) and entry.admits(credentials.peer.host)):
        raise UnauthorizedLogin("allow_nets does not have this address")
    if not entry.may_log_in:
        raise LoginDenied("nologin")


def read_users(path: Path, known: _Snapshot) -> _Snapshot:
    """``known``, or what stands in the file now where that has changed since; ``OperatorFault``."""
    try:
        with path.open("rb") as file:
            stamp = _stamp(os.fstat(file.fileno()))
            if stamp == known.stamp:
                return known
            content = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise OperatorFault(f"the users file {path} cannot be read: {error.strerror}") from error
    if len(content) > MAX_FILE_BYTES:
        raise OperatorFault(f"the users file {path} is larger than {MAX_FILE_BYTES} octets")
    users = parse(content.decode("utf-8", "surrogateescape").split("\n"))
    in_clear = any(isinstance(entry.secret, Plain) for entry in users.entries.values())
    return _Snapshot(stamp, users, decoy(users.entries), in_clear)


def decoy(entries: Mapping[str, Entry]) -> Secret:
    """The secret whose hash is computed for those who have none: of the scheme that most of ``entries`` have."""
    usable = [(entry.scheme, entry.secret) for entry in entries.values() if entry.secret is not None]
    if not usable:
        return Argon2id.unmatchable()
    commonest, _ = Counter(scheme for scheme, _ in usable).most_common(1)[0]
    return next(secret for scheme, secret in usable if scheme == commonest)


def _stamp(status: os.stat_result) -> Stamp:
    return Stamp(status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
