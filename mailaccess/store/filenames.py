"""Names of message files: the only place where flags are letters.

A name is ``<base>:2,<letters>``, with the base ``<seconds>.<unique>.<host>[,S=<octets>][,W=<octets on the wire>]``. The
base is a message's identity and never changes; the letters are its flags. Letters that we do not know, fields behind a
second comma and fields of other programs in the base are kept as they are.
"""

import itertools
import os
import re
import socket
import time
from collections.abc import Callable, Mapping
from typing import NamedTuple

from mailaccess.values import ANSWERED, DELETED, DRAFT, FLAGGED, FORWARDED, SEEN, Flag, Flags, flags

LETTERS = {"D": DRAFT, "F": FLAGGED, "P": FORWARDED, "R": ANSWERED, "S": SEEN, "T": DELETED}
"""The letters that every Maildir program knows. Dovecot does not know P, and keeps it."""

KEYWORD_LETTERS = "abcdefghijklmnopqrstuvwxyz"
"""Dovecot's letters for the keywords of a folder, whose names are in ``dovecot-keywords``."""

NAME_BYTES = 255
"""What a file system allows for a name."""

_CONTROL = re.compile(r"[\0-\x1f\x7f]")
_INFOS = ("2,", "1,")  # behind the colon: flags, or what was to be an experiment
_LETTER_OF = {flag: letter for letter, flag in LETTERS.items()}
_FIELD = re.compile(r",([SW])=(\d{1,15})(?=,|\Z)")
_SECONDS = re.compile(r"\d{1,15}")
_MICROSECONDS = re.compile(r"\.M(\d{1,15})")

Keywords = Mapping[str, Flag]
"""From a keyword's letter to the keyword, as one folder has them."""


class FileName(NamedTuple):
    """A name in its parts; ``foreign`` begins with the comma behind the letters, where there is one."""

    base: str
    letters: str = ""
    foreign: str = ""

    def __str__(self) -> str:
        return f"{self.base}:2,{self.letters}{self.foreign}"


def parse(name: str) -> FileName:
    """The parts of a name; in ``new/`` there is only a base."""
    base, colon, info = name.rpartition(":")
    if not (colon and info.startswith(_INFOS)):
        return FileName(name)
    if info[0] != "2":
        return FileName(base_of(base), "", info[1:])
    letters, comma, foreign = info[2:].partition(",")
    return FileName(base_of(base), letters, comma + foreign)


def base_of(name: str) -> str:
    """The base of a name, a message's identity: what is before the last colon, where that begins the flags.

    A base may contain a colon itself, and is its own base: the UID list has bases, and names with flags in it.
    """
    base, colon, info = name.rpartition(":")
    if not (colon and info.startswith(_INFOS)):
        return name
    return base_of(base) if ":" in base else base


def can_be_listed(name: str) -> bool:
    """Whether a name has a base that a line of a UID list can hold."""
    return name[0] != ":" and (name.isprintable() or not _CONTROL.search(name))


def flags_of(letters: str, keywords: Keywords) -> Flags:
    """The flags that letters stand for; those that mean nothing here are passed over."""
    return flags(flag for letter in letters if (flag := LETTERS.get(letter) or keywords.get(letter)) is not None)


def with_flags(name: FileName, after: Flags, letter_of: Mapping[Flag, str]) -> FileName:
    """The name for these flags. ``letter_of`` has the keywords' letters; letters without a meaning stay."""
    meant = {letter_of[flag] for flag in after if flag in letter_of}
    meant |= {_LETTER_OF[flag] for flag in after if flag in _LETTER_OF}
    unknown = set(name.letters) - set(LETTERS) - set(letter_of.values())
    return name._replace(letters="".join(sorted(meant | unknown)))


def sizes(base: str) -> tuple[int, int]:
    """``(octets of the file, octets on the wire)`` as the base says, -1 where it does not."""
    found = {key: int(digits) for key, digits in _FIELD.findall(base)}
    return found.get("S", -1), found.get("W", -1)


def order(base: str) -> tuple[int, int, str]:
    """The key by which new messages get their UIDs, Dovecot's: seconds, microseconds, name."""
    seconds = _SECONDS.match(base)
    microseconds = _MICROSECONDS.search(base)
    return int(seconds[0]) if seconds else 0, int(microseconds[1]) if microseconds else 0, base


class UniqueNames:
    """Makes bases that no other delivery has: time, process and a counter, so that a clock may go back."""

    _counter = itertools.count(1)  # the process's: two accounts may deliver into one folder in the same microsecond

    def __init__(self, clock: Callable[[], float] = time.time, host: str | None = None) -> None:
        self._clock = clock
        self._host = (host or socket.gethostname()).replace("/", "\\057").replace(":", "\\072")[:100]

    def __call__(self) -> str:
        """A new base, without sizes."""
        seconds, fraction = divmod(self._clock(), 1)
        return f"{int(seconds)}.M{int(fraction * 1_000_000)}P{os.getpid()}Q{next(self._counter)}.{self._host}"


def with_sizes(base: str, size: int, wire_size: int) -> str:
    """The base with what the file's size is, on disk and on the wire; -1 leaves a size out."""
    return base + (f",S={size}" if size >= 0 else "") + (f",W={wire_size}" if wire_size >= 0 else "")
