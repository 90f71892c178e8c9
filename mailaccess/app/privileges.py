"""What a process gives up when its sockets are bound, and the file that says its number."""

import grp
import os
import pwd
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from mailaccess.errors import ConfigError


def take_descriptors() -> None:
    """Have as many descriptors as this process may have: the soft limit is 1024 almost everywhere, for ``select``.

    Not where programs are started: they inherit it, and may use ``select``.
    """
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


@dataclass(frozen=True, slots=True)
class Privileges:
    """``user`` and ``group`` by name or number, and ``pid_file``; empty for none."""

    user: str = ""
    group: str = ""
    pid_file: str = ""

    @contextmanager
    def in_force(self) -> Iterator[None]:
        """Write the file, become the user; the file goes at the end, where it still may. ``ConfigError``."""
        if self.pid_file:
            self._write_pid()
        self._become()
        try:
            yield
        finally:
            if self.pid_file:
                self._remove_pid()

    def _write_pid(self) -> None:
        try:
            Path(self.pid_file).write_text(f"{os.getpid()}\n", encoding="ascii")
        except OSError as error:
            raise ConfigError("pid", self.pid_file, f"it cannot be written ({error.strerror})") from error

    def _remove_pid(self) -> None:
        try:
            Path(self.pid_file).unlink(missing_ok=True)
        except PermissionError:  # of the user that we became: the next start writes it anew
            return

    def _become(self) -> None:
        if not self.user and not self.group:
            return
        user = _user(self.user) if self.user else None
        group = _group(self.group) if self.group else user.pw_gid if user is not None else os.getgid()
        try:
            if user is not None:
                os.initgroups(user.pw_name, group)
            else:
                os.setgroups([group])
            os.setgid(group)
            if user is not None:
                os.setuid(user.pw_uid)
        except PermissionError as error:
            raise ConfigError("setuid", self.user or self.group, "only root may become another user") from error


def _user(name: str) -> pwd.struct_passwd:
    try:
        return pwd.getpwuid(int(name)) if name.isdigit() else pwd.getpwnam(name)
    except KeyError:
        raise ConfigError("setuid", name, "there is no such user") from None


def _group(name: str) -> int:
    try:
        return int(name) if name.isdigit() else grp.getgrnam(name).gr_gid
    except KeyError:
        raise ConfigError("setgid", name, "there is no such group") from None
