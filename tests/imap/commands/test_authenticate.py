"""AUTHENTICATE step by step (RFC 9051 §6.2.2, RFC 4959)."""

from tests.imap.conftest import Connect


def test_plain_in_two_steps(connect: Connect) -> None:
    client = connect()
    assert client.send(b"a AUTHENTICATE PLAIN\r\n") == b"+ \r\n"
    assert client.send(b"AGpvZQBzZWNyZXQ=\r\n").startswith(b"a OK [CAPABILITY ")


def test_login_asks_for_name_and_password(connect: Connect) -> None:
    client = connect()
    assert client.send(b"a AUTHENTICATE login\r\n") == b"+ VXNlcm5hbWU6\r\n"
    assert client.send(b"am9l\r\n") == b"+ UGFzc3dvcmQ6\r\n"
    assert client.send(b"c2VjcmV0\r\n").startswith(b"a OK ")


def test_a_cancelled_exchange_leaves_the_session_as_it_was(connect: Connect) -> None:
    client = connect()
    client.send(b"a AUTHENTICATE PLAIN\r\n")
    assert client.send(b"*\r\n") == b"a BAD Authentication cancelled\r\n"
    assert client.reply("LOGIN joe secret").startswith(b"OK ")


def test_nobody_acts_as_another(connect: Connect) -> None:
    assert connect().reply("AUTHENTICATE PLAIN cm9vdABqb2UAc2VjcmV0").startswith(b"NO [AUTHORIZATIONFAILED] ")


def test_a_response_that_is_too_long(connect: Connect) -> None:
    client = connect(line_bytes_before_login=100)
    client.send(b"a AUTHENTICATE PLAIN\r\n")
    assert client.send(b"A" * 200 + b"\r\n") == b"a BAD The line is too long\r\n"
    assert client.send(b"b NOOP\r\n") == b"b OK NOOP completed\r\n"


def test_commands_behind_an_exchange_wait(connect: Connect) -> None:
    client = connect()
    answer = client.send(b"a AUTHENTICATE PLAIN\r\nAGpvZQBzZWNyZXQ=\r\nb SELECT INBOX\r\n")
    assert answer.startswith(b"+ \r\na OK ")
    assert answer.endswith(b"b OK [READ-WRITE] SELECT completed\r\n")


def test_failures_do_not_end_the_session_at_once(connect: Connect) -> None:
    client = connect()
    for _ in range(3):
        assert client.reply("LOGIN joe wrong").startswith(b"NO [AUTHENTICATIONFAILED] ")
    assert client.reply("LOGIN joe secret").startswith(b"OK ")
