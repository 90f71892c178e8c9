"""Laws of a session: whatever comes, each line gets one reply, and nothing is an incident."""

from hypothesis import given, settings
from hypothesis import strategies as st

from mailaccess.ops.limits import Limits
from mailaccess.pop3.commands import COMMANDS
from tests.pop3.doubles import Connection, Drop

PATIENT = Limits(bad_commands=10**6, bad_commands_before_login=10**6)
SINGLE = set(COMMANDS) - {b"QUIT", b"STLS", b"AUTH"}  # which end a session, or ask for another line

LINE = st.binary(max_size=300).filter(lambda line: b"\n" not in line)
COMMAND = st.builds(
    lambda verb, arguments: b" ".join((verb, *arguments)),
    st.sampled_from(sorted(SINGLE)),
    st.lists(st.sampled_from([b"", b"0", b"1", b"2", b"3", b"-1", b"x", b"*", b"joe", b"secret", b"9" * 25])),
)


def expect_one_reply(said: bytes, line: bytes) -> None:
    status, _, rest = said.partition(b"\r\n")
    assert status.startswith((b"+OK", b"-ERR")), (line, said)
    assert len(status) <= 510
    assert not rest or (status.startswith(b"+OK") and rest.endswith(b".\r\n")), (line, said)
    assert b"\r\n.\r\n" not in said[:-1], (line, said)


@settings(max_examples=200)
@given(st.booleans(), st.lists(LINE | COMMAND, max_size=30))
def test_any_line_gets_one_reply(logged_in: bool, lines: list[bytes]) -> None:
    connection = Connection(Drop([b"a: b\r\n\r\n.\r\nx", b"\r\n"]), limits=PATIENT)
    connection.heard()
    if logged_in:
        connection.log_in()
    for line in lines:
        if line[:4].upper() not in (b"QUIT", b"STLS", b"AUTH"):
            expect_one_reply(connection.say(line + b"\r\n"), line)
    assert not connection.closed
    assert connection.events.incidents == []


@settings(max_examples=200)
@given(st.lists(st.binary() | COMMAND.map(lambda line: line + b"\r\n") | st.just(b"AUTH LOGIN\r\n"), max_size=30))
def test_any_octets_however_cut_do_no_harm(chunks: list[bytes]) -> None:
    connection = Connection(Drop([b"a: b\r\n\r\n.\r\nx"]))
    for chunk in chunks:
        connection.say(chunk)
    connection.drop_line()
    assert connection.events.incidents == []
    assert not connection.drop.locked
    assert connection.login.sessions == 0
    assert connection.clock.getDelayedCalls() == []


@given(st.lists(COMMAND, max_size=30))
def test_cuts_and_pipelining_change_no_reply(lines: list[bytes]) -> None:
    one_by_one, at_once = (Connection(Drop([b"a\r\n", b"b\r\n", b"c\r\n"]), limits=PATIENT) for _ in range(2))
    for connection in (one_by_one, at_once):
        connection.log_in()
    said = b"".join(one_by_one.say(line + b"\r\n") for line in lines)
    assert at_once.say(b"".join(line + b"\r\n" for line in lines)) == said
