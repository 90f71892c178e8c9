"""PostgreSQL's protocol, version 3, as far as the tunnel must know it (its manual: Frontend/Backend Protocol).

ABNF of what a client may begin with (Message Formats there)::

    request     = length code *OCTET  ; 4 octets each, and the length counts itself
    SSLRequest, GSSENCRequest and CancelRequest have codes of their own; StartupMessage has the protocol's version

From version 17 a client may begin with the TLS handshake itself (``sslnegotiation=direct``), whose first octet is %x16.
"""

from struct import pack

from mailaccess.tunnel.conversation import Conversation
from mailaccess.tunnel.faults import Mismatch, Refused, shown
from mailaccess.tunnel.protocols.clientfirst import ClientFirst
from mailaccess.tunnel.spoken import BAD_COMMANDS

REQUEST_BYTES = 10_000
"""The longest message that a client begins with: PostgreSQL's own bound."""

ANSWER_BYTES = 30_000
"""The longest message of a server before the login: libpq's bound."""

SSL_REQUEST, GSSENC_REQUEST, CANCEL_REQUEST = 80877103, 80877104, 80877102
_VERSION_3_0, _MAJOR_VERSION = 196608, 3

_HANDSHAKE = b"\x16"  # RFC 8446 §5.1: the type of a record
_ACCEPTED, _DECLINED = b"S", b"N"
_ERROR, _AUTHENTICATION, _TERMINATE = b"E", b"R", b"X"
_BEFORE_LOGIN = (_AUTHENTICATION, b"N", b"v")  # a notice, or a lower version of the protocol, may come before
_AUTHENTICATION_OK, _AUTHENTICATION_SASL = bytes(4), (10).to_bytes(4)
_WITH_BINDING = b"SCRAM-SHA-256-PLUS"  # RFC 7677 §3

# SQLSTATE (its manual, Appendix A)
_INVALID_AUTHORIZATION, _CANNOT_CONNECT_NOW = "28000", "57P03"
_ILL = ("53", "57P", "58", "XX")
"""Classes: no resources (53300: too many connections), starting up or shutting down, system errors, its own faults."""


async def _read_request(near: Conversation) -> bytes:
    """A message that a client begins with, whole. ``Refused`` where it is none."""
    length = int.from_bytes(await near.peek(4))
    if not 8 <= length <= REQUEST_BYTES:
        raise Refused("the client does not begin as PostgreSQL's do")
    return await near.exactly(length)


def _request(code: int, contents: bytes = b"") -> bytes:
    return pack("!II", 8 + len(contents), code) + contents


def _error(state: str, text: str) -> bytes:
    """ErrorResponse: severity (twice: in the user's language, and in English), SQLSTATE, message."""
    fields = b"".join(part.encode() + b"\0" for part in ("SFATAL", "VFATAL", f"C{state}", f"M{text}"))
    return _message(_ERROR, fields + b"\0")


def _message(kind: bytes, contents: bytes) -> bytes:
    """A message of either side, once the client has begun."""
    return kind + (4 + len(contents)).to_bytes(4) + contents


