"""Where a user's mail, the index and the server's state lie.

``maildir`` is a template: ``mail`` means ``mail/%u``; Dovecot's ``%u`` (user), ``%n`` (before the ``@``), ``%d``
(behind it) and ``%h`` (home of the user's entry) are understood. A folder that is itself a Maildir serves the one
user there is.
"""

import os
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from mailaccess.app.config import Configuration
from mailaccess.errors import ConfigError, OperatorFault
from mailaccess.values import Identity

MAILDIR_FOLDERS = ("cur", "new", "tmp")
STATE_FOLDER = "mailaccess-state"
USERS_FILE = "users"
CERTIFICATE = "certificate.pem"
PRIVATE_KEY = "private-key.pem"
RESERVED = (STATE_FOLDER, USERS_FILE)
"""What lies beside the users' folders: no user has such a name."""

_VARIABLE = re.compile(r"%(\{user\}|\{home\}|.|\Z)")
_KNOWN = {"u", "n", "d", "h", "%", "{user}", "{home}"}


@dataclass(frozen=True, slots=True)
class Places:
    """The folders and files of one server."""

    template: str
    single: bool
    """Whether ``template`` is itself the Maildir of the one user."""
    users: Path
    state: Path

    def maildir(self, identity: Identity) -> Path:
        """The Maildir of a user. ``OperatorFault`` where his entry has no home and ``%h`` asks for it."""
        if self.single:
            return Path(self.template)
        if identity.user in RESERVED:
            raise OperatorFault(f"the user name {identity.user!r} is that of a file of the server")
        if "/" in identity.user or identity.user.startswith("."):
            raise OperatorFault(f"the user name {identity.user!r} cannot be part of a path")
        return Path(_expand(self.template, identity))

    def index(self, identity: Identity) -> Path:
        """The file of a user's index, which may be deleted at any time."""
        return self.state / "index" / (quote(identity.user, safe="@+-_=") + ".sqlite")

    @property
    def certificate(self) -> Path:
        """Where the certificate that the server makes itself is kept."""
        return self.state / CERTIFICATE

    @property
    def private_key(self) -> Path:
        """Where its key is kept, mode 0600."""
        return self.state / PRIVATE_KEY


def places(config: Configuration) -> Places:
    """The places that a configuration names; makes the missing folders. ``ConfigError``."""
    root = _root(config)
    template = os.path.expanduser(config.maildir)
    single = "%" not in template and all(Path(template, folder).is_dir() for folder in MAILDIR_FOLDERS)
    state = state_folder(config)
    if not single and "%" not in template:
        template = str(Path(template, "%u"))
    _make(root, "--maildir")
    _make(state, "--state")
    _make(state / "index", "--state")
    return Places(template, single, users_file(config), state)


def users_file(config: Configuration) -> Path:
    """Where the users are: ``users``, or the file of that name in the fixed part of ``maildir``. ``ConfigError``."""
    return Path(config.users) if config.users else _root(config) / USERS_FILE


def state_folder(config: Configuration) -> Path:
    """Where index and certificate are: ``state``, systemd's state directory, or beside the users. ``ConfigError``."""
    return Path(config.state or os.environ.get("STATE_DIRECTORY", "").split(":")[0] or _root(config) / STATE_FOLDER)


def _root(config: Configuration) -> Path:
    """The fixed part of ``maildir``: the folder before its first variable."""
    if not config.maildir:
        raise ConfigError("--maildir", "", "a folder, or a template with %u, is needed")
    template = os.path.expanduser(config.maildir)
    for found in _VARIABLE.finditer(template):
        if found.group(1) not in _KNOWN:
            raise ConfigError("--maildir", config.maildir, "%u %n %d %h are understood")
    fixed, variable, _ = template.partition("%")
    return Path(os.path.dirname(fixed) if variable else template)


def _expand(template: str, identity: Identity) -> str:
    local, _, domain = identity.user.partition("@")
    values = {"u": identity.user, "{user}": identity.user, "n": local, "d": domain, "%": "%"}

    def value(found: re.Match[str]) -> str:
        name = found.group(1)
        if name in ("h", "{home}"):
            if not identity.home:
                raise OperatorFault(f"the entry of user {identity.user!r} has no home, and --maildir asks for it")
            return identity.home
        return values[name]

    return _VARIABLE.sub(value, template)


def _make(folder: Path, key: str) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(key, str(folder), f"the folder cannot be made ({error.strerror})") from error
