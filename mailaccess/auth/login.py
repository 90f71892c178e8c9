"""What both protocols call: from a name and a proof to an account, or to words that a client may read.

1. No password is looked at before the address has waited for its earlier failures.
2. A refusal takes a second at least, and is the same for an unknown user, a wrong password and an impossible name.
3. While it waits, an attempt holds nothing but its connection. Whoever stops waiting for it (cancels its Deferred, or
   closes its coroutine) ends it, and an account that is found all the same is let go at once.
4. No password comes into the log, nor into an error.
"""

from collections.abc import Callable, Coroutine
from typing import Any, NamedTuple, NoReturn

from twisted.cred.credentials import ICredentials
from twisted.cred.error import LoginDenied, UnauthorizedLogin
from twisted.cred.portal import Portal
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IReactorTime
from zope.interface import Interface

from mailaccess.auth.apop import ApopDigest
from mailaccess.auth.credentials import BadCredential, PeerPassword, password_octets, user_name
from mailaccess.auth.penalties import FIRST_SECONDS, Penalties
from mailaccess.errors import ClientError, Code
from mailaccess.interfaces import IEvents
from mailaccess.values import Peer


class Avatar(NamedTuple):
    """Who logged in, as ``twisted.cred`` has it: the account, and what must be called when it is no longer used."""

    account: Any
    logout: Callable[[], Any]


class Login:
    """Asks ``portal`` for an avatar that provides ``interface``. ``clock`` waits; ``events`` is told of failures.

    ``apop_offered`` says whether there is anybody now who can use APOP.
    """

    def __init__(
        self,
        portal: Portal,
        interface: type[Interface],
        *,
        penalties: Penalties,
        clock: IReactorTime,
        events: IEvents,
        apop_offered: Callable[[], bool] = lambda: False,
    ) -> None:
        self._portal = portal
        self._interface = interface
        self._penalties = penalties
        self._clock = clock
        self._events = events
        self._apop_offered = apop_offered

    async def password(self, user: str, password: str, peer: Peer) -> Avatar:
        """The account of ``user``, if ``password`` is his.

        ``ClientError``: AUTHENTICATIONFAILED; AUTHORIZATIONFAILED where he may not log in; UNAVAILABLE where it cannot
        be known now; and whatever the realm wants a client to read.
        """
        return await self._login(
            user, password, peer, lambda: PeerPassword(user_name(user).encode(), password_octets(password), peer)
        )

    @property
    def apop(self) -> Callable[[str, str, str, Peer], Coroutine[Any, Any, Avatar]] | None:
        """The same for user, timestamp, digest and peer (RFC 1939 §7); None where the greeting has no timestamp."""
        return self._digest if self._apop_offered() else None

    async def _digest(self, user: str, timestamp: str, digest: str, peer: Peer) -> Avatar:
        return await self._login(
            user, digest, peer, lambda: ApopDigest(user_name(user).encode(), timestamp, digest, peer)
        )

    async def _login(self, user: str, proof: str, peer: Peer, credentials: Callable[[], ICredentials]) -> Avatar:
        waited = self._penalties.delay_seconds(peer.host)
        await self._sleep(waited)
        try:
            avatar = await self._ask(credentials())
        except (BadCredential, UnauthorizedLogin) as error:
            self._penalties.failed(peer.host, self._penalties.attempt(user, proof))
            self._failed(user, peer, str(error) or "wrong user or password")
            await self._sleep(FIRST_SECONDS - waited)
            raise ClientError(Code.AUTHENTICATIONFAILED, "Authentication failed") from None
        except LoginDenied as error:
            self._failed(user, peer, str(error) or "denied")
            raise ClientError(Code.AUTHORIZATIONFAILED, "This account may not log in") from None
        except (ClientError, CancelledError):
            raise
        except Exception as error:
            self._broken(error)
        self._penalties.succeeded(peer.host)
        return avatar

    async def _ask(self, credentials: ICredentials) -> Avatar:
        asked = self._portal.login(credentials, None, self._interface)
        try:
            _, account, logout = await asked
        except GeneratorExit:
            asked.addCallbacks(lambda found: found[2](), lambda _: None)
            asked.cancel()
            raise
        return Avatar(account, logout)

    async def _sleep(self, seconds: float) -> None:
        if seconds <= 0:
            return
        over: Deferred[None] = Deferred()
        call = self._clock.callLater(seconds, over.callback, None)
        try:
            await over
        finally:
            if call.active():
                call.cancel()

    def _failed(self, user: str, peer: Peer, reason: str) -> None:
        self._events.event("login_failed", user=user, address=peer.host, port=peer.local_port, reason=reason)

    def _broken(self, error: Exception) -> NoReturn:
        incident = self._events.incident("login", error)
        raise ClientError(Code.UNAVAILABLE, f"Logins are not possible now, incident {incident}") from error
