"""The users file: Dovecot's passwd-file, read.

``user:{SCHEME}secret:uid:gid:gecos:home:shell:extra``, where everything behind the secret may be left out. As Dovecot
has it: a secret without ``{SCHEME}`` is CRYPT; lines that are empty or begin with ``#`` say nothing; the first of two
lines for one user counts; uid and gid are numbers; ``extra`` is ``key=value`` between blanks, and may have colons.

Unlike Dovecot, a line that cannot be right says so and is left out: a scheme that is not known, a user name that cannot
be a folder's, a broken ``allow_nets``.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from mailaccess.auth.credentials import BadCredential, user_name
from mailaccess.auth.schemes import BadSecret, Secret, read
from mailaccess.values import Identity

DEFAULT_SCHEME = "CRYPT"
"""Dovecot's for this file."""

MAX_ID = 2**32 - 2
"""The highest uid and gid; 2**32 - 1 means none."""

Network = IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True)
class Entry:
    """One user. ``secret`` is None where nobody logs in with a password; ``extra`` keeps every field, by its key."""

    user: str
    secret: Secret | None = field(repr=False)
    scheme: str = ""
    uid: int | None = None
    gid: int | None = None
    gecos: str = ""
    home: str = ""
    shell: str = ""
    extra: Mapping[str, str] = field(default_factory=dict)
    networks: tuple[Network, ...] | None = None
    """``allow_nets``: where he may come from; None: anywhere."""

    @property
    def may_log_in(self) -> bool:
        """False where the field ``nologin`` stands."""
        return "nologin" not in self.extra

    @property
    def identity(self) -> Identity:
        """Who he is, as the realm wants to know it."""
        return Identity(self.user, self.uid, self.gid, self.home, tuple(self.extra.items()))

    def admits(self, host: str) -> bool:
        """Whether he may come from ``host``; what is no address (a UNIX socket's) is in no network."""
        if self.networks is None:
            return True
        try:
            address = ip_address(host.partition("%")[0])
        except ValueError:
            return False
        mapped = getattr(address, "ipv4_mapped", None) or address
        return any(mapped in network or address in network for network in self.networks)


@dataclass(frozen=True, slots=True)
class Problem:
    """A line that is left out, by its number from 1, and why; never what stood in it."""

    line: int
    text: str


@dataclass(frozen=True, slots=True)
class Users:
    """All users by name, in the file's order, and what could not be read."""

    entries: Mapping[str, Entry]
    problems: tuple[Problem, ...] = ()


def parse(lines: Iterable[str]) -> Users:
    """Read the lines of a users file, with or without their ends."""
    entries: dict[str, Entry] = {}
    problems: list[Problem] = []
    for number, raw in enumerate(lines, 1):
        line = raw.rstrip("\r\n")
        if not line or line.startswith("#"):
            continue
        try:
            entry = parse_line(line)
        except (BadCredential, BadSecret, _BadLine) as error:
            problems.append(Problem(number, str(error)))
            continue
        if entry.user in entries:
            problems.append(Problem(number, "this user stands in the file already; the first line counts"))
        else:
            entries[entry.user] = entry
    return Users(entries, tuple(problems))


class _BadLine(ValueError):
    """A line that is not in the form."""


def parse_line(line: str) -> Entry:
    """Read one line that is neither empty nor a comment; ``ValueError`` or ``BadSecret`` where it is not right."""
    if any(character < " " and character != "\t" for character in line):
        raise _BadLine("control characters")
    user, colon, rest = line.partition(":")
    if not colon:
        raise _BadLine("no colon behind the user name")
    secret, uid, gid, gecos, home, shell, tail = (*rest.split(":", 6), *[""] * 6)[:7]
    stored = secret if secret.startswith("{") else f"{{{DEFAULT_SCHEME}}}{secret}"
    extra = _extra(tail)
    return Entry(
        user=user_name(user),
        secret=read(stored),
        scheme=stored[1 : stored.index("}")].partition(".")[0].upper(),
        uid=_id(uid),
        gid=_id(gid),
        gecos=gecos,
        home=home,
        shell=shell,
        extra=extra,
        networks=_networks(extra["allow_nets"]) if "allow_nets" in extra else None,
    )


def _id(text: str) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 10 and int(text) <= MAX_ID):
        raise _BadLine("uid and gid are numbers")
    return int(text)


def _extra(tail: str) -> dict[str, str]:
    if tail.startswith(":"):  # Dovecot 1.0's form: an empty field, then where mail lies
        return {"userdb_mail": tail[1:]} if tail[1:] else {}
    return {key: value for key, _, value in (item.partition("=") for item in tail.split())}


def _networks(text: str) -> tuple[Network, ...]:
    """``allow_nets``: networks and addresses between commas. ``local`` is a UNIX socket, which is in none."""
    try:
        return tuple(ip_network(item, strict=False) for item in text.split(",") if item != "local")
    except ValueError:
        raise _BadLine("allow_nets is a list of networks between commas") from None
