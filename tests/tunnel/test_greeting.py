from collections.abc import Callable

import pytest
from scripted import Scripted, octet_by_octet, run

from mailaccess.tunnel.conversation import Conversation
from mailaccess.tunnel.faults import Mismatch, Refused, TunnelFault, Unreachable
from mailaccess.tunnel.greeting import listen
from mailaccess.tunnel.protocols.table import SPOKEN

GREETINGS = {
    "imap": b"* OK [CAPABILITY IMAP4rev1] ready\r\n",
    "pop3": b"+OK ready <1@host>\r\n",
    "smtp": b"220-one\r\n220 two ESMTP\r\n",
    "nntp": b"201 ready\r\n",
}
BYES = {
    "imap": b"* BYE not now\r\n",
    "pop3": b"-ERR not now\r\n",
    "smtp": b"421 not now\r\n",
    "nntp": b"400 not now\r\n",
}


@pytest.mark.parametrize("cut", [lambda data: [data], octet_by_octet], ids=["whole", "octet by octet"])
@pytest.mark.parametrize("protocol", GREETINGS)
def test_the_whole_greeting_and_no_octet_more(protocol: str, cut: Callable[[bytes], list[bytes]]) -> None:
    stream = Scripted(*cut(GREETINGS[protocol] + b"more"))
    talk = Conversation(stream)
    assert run(listen(talk, SPOKEN[protocol])) == GREETINGS[protocol]
    assert run(talk.exactly(4)) == b"more"


@pytest.mark.parametrize("protocol", [None, "ldap", "postgresql"])
def test_where_the_client_begins_nothing_is_read(protocol: str | None) -> None:
    stream = Scripted(b"whatever")
    assert run(listen(Conversation(stream), SPOKEN[protocol] if protocol else None)) == b""
    assert run(stream.read()) == b"whatever"


@pytest.mark.parametrize("protocol", GREETINGS)
@pytest.mark.parametrize("other", [*GREETINGS, "http", "nothing known"])
def test_another_protocols_greeting_is_found_and_named(protocol: str, other: str) -> None:
    said = GREETINGS.get(other, b"HTTP/1.1 400 Bad Request\r\n" if other == "http" else b"\x00\x01\xff\r\n")
    if other == protocol:
        return
    with pytest.raises(Mismatch) as caught:
        run(listen(Conversation(Scripted(said)), SPOKEN[protocol]))
    named = other if other in GREETINGS else "unknown"
    assert str(caught.value).startswith(f"{named} greeting where {protocol} is expected: ")
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("protocol", BYES)
def test_a_server_that_does_not_serve_is_refused(protocol: str) -> None:
    with pytest.raises(Refused, match="not now"):
        run(listen(Conversation(Scripted(BYES[protocol])), SPOKEN[protocol]))


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ([], Unreachable),
        ([b"+OK half a line"], Refused),
        ([b"+" * 100_000], Refused),
        ([b"220-line\r\n" * 1000], Mismatch),
    ],
)
def test_what_a_broken_server_says(said: list[bytes], kind: type[TunnelFault]) -> None:
    with pytest.raises(kind):
        run(listen(Conversation(Scripted(*said)), SPOKEN["pop3"]))


def test_a_greeting_without_end_is_refused() -> None:
    with pytest.raises(Refused, match="lines"):
        run(listen(Conversation(Scripted(b"220-line\r\n" * 1000)), SPOKEN["smtp"]))
