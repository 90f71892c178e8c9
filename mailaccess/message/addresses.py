r"""Address fields: From, To, Cc and their kind (RFC 5322 §3.4, §4.4).

    address-list = [address] *("," [address])               ; ";" is read as "," too: Outlook
    address      = mailbox / group
    group        = display-name ":" [address-list] ";"
    mailbox      = [display-name] "<" [route ":"] addr-spec ">" / addr-spec
    route        = 1*("@" domain [","])                     ; obsolete
    addr-spec    = local-part "@" domain

Almost every address in the wild is read by one expression; what it does not know goes to the patient reader, an entry
at a time. The patient reader takes anything (RFC 7103 §7.1): stray and missing brackets, quotes and parentheses, an
address as display name (``a@b <a@b>``: Outlook), a name without an address.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from mailaccess.message.headers import MAX_FIELD_OCTETS, unfold
from mailaccess.message.lexical import QUOTED_STRING, comment_end, unescape


@dataclass(frozen=True, slots=True)
class Address:
    """One mailbox. ``mailbox`` and ``host`` are empty where the message leaves them out."""

    name: bytes | None
    """Display name without its quotes, encoded words as they stand; None if there is none."""
    route: bytes | None
    """Source route ``@a,@b``, or None."""
    mailbox: bytes
    """Local part without its quotes."""
    host: bytes


@dataclass(frozen=True, slots=True)
class GroupStart:
    """The addresses up to the next ``GroupEnd`` are a group of this name."""

    name: bytes


@dataclass(frozen=True, slots=True)
class GroupEnd:
    """The end of a group; there is one for each ``GroupStart``."""


Item = Address | GroupStart | GroupEnd
GROUP_END: Final = GroupEnd()

_WORD: Final = rb'[^\x00-\x20()<>@,;:\\"\[\]\x7f]++'
_PHRASE: Final = rb'[^\x00-\x1f()<>@,;:\\"\[\]\x7f]*+'
_plain = re.compile(
    rb'[ \t]*+(?:(?:"([^"\\]*+)"[ \t]*+|(%b))<(%b)@(%b)>|(%b)@(%b))[ \t]*+(?:,|\Z)'
    % (_PHRASE, _WORD, _WORD, _WORD, _WORD)
).match
_token = re.compile(
    rb"(?P<space>[\x00-\x20\x7f]++)|(?P<word>%b)|%b|\\(?P<pair>.)|(?P<literal>\[(?:[^\[\]\\]|\\.)*+\])|(?P<mark>.)"
    % (_WORD, QUOTED_STRING.replace(b"(", b"(?P<quoted>", 1)),
    re.DOTALL,
).match
_opening = re.compile(rb"[<\s]*+(?:(@[^:<>\"()]*+):)?").match
_dot = re.compile(rb" ?\. ?")


def addresses(value: bytes) -> list[Item]:
    """The addresses and group marks of a field's raw value, in order. Never raises.

    No more than ``MAX_FIELD_OCTETS`` of the value are read.
    """
    return list(_items(unfold(value[:MAX_FIELD_OCTETS])))


def _items(value: bytes) -> Iterator[Item]:
    reader = _Reader(value)
    at, end = 0, len(value)
    while at < end:
        if found := _plain(value, at):
            at = found.end()
            yield _plain_address(found)
        else:
            reader.at = at
            yield from reader.entry()
            at = reader.at
    if reader.in_group:
        yield GROUP_END


def _plain_address(found: re.Match[bytes]) -> Address:
    quoted, phrase, mailbox, host, bare, bare_host = found.groups()
    if bare is not None:
        return Address(None, None, bare, bare_host)
    if quoted is None:
        quoted = b" ".join(phrase.split())
    return Address(quoted or None, None, mailbox, host)


@dataclass(slots=True)
class _Text:
    """Words as they come in, to be read as a phrase or as an addr-spec when it is known which they are."""

    pieces: list[bytes] = field(default_factory=list)
    at_sign: int = -1
    comment: bytes | None = None

    def phrase(self) -> bytes:
        return b"".join(self.pieces).strip(b" ")

    def address(self, name: bytes | None, route: bytes | None) -> Address:
        """An addr-spec. Without ``@`` one word is a local part, several are a display name (RFC 7103 §7.1.7)."""
        if self.at_sign < 0:
            words = self.phrase()
            return Address(name or words, route, b"", b"") if b" " in self.pieces else Address(name, route, words, b"")
        start = self._local_start()
        local = b"".join(piece for piece in self.pieces[start : self.at_sign] if piece != b" ")
        host = _dot.sub(b".", b"".join(self.pieces[self.at_sign + 1 :]).strip(b" ")).partition(b" ")[0]
        return Address(name or b"".join(self.pieces[:start]).strip(b" ") or None, route, local, host)

    def _local_start(self) -> int:
        """Behind the last white space that stands beside no dot: what is before it is a name without brackets."""
        pieces = self.pieces
        for index in range(self.at_sign - 2, 0, -1):
            is_dotted = pieces[index - 1].endswith(b".") or pieces[index + 1].startswith(b".")
            if pieces[index] == b" " and not is_dotted:
                return index + 1
        return 0


class _Reader:
    """Reads entries one by one from ``at``. Each octet is looked at a bounded number of times."""

    def __init__(self, value: bytes) -> None:
        self.value = value
        self.at = 0
        self.in_group = False
        self._comments_close = True

    def entry(self) -> Iterator[Item]:
        """What comes up to the next separator: an address, nothing, or a group's beginning or end."""
        text, stop = self._gather(b",;<" if self.in_group else b",;<:")
        if stop == b":":
            self.in_group = True
            yield GroupStart(text.phrase())
            return
        if stop == b"<":
            route = self._open_bracket()
            inner, inner_stop = self._gather(b">,;")
            stop = inner_stop if inner_stop != b">" else self._gather(b",;")[1]
            yield inner.address(text.phrase() or text.comment, route)
        elif text.pieces:
            yield text.address(text.comment, None)
        if stop == b";" and self.in_group:
            self.in_group = False
            yield GROUP_END

    def _open_bracket(self) -> bytes | None:
        """Excess brackets are skipped (RFC 7103 §7.1.2), a source route is kept."""
        found = _opening(self.value, self.at)
        assert found is not None
        self.at = found.end()
        return found[1] and b"".join(found[1].split())

    def _gather(self, stops: bytes) -> tuple[_Text, bytes]:
        """The words before the first of ``stops``, and which it was: empty at the end of the value."""
        text, spaced = _Text(), False
        while found := _token(self.value, self.at):
            self.at = found.end()
            kind, token = found.lastgroup, found[0]
            if kind == "space":
                spaced = True
                continue
            if kind == "mark":
                if token in stops and not (token == b":" and text.at_sign >= 0):
                    return text, token
                if token == b"(":
                    spaced = self._comment(text) or spaced
                    continue
                if token in b'()<>"[]\\':  # of a pair whose other half is missing: dropped (RFC 7103 §7.1.3-§7.1.6)
                    continue
                if token == b"@":
                    text.at_sign = len(text.pieces) + (spaced and bool(text.pieces))
            if spaced and text.pieces:
                text.pieces.append(b" ")
            spaced = False
            text.pieces.append(_content(found))
        return text, b""

    def _comment(self, text: _Text) -> bool:
        """Read the comment whose parenthesis was just passed; True if there is one. The last one is kept."""
        start = self.at - 1
        end = comment_end(self.value, start) if self._comments_close else -1
        if end < 0:
            self._comments_close = False
            return False
        text.comment = unescape(self.value[start + 1 : end - 1]).strip() or text.comment
        self.at = end
        return True


def _content(found: re.Match[bytes]) -> bytes:
    quoted: bytes | None = found["quoted"]
    if quoted is not None:
        return unescape(quoted)
    return found["pair"] or found[0]
