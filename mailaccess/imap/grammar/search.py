"""SEARCH (RFC 9051 §6.4.4, RFC 3501 §6.4.4, RFC 4731)."""

from enum import StrEnum


class SearchReturn(StrEnum):
    """What ESEARCH is to tell (RFC 4731 §3.1)."""

    MIN = "MIN"
    MAX = "MAX"
    ALL = "ALL"
    COUNT = "COUNT"


# SearchArguments(program: mailbox.criteria.<the program's type>, returns: frozenset[SearchReturn] | None)
#     returns None: a plain SEARCH; RETURN () is {ALL}.
# search_arguments(arguments: Arguments) -> SearchArguments; raises BadSyntax, or BadCharset (a ClientError with
#     code BADCHARSET, whose ``charsets`` are supported).
