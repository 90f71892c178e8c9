"""PostgreSQL before TLS, in both roles. Messages stand here as they are on the wire."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scripted import Scripted, fault_of, octet_by_octet, run

from mailaccess.tunnel.conversation import Conversation
from mailaccess.tunnel.faults import Mismatch, Refused
from mailaccess.tunnel.protocols.postgresql import ANSWER_BYTES, POSTGRESQL, REQUEST_BYTES
from mailaccess.tunnel.spoken import BAD_COMMANDS

SSL = b"\0\0\0\x08\x04\xd2\x16\x2f"
GSSENC = b"\0\0\0\x08\x04\xd2\x16\x30"
CANCEL = b"\0\0\0\x10\x04\xd2\x16\x2e\0\0\0\x01\0\0\0\x02"
HELLO = b"\x16\x03\x01\x02\x00"
STARTUP = b"\0\0\0\x15\0\3\0\0user\0joe\0db\0\0"
STARTUP_3_2 = b"\0\0\0\x15\0\3\0\2user\0joe\0db\0\0"
HEALTH = b"\0\0\0\x2b\0\3\0\0user\0mailaccess\0database\0postgres\0\0"
TERMINATE = b"X\0\0\0\x04"
LOGIN_OK = b"R\0\0\0\x08\0\0\0\0"
SCRAM = b"R\0\0\0\x17\0\0\0\x0aSCRAM-SHA-256\0\0"


def error(state: bytes, text: bytes) -> bytes:
    fields = b"SFATAL\0VFATAL\0C" + state + b"\0M" + text + b"\0\0"
    return b"E" + (len(fields) + 4).to_bytes(4) + fields


TLS_NEEDED = error(b"28000", b"TLS is required (sslmode=require)")


@pytest.mark.parametrize(
    ("said", "told", "begins"),
    [
        (SSL, b"S", True),
        (GSSENC + SSL, b"NS", True),
        (HELLO, b"", True),
        (GSSENC + HELLO, b"N", True),
        (GSSENC, b"N", False),
        (b"", b"", False),
    ],
)
def test_a_client_begins_tls(said: bytes, told: bytes, begins: bool) -> None:
    for pieces in ([said], octet_by_octet(said)):
        near = Scripted(*pieces)
        assert run(POSTGRESQL.offer_tls(Conversation(near), b"")) is begins
        assert near.written == told


def test_a_handshake_that_comes_first_stays_to_be_read() -> None:
    conversation = Conversation(Scripted(HELLO))
    assert run(POSTGRESQL.offer_tls(conversation, b""))
    assert run(conversation.hand_back().read()) == HELLO


@pytest.mark.parametrize(
    ("said", "told", "words"),
    [
        (STARTUP, TLS_NEEDED, "going on in clear"),
        (STARTUP_3_2, TLS_NEEDED, "going on in clear"),
        (GSSENC + STARTUP, b"N" + TLS_NEEDED, "going on in clear"),
        (CANCEL, b"", "cancels"),
        (SSL + STARTUP, b"", "in clear"),
        (SSL + HELLO, b"", "in clear"),
        (SSL[:7], b"", "closed"),
        (STARTUP[:-1], b"", "closed"),
        (GSSENC * (BAD_COMMANDS + 1), b"N" * BAD_COMMANDS, "did not begin TLS"),
        (b"\0\0\0\x09\x04\xd2\x16\x2fx", b"", "protocol 3"),
        (b"\0\0\0\x08\0\2\0\0", b"", "protocol 3"),
        (b"\0\0\0\x07\0\3\0", b"", "does not begin as"),
        (b"\0\0\0\0\0\3\0\0", b"", "does not begin as"),
        ((REQUEST_BYTES + 1).to_bytes(4) + b"\0\3\0\0", b"", "does not begin as"),
        (b"EHLO x\r\n", b"", "does not begin as"),
    ],
)
def test_whatever_else_is_refused(said: bytes, told: bytes, words: str) -> None:
    near = Scripted(said)
    with pytest.raises(Refused, match=words):
        run(POSTGRESQL.offer_tls(Conversation(near), b""))
    assert near.written == told


@pytest.mark.parametrize(
    ("said", "told", "left"),
    [
        (STARTUP, b"", STARTUP),
        (SSL + STARTUP, b"N", STARTUP),
        (GSSENC + SSL + STARTUP, b"NN", STARTUP),
        (SSL + GSSENC + STARTUP, b"NN", STARTUP),
        (SSL + SSL, b"N", SSL),
        (CANCEL, b"", CANCEL),
        (HELLO, b"", HELLO),
        (SSL, b"N", b""),
        (b"", b"", b""),
    ],
)
def test_a_client_in_clear_hears_no_and_nothing_else_is_touched(said: bytes, told: bytes, left: bytes) -> None:
    for pieces in ([said], octet_by_octet(said)):
        near = Scripted(*pieces)
        conversation = Conversation(near)
        run(POSTGRESQL.decline_tls(conversation))
        assert near.written == told
        stream = conversation.hand_back()
        rest = b""
        while piece := run(stream.read()):
            rest += piece
        assert rest == left


SCRAM_PLUS = b"R\0\0\0\x2a\0\0\0\x0aSCRAM-SHA-256-PLUS\0SCRAM-SHA-256\0\0"
NOTICE = b"N\0\0\0\x0bMhear\0\0"
NEGOTIATED = b"v\0\0\0\x0c\0\3\0\0\0\0\0\0"


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (SCRAM_PLUS, SCRAM),
        (SCRAM, SCRAM),
        (LOGIN_OK, LOGIN_OK),
        (NOTICE + NEGOTIATED + SCRAM_PLUS, NOTICE + NEGOTIATED + SCRAM),
        (b"R\0\0\0\x0c\0\0\0\5salt", b"R\0\0\0\x0c\0\0\0\5salt"),
        (error(b"28000", b"no"), b""),
        (b"", b""),
    ],
)
def test_no_login_is_bound_to_tls_that_the_client_does_not_see(answer: bytes, told: bytes) -> None:
    behind = b"Zrest"
    for pieces in ([answer + behind], octet_by_octet(answer + behind)):
        near, far = Scripted(STARTUP + b"p"), Scripted(*pieces)
        client, server = Conversation(near), Conversation(far)
        run(POSTGRESQL.introduce(client, server))
        assert (far.written, near.written) == (STARTUP, told)
        assert run(client.exactly(1)) == b"p"
        left = answer + behind if not told else behind
        assert run(server.exactly(len(left))) == left


@pytest.mark.parametrize("said", [b"", HELLO])
def test_who_does_not_log_in_is_not_introduced(said: bytes) -> None:
    near, far = Scripted(said), Scripted(b"never read")
    client = Conversation(near)
    run(POSTGRESQL.introduce(client, Conversation(far)))
    assert far.written == near.written == b""
    assert run(client.hand_back().read()) == said
    assert run(far.read()) == b"never read"


def test_a_query_may_be_cancelled_through_tls() -> None:
    near, far = Scripted(CANCEL), Scripted()
    run(POSTGRESQL.introduce(Conversation(near), Conversation(far)))
    assert (far.written, near.written) == (CANCEL, b"")


@pytest.mark.parametrize(("said", "answer"), [(b"EHLO x\r\n", b""), (STARTUP[:-1], b""), (STARTUP, SCRAM_PLUS[:-1])])
def test_nonsense_is_not_introduced(said: bytes, answer: bytes) -> None:
    near, far = Scripted(said), Scripted(answer)
    with pytest.raises(Refused):
        run(POSTGRESQL.introduce(Conversation(near), Conversation(far)))
    assert near.written == b""


# -- Client's role


def test_one_octet_begins_tls() -> None:
    far = Scripted(b"S")
    assert run(POSTGRESQL.ask_for_tls(Conversation(far), b"")) == b""
    assert far.written == SSL


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"N", "offers no TLS"),
        (b"S" + LOGIN_OK, "in clear"),
        (error(b"57P03", b"evil words"), "with an error"),
        (b"", "closed"),
    ],
)
def test_no_other_does(answer: bytes, words: str) -> None:
    with pytest.raises(Refused, match=words) as caught:
        run(POSTGRESQL.ask_for_tls(Conversation(Scripted(answer)), b""))
    assert "evil" not in str(caught.value)


def test_another_protocol_is_named_as_such() -> None:
    for ask in (
        POSTGRESQL.ask_for_tls(Conversation(Scripted(b"* OK")), b""),
        POSTGRESQL.check_health(Conversation(Scripted(b"-ERR\r\n"))),
    ):
        with pytest.raises(Mismatch, match="does not speak PostgreSQL"):
            run(ask)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (LOGIN_OK, HEALTH + TERMINATE),
        (SCRAM, HEALTH),
        (error(b"28000", b"no pg_hba.conf entry"), HEALTH),
        (error(b"3D000", b"no such database"), HEALTH),
    ],
)
def test_a_server_that_refuses_us_is_well(answer: bytes, said: bytes) -> None:
    for pieces in ([answer], octet_by_octet(answer)):
        far = Scripted(*pieces)
        run(POSTGRESQL.check_health(Conversation(far)))
        assert far.written == said


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (error(b"57P03", b"the database system is starting up"), r"'the database system is starting up' \(57P03\)"),
        (error(b"57P01", b"terminating"), "57P01"),
        (error(b"53300", b"sorry, too many clients already"), "53300"),
        (error(b"XX000", b"\x1b[0m\n"), r"'\?\[0m'"),
        (b"E\0\0\0\x09Mbad\0", "without a state"),
        (b"Ecould not fork new process for connection\0", "not in its form"),  # version 2's form of an error
        (b"E\0\0\0\4", "not in its form"),
        (b"R" + (ANSWER_BYTES + 1).to_bytes(4), "not in its form"),
        (LOGIN_OK[:-1], "closed"),
        (b"", "closed"),
    ],
)
def test_a_server_that_serves_nobody_is_ill(answer: bytes, words: str) -> None:
    with pytest.raises(Refused, match=words):
        run(POSTGRESQL.check_health(Conversation(Scripted(answer))))


def test_who_comes_when_no_server_is_there_is_told() -> None:
    assert POSTGRESQL.unavailable("No server") == error(b"57P03", b"No server")


def test_nothing_is_told_by_a_greeting() -> None:
    assert (POSTGRESQL.name, POSTGRESQL.speaks_first) == ("postgresql", False)
    assert not POSTGRESQL.recognises(b"* OK\r\n")


PIECES = st.sampled_from([SSL, GSSENC, CANCEL, STARTUP, HELLO, SCRAM, LOGIN_OK, b"S"]) | st.binary(max_size=12)


@given(said=st.lists(PIECES))
def test_nothing_but_a_fault_comes_of_any_octets(said: list[bytes]) -> None:
    for role in (
        POSTGRESQL.offer_tls(Conversation(Scripted(*said)), b""),
        POSTGRESQL.decline_tls(Conversation(Scripted(*said))),
        POSTGRESQL.introduce(Conversation(Scripted(STARTUP)), Conversation(Scripted(*said))),
        POSTGRESQL.ask_for_tls(Conversation(Scripted(*said)), b""),
        POSTGRESQL.check_health(Conversation(Scripted(*said))),
    ):
        fault_of(role)
