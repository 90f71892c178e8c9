"""From a login to an account: where ``auth``, ``mailbox`` and ``store`` meet.

One store and one account for each user and process, however many sessions he has; the last logout closes the store.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from twisted.cred.portal import IRealm
from twisted.internet.defer import Deferred
from zope.interface import implementer
from zope.interface.interface import InterfaceClass

from mailaccess.interfaces import IAccount, IMailStore
from mailaccess.mailbox.account import Account
from mailaccess.values import Identity

Logout = Callable[[], Awaitable[None]]


@dataclass(slots=True)
class _Open:
    """An account in use, and how many sessions hold it."""

    account: Account
    sessions: int = 0


@implementer(IRealm)
class MailRealm:
    """Gives each user the account that his sessions share.

    ``identity`` says who an avatar id is; ``open_store`` opens his mail.
    """

    def __init__(
        self,
        identity: Callable[[str], Identity],
        open_store: Callable[[Identity], IMailStore],
        separator: str,
    ) -> None:
        self._identity = identity
        self._open_store = open_store
        self._separator = separator
        self._open: dict[str, _Open] = {}

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
        return IAccount, opened.account, self._logout(user, opened)

    def _logout(self, user: str, opened: _Open) -> Callable[[], None]:
        held = [opened]

        def logout() -> None:
            if held:
                held.pop().sessions -= 1
                if not opened.sessions and self._open.get(user) is opened:
                    del self._open[user]
                    Deferred.fromCoroutine(_close(opened.account))

        return logout

    async def close(self) -> None:
        """Close every store, whoever still holds it: the server stops."""
        while self._open:
            _, opened = self._open.popitem()
            await _close(opened.account)


async def _close(account: Account) -> None:
    await account.store.close()
