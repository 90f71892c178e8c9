"""The few words that are said on a stream before octets only pass through: lines, or messages of known length.

Every reader has a bound, for what comes from an unknown client or a broken server.
"""

from mailaccess.tunnel.faults import Refused
from mailaccess.tunnel.stream import Stream

LINE_BYTES = 8192
"""The longest line: IMAP's greeting with its CAPABILITY code has some hundred octets, a proxy's header line more."""


class Conversation:
    """Reads lines and counted octets from a stream, and gives back what it read too far."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._held = b""
        self.said = 0
        """How many octets were sent."""

    async def line(self, limit: int = LINE_BYTES) -> bytes:
        """The next line with its end (CRLF, or LF alone). ``Refused`` beyond ``limit`` octets, or where none ends."""
        while b"\n" not in self._held:
            if len(self._held) >= limit:
                raise Refused(f"a line has more than {limit} octets")
            await self._more()
        line, _, self._held = self._held.partition(b"\n")
        if len(line) >= limit:
            raise Refused(f"a line has more than {limit} octets")
        return line + b"\n"

    async def exactly(self, count: int) -> bytes:
        """The next ``count`` octets. ``Refused`` where the other side ends before."""
        while len(self._held) < count:
            await self._more()
        taken, self._held = self._held[:count], self._held[count:]
        return taken

    async def peek(self, count: int) -> bytes:
        """The next ``count`` octets, which stay to be read. ``Refused`` where the other side ends before."""
        while len(self._held) < count:
            await self._more()
        return self._held[:count]

    async def ended(self) -> bool:
        """Whether nothing more comes: waits for the next octet, which stays to be read, or the end."""
        if not self._held:
            self._held = await self._stream.read()
        return not self._held

    async def say(self, data: bytes) -> None:
        """Send octets."""
        self.said += len(data)
        await self._stream.write(data)

    def nothing_follows(self) -> None:
        """``Refused`` where octets already follow what was read.

        Called before TLS begins: what follows in clear would be taken for what is said inside TLS (CVE-2011-0411).
        """
        if self._held:
            raise Refused("octets in clear follow the command that begins TLS")

    def hand_back(self) -> Stream:
        """The stream, whose next ``read`` begins with what was read too far: the conversation is over."""
        if self._held:
            self._stream.unread(self._held)
            self._held = b""
        return self._stream

    async def _more(self) -> None:
        data = await self._stream.read()
        if not data:
            raise Refused("the other side closed the connection in the middle of the conversation")
        self._held += data
