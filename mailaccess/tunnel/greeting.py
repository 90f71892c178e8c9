"""The look at a server's first line, before a client gets it.

The mistake of many a tutorial, ``stunnel -d pop3s -r localhost:imap``, puts POP3 clients into IMAP: they hang, or say
their password to the wrong server. The first line tells.
"""

from mailaccess.tunnel.conversation import Conversation
from mailaccess.tunnel.faults import Mismatch, Refused, shown
from mailaccess.tunnel.protocols.lines import protocol_of, whole_reply
from mailaccess.tunnel.spoken import Spoken


async def listen(far: Conversation, protocol: Spoken | None, server: str) -> bytes:
    """The greeting of ``server``, empty where ``protocol`` has none. ``Mismatch``, or ``Refused`` for a bad one."""
    if protocol is None or not protocol.speaks_first:
        return b""
    line = await far.line()
    if not protocol.recognises(line):
        raise Mismatch(f"{server} speaks {what_speaks(line)}, and clients of this service speak {protocol.name}")
    if not protocol.welcomes(line):
        raise Refused(f"{server} says {shown(line)}")
    return await whole_reply(far, line)


def what_speaks(line: bytes) -> str:
    """The protocol that begins with ``line``, or the line itself."""
    return protocol_of(line) or f"something unknown, {shown(line)},"
