"""Maildrops of stock Twisted: what provides ``twisted.mail.interfaces.IMailboxPOP3``, as an account that we serve.

The interface has its limits, and so have sessions on it: no lock; a message is read whole; and its octets are counted
as the provider counts them, who may hold lines that end with LF.
"""

import re
from collections.abc import Callable, Sequence
from inspect import isawaitable
from typing import Any, TypeVar

from mailaccess.interfaces import Listener
from mailaccess.values import UID, Identity, MailboxName, MessageRow, ModSeq, NumberSet

T = TypeVar("T")

_LINE_END = re.compile(rb"\r?\n")


class StockAccount:
    """The account of ``user``, whose only mail is what ``mailbox``, an ``IMailboxPOP3``, holds."""

    def __init__(self, user: str, mailbox: Any) -> None:
        self.identity = Identity(user)
        self.store = StockMaildrop(mailbox)


class StockMaildrop:
    """An ``IMailboxPOP3`` as POP3's part of IMailStore and IMailbox; the message at index 0 has the UID 1."""

    def __init__(self, mailbox: Any) -> None:
        self._mailbox = mailbox
        self._rows: list[MessageRow] = []
        self._read: tuple[UID, StockContent] | None = None  # for the next slice of it

    async def lock_maildrop(self) -> Callable[[], None]:
        """Nothing to lock with."""
        return lambda: None

    async def open(self, name: MailboxName) -> "StockMaildrop":
        """List the messages; one of no octets is deleted, as the interface has it."""
        sizes = await _settled(self._mailbox.listMessages())
        self._rows = [MessageRow(UID(at), frozenset(), ModSeq(1), size) for at, size in enumerate(sizes, 1) if size]
        return self

    def listen(self, listener: Listener) -> Sequence[MessageRow]:
        """The messages as they were listed; nothing is ever announced."""
        return self._rows

    def ignore(self, listener: Listener) -> None:
        """Nothing is ever announced."""

    async def uidls(self, uids: Sequence[UID]) -> Sequence[bytes]:
        """The unique-ids."""
        return [await _settled(self._mailbox.getUidl(uid - 1)) for uid in uids]

    async def read(
        self, uids: Sequence[UID], function: Callable[["StockContent"], T]
    ) -> Sequence[tuple[UID, T | None]]:
        """Apply ``function`` to each message; None for one that the provider does not find any more."""
        contents = [(uid, await self._content(uid)) for uid in uids]
        return [(uid, None if content is None else function(content)) for uid, content in contents]

    async def expunge(self, uids: Sequence[UID], deleted_only: bool = False) -> NumberSet:
        """Delete all, or none as far as the provider can take deletions back."""
        try:
            for uid in uids:
                await _settled(self._mailbox.deleteMessage(uid - 1))
            await _settled(self._mailbox.sync())
        except BaseException:
            await _settled(self._mailbox.undeleteMessages())
            raise
        return NumberSet.of(uids)

    async def _content(self, uid: UID) -> "StockContent | None":
        if self._read is None or self._read[0] != uid:
            try:
                file = await _settled(self._mailbox.getMessage(uid - 1))
            except (ValueError, IndexError):  # the interface's word, before and after Twisted's ticket 6669
                return None
            try:
                self._read = uid, StockContent(_LINE_END.sub(b"\r\n", file.read()))
            finally:
                file.close()
        return self._read[1]


class StockContent:
    """POP3's part of IContent."""

    def __init__(self, wire: bytes) -> None:
        self._wire = wire

    def header(self) -> bytes:
        """The header with its blank line."""
        header, blank, _ = self._wire.partition(b"\r\n\r\n")
        return header + blank

    def octets(self, offset: int, length: int) -> bytes:
        """At most ``length`` octets from ``offset`` on."""
        return self._wire[offset : offset + length]


async def _settled(result: Any) -> Any:
    """A method's result, which may be a Deferred."""
    return await result if isawaitable(result) else result
