"""SEARCH (RFC 9051 §6.4.4, RFC 3501 §6.4.4, RFC 4731, RFC 7162 §3.1.5)."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from mailaccess.errors import ClientError, Code
from mailaccess.imap.grammar.dates import date
from mailaccess.imap.grammar.flags import flag_keyword
from mailaccess.imap.grammar.sets import sequence_set
from mailaccess.imap.grammar.tokens import (
    BadSyntax,
    astring,
    end,
    expect,
    keyword,
    next_is,
    number64,
    refuse_keyword,
    skip,
    sp,
    string,
)
from mailaccess.imap.wire import Arguments
from mailaccess.mailbox import criteria
from mailaccess.mailbox.criteria import MAX_DEPTH, Criterion, FlagIs
from mailaccess.values import ANSWERED, DELETED, DRAFT, FLAGGED, SEEN, ModSeq

CHARSETS = {
    "US-ASCII": "ascii",
    "UTF-8": "utf-8",
    "ISO-8859-1": "latin-1",
    "ISO-8859-15": "iso8859-15",
    "WINDOWS-1252": "cp1252",
}
"""IANA's names and Python's. Clients send UTF-8; old ones in Western Europe what their terminal had."""


class BadCharset(ClientError):
    """SEARCH in a charset that is not known: NO [BADCHARSET (…)] (RFC 9051 §6.4.4)."""

    charsets = tuple(CHARSETS)

    def __init__(self) -> None:
        super().__init__(Code.BADCHARSET, "This charset is not known here")


class SearchReturn(StrEnum):
    """What ESEARCH is to tell (RFC 4731 §3.1)."""

    MIN = "MIN"
    MAX = "MAX"
    ALL = "ALL"
    COUNT = "COUNT"


@dataclass(frozen=True, slots=True)
class SearchArguments:
    """``returns`` is None for a plain SEARCH; RETURN () means ALL (RFC 4731 §3.1)."""

    program: Criterion
    returns: frozenset[SearchReturn] | None = None

    @property
    def asks_modseq(self) -> bool:
        """Whether MODSEQ is searched for, so that the answer tells it, and CONDSTORE is on (RFC 7162 §3.1.5)."""
        return any(isinstance(key, criteria.ModSeqFrom) for key in criteria.every(self.program))


def search_arguments(arguments: Arguments) -> SearchArguments:
    """Read ``[search-return-opts] SP search-program`` to the end.

    Raises ``BadSyntax``; ``BadCharset``; ``ClientError(LIMIT)`` where the keys are too many or nested too deep.
    """
    # search-program = ["CHARSET" SP charset SP] search-key *(SP search-key)
    sp(arguments)
    word = _word(arguments)
    returns = None
    if word == b"RETURN":
        sp(arguments)
        returns = _return_options(arguments)
        sp(arguments)
        word = _word(arguments)
    encoding = "utf-8"  # RFC 9051 §6.4.4; RFC 3501's US-ASCII is part of it
    if word == b"CHARSET":
        sp(arguments)
        encoding = _charset(arguments)
        sp(arguments)
        word = _word(arguments)
    program = _keys(arguments, word, _Scope(encoding))
    end(arguments)
    criteria.check_limits(program)
    return SearchArguments(program, returns)


@dataclass(frozen=True, slots=True)
class _Scope:
    encoding: str
    depth: int = 1

    def inner(self) -> "_Scope":
        """One level deeper; each costs three stack frames, so that the limit is checked here and not afterwards."""
        if self.depth >= MAX_DEPTH:
            raise ClientError(Code.LIMIT, f"Search keys may be nested {MAX_DEPTH} deep")
        return _Scope(self.encoding, self.depth + 1)


_NO_WORD = frozenset(b"(*0123456789")


def _word(arguments: Arguments) -> bytes | None:
    """The next keyword; None, and nothing read, before a parenthesis or a sequence set."""
    return None if arguments.peek() in _NO_WORD else keyword(arguments)


def _return_options(arguments: Arguments) -> frozenset[SearchReturn]:
    # search-return-opts = SP "RETURN" SP "(" [search-return-opt *(SP search-return-opt)] ")"
    options: set[SearchReturn] = set()
    expect(arguments, b"(")
    while not skip(arguments, b")"):
        if options:
            sp(arguments)
        word = keyword(arguments)
        if word not in _RETURNS:
            raise refuse_keyword(word, "SEARCH return option")
        options.add(_RETURNS[word])
    return frozenset(options or {SearchReturn.ALL})


def _charset(arguments: Arguments) -> str:
    # charset = atom / quoted; RFC 3501: astring
    encoding = CHARSETS.get(astring(arguments).decode("ascii", "replace").upper())
    if encoding is None:
        raise BadCharset
    return encoding


def _keys(arguments: Arguments, word: bytes | None, scope: _Scope) -> Criterion:
    """Read ``search-key *(SP search-key)``, where the first keyword was read already."""
    keys = [_key(arguments, word, scope)]
    while skip(arguments, b" "):
        keys.append(_key(arguments, _word(arguments), scope))
    return keys[0] if len(keys) == 1 else criteria.And(tuple(keys))


def _key(arguments: Arguments, word: bytes | None, scope: _Scope) -> Criterion:
    # search-key = … / sequence-set / "(" search-key *(SP search-key) ")"
    if word is None:
        if not skip(arguments, b"("):
            return criteria.Sequence(sequence_set(arguments))
        inside = _keys(arguments, _word(arguments), scope.inner())
        expect(arguments, b")")
        return inside
    if word in _PLAIN:
        return _PLAIN[word]
    reader = _WITH_ARGUMENTS.get(word)
    if reader is None:
        raise refuse_keyword(word, "search key")
    sp(arguments)
    return reader(arguments, scope)


def _not(arguments: Arguments, scope: _Scope) -> Criterion:
    return criteria.Not(_key(arguments, _word(arguments), scope.inner()))


def _or(arguments: Arguments, scope: _Scope) -> Criterion:
    inner = scope.inner()
    left = _key(arguments, _word(arguments), inner)
    sp(arguments)
    return criteria.Or(left, _key(arguments, _word(arguments), inner))


def _text(arguments: Arguments, scope: _Scope) -> str:
    try:
        return astring(arguments).decode(scope.encoding)
    except UnicodeDecodeError:
        raise BadSyntax("A string is not in the charset of the search") from None


def _header(arguments: Arguments, scope: _Scope) -> Criterion:
    # "HEADER" SP header-fld-name SP astring
    name = astring(arguments)
    if not name.isascii():
        raise BadSyntax("Expected the name of a header field")
    sp(arguments)
    return criteria.Header(name.decode("ascii"), _text(arguments, scope))


def _modseq(arguments: Arguments, _scope: _Scope) -> Criterion:
    # search-modsequence = "MODSEQ" [SP entry-name SP entry-type-req] SP mod-sequence-valzer   (RFC 7162 §7)
    # There is one MODSEQ for all of a message: which flag is meant does not matter (RFC 7162 §3.1.5).
    if next_is(arguments, b'"'):
        if not string(arguments).lower().startswith(b"/flags/"):
            raise BadSyntax("Expected the name of an entry, such as /flags/$Forwarded")
        sp(arguments)
        if keyword(arguments) not in (b"PRIV", b"SHARED", b"ALL"):
            raise BadSyntax("Expected priv, shared or all")
        sp(arguments)
    return criteria.ModSeqFrom(ModSeq(number64(arguments)))


def _contained_in(field: str) -> "_Reader":
    return lambda arguments, scope: criteria.Header(field, _text(arguments, scope))


def _day(key: Callable[..., Criterion]) -> "_Reader":
    return lambda arguments, _scope: key(date(arguments))


def _octets(key: Callable[[int], Criterion]) -> "_Reader":
    return lambda arguments, _scope: key(number64(arguments))


_Reader = Callable[[Arguments, _Scope], Criterion]

_RETURNS = {option.encode("ascii"): option for option in SearchReturn}

_PLAIN: dict[bytes, Criterion] = {
    b"ALL": criteria.All(),
    b"ANSWERED": FlagIs(ANSWERED),
    b"DELETED": FlagIs(DELETED),
    b"DRAFT": FlagIs(DRAFT),
    b"FLAGGED": FlagIs(FLAGGED),
    b"NEW": criteria.NEW,
    b"OLD": criteria.OLD,
    b"RECENT": criteria.Recent(),
    b"SEEN": FlagIs(SEEN),
    b"UNANSWERED": FlagIs(ANSWERED, False),
    b"UNDELETED": FlagIs(DELETED, False),
    b"UNDRAFT": FlagIs(DRAFT, False),
    b"UNFLAGGED": FlagIs(FLAGGED, False),
    b"UNSEEN": FlagIs(SEEN, False),
}

_WITH_ARGUMENTS: dict[bytes, _Reader] = {
    b"BCC": _contained_in("Bcc"),
    b"BEFORE": _day(criteria.Before),
    b"BODY": lambda arguments, scope: criteria.Body(_text(arguments, scope)),
    b"CC": _contained_in("Cc"),
    b"FROM": _contained_in("From"),
    b"HEADER": _header,
    b"KEYWORD": lambda arguments, _scope: FlagIs(flag_keyword(arguments)),
    b"LARGER": _octets(criteria.Larger),
    b"MODSEQ": _modseq,
    b"NOT": _not,
    b"ON": _day(criteria.On),
    b"OR": _or,
    b"SENTBEFORE": _day(criteria.SentBefore),
    b"SENTON": _day(criteria.SentOn),
    b"SENTSINCE": _day(criteria.SentSince),
    b"SINCE": _day(criteria.Since),
    b"SMALLER": _octets(criteria.Smaller),
    b"SUBJECT": _contained_in("Subject"),
    b"TEXT": lambda arguments, scope: criteria.Text(_text(arguments, scope)),
    b"TO": _contained_in("To"),
    b"UID": lambda arguments, _scope: criteria.UIDs(sequence_set(arguments)),
    b"UNKEYWORD": lambda arguments, _scope: FlagIs(flag_keyword(arguments), False),
}
