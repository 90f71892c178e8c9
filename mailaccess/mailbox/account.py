"""One user's mailboxes: which are open, and the rules for making, naming and removing them."""

from collections.abc import Awaitable, Callable, Iterable, Sequence

from zope.interface import implementer

from mailaccess.errors import ClientError, Code, NoSuchMailbox
from mailaccess.interfaces import IAccount, IMailStore, Upload
from mailaccess.mailbox.listing import Listed, Return, Selection, listing, lsub
from mailaccess.mailbox.names import Pattern, check_limits, normal
from mailaccess.mailbox.shared import SharedMailbox
from mailaccess.mailbox.view import MailboxView
from mailaccess.values import (
    INBOX,
    Appended,
    Identity,
    MailboxInfo,
    MailboxName,
    MailboxStatus,
    SpecialUse,
)


@implementer(IAccount)
class Account:
    """The account that all sessions of a user share in a process. ``separator`` is the hierarchy's on the wire.

    Names given to it come from ``names.parse``. A name that is not in Normalization Form C means the mailbox of exactly
    that name where there is one, since other programs may have made it, and else its normal form (RFC 9051 §5.1).
    """

    def __init__(self, identity: Identity, store: IMailStore, separator: str = ".") -> None:
        self.identity = identity
        self.store = store
        self.separator = separator
        self._open: dict[str, SharedMailbox] = {}

    async def open(self, name: MailboxName, read_only: bool = False) -> MailboxView:
        """A new view of a mailbox, up to date; ``NoSuchMailbox``. All views of a mailbox share what is known of it.

        The view ends with :meth:`close`. Between the store's answer and the view nothing is awaited, so that of two
        openings at once the second finds what the first began.
        """
        mailbox = await self.store.open(await self._existing(name))
        shared = self._open.get(mailbox.mailbox_id)
        if shared is None or shared.gone is not None:
            shared = self._open[mailbox.mailbox_id] = SharedMailbox(mailbox, self._put_away)
        return MailboxView(shared, read_only or not mailbox.writable)

    def close(self, view: MailboxView) -> None:
        """End a view (CLOSE, UNSELECT, the end of a session); the last one lets go of the mailbox. Harmless twice."""
        view.close()

    async def listing(
        self,
        patterns: Sequence[Pattern],
        selection: frozenset[Selection] = frozenset(),
        returns: frozenset[Return] = frozenset(),
    ) -> list[Listed]:
        """The answer to LIST (``mailbox.listing``)."""
        subscriptions = Selection.SUBSCRIBED in selection or Return.SUBSCRIBED in returns
        subscribed = await self.store.subscriptions() if subscriptions else frozenset[MailboxName]()
        return listing(await self.store.mailboxes(), subscribed, patterns, selection, returns)

    async def lsub(self, patterns: Sequence[Pattern]) -> list[Listed]:
        """The answer to LSUB (``mailbox.listing``)."""
        return lsub(await self.store.subscriptions(), patterns)

    async def create(self, name: MailboxName, special_use: SpecialUse | None = None) -> str:
        """Make a mailbox and return its id (RFC 9051 §6.3.4, RFC 6154 §3, RFC 8474 §4.1).

        ``ClientError(ALREADYEXISTS | CANNOT | USEATTR)``.
        """
        if name.is_inbox:
            raise ClientError(Code.ALREADYEXISTS, "INBOX always exists")
        return await self.store.create(normal(name), special_use)

    async def delete(self, name: MailboxName) -> None:
        """Remove a mailbox with its messages; its children stay (RFC 9051 §6.3.5).

        ``ClientError(CANNOT | HASCHILDREN)``, ``NoSuchMailbox``.
        """
        if name.is_inbox:
            raise ClientError(Code.CANNOT, "INBOX cannot be deleted")
        mailboxes = await self.store.mailboxes()
        name = _found(name, mailboxes)
        if not _exists(name, mailboxes):
            if any(info.name.is_below(name) for info in mailboxes):
                raise ClientError(Code.HASCHILDREN, "This name is only the parent of other mailboxes")
            raise NoSuchMailbox
        await self.store.delete(name)

    async def rename(self, old: MailboxName, new: MailboxName) -> None:
        """Give a mailbox and those below it another name; of INBOX only the messages move (RFC 9051 §6.3.6).

        ``ClientError(ALREADYEXISTS | CANNOT)``, ``NoSuchMailbox``.
        """
        mailboxes = await self.store.mailboxes()
        old, new = _found(old, mailboxes), normal(new)
        moving = [info.name for info in mailboxes if info.name.is_below(old) and not old.is_inbox]
        if not moving and not _exists(old, mailboxes):
            raise NoSuchMailbox
        if new.is_below(old) and not old.is_inbox:
            raise ClientError(Code.CANNOT, "A mailbox cannot be moved below itself")
        for target in (new, *(name.moved(old, new) for name in moving)):
            check_limits(target)
            if target.is_inbox or _exists(target, mailboxes):
                raise ClientError(Code.ALREADYEXISTS, "There is a mailbox of the new name, or below it")
        await self.store.rename(old, new)

    async def subscribe(self, name: MailboxName, subscribed: bool) -> None:
        """Add a name to the subscriptions, or take it out; it need not exist (RFC 9051 §6.3.7, §6.3.8)."""
        await self.store.subscribe(await self._existing(name), subscribed)

    async def status(self, name: MailboxName, size: bool = False) -> MailboxStatus:
        """A mailbox's numbers; ``NoSuchMailbox`` (RFC 9051 §6.3.11, RFC 8438)."""
        return await self.store.status(await self._existing(name), size)

    async def append(self, name: MailboxName, uploads: Iterable[Upload]) -> Appended:
        """Store messages, all or nothing (RFC 9051 §6.3.12). ``NoSuchMailbox(code=TRYCREATE)``, ``OverQuota``."""
        return await self.store.append(await self._existing(name), uploads)

    async def target(self, name: MailboxName) -> MailboxName:
        """What ``IMailbox.copy`` and ``move`` are to be given for a name that a client wrote."""
        return await self._existing(name)

    def lock_maildrop(self) -> Awaitable[Callable[[], None]]:
        """POP3's exclusive lock on INBOX (RFC 1939 §4): returns what releases it. ``MailboxInUse``."""
        return self.store.lock_maildrop()

    async def logout(self) -> None:
        """The last session ends: let go of everything."""
        self._open.clear()
        await self.store.close()

    def _put_away(self, shared: SharedMailbox) -> None:
        if self._open.get(shared.mailbox.mailbox_id) is shared:
            del self._open[shared.mailbox.mailbox_id]

    async def _existing(self, name: MailboxName) -> MailboxName:
        return name if normal(name) == name else _found(name, await self.store.mailboxes())


def _found(name: MailboxName, mailboxes: Iterable[MailboxInfo]) -> MailboxName:
    """The name where something has it, and else its normal form."""
    return name if any(info.name == name or info.name.is_below(name) for info in mailboxes) else normal(name)


def _exists(name: MailboxName, mailboxes: Iterable[MailboxInfo]) -> bool:
    """Whether there is a mailbox of this name, and not only below it. INBOX there is always."""
    return name == INBOX or any(info.selectable and info.name == name for info in mailboxes)
