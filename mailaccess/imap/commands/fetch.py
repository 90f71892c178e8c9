r"""FETCH and UID FETCH (RFC 9051 §6.4.5, §7.5.2; RFC 7162 §3.1.4).

Answers go out in batches, and between two of them the client takes what it has: memory is bounded by one batch,
whatever was asked for. Messages that are gone, and not yet told, are left out (RFC 2180 §4.1), and the reply says so.
"""

from collections.abc import Iterator, Sequence

from mailaccess.errors import ClientError, Code
from mailaccess.imap.commands.columns import COLUMN_ITEMS, MEASURED_ITEMS, ColumnFormat
from mailaccess.imap.commands.contents import ContentReader
from mailaccess.imap.context import Context, Reply, no, ok
from mailaccess.imap.grammar.fetch import Attribute, FetchArguments, FetchItem, SectionItem
from mailaccess.mailbox.view import Pair, Row
from mailaccess.message.sections import Kind
from mailaccess.values import SEEN, UID, FlagChange, flags

ROWS_AT_ONCE = 1000
"""Messages answered from columns before the client must take them: about 64 KiB."""

MESSAGES_AT_ONCE = 64
"""Messages opened in one call of the store; others' work on the account runs between two calls."""


async def fetch(context: Context, arguments: FetchArguments) -> Reply:
    """Tell of messages named by sequence number."""
    return await _fetch(context, arguments, by_uid=False)


async def uid_fetch(context: Context, arguments: FetchArguments) -> Reply:
    """Tell of messages named by UID; the answers have it, asked for or not."""
    return await _fetch(context, arguments, by_uid=True)


async def _fetch(context: Context, arguments: FetchArguments, by_uid: bool) -> Reply:
    items = arguments.items
    if by_uid and Attribute.UID not in items:
        items = (Attribute.UID, *items)
    if Attribute.MODSEQ in items:
        context.enable_condstore()
    pairs = context.view.uids_of(arguments.numbers, by_uid)
    answer = _Answer(context, arguments, items)
    found = 0
    for start in range(0, len(pairs), ROWS_AT_ONCE):
        found += await answer.tell(pairs[start : start + ROWS_AT_ONCE])
    if found < len(pairs) and not by_uid:
        return no("Some messages are gone", Code.EXPUNGEISSUED)
    return ok("FETCH completed")


class _Answer:
    """The answer to one FETCH, batch by batch."""

    def __init__(self, context: Context, arguments: FetchArguments, items: tuple[FetchItem, ...]) -> None:
        self._context = context
        self._view = context.view
        self._changed_since = arguments.changed_since
        self._sets_seen = arguments.sets_seen and not context.view.read_only
        self._items = items
        self._with_flags = Attribute.FLAGS in items
        self._columns = ColumnFormat(items, self._view.recent_uids)
        told_changes = (Attribute.FLAGS, Attribute.MODSEQ) if context.condstore else (Attribute.FLAGS,)
        self._flag_parts = ColumnFormat([item for item in told_changes if item not in items], self._view.recent_uids)
        self._contents = ContentReader(context, items)
        self._only_columns = COLUMN_ITEMS.issuperset(items)
        self._tells_size = not MEASURED_ITEMS.isdisjoint(items)
        self._may_be_large = any(map(_may_be_large, items))

    async def tell(self, pairs: Sequence[Pair]) -> int:
        """Tell of these messages; returns how many of them there still are."""
        needs_size = self._tells_size or (self._may_be_large and len(pairs) > 1)
        if needs_size:
            await self._view.shared.measured(uid for _, uid in pairs)
        rows = self._view.rows(pairs)
        if needs_size:
            rows = [row for row in rows if row[4] >= 0]
        here = len(rows)
        if self._changed_since is not None:
            rows = [row for row in rows if row[3] > self._changed_since]
        if self._only_columns:
            await self._tell_columns(rows)
            return here
        for batch in _batches(rows, self._context.limits.output_buffer_bytes):
            here -= await self._tell_contents(batch)
        return here

    async def _tell_columns(self, rows: Sequence[Row]) -> None:
        if rows:
            self._context.write(self._columns.lines(rows))
            if self._with_flags:
                self._told(rows)
            await self._context.drain()

    async def _tell_contents(self, rows: Sequence[Row]) -> int:
        """Tell of messages that must be opened; returns how many were gone by then."""
        contents = await self._contents.read([row[1] for row in rows])
        here = [row for row in rows if row[1] in contents]
        newly_seen = await self._set_seen(here) if self._sets_seen else {}
        here = [newly_seen.get(row[1], row) for row in here]
        for row, columns in zip(here, self._columns.parts(here), strict=True):
            number, uid = row[:2]
            changed = self._flag_parts.parts([row])[0] if uid in newly_seen and not self._with_flags else b""
            await self._contents.write(number, b" ".join(filter(None, (columns, changed))), contents[uid])
        self._told(here if self._with_flags else list(newly_seen.values()))
        self._context.counts.fetched += len(here)
        return len(rows) - len(here)

    async def _set_seen(self, rows: Sequence[Row]) -> dict[UID, Row]:
        r"""Set \Seen where it is missing; returns the changed rows. What cannot be marked can be read all the same."""
        unseen = {row[1]: row for row in rows if SEEN not in row[2]}
        if not unseen:
            return {}
        try:
            stored = await self._view.shared.mailbox.store(list(unseen), FlagChange.ADD, flags([SEEN]))
        except ClientError:
            return {}
        changed = {row.uid: row for row in stored.changed}
        return {
            uid: (number, uid, changed[uid].flags, changed[uid].modseq, size, date)
            for number, uid, _, _, size, date in unseen.values()
            if uid in changed
        }

    def _told(self, rows: Sequence[Row]) -> None:
        self._view.shown((uid, told) for _, uid, told, *_ in rows)


def _batches(rows: Sequence[Row], most_octets: int) -> Iterator[Sequence[Row]]:
    """Messages to open together: not too many, nor too large for what one client may hold; a larger one comes alone."""
    batch: list[Row] = []
    octets = 0
    for row in rows:
        if batch and (len(batch) == MESSAGES_AT_ONCE or octets + row[4] > most_octets):
            yield batch
            batch, octets = [], 0
        batch.append(row)
        octets += row[4]
    if batch:
        yield batch


def _may_be_large(item: FetchItem) -> bool:
    """Whether the answer may have as many octets as the message: then messages are opened together by their sizes."""
    return isinstance(item, SectionItem) and item.section.kind not in (Kind.FIELDS, Kind.FIELDS_NOT)
