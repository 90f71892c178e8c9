"""LDAP (RFC 4511), as far as the tunnel must know it: StartTLS, refusals, and the look at the root of the tree.

ABNF of the messages (RFC 4511 §4.1.1, §4.1.9, §4.12), each an element of BER::

    LDAPMessage      = SEQUENCE { messageID, protocolOp, [controls] }
    LDAPResult       = resultCode (ENUMERATED), matchedDN, diagnosticMessage (OCTET STRINGs), [referral]
    ExtendedRequest  = [APPLICATION 23] { [0] requestName, [[1] requestValue] }
    ExtendedResponse = [APPLICATION 24] { LDAPResult, [[10] responseName], [[11] responseValue] }

Behind those elements may stand others, which are ignored (RFC 4511 §4).
"""

from dataclasses import dataclass

from mailaccess.tunnel.conversation import Conversation
from mailaccess.tunnel.faults import Mismatch, Refused, shown
from mailaccess.tunnel.protocols import ber
from mailaccess.tunnel.protocols.clientfirst import ClientFirst
from mailaccess.tunnel.spoken import BAD_COMMANDS

MESSAGE_BYTES = 64 * 1024
"""The largest message before TLS: a StartTLS has 31 octets, and nothing larger is answered with more than a no."""

START_TLS = b"1.3.6.1.4.1.1466.20037"
"""RFC 4511 §4.14."""

NOTICE_OF_DISCONNECTION = b"1.3.6.1.4.1.1466.20036"
"""RFC 4511 §4.4.1."""

RESULT_CODES = {
    0: "success",
    1: "operationsError",
    2: "protocolError",
    3: "timeLimitExceeded",
    4: "sizeLimitExceeded",
    7: "authMethodNotSupported",
    8: "strongerAuthRequired",
    10: "referral",
    11: "adminLimitExceeded",
    12: "unavailableCriticalExtension",
    13: "confidentialityRequired",
    32: "noSuchObject",
    48: "inappropriateAuthentication",
    49: "invalidCredentials",
    50: "insufficientAccessRights",
    51: "busy",
    52: "unavailable",
    53: "unwillingToPerform",
    80: "other",
}
"""RFC 4511 §4.1.9: those that StartTLS and a search may end with."""

_SUCCESS, _PROTOCOL_ERROR, _CONFIDENTIALITY_REQUIRED, _BUSY, _UNAVAILABLE = 0, 2, 13, 51, 52

# Application tags of protocolOp (RFC 4511 §4.2 to §4.12)
_UNBIND_REQUEST, _ABANDON_REQUEST = 0x42, 0x50
_SEARCH_REQUEST, _SEARCH_RESULT_ENTRY, _SEARCH_RESULT_DONE, _SEARCH_RESULT_REFERENCE = 0x63, 0x64, 0x65, 0x73
_EXTENDED_REQUEST, _EXTENDED_RESPONSE = 0x77, 0x78
_RESPONSES = {
    0x60: 0x61,  # bind
    _SEARCH_REQUEST: _SEARCH_RESULT_DONE,
    0x66: 0x67,  # modify
    0x68: 0x69,  # add
    0x4A: 0x6B,  # delete
    0x6C: 0x6D,  # modify DN
    0x6E: 0x6F,  # compare
    _EXTENDED_REQUEST: _EXTENDED_RESPONSE,
}
_REQUEST_NAME, _REQUEST_VALUE, _RESPONSE_NAME = 0x80, 0x81, 0x8A

_UNSOLICITED = 0  # messageID (RFC 4511 §4.4)
_ENTRIES = 10  # of the search for one entry


@dataclass(frozen=True, slots=True)
class _Message:
    """An LDAPMessage: its number, and its operation's tag and contents."""

    number: int
    tag: int
    contents: bytes


async def _read(conversation: Conversation) -> _Message:
    outer = await ber.read_element(conversation, MESSAGE_BYTES)
    parts = list(ber.elements(outer.contents)) if outer.tag == ber.SEQUENCE else []
    if len(parts) < 2 or parts[0].tag != ber.INTEGER:
        raise ber.Malformed("a message is not LDAP's")
    return _Message(ber.unsigned(parts[0].contents), parts[1].tag, parts[1].contents)


def _message(number: int, tag: int, *contents: bytes) -> bytes:
    return ber.element(ber.SEQUENCE, ber.number(number), ber.element(tag, *contents))


def _result(code: int, text: str = "") -> bytes:
    return ber.number(code, ber.ENUMERATED) + ber.text("") + ber.text(text)


def _notice(code: int, text: str) -> bytes:
    """The last words of a server that closes the connection."""
    name = ber.element(_RESPONSE_NAME, NOTICE_OF_DISCONNECTION)
    return _message(_UNSOLICITED, _EXTENDED_RESPONSE, _result(code, text), name)


