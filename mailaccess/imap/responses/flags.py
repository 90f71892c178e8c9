"""Lists of flags (RFC 9051 §2.3.2, §9)."""

import re
from collections.abc import Iterable
from functools import lru_cache

from mailaccess.values import SYSTEM_FLAGS, Flag, Flags

# flag = "\" atom / atom. Keywords come from files that others write too: what is no flag is not told,
# since a blank or a line end in it would be read as something else.
_FLAG = re.compile(r"\\?[!#$&'+-\[^-z|}~]+")
_SYSTEM_ORDER = {flag: number for number, flag in enumerate(SYSTEM_FLAGS)}


@lru_cache(maxsize=65536)
def flag_list(flags: Flags, recent: bool = False) -> bytes:
    r"""``(\Answered \Seen $Label1)``: the same octets for the same set, made once. ``recent`` adds \Recent."""
    return b"(%b)" % b" ".join(ordered(flags) + ([rb"\Recent"] if recent else []))


def ordered(flags: Iterable[Flag]) -> list[bytes]:
    """System flags in the order of servers, then keywords by name."""
    known = sorted(flags, key=lambda flag: (_SYSTEM_ORDER.get(flag, len(_SYSTEM_ORDER)), flag.folded))
    return [flag.encode("ascii") for flag in known if _FLAG.fullmatch(flag)]
