"""One IMAP connection without its socket: octets in, octets out, one command at a time.

Invariants at this door:

1. One command runs at a time, and the next is not even read before it has ended: order is the client's (RFC 9051 §5.5).
2. Every command gets exactly one tagged reply, the last thing that is written for it.
3. The client's view of the mailbox changes only between commands and in IDLE; no EXPUNGE is told with the reply to
   FETCH, STORE or SEARCH, nor while no command is in progress (RFC 9051 §7.5.1).
4. What waits is bounded: in front, reading stops at ``queued_commands`` lines or ``line_bytes`` octets; behind, no
   command begins while the client has not taken what it was sent.
5. A password is asked for under TLS only; what came in clear behind STARTTLS is never looked at.
6. When the client is gone, what was begun in the store ends by itself, and everything else ends at its next wait.
"""

from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any, BinaryIO

from mailaccess.errors import Code, Disconnected
from mailaccess.imap.context import PRIVACY_REQUIRED, Context, Link, Reply, Server, State
from mailaccess.imap.dispatch import answer
from mailaccess.imap.grammar.tokens import BadSyntax
from mailaccess.imap.responses import codes, lines
from mailaccess.imap.waiting import Signal, Task
from mailaccess.imap.wire import (
    BadLine,
    CommandReader,
    Event,
    Line,
    LiteralRefused,
    NeedLiteral,
    RawCommand,
    Refuse,
    TooLong,
)
from mailaccess.values import Peer


