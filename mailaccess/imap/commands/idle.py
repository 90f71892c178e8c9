"""IDLE (RFC 2177, RFC 9051 §6.3.13)."""

from mailaccess.imap.commands.changes import tell_changes
from mailaccess.imap.context import Context, Reply, ok
from mailaccess.imap.responses import lines
from mailaccess.imap.waiting import Signal


async def idle(context: Context, _: None) -> Reply:
    """Tell what happens as it happens, until the client says DONE; only that ends it."""
    context.write(lines.continuation(b"idling"))
    done = context.expect_line()
    while not done.given:
        happened = _next_event(context, done)
        await tell_changes(context, expunges=True)
        if context.parting is not None:
            return ok("IDLE ended")
        await context.drain()
        await happened
    text = await done
    if text.strip().upper() != b"DONE":
        return Reply("BAD", "Only DONE ends IDLE")
    return ok("IDLE completed")


def _next_event(context: Context, done: Signal[bytes]) -> Signal[None]:
    """Is given when the mailbox changes or the client says something."""
    happened: Signal[None] = Signal()
    done.when_given(lambda: happened.give(None))
    if context.selected is not None:
        context.selected.wake = lambda: happened.give(None)
    return happened
