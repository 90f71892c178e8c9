"""LIST and LSUB (RFC 9051 §6.3.9, RFC 5258, RFC 5819, RFC 6154)."""

from dataclasses import dataclass

from mailaccess.imap.grammar.names import list_mailbox, mailbox
from mailaccess.imap.grammar.status import StatusItem, status_items
from mailaccess.imap.grammar.tokens import BadSyntax, end, expect, keyword, next_is, refuse_keyword, skip, sp
from mailaccess.imap.wire import Arguments
from mailaccess.mailbox.listing import MAX_PATTERNS, Return, Selection

_SELECTIONS = {option.encode("ascii"): option for option in Selection}
_RETURNS = {option.encode("ascii"): option for option in Return}
_BASE = {Selection.SUBSCRIBED, Selection.SPECIAL_USE}


@dataclass(frozen=True, slots=True)
class ListArguments:
    """Of LIST and LSUB. ``extended``: it is RFC 5258's LIST, with options or a list of patterns, not the basic one.

    ``status`` is empty where RETURN (STATUS (…)) is not asked for (RFC 5819).
    """

    reference: str
    patterns: tuple[str, ...]
    selection: frozenset[Selection] = frozenset()
    returns: frozenset[Return] = frozenset()
    status: tuple[StatusItem, ...] = ()
    extended: bool = False


def list_arguments(arguments: Arguments, utf8: bool = False) -> ListArguments:
    """Read ``[SP list-select-opts] SP mailbox SP mbox-or-pat [SP list-return-opts]`` to the end."""
    sp(arguments)
    selection: frozenset[Selection] = frozenset()
    extended = next_is(arguments, b"(")
    if extended:
        selection = _selection(arguments)
        sp(arguments)
    reference = mailbox(arguments, utf8)
    sp(arguments)
    extended = extended or next_is(arguments, b"(")
    patterns = _patterns(arguments, utf8)
    if arguments.at_end:
        return ListArguments(reference, patterns, selection, extended=extended)
    sp(arguments)
    returns, status = _returns(arguments)
    end(arguments)
    return ListArguments(reference, patterns, selection, returns, status, extended=True)


def lsub_arguments(arguments: Arguments, utf8: bool = False) -> ListArguments:
    """Read ``SP mailbox SP list-mailbox`` to the end (RFC 3501 §6.3.9)."""
    sp(arguments)
    reference = mailbox(arguments, utf8)
    sp(arguments)
    pattern = list_mailbox(arguments, utf8)
    end(arguments)
    return ListArguments(reference, (pattern,))


def _selection(arguments: Arguments) -> frozenset[Selection]:
    # list-select-opts = "(" [(*(list-select-opt SP) list-select-base-opt *(SP list-select-opt))
    #                         / (list-select-independent-opt *(SP list-select-independent-opt))] ")"
    options: set[Selection] = set()
    expect(arguments, b"(")
    while not skip(arguments, b")"):
        if options:
            sp(arguments)
        word = keyword(arguments)
        if word not in _SELECTIONS:
            raise refuse_keyword(word, "LIST selection option")
        options.add(_SELECTIONS[word])
    if Selection.RECURSIVEMATCH in options and not options & _BASE:
        raise BadSyntax("RECURSIVEMATCH needs another selection option")
    return frozenset(options)


def _patterns(arguments: Arguments, utf8: bool) -> tuple[str, ...]:
    # mbox-or-pat = list-mailbox / patterns; patterns = "(" list-mailbox *(SP list-mailbox) ")"
    if not skip(arguments, b"("):
        return (list_mailbox(arguments, utf8),)
    patterns = [list_mailbox(arguments, utf8)]
    while not skip(arguments, b")"):
        sp(arguments)
        patterns.append(list_mailbox(arguments, utf8))
        if len(patterns) > MAX_PATTERNS:
            raise BadSyntax("Too many patterns")
    return tuple(patterns)


def _returns(arguments: Arguments) -> tuple[frozenset[Return], tuple[StatusItem, ...]]:
    # list-return-opts = "RETURN" SP "(" [return-option *(SP return-option)] ")"
    # return-option = "SUBSCRIBED" / "CHILDREN" / "SPECIAL-USE" / "STATUS" SP "(" status-att *(SP status-att) ")"
    if keyword(arguments) != b"RETURN":
        raise BadSyntax("Expected RETURN")
    sp(arguments)
    expect(arguments, b"(")
    options: set[Return] = set()
    status: dict[StatusItem, None] = {}
    while not skip(arguments, b")"):
        if options or status:
            sp(arguments)
        word = keyword(arguments)
        if word == b"STATUS":
            sp(arguments)
            status |= dict.fromkeys(status_items(arguments))
        elif word in _RETURNS:
            options.add(_RETURNS[word])
        else:
            raise refuse_keyword(word, "LIST return option")
    return frozenset(options), tuple(status)