class Session:
    """The states and the queue of one connection.

    The transport's side calls :meth:`greet`, then :meth:`receive` with octets as they come, and :meth:`lost` at the
    end. ``open_sink`` makes the file for a literal too large for memory.
    """

    def __init__(
        self,
        server: Server,
        link: Link,
        peer: Peer,
        *,
        tls: bool,
        can_start_tls: bool,
        open_sink: Callable[[int], BinaryIO],
    ) -> None:
        self.context = Context(server, link, peer, tls=tls, can_start_tls=can_start_tls, expect_line=self._expect_line)
        self._link = link
        self._limits = server.limits
        self._reader = CommandReader(
            line_bytes=server.limits.line_bytes_before_login,
            literal_memory_bytes=server.limits.line_bytes_before_login,
            literal_allowed=self._literal_rule,
            open_sink=open_sink,
        )
        self._events: deque[Event] = deque()
        self._task: Task | None = None
        self._line: Signal[bytes] | None = None
        self._working = False
        self._over = False
        self._goodbye: tuple[Code | None, str] | None = None
        self._welcomed = False
        self._bad_commands = 0
        self._lines_waiting = 0

    # -- the transport's side

    def greet(self) -> None:
        """Say hello, with the capabilities (RFC 9051 §7.1.1)."""
        self.context.write(lines.untagged("OK", codes.capability(self.context.capabilities), "mailaccess ready"))
        self.context.flush()

    def receive(self, octets: bytes) -> None:
        """Take octets from the client."""
        if self._over:
            return
        self.context.counts.bytes_in += len(octets)
        if self._task is not None:
            self._lines_waiting += octets.count(b"\n")
        self._events.extend(self._reader.feed(octets))
        self._work()

    def say_goodbye(self, code: Code | None, text: str) -> None:
        """Say BYE and close; a command that works now is finished first (RFC 9051 §7.1.5)."""
        if self._over or self._goodbye is not None:
            return
        self._goodbye = code, text
        if not self.is_working:
            self._part()

    def lost(self) -> None:
        """The connection is gone."""
        self._over = True
        self._reader.close()
        self._events.clear()
        self._fail_line(Disconnected())
        if self._task is None:
            self._let_go()

    @property
    def is_working(self) -> bool:
        """Whether a command runs that waits for us, not for the client."""
        return self._task is not None and self._line is None

    # -- one event after the other

    def _work(self) -> None:
        """Deal with what lies ready, until a command must wait or nothing is left."""
        if self._working:
            return
        self._working = True
        try:
            while not self._over and not self.is_working:
                if not self._events and self._task is None:
                    self._events.extend(self._reader.resume())
                if not self._events:
                    break
                self._deal_with(self._events.popleft())
        finally:
            self._working = False
        if not self._over:
            self.context.flush()
            self._link.reading(self._may_read())

    def _may_read(self) -> bool:
        waiting = self._reader.buffered > self._limits.line_bytes or self._lines_waiting > self._limits.queued_commands
        return not (self.is_working and waiting)

    def _deal_with(self, event: Event) -> None:
        match event:
            case RawCommand():
                self._run(event.tag, answer(self.context, event))
            case Line(text):
                self._give_line(text)
            case NeedLiteral():
                self.context.write(lines.continuation(b"Ready"))
            case BadLine(tag, text):
                self._run(tag, _reply(Reply("BAD", text)))
            case TooLong(None) if self._line is not None:
                self._fail_line(BadSyntax("The line is too long"))
            case TooLong(tag):
                self._run(tag, _reply(Reply("BAD", "The command line is too long", codes.code(Code.LIMIT))))
            case LiteralRefused():
                self._refuse_literal(event)

    def _refuse_literal(self, event: LiteralRefused) -> None:
        if event.cause is not None:
            self.context.server.events.incident("a literal's file", event.cause)
        if event.fatal:
            self._goodbye = event.code, event.text
            self._part()
        else:
            self._run(event.tag, _reply(Reply(event.status, event.text, codes.code(event.code))))

    def _literal_rule(self, command: RawCommand, size: int) -> Refuse | None:
        """Whether a literal may follow: asked before a byte of it is read (RFC 9051 §4.3)."""
        context = self.context
        if command.name == b"LOGIN" and not context.passwords_allowed:
            return Refuse(PRIVACY_REQUIRED, Code.PRIVACYREQUIRED)
        if command.name != b"APPEND":
            return None
        if context.logged_in is None:
            return Refuse(f"This command is not allowed {context.state.value}", status="BAD")
        if size > self._limits.append_bytes:
            return Refuse(f"A message may have {self._limits.append_bytes} octets", Code.TOOBIG)
        return None

    # -- a command, from its first step to its reply

    def _run(self, tag: bytes | None, work: Coroutine[Any, Any, Reply]) -> None:
        self.context.tag = tag or b"*"
        self.context.counts.commands += 1
        self._lines_waiting = max(0, self._lines_waiting - 1)
        self._task = Task(self._serve(work), self._link.when, self._work)
        self._task.step()

    async def _serve(self, work: Coroutine[Any, Any, Reply]) -> None:
        try:
            self._conclude(await work)
            if not self._over and (self._link.full or self.context.batch_is_full):
                await self.context.drain()
        except Disconnected:
            if not self._over:
                self._hang_up()
        finally:
            self._task = None
            if self._over:
                self._let_go()

    def _conclude(self, reply: Reply) -> None:
        """Send the tagged reply, and do what has to come behind it."""
        context = self.context
        octets = lines.tagged(context.tag, reply.status, reply.code, reply.text)
        if context.starting_tls:
            self._start_tls(octets)
            return
        context.write(octets)
        if context.logged_in is not None and not self._welcomed:
            self._welcome()
        if reply.status == "BAD":
            self._count_bad_command()
        if context.parting is not None and self._goodbye is None:
            self._goodbye = None, context.parting
        if context.state is State.LOGOUT:
            self._hang_up()
        elif self._goodbye is not None:
            self._part()

    def _welcome(self) -> None:
        """After login a client may say more, and is forgiven what it said before."""
        self._welcomed = True
        self._bad_commands = 0
        self._reader.line_bytes = self._limits.line_bytes
        self._reader.literal_memory_bytes = self._limits.literal_memory_bytes

    def _count_bad_command(self) -> None:
        self._bad_commands += 1
        limit = self._limits.bad_commands if self._welcomed else self._limits.bad_commands_before_login
        if self._bad_commands >= limit and self._goodbye is None:
            self._goodbye = None, "Too many invalid commands"

    def _start_tls(self, go_ahead: bytes) -> None:
        """Begin TLS, unless octets follow in clear: those are not the client's (CVE-2011-0411; RFC 9051 §6.2.1)."""
        context = self.context
        context.starting_tls = False
        context.flush()
        leftover = self._reader.take_leftover()
        self._link.start_tls(go_ahead, clear_octets_follow=bool(leftover))
        context.counts.bytes_out += len(go_ahead)
        if leftover:
            self._over = True
        else:
            context.tls = True

    # -- lines that are no commands: SASL, IDLE

    def _expect_line(self) -> Signal[bytes]:
        line = self._line = Signal()
        self._reader.expect_line()
        self._events.extend(self._reader.resume())
        return line

    def _give_line(self, text: bytes) -> None:
        line, self._line = self._line, None
        assert line is not None
        line.give(text)

    def _fail_line(self, error: Exception) -> None:
        line, self._line = self._line, None
        if line is not None:
            line.fail(error)

    # -- the end

    def _part(self) -> None:
        assert self._goodbye is not None
        code, text = self._goodbye
        self.context.write(lines.untagged("BYE", codes.code(code), text))
        self._hang_up()

    def _hang_up(self) -> None:
        self._over = True
        self.context.flush()
        self._link.hang_up()

    def _let_go(self) -> None:
        """Let go of mailbox and account, once; nothing uses them any more."""
        context = self.context
        context.unselect()
        if context.logout is not None:
            logout, context.logout = context.logout, None
            logout()


async def _reply(reply: Reply) -> Reply:
    return reply
