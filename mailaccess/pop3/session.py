"""One POP3 connection without its socket, from its greeting to its end.

Invariants at this door:

1. One command at a time, in the client's order; each gets exactly one reply (RFC 2449 §6.6).
2. Messages are removed at QUIT alone, all that are marked or none (RFC 1939 §6): not when the line drops, not at
   autologout, not when the server stops.
3. The maildrop's lock is let go however the session ends, and before the last reply is sent: a client that connects
   again at once finds it free.
4. What waits is bounded: in front by what the link buffers before it stops reading; behind, no command begins while
   the client has not taken what it was sent.
5. A reply that was begun and cannot be ended is cut off by closing, never ended as if it were whole.
6. Nothing that an exception says reaches the client, but an incident id.
"""

from mailaccess.errors import ClientError, Code, Disconnected
from mailaccess.pop3.commands import run
from mailaccess.pop3.context import BadCommand, Context, State
from mailaccess.pop3.wire import Refused, ResponseCode, err, ok, refusal


class Session:
    """Answers one client. The transport's side runs :meth:`converse`, and closes when it has ended."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._bad_commands = 0
        self._goodbye: bytes | None = None

    async def converse(self) -> None:
        """Greet, and answer until the client says QUIT, is gone, or is told goodbye.

        Raises nothing but what ``logout`` raises, when all else is done.
        """
        context = self._context
        try:
            if self._goodbye is None:
                context.write(ok(f"POP3 server ready {context.timestamp}"))
            while context.state is not State.UPDATE and self._goodbye is None:
                line = await context.command()
                context.write(err(self._bad(line.text)) if isinstance(line, Refused) else await self._answer(line.text))
                context.replying = False
                await context.breathe()
        except Disconnected:
            pass  # the ordinary end of mail programs that do not say QUIT
        try:
            context.leave()
        finally:
            if self._goodbye is not None and not context.replying:
                context.write(self._goodbye)
            context.flush()

    def say_goodbye(self, code: Code | None, text: str) -> None:
        """Let the session end with ``-ERR`` behind the command that runs now; the link ends a wait for the next."""
        if self._goodbye is None:
            at_the_door = code is Code.LIMIT  # IN-USE would speak of a maildrop
            self._goodbye = err(text, ResponseCode.SYS_TEMP) if at_the_door else refusal(ClientError(code, text))

    async def _answer(self, line: bytes) -> bytes:
        """The reply to one command line, or its end. Raises ``Disconnected`` and no more."""
        context = self._context
        try:
            return await run(context, line)
        except Disconnected:
            raise
        except BadCommand as error:
            return err(self._bad(error.text))
        except ClientError as error:
            self._cut_off_if_begun()
            if context.state is State.AUTHORIZATION:
                self._bad(error.text)
            return refusal(error)
        except Exception as error:
            verb = line[:4].decode("ascii", "replace")
            incident = context.server.events.incident(f"POP3 {verb}", error)
            self._cut_off_if_begun()
            return err(f"Internal error, incident {incident}", ResponseCode.SYS_TEMP)

    def _cut_off_if_begun(self) -> None:
        if self._context.replying:
            raise Disconnected

    def _bad(self, text: str) -> str:
        """Count a bad command or a refused login; the text of its reply, which is the last one when it is too many."""
        limits = self._context.server.limits
        before_login = self._context.state is State.AUTHORIZATION
        self._bad_commands += 1
        if self._bad_commands < (limits.bad_commands_before_login if before_login else limits.bad_commands):
            return text
        self._context.state = State.UPDATE
        return "Too many bad commands"
