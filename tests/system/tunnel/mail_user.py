"""A user of this machine with a mailbox: popa3d and GNU pop3d know no other kind."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from corpus import messages
from server_process import program

SPOOL = Path("/var/mail")
PASSWORD = "correct-horse"


@dataclass(frozen=True)
class MailUser:
    """Her name, password and mailbox file (mbox)."""

    name: str
    password: str = PASSWORD

    @property
    def mailbox(self) -> Path:
        """Where the daemons look for her mail."""
        return SPOOL / self.name

    def receive(self, count: int) -> list[bytes]:
        """Put ``count`` messages, and nothing else, into her mailbox; their texts, with LF."""
        sent = list(messages(count))
        self.mailbox.write_bytes(b"".join(_in_mbox(message) for message in sent))
        self.mailbox.chmod(0o660)
        shutil.chown(self.mailbox, self.name, "mail")
        return sent


def _in_mbox(message: bytes) -> bytes:
    assert b"\nFrom " not in message
    return b"From sender@example.org Mon Jun  1 10:00:00 2026\n" + message + b"\n"


@contextmanager
def mail_user() -> Iterator[MailUser]:
    """Make a user, which only root can, and remove her afterwards."""
    if os.geteuid() != 0:
        pytest.skip("only root can make the user that this daemon asks for")
    user = MailUser(f"mailtunnel{os.getpid()}")
    command = [program("useradd"), "--no-create-home", "--home-dir", "/nonexistent", "--shell", "/usr/sbin/nologin"]
    subprocess.run([*command, user.name], check=True, capture_output=True)
    try:
        subprocess.run([program("chpasswd")], input=f"{user.name}:{user.password}".encode(), check=True)
        yield user
    finally:
        user.mailbox.unlink(missing_ok=True)
        subprocess.run([program("userdel"), "--force", user.name], check=True, capture_output=True)