class _PostgreSQL(ClientFirst):
    """See :class:`~mailaccess.tunnel.spoken.Spoken`."""

    def unavailable(self, text: str) -> bytes:
        """An error as a server gives it that starts up: clients try again."""
        return _error(_CANNOT_CONNECT_NOW, text)

    # -- Server's role

    async def offer_tls(self, near: Conversation, greeting: bytes) -> bool:
        """Accept SSLRequest, or the handshake itself, which stays to be read."""
        for _ in range(BAD_COMMANDS):
            if await near.ended():
                return False
            if await near.peek(1) == _HANDSHAKE:
                return True
            request = await _read_request(near)
            if request == _request(SSL_REQUEST):
                near.nothing_follows()
                await near.say(_ACCEPTED)
                return True
            if request != _request(GSSENC_REQUEST):
                await self._refuse(near, request)
            await near.say(_DECLINED)
        raise Refused(f"the client did not begin TLS in {BAD_COMMANDS} requests")

    async def _refuse(self, near: Conversation, request: bytes) -> None:
        code = int.from_bytes(request[4:8])
        if code == CANCEL_REQUEST:  # which no server answers
            raise Refused("the client cancels a query in clear")
        if code >> 16 != _MAJOR_VERSION:
            raise Refused("the client does not speak PostgreSQL's protocol 3")
        await near.say(_error(_INVALID_AUTHORIZATION, "TLS is required (sslmode=require)"))
        raise Refused("the client insists on going on in clear")

    async def decline_tls(self, near: Conversation) -> None:
        """Say no to SSLRequest and GSSENCRequest, once each: what else a client begins with is the server's."""
        unanswered = {_request(SSL_REQUEST), _request(GSSENC_REQUEST)}
        while unanswered and not await near.ended():
            if await near.peek(1) != b"\0" or await near.peek(8) not in unanswered:
                return
            unanswered.remove(await near.exactly(8))
            await near.say(_DECLINED)

    async def introduce(self, near: Conversation, far: Conversation) -> None:
        """Pass on the login's first messages, but not the offer to bind the password to the server's certificate.

        The client does not see that certificate (RFC 5802 §6), and libpq refuses such an offer in clear. Other
        clients choose SCRAM-SHA-256 anyhow.
        """
        if await near.ended() or await near.peek(1) == _HANDSHAKE:
            return
        await far.say(await _read_request(near))
        asked = False
        while not asked and not await far.ended() and await far.peek(1) in _BEFORE_LOGIN:
            kind, answer = await far.exactly(1), await _read_answer(far)
            asked = kind == _AUTHENTICATION
            await near.say(_message(kind, _without_binding(answer) if asked else answer))

    # -- Client's role

    async def ask_for_tls(self, far: Conversation, greeting: bytes) -> bytes:
        """Send SSLRequest; one octet is the answer, and nothing may follow it (CVE-2021-23222)."""
        await far.say(_request(SSL_REQUEST))
        answer = await far.exactly(1)
        if answer == _ACCEPTED:
            far.nothing_follows()
            return b""
        if answer == _DECLINED:
            raise Refused("the server offers no TLS")
        if answer == _ERROR:  # its text came in clear from who knows whom (CVE-2024-10977)
            raise Refused("the server answers the request for TLS with an error")
        raise Mismatch("the server does not speak PostgreSQL")

    async def check_health(self, far: Conversation) -> None:
        """Begin to log in, as ``pg_isready`` does: whether that is refused, or how, does not matter.

        Where a password is asked for, the server's log has nothing of it; else it has a line that ``mailaccess`` may
        not log in.
        """
        user = b"user\0mailaccess\0database\0postgres\0\0"
        await far.say(_request(_VERSION_3_0, user))
        kind = await far.exactly(1)
        if kind not in (_AUTHENTICATION, _ERROR):
            raise Mismatch("the server does not speak PostgreSQL")
        answer = await _read_answer(far)
        if kind == _ERROR:
            _check_error(answer)
        elif answer == _AUTHENTICATION_OK:  # before that a Terminate would be one more fault in its log
            await far.say(_message(_TERMINATE, b""))


async def _read_answer(far: Conversation) -> bytes:
    length = int.from_bytes(await far.exactly(4))
    if not 8 <= length <= ANSWER_BYTES:
        raise Refused("the server's answer is not in its form")
    return await far.exactly(length - 4)


def _without_binding(answer: bytes) -> bytes:
    """AuthenticationSASL without the mechanism that needs TLS; whatever else as it is."""
    if not answer.startswith(_AUTHENTICATION_SASL):
        return answer
    mechanisms = answer[4:].split(b"\0")  # each has a NUL at its end, and so has the list
    return _AUTHENTICATION_SASL + b"\0".join(name for name in mechanisms if name != _WITH_BINDING)


def _check_error(answer: bytes) -> None:
    """``Refused`` where a server that says this serves nobody."""
    fields = {field[:1]: field[1:] for field in answer.split(b"\0")}
    state = fields.get(b"C", b"").decode("ascii", "replace")
    if not state or state.startswith(_ILL):
        raise Refused(f"the server says {shown(fields.get(b'M', b''))} ({state or 'without a state'})")


POSTGRESQL = _PostgreSQL("postgresql")
