r"""What structured header fields have in common (RFC 5322 §3.2, RFC 2045 §5.1).

    comment       = "(" *(ctext / quoted-pair / comment) ")"        ; they nest, without a bound
    quoted-string = DQUOTE *(qtext / quoted-pair) DQUOTE
    quoted-pair   = "\" any

Everything here takes time linear in its input: no recursion, and no expression that can be tried again from inside of
what it has read.
"""

import re
from typing import Final

QUOTED_STRING: Final = rb'"((?:[^"\\]++|\\.)*+)"'
"""Matches a quoted string; its group is the content, quoted pairs and all. Needs ``re.DOTALL``."""

_paren_or_pair = re.compile(rb"[()]|\\.", re.DOTALL).finditer
_opening = re.compile(QUOTED_STRING + rb"|\\.|(?:\A|(?<=[ \t\r\n;]))(\()", re.DOTALL).search
_pair = re.compile(rb"\\(.)", re.DOTALL)


def comment_end(value: bytes, start: int) -> int:
    """The offset behind the comment that opens at ``start``, or -1 if it is never closed."""
    depth = 0
    for match in _paren_or_pair(value, start):
        found = match[0]
        if found == b"(":
            depth += 1
        elif found == b")":
            depth -= 1
            if not depth:
                return match.end()
    return -1


def without_comments(value: bytes) -> bytes:
    """The value with each comment outside of quoted strings taken out.

    A parenthesis opens a comment only at the beginning and behind white space or ``;``: mail programs leave
    ``name=report(1).pdf`` unquoted. What is never closed stays.
    """
    if b"(" not in value:
        return value
    kept, at, look = [], 0, 0
    while found := _opening(value, look):
        look = found.end()
        if found[2]:
            end = comment_end(value, found.start())
            if end < 0:
                break
            kept.append(value[at : found.start()])
            at = look = end
    kept.append(value[at:])
    return b"".join(kept)


def unescape(content: bytes) -> bytes:
    """The content of a quoted string or comment with its quoted pairs resolved."""
    return _pair.sub(rb"\1", content) if b"\\" in content else content
