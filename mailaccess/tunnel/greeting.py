"""The look at a server's first line, before a client gets it.

The mistake of many a tutorial, ``stunnel -d pop3s -r localhost:imap``, puts POP3 clients into IMAP: they hang, or say
their password to the wrong server. The first line tells.
"""

from mailaccess.tunnel.conversation import Conversation
from mailaccess.tunnel.faults import Unreachable
from mailaccess.tunnel.protocols.lines import check_greeting, whole_reply
from mailaccess.tunnel.spoken import Spoken


async def listen(far: Conversation, protocol: Spoken | None) -> bytes:
    """The server's greeting, empty where ``protocol`` has none. ``Mismatch``, or ``Refused`` for a bad one.

    ``Unreachable`` where it closes before: a server that is restarted, behind inetd or another tunnel, does.
    """
    if protocol is None or not protocol.speaks_first:
        return b""
    if await far.ended():
        raise Unreachable("it closes connections before its greeting")
    line = await far.line()
    check_greeting(protocol, line)
    return await whole_reply(far, line)
