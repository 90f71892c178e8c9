"""The header fields that mail programs list and search by, kept in the index: no file is opened for them."""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Final

from mailaccess.message import headers
from mailaccess.store.index import Index
from mailaccess.values import UID

FREQUENT: Final = frozenset(
    b"bcc cc content-type date from importance in-reply-to list-id list-post list-unsubscribe message-id newsgroups"
    b" priority references reply-to sender subject to x-priority".split()
)
"""What the lists of Thunderbird, mutt, Apple's and Horde's programs show or thread by, and SEARCH has keys for."""

KEPT_OCTETS: Final = 8 * 1024
"""Of one message; where 5,000 people are addressed, the file is read."""


@lru_cache(maxsize=64)
def are_frequent(names: tuple[bytes, ...]) -> bool:
    """Whether these fields, in any case, are among those that are kept."""
    return FREQUENT.issuperset(name.lower() for name in names)


class FrequentFields:
    """The frequent fields of some messages of a mailbox: read from the index at once, when the first is asked for."""

    def __init__(self, index: Index, mailbox: int, uids: Sequence[UID]) -> None:
        self._index = index
        self._mailbox = mailbox
        self._uids = uids
        self._kept: dict[int, bytes] | None = None
        self._learned: list[tuple[UID, bytes]] = []

    def of(self, uid: UID, header: Callable[[], bytes]) -> bytes:
        """A message's frequent fields and the empty line; ``header`` is called where they are not known yet."""
        if self._kept is None:
            self._kept = self._index.fields(self._mailbox, self._uids)
        known = self._kept.get(uid)
        if known is None:
            known = headers.select(header(), FREQUENT)
            if len(known) <= KEPT_OCTETS:
                self._learned.append((uid, known))
        return known

    def keep(self) -> None:
        """Put what was learned into the index."""
        if self._learned:
            self._index.keep_fields(self._mailbox, self._learned)
