"""From a login to an account: where ``auth``, ``mailbox`` and ``store`` meet.

One store and one account for each user and process, however many sessions he has. Clients come back at once (POP3's
every minute, mail programs with several connections one after the other): so a store stays open for some seconds after
the last logout, and only of so many users.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from twisted.cred.portal import IRealm
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from zope.interface import implementer
from zope.interface.interface import InterfaceClass

from mailaccess.interfaces import IAccount, IEvents, IMailStore
from mailaccess.mailbox.account import Account
from mailaccess.values import Identity

Logout = Callable[[], Awaitable[None]]

KEPT_SECONDS = 10.0
"""How long a store stays open after the last logout."""

KEPT_ACCOUNTS = 50
"""Of so many users: each holds its index open, and the rows of the mailboxes that were last in use."""


@dataclass(slots=True)
class _Open:
    """An account in use, and how many sessions hold it; when none does, the call that will close it."""

    account: Account
    sessions: int = 0
    closing: IDelayedCall | None = None


@implementer(IRealm)
class MailRealm:
    """Gives each user the account that his sessions share.

    ``identity`` says who an avatar id is; ``open_store`` opens his mail; ``clock`` is the reactor's.
    """

    def __init__(
        self,
        identity: Callable[[str], Identity],
        open_store: Callable[[Identity], IMailStore],
        separator: str,
        clock: IReactorTime,
        events: IEvents,
    ) -> None:
        self._identity = identity
        self._open_store = open_store
        self._separator = separator
        self._clock = clock
        self._events = events
        self._open: dict[str, _Open] = {}
        self._kept: dict[str, _Open] = {}
        """Those of ``_open`` that no session holds, the one that was left first at the beginning."""

    def requestAvatar(self, avatarId: Any, mind: Any, *interfaces: InterfaceClass) -> Any:  # noqa: N802, N803
        """``(IAccount, account, logout)`` for a user who proved who he is (``twisted.cred``)."""
        if IAccount not in interfaces:
            raise NotImplementedError(f"an account provides IAccount, not {interfaces}")
        user = avatarId.decode() if isinstance(avatarId, bytes) else str(avatarId)
        opened = self._open.get(user)
        if opened is None:
            identity = self._identity(user)
            opened = self._open[user] = _Open(Account(identity, self._open_store(identity), self._separator))
        opened.sessions += 1
        if self._kept.pop(user, None) is not None and opened.closing is not None:
            opened.closing.cancel()
        return IAccount, opened.account, self._logout(user, opened)

    def _logout(self, user: str, opened: _Open) -> Callable[[], None]:
        held = [opened]

        def logout() -> None:
            if held:
                held.pop().sessions -= 1
                if not opened.sessions and self._open.get(user) is opened:
                    self._keep(user, opened)

        return logout

    def _keep(self, user: str, opened: _Open) -> None:
        """Nobody holds an account any more: close it after a while, or another one at once."""
        opened.closing = self._clock.callLater(KEPT_SECONDS, self._drop, user)
        self._kept[user] = opened
        if len(self._kept) > KEPT_ACCOUNTS:
            oldest, left = next(iter(self._kept.items()))
            assert left.closing is not None
            left.closing.cancel()
            self._drop(oldest)

    def _drop(self, user: str) -> None:
        opened = self._kept.pop(user)
        del self._open[user]
        Deferred.fromCoroutine(self._close(opened.account))

    async def close(self) -> None:
        """Close every store, whoever still holds it: the server stops."""
        while self._kept:
            closing = self._kept.popitem()[1].closing
            assert closing is not None
            closing.cancel()
        while self._open:
            _, opened = self._open.popitem()
            await self._close(opened.account)

    async def _close(self, account: Account) -> None:
        """Let go of an account; a disk that fails keeps no other account from being closed."""
        try:
            await account.store.close()
        except Exception as error:  # whatever a store raises, here it only delays the end
            self._events.incident(f"closing the mail of {account.identity.user}", error)
