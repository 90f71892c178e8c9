"""FETCH of what is known without opening a message: a join over columns (RFC 9051 §7.5.2)."""

from collections.abc import Callable, Iterable, Sequence
from typing import TypeAlias

from mailaccess.imap.grammar.fetch import Attribute, FetchItem
from mailaccess.imap.responses.fetch import internal_date
from mailaccess.imap.responses.flags import flag_list
from mailaccess.mailbox.view import Row
from mailaccess.values import Flags, NumberSet

COLUMN_ITEMS = frozenset({Attribute.FLAGS, Attribute.UID, Attribute.INTERNALDATE, Attribute.SIZE, Attribute.MODSEQ})
"""The items that columns answer."""

MEASURED_ITEMS = frozenset({Attribute.INTERNALDATE, Attribute.SIZE})
"""Those that the store may have yet to look up."""

_FORMATS = {
    Attribute.UID: b"UID %d",
    Attribute.FLAGS: b"FLAGS %b",
    Attribute.MODSEQ: b"MODSEQ (%d)",
    Attribute.SIZE: b"RFC822.SIZE %d",
    Attribute.INTERNALDATE: b"INTERNALDATE %b",
}

Columns: TypeAlias = tuple[Iterable[int], Sequence[int], Sequence[Flags], Sequence[int], Sequence[int], Sequence[int]]


class ColumnFormat:
    r"""Formats the columns' items of one FETCH, in the order of ``items``. From ``recent`` UIDs are \Recent."""

    def __init__(self, items: Sequence[FetchItem], recent: NumberSet) -> None:
        wanted = [item for item in items if isinstance(item, Attribute) and item in COLUMN_ITEMS]
        self._columns = [_COLUMNS[item] for item in wanted]
        self._parts = b" ".join(_FORMATS[item] for item in wanted)
        self._recent = recent

    def lines(self, rows: Sequence[Row]) -> bytes:
        """Whole responses, one for each row."""
        line = b"* %d FETCH (" + self._parts + b")\r\n"
        return b"".join([line % values for values in zip(*self._values(rows, numbered=True), strict=True)])

    def parts(self, rows: Sequence[Row]) -> list[bytes]:
        """What the columns have to say of each row, nothing perhaps; other parts stand behind it."""
        if not rows or not self._columns:
            return [b""] * len(rows)
        return [self._parts % values for values in zip(*self._values(rows, numbered=False), strict=True)]

    def _values(self, rows: Sequence[Row], *, numbered: bool) -> list[Iterable[object]]:
        columns: Columns = tuple(zip(*rows, strict=True))  # type: ignore[assignment]  # rows turned into columns
        values: list[Iterable[object]] = [columns[0]] if numbered else []
        values += [column(columns, self._recent) for column in self._columns]
        return values


def _flags(columns: Columns, recent: NumberSet) -> Iterable[bytes]:
    if not recent:
        return map(flag_list, columns[2])
    return [flag_list(flags, uid in recent) for uid, flags in zip(columns[1], columns[2], strict=True)]


_COLUMNS: dict[Attribute, Callable[[Columns, NumberSet], Iterable[object]]] = {
    Attribute.UID: lambda columns, recent: columns[1],
    Attribute.FLAGS: _flags,
    Attribute.MODSEQ: lambda columns, recent: columns[3],
    Attribute.SIZE: lambda columns, recent: columns[4],
    Attribute.INTERNALDATE: lambda columns, recent: map(internal_date, columns[5]),
}
