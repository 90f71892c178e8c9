"""Starts a program as a unit's sandbox would, as far as that is system calls: for machines where no systemd runs.

``python sandbox.py UNIT PROGRAM ARGUMENTS…``. Of the unit are applied ``SystemCallFilter=`` (with EPERM),
``RestrictAddressFamilies=`` and ``MemoryDenyWriteExecute=``: what would surprise a program most. The last is what kept
OpenSSL's callbacks from being made, so the units do without it.
"""

import ctypes
import errno
import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

PR_SET_NO_NEW_PRIVS, PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN = 38, 65, 1
SCMP_ACT_ALLOW, SCMP_ACT_EPERM, SCMP_CMP_EQ = 0x7FFF0000, 0x00050000 | errno.EPERM, 4


class _Comparison(ctypes.Structure):
    _fields_ = (
        ("argument", ctypes.c_uint),
        ("operator", ctypes.c_int),
        ("first", ctypes.c_uint64),
        ("second", ctypes.c_uint64),
    )


def settings(unit: Path) -> dict[str, list[str]]:
    """Every assignment of a unit file, lines that go on joined."""
    found: dict[str, list[str]] = {}
    for line in unit.read_text().replace("\\\n", " ").splitlines():
        key, equals, value = line.partition("=")
        if equals and not line.startswith("#"):
            found.setdefault(key, []).append(value.strip())
    return found


def system_calls(filters: list[str]) -> set[str]:
    """The calls that lines of ``SystemCallFilter=`` leave: the first allows, ``~`` takes away."""
    allowed = set(_members("@default"))
    for line in filters:
        named = {call for word in line.removeprefix("~").split() for call in _members(word)}
        allowed = allowed - named if line.startswith("~") else allowed | named
    return allowed


def _members(name: str) -> Iterator[str]:
    if not name.startswith("@"):
        yield name
        return
    told = subprocess.run(["systemd-analyze", "syscall-filter", name], capture_output=True, text=True, check=True)
    for member in re.findall(r"^    (@?[a-z_0-9-]+)$", told.stdout, re.MULTILINE):
        yield from _members(member)


def apply(unit: dict[str, list[str]]) -> None:
    """Put this process into the sandbox."""
    calls = system_calls(unit["SystemCallFilter"])  # before the filter, which may not let us ask
    libc, seccomp = ctypes.CDLL(None, use_errno=True), ctypes.CDLL("libseccomp.so.2")
    seccomp.seccomp_init.restype = ctypes.c_void_p
    context = ctypes.c_void_p(seccomp.seccomp_init(SCMP_ACT_EPERM))
    for name in calls - {"socket"}:
        number = seccomp.seccomp_syscall_resolve_name(name.encode())
        if number >= 0:  # else this machine has no such call
            _checked(seccomp.seccomp_rule_add_array(context, SCMP_ACT_ALLOW, number, 0, None))
    number = seccomp.seccomp_syscall_resolve_name(b"socket")
    for family in unit["RestrictAddressFamilies"][0].split():
        of_family = _Comparison(0, SCMP_CMP_EQ, getattr(socket, family), 0)
        _checked(seccomp.seccomp_rule_add_array(context, SCMP_ACT_ALLOW, number, 1, ctypes.byref(of_family)))
    _checked(libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
    if unit.get("MemoryDenyWriteExecute") == ["yes"] and libc.prctl(PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN, 0, 0, 0):
        assert ctypes.get_errno() == errno.EINVAL  # a kernel before 6.3 has no such switch
    _checked(seccomp.seccomp_load(context))


def _checked(result: int) -> None:
    if result != 0:
        raise OSError(f"the sandbox cannot be made: {result}")


if __name__ == "__main__":
    apply(settings(Path(sys.argv[1])))
    os.execv(sys.argv[2], sys.argv[2:])
