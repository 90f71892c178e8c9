"""The maildrop of one session (RFC 1939 §4 to §6).

1. Numbers are given once, at login, and stay: a mark for deletion, an expunge by an IMAP session, and an arrival move
   none of them. What arrives later belongs to the next session.
2. Sizes are octets on the wire, as RETR sends them, without byte-stuffing.
3. Marks live here alone. Nothing is removed before ``commit``, which removes all that is marked or, where it raises,
   nothing; a session that ends in another way removes nothing.
4. The exclusive lock is taken before the messages are counted, and let go by ``close``, whatever happened.

A message that an IMAP session expunged is still counted and listed here, since a client that was told of it once must
not see numbers or totals change; only fetching it fails.
"""

from array import array
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from mailaccess.changes import Change, Expunged, Reset
from mailaccess.errors import ClientError, Code, StoreUnavailable
from mailaccess.interfaces import IContent, IMailbox, IMailStore
from mailaccess.values import INBOX, UID, MessageRow

T = TypeVar("T")

AHEAD_BYTES = 64 * 1024
"""Octets of further messages that are read with one: clients fetch one after the other, and each call costs a worker's
turn."""


class Maildrop:
    """The messages that one session sees, and its marks. :meth:`open` makes one; :meth:`close` ends it."""

    def __init__(self, mailbox: IMailbox, release: Callable[[], None]) -> None:
        self._mailbox = mailbox
        self._release: Callable[[], None] | None = release
        self._replaced = False
        self._uids = array("I")
        self._sizes = array("Q")
        self._marked = bytearray()
        self._ahead: dict[int, bytes] = {}
        self._fetched = -1
        self.count = 0
        """Messages that are not marked."""
        self.octets = 0
        """Their octets."""

    @classmethod
    async def open(cls, store: IMailStore) -> "Maildrop":
        """Lock INBOX and number its messages. ``MailboxInUse``, ``StoreUnavailable``."""
        release = await store.lock_maildrop()
        try:
            mailbox = await store.open(INBOX)
            maildrop = cls(mailbox, release)
            rows = mailbox.listen(maildrop._changed)
        except BaseException:
            release()
            raise
        try:
            await maildrop._number(rows)
        except BaseException:
            maildrop.close()
            raise
        return maildrop

    async def _number(self, rows: Sequence[MessageRow]) -> None:
        """Give the numbers: a message that vanishes while it is measured gets none."""
        unmeasured = [row.uid for row in rows if row.size < 0]
        measured = {uid: size for uid, size, _ in await self._mailbox.measure(unmeasured)} if unmeasured else {}
        for row in rows:
            size = row.size if row.size >= 0 else measured.get(row.uid, -1)
            if size >= 0:
                self._uids.append(row.uid)
                self._sizes.append(size)
        self.reset()

    def _changed(self, change: Change) -> None:
        if isinstance(change, Expunged | Reset):
            self._ahead.clear()
        if isinstance(change, Reset):
            self._replaced = True

    @property
    def numbered(self) -> int:
        """The highest message-number, marked or not."""
        return len(self._uids)

    def numbers(self) -> Iterator[int]:
        """The numbers of the messages that are not marked (RFC 1939 §5)."""
        return (at + 1 for at, mark in enumerate(self._marked) if not mark)

    def size(self, number: int) -> int:
        """The octets of a message, marked or not."""
        return self._sizes[number - 1]

    def check(self, number: int) -> None:
        """``ClientError`` where no message has this number, or it is marked (RFC 1939 §5)."""
        if not 1 <= number <= self.numbered:
            raise ClientError(Code.NONEXISTENT, f"No such message, only {self.numbered} in maildrop")
        if self._marked[number - 1]:
            raise ClientError(Code.NONEXISTENT, f"Message {number} is deleted")

    def mark(self, number: int) -> None:
        """Mark a message, which ``check`` approved, for removal."""
        self._marked[number - 1] = 1
        self.count -= 1
        self.octets -= self._sizes[number - 1]

    def reset(self) -> None:
        """Take every mark away."""
        self._marked = bytearray(self.numbered)
        self.count = self.numbered
        self.octets = sum(self._sizes)

    async def unique_ids(self, numbers: Sequence[int]) -> Sequence[bytes]:
        """The unique-ids of messages (RFC 1939 §7)."""
        self._check_not_replaced()
        return await self._mailbox.uidls([self._uid(number) for number in numbers])

    async def read(self, number: int, function: Callable[[IContent], T]) -> T:
        """What ``function``, which runs in a worker thread, makes of a message; ``ClientError`` where it is gone."""
        self._check_not_replaced()
        ((_, result),) = await self._mailbox.read([self._uid(number)], function)
        if result is None:
            raise _removed(number)
        return result

    async def fetch(self, number: int, length: int) -> bytes:
        """The first octets of a message, at most ``length``; ``ClientError`` where it is gone.

        Of a client that fetches in order, small messages that follow are read too, and kept until it asks for them.
        """
        self._check_not_replaced()
        if number not in self._ahead:
            numbers = [number, *(self._following(number, length) if number == self._fetched + 1 else ())]
            read = await self._mailbox.read(list(map(self._uid, numbers)), lambda content: content.octets(0, length))
            found = zip(numbers, read, strict=True)
            self._ahead = {each: octets for each, (_, octets) in found if octets is not None}
        self._fetched = number
        octets = self._ahead.pop(number, None)
        if octets is None:
            raise _removed(number)
        return octets

    def _following(self, number: int, length: int) -> Iterator[int]:
        """The messages behind one that are small enough to be read with it."""
        octets = 0
        for each in range(number + 1, self.numbered + 1):
            octets += self.size(each)
            if octets > min(AHEAD_BYTES, length) or self._marked[each - 1]:
                return
            yield each

    async def commit(self) -> int:
        """Remove all that is marked, or raise and remove nothing; how many were marked (RFC 1939 §6).

        Those that another session removed before are removed, and no error.
        """
        marked = [UID(uid) for uid, mark in zip(self._uids, self._marked, strict=True) if mark]
        if marked:
            self._check_not_replaced()
            await self._mailbox.expunge(marked)
        return len(marked)

    def close(self) -> None:
        """Let go of the mailbox and its lock. Harmless when repeated."""
        if self._release is not None:
            release, self._release = self._release, None
            try:
                self._mailbox.ignore(self._changed)
            finally:
                release()

    def _uid(self, number: int) -> UID:
        return UID(self._uids[number - 1])

    def _check_not_replaced(self) -> None:
        """UIDs mean nothing any more when the mailbox has been replaced by another."""
        if self._replaced:
            raise StoreUnavailable("The maildrop was replaced: log in again")


def _removed(number: int) -> ClientError:
    return ClientError(Code.EXPUNGEISSUED, f"Message {number} was removed by another session")
