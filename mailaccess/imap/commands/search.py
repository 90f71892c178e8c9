"""SEARCH and UID SEARCH (RFC 9051 §6.4.4, RFC 4731, RFC 7162 §3.1.5, §3.1.10)."""

from collections.abc import Sequence

from mailaccess.imap.context import Context, Reply, ok
from mailaccess.imap.grammar.search import SearchArguments, SearchReturn
from mailaccess.imap.responses import data
from mailaccess.mailbox.search import Found
from mailaccess.mailbox.search import search as find
from mailaccess.mailbox.view import Pair
from mailaccess.values import ModSeq

_ENDS = frozenset({SearchReturn.MIN, SearchReturn.MAX})


async def search(context: Context, arguments: SearchArguments) -> Reply:
    """Find messages; tell their sequence numbers."""
    return await _search(context, arguments, by_uid=False)


async def uid_search(context: Context, arguments: SearchArguments) -> Reply:
    """Find messages; tell their UIDs."""
    return await _search(context, arguments, by_uid=True)


async def _search(context: Context, arguments: SearchArguments, by_uid: bool) -> Reply:
    if arguments.asks_modseq:
        context.enable_condstore()
    found = await find(context.view, arguments.program)
    numbers = [uid if by_uid else number for number, uid in found.pairs]
    if arguments.returns is None:
        context.write(data.search(numbers, found.modseq))
    else:
        modseq = _modseq(context, arguments.returns, found)
        context.write(_esearch(context.tag, by_uid, arguments.returns, numbers, modseq))
    return ok("SEARCH completed")


def _esearch(
    tag: bytes, by_uid: bool, returns: frozenset[SearchReturn], numbers: Sequence[int], modseq: ModSeq | None
) -> bytes:
    """MIN, MAX and ALL are left out where nothing was found; COUNT is not (RFC 4731 §3.1)."""
    return data.esearch(
        tag,
        by_uid,
        minimum=numbers[0] if numbers and SearchReturn.MIN in returns else None,
        maximum=numbers[-1] if numbers and SearchReturn.MAX in returns else None,
        every=numbers if SearchReturn.ALL in returns else None,
        count=len(numbers) if SearchReturn.COUNT in returns else None,
        modseq=modseq,
    )


def _modseq(context: Context, returns: frozenset[SearchReturn], found: Found) -> ModSeq | None:
    """The highest MODSEQ of what is told: of MIN and MAX where nothing else is (RFC 7162 §3.1.10)."""
    if found.modseq is None or not returns <= _ENDS:
        return found.modseq
    ends: list[Pair] = []
    if SearchReturn.MIN in returns:
        ends.append(found.pairs[0])
    if SearchReturn.MAX in returns:
        ends.append(found.pairs[-1])
    return max((row[3] for end in ends for row in context.view.rows([end])), default=found.modseq)
