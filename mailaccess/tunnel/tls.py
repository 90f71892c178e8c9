"""TLS on a stream, as a stream: with half-close, which Twisted's own layer does not have.

In TLS 1.3 each direction ends by its own ``close_notify`` (RFC 8446 §6.1). A peer that speaks TLS 1.2 may close as soon
as it sees ours (RFC 5246 §7.2.1); we never do.
"""

from OpenSSL import SSL

from mailaccess.ops.transport import openssl_reason
from mailaccess.tunnel.faults import StreamLost, TLSFailed
from mailaccess.tunnel.stream import Stream
from mailaccess.tunnel.tlsside import TLSPeer, TLSSide

RECORD_BYTES = 16 * 1024
"""The plaintext of one record (RFC 8446 §5.1)."""

READ_BYTES = 4 * RECORD_BYTES
"""What is handed on at once: what the reactor reads from a socket."""

_NO_TLS = frozenset({"wrong version number", "http request", "https proxy request"})

_BIO_BYTES = 128 * 1024


class TLSStream:
    """See :class:`~mailaccess.tunnel.stream.Stream`; :func:`begin_tls` makes them."""

    def __init__(self, inner: Stream, connection: SSL.Connection) -> None:
        self._inner = inner
        self._tls = connection
        self._held = b""
        self._read_ended = False
        self._write_ending = False
        self.truncated = False
        """Whether the other side ended without ``close_notify``: perhaps not by its own will."""

    @property
    def version(self) -> str:
        """``TLSv1.3``."""
        return self._tls.get_protocol_version_name()

    @property
    def cipher(self) -> str:
        """OpenSSL's name of the cipher suite."""
        return self._tls.get_cipher_name() or "none"

    async def handshake(self) -> None:
        """Do it. ``TLSFailed``, ``StreamLost``."""
        while True:
            try:
                self._tls.do_handshake()
            except SSL.WantReadError:
                await self._flush()
                await self._fill()
            except SSL.Error as error:
                await self._flush()  # the alert
                raise TLSFailed(f"the handshake failed: {_words(error)}") from error
            else:
                await self._flush()
                return

    async def _fill(self) -> None:
        data = await self._inner.read()
        if not data:
            raise TLSFailed("the other side closed the connection during the handshake")
        self._tls.bio_write(data)

    # -- Stream

    async def read(self) -> bytes:
        """The next octets; ``b""`` at their end."""
        if self._held:
            data, self._held = self._held, b""
            return data
        while not self._read_ended:
            data = await self._records()
            if data:
                return data
            if not self._read_ended:
                await self._receive()
        return b""

    async def _records(self) -> bytes:
        """What can be decrypted of what came, up to ``READ_BYTES``."""
        pieces: list[bytes] = []
        size = 0
        try:
            while size < READ_BYTES:
                pieces.append(self._tls.recv(RECORD_BYTES))
                size += len(pieces[-1])
        except SSL.WantReadError:
            pass
        except SSL.ZeroReturnError:
            self._read_ended = True
        except SSL.Error as error:  # said again at the next read, after what came before it
            if not pieces:
                await self._flush()
                raise StreamLost(f"TLS failed: {openssl_reason(error)}") from error
        return b"".join(pieces)

    async def _receive(self) -> None:
        await self._flush()  # an answer to what came, as to KeyUpdate (RFC 8446 §4.6.3)
        data = await self._inner.read()
        if data:
            self._tls.bio_write(data)
        else:
            self._read_ended = self.truncated = True

    def unread(self, data: bytes) -> None:
        """Put back what was read too far."""
        self._held = data + self._held

    async def write(self, data: bytes) -> None:
        """Send, and wait for room."""
        rest = memoryview(data)
        try:
            while rest:
                rest = rest[self._tls.send(rest) :]  # a record at a time
        except SSL.Error as error:
            raise StreamLost(f"TLS failed: {openssl_reason(error)}") from error
        await self._flush()

    async def end(self) -> None:
        """Send ``close_notify`` and FIN after what was written."""
        if not self._write_ending:
            self._write_ending = True
            self._close_notify()
            await self._flush()
        await self._inner.end()

    def _close_notify(self) -> None:
        try:
            self._tls.shutdown()
        except SSL.Error as error:
            raise StreamLost(f"TLS failed: {openssl_reason(error)}") from error

    def unsent(self) -> int:
        """How many octets wait below."""
        return self._inner.unsent()

    def abort(self, reason: str) -> None:
        """Cut both directions."""
        self._inner.abort(reason)

    async def _flush(self) -> None:
        """Hand on what OpenSSL has to send: at once, so that its order stays, and then wait for room."""
        pieces: list[bytes] = []
        try:
            while True:
                pieces.append(self._tls.bio_read(_BIO_BYTES))
        except SSL.WantReadError:
            pass
        if pieces:
            await self._inner.write(pieces[0] if len(pieces) == 1 else b"".join(pieces))


def _words(error: SSL.Error) -> str:
    """OpenSSL's reason; what it says of a first octet that begins no record is said plainly."""
    reason = openssl_reason(error)
    return f"the other side does not speak TLS ({reason})" if reason in _NO_TLS else reason


async def begin_tls(inner: Stream, side: TLSSide) -> tuple[TLSStream, TLSPeer]:
    """The handshake on a stream, and who is at the other end. ``TLSFailed``, ``StreamLost``."""
    connection = side.new_connection()
    stream = TLSStream(inner, connection)
    await stream.handshake()
    return stream, side.check(connection)
