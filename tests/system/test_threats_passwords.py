"""Wrong passwords cost time, but only whoever says them."""

import time

import pytest
from server_process import Server
from wire import IMAP, POP3

pytestmark = pytest.mark.system


def _fails(client: IMAP, password: bytes) -> float:
    """Fail to log in; the seconds it took."""
    began = time.monotonic()
    answer = client.ask(b"LOGIN %s %s" % (client.server.user.encode(), password))
    assert answer.last.split()[1:3] == [b"NO", b"[AUTHENTICATIONFAILED]"]
    return time.monotonic() - began


def _logs_in(server: Server, source: str) -> float:
    began = time.monotonic()
    with IMAP(server, source=source) as client:
        client.login()
    return time.monotonic() - began


def test_delays_double_for_the_address_alone(shared: Server) -> None:
    with IMAP(shared, source="127.0.4.1", seconds=20) as client:
        assert 0.9 < _fails(client, b"wrong1") < 1.8
        assert 1.9 < _fails(client, b"wrong2") < 2.8
        assert _logs_in(shared, "127.0.4.2") < 0.5
        began = time.monotonic()
        client.login()
        assert 3.9 < time.monotonic() - began < 4.8, "it waits before the password is looked at"
    with IMAP(shared, source="127.0.4.1") as client:
        assert 0.9 < _fails(client, b"wrong3") < 1.8, "success takes everything back"


def test_a_repeated_wrong_password_does_not_add_up(shared: Server) -> None:
    with IMAP(shared, source="127.0.4.3", seconds=20) as client:
        assert [round(_fails(client, b"same")) for _ in range(3)] == [1, 2, 2]


def test_an_unknown_user_is_told_the_same_in_the_same_time(shared: Server) -> None:
    with IMAP(shared, source="127.0.4.4") as known, IMAP(shared, source="127.0.4.5") as unknown:
        began = time.monotonic()
        tags = [known.begin(b"LOGIN %s wrong" % shared.user.encode()), unknown.begin(b"LOGIN nobody wrong")]
        answers = [client.answer(tag).last for client, tag in zip((known, unknown), tags, strict=True)]
        assert 0.9 < time.monotonic() - began < 2
        assert answers[0] == answers[1]
    with POP3(shared, source="127.0.4.6") as known_pop, POP3(shared, source="127.0.4.7") as unknown_pop:
        for client, user in ((known_pop, shared.user), (unknown_pop, "nobody")):
            assert client.ask(b"USER " + user.encode()).startswith(b"+OK")
            client.send(b"PASS wrong\r\n")
        assert known_pop.line() == unknown_pop.line()


def test_a_guesser_on_ten_connections_delays_nobody(shared: Server) -> None:
    guessing = [IMAP(shared, source="127.0.5.1", seconds=60) for _ in range(10)]
    for client in guessing:
        client.send(b"".join(b"g LOGIN %s guess%d\r\n" % (shared.user.encode(), n) for n in range(5)))
    for number in range(10):
        assert _logs_in(shared, f"127.0.6.{number + 1}") < 1
    for client in guessing:
        client.close()