class _LDAP(ClientFirst):
    """See :class:`~mailaccess.tunnel.spoken.Spoken`."""

    def unavailable(self, text: str) -> bytes:
        """A notice of disconnection."""
        return _notice(_UNAVAILABLE, text)

    # -- Server's role

    async def offer_tls(self, near: Conversation, greeting: bytes) -> bool:
        """Answer StartTLS, and refuse the rest with confidentialityRequired."""
        try:
            return await self._until_tls(near)
        except ber.Malformed as fault:
            await near.say(_notice(_PROTOCOL_ERROR, str(fault)))
            raise

    async def _until_tls(self, near: Conversation) -> bool:
        for _ in range(BAD_COMMANDS):
            if await near.ended():
                return False
            request = await _read(near)
            if request.tag == _UNBIND_REQUEST:
                return False
            if request.number == _UNSOLICITED:
                raise ber.Malformed("a request has no number")
            if request.tag == _EXTENDED_REQUEST and await _begins_tls(near, request):
                return True
            if request.tag not in (_EXTENDED_REQUEST, _ABANDON_REQUEST):
                await _refuse(near, request)
        await near.say(_notice(_CONFIDENTIALITY_REQUIRED, "Too many requests without TLS"))
        raise Refused(f"the client did not begin TLS in {BAD_COMMANDS} requests")

    async def decline_tls(self, near: Conversation) -> None:
        """Nothing: StartTLS is a request that the server itself answers."""

    async def introduce(self, near: Conversation, far: Conversation) -> None:
        """Nothing: a client in clear does not choose what only TLS has."""

    # -- Client's role

    async def ask_for_tls(self, far: Conversation, greeting: bytes) -> bytes:
        """Send StartTLS; its result must be success."""
        await far.say(_message(1, _EXTENDED_REQUEST, ber.element(_REQUEST_NAME, START_TLS)))
        code, text = _read_result(await _answer(far), _EXTENDED_RESPONSE)
        if code != _SUCCESS:
            raise Refused(f"the server answers StartTLS with {code_name(code)} {shown(text)}")
        far.nothing_follows()
        return b""

    async def check_health(self, far: Conversation) -> None:
        """Look for the root of the tree (RFC 4512 §5.1), as anybody may; a server that refuses serves too."""
        await far.say(
            _message(
                1,
                _SEARCH_REQUEST,
                ber.text(""),  # baseObject
                ber.number(0, ber.ENUMERATED),  # baseObject alone
                ber.number(0, ber.ENUMERATED),  # neverDerefAliases
                ber.number(0) + ber.number(0),  # sizeLimit, timeLimit
                ber.element(ber.BOOLEAN, b"\0"),  # typesOnly
                ber.element(0x87, b"objectClass"),  # present
                ber.element(ber.SEQUENCE, ber.text("1.1")),  # no attributes (RFC 4511 §4.5.1.8)
            )
        )
        for _ in range(_ENTRIES):
            answer = await _answer(far)
            if answer.tag not in (_SEARCH_RESULT_ENTRY, _SEARCH_RESULT_REFERENCE):
                break
        code, text = _read_result(answer, _SEARCH_RESULT_DONE)
        if code in (_BUSY, _UNAVAILABLE):
            raise Refused(f"the server says {code_name(code)} {shown(text)}")
        await far.say(_message(2, _UNBIND_REQUEST))


async def _begins_tls(near: Conversation, request: _Message) -> bool:
    """Answer an extended request: whether it is StartTLS, and TLS begins."""
    parts = list(ber.elements(request.contents))
    if not parts or parts[0].tag != _REQUEST_NAME:
        raise ber.Malformed("an extended request has no name")
    if parts[0].contents != START_TLS:
        await _refuse(near, request)
        return False
    if any(part.tag == _REQUEST_VALUE for part in parts):  # RFC 4511 §4.14.1: there is none
        await near.say(_message(request.number, _EXTENDED_RESPONSE, _result(_PROTOCOL_ERROR, "StartTLS has no value")))
        return False
    near.nothing_follows()
    name = ber.element(_RESPONSE_NAME, START_TLS)
    await near.say(_message(request.number, _EXTENDED_RESPONSE, _result(_SUCCESS), name))
    return True


async def _refuse(near: Conversation, request: _Message) -> None:
    response = _RESPONSES.get(request.tag)
    if response is None:  # RFC 4511 §4.1.1: the session ends
        raise ber.Malformed("a request is none of LDAP's")
    await near.say(_message(request.number, response, _result(_CONFIDENTIALITY_REQUIRED, "Begin TLS first (StartTLS)")))


async def _answer(far: Conversation) -> _Message:
    """The server's next message; ``Mismatch`` where it speaks something else."""
    if (await far.peek(1))[0] != ber.SEQUENCE:
        raise Mismatch("the server does not speak LDAP")
    return await _read(far)


def _read_result(answer: _Message, expected: int) -> tuple[int, bytes]:
    """Result code and diagnostic message. ``Refused`` for another message than the ``expected`` one."""
    if answer.number == _UNSOLICITED and answer.tag == _EXTENDED_RESPONSE:
        code, text = _result_of(answer)
        raise Refused(f"the server closes the connection: {code_name(code)} {shown(text)}")
    if answer.number != 1 or answer.tag != expected:
        raise ber.Malformed("the server answers something else")
    return _result_of(answer)


def _result_of(answer: _Message) -> tuple[int, bytes]:
    parts = list(ber.elements(answer.contents))
    if [part.tag for part in parts[:3]] != [ber.ENUMERATED, ber.OCTET_STRING, ber.OCTET_STRING]:
        raise ber.Malformed("the server's result is not in its form")
    return ber.unsigned(parts[0].contents), parts[2].contents


def code_name(code: int) -> str:
    """A result code, in the RFC's word."""
    return f"{RESULT_CODES.get(code, 'code')} ({code})"


LDAP = _LDAP("ldap")
