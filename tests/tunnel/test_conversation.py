from collections.abc import Callable, Coroutine
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scripted import Scripted, fault_of, octet_by_octet, run

from mailaccess.tunnel.conversation import LINE_BYTES, Conversation
from mailaccess.tunnel.faults import Refused

Step = Callable[[Conversation], Coroutine[Any, Any, object]]


def pieces_of(data: bytes, cuts: list[int]) -> list[bytes]:
    places = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    return [data[begin:end] for begin, end in pairwise(places)]


@given(st.lists(st.binary(max_size=20).map(lambda text: text.replace(b"\n", b"") + b"\n")), st.lists(st.integers(0)))
def test_lines_are_the_same_however_they_are_cut(lines: list[bytes], cuts: list[int]) -> None:
    talk = Conversation(Scripted(*pieces_of(b"".join(lines), cuts)))
    assert [run(talk.line()) for _ in lines] == lines


@given(st.binary(max_size=50), st.integers(0, 50), st.lists(st.integers(0)))
def test_what_was_read_too_far_is_handed_back(data: bytes, count: int, cuts: list[int]) -> None:
    stream = Scripted(*pieces_of(data, cuts))
    talk = Conversation(stream)
    taken = run(talk.exactly(min(count, len(data))))
    assert talk.hand_back() is stream
    rest = b""
    while more := run(stream.read()):
        rest += more
    assert taken + rest == data


def test_what_is_said_is_counted() -> None:
    talk = Conversation(Scripted())
    assert talk.said == 0
    run(talk.say(b"one"))
    run(talk.say(b"three"))
    assert talk.said == 8


def test_a_conversation_that_is_over_holds_nothing() -> None:
    stream = Scripted(b"one\ntwo")
    talk = Conversation(stream)
    run(talk.line())
    talk.hand_back()
    talk.hand_back()
    assert run(stream.read()) == b"two"
    assert run(stream.read()) == b""


def test_a_look_takes_nothing() -> None:
    talk = Conversation(Scripted(b"a", b"bc"))
    assert run(talk.peek(2)) == b"ab"
    assert run(talk.exactly(3)) == b"abc"
    assert run(talk.ended())


def test_waiting_for_the_end_takes_nothing() -> None:
    talk = Conversation(Scripted(b"x"))
    assert not run(talk.ended())
    assert not run(talk.ended())
    assert run(talk.exactly(1)) == b"x"
    assert run(talk.ended())


@pytest.mark.parametrize("cut", [lambda data: [data], octet_by_octet], ids=["whole", "octet by octet"])
@pytest.mark.parametrize(
    ("said", "fault"),
    [
        (b"a" * 9 + b"\n", ""),
        (b"a" * 10 + b"\n", "a line has more than 10 octets"),
        (b"a" * 10, "a line has more than 10 octets"),
        (b"a" * 9, "the other side closed the connection in the middle of the conversation"),
        (b"", "the other side closed the connection in the middle of the conversation"),
    ],
)
def test_a_line_has_its_bound(cut: Callable[[bytes], list[bytes]], said: bytes, fault: str) -> None:
    assert fault_of(Conversation(Scripted(*cut(said))).line(10)) == fault


def test_the_usual_bound() -> None:
    assert fault_of(Conversation(Scripted(b"a" * (LINE_BYTES - 1) + b"\n")).line()) == ""
    assert fault_of(Conversation(Scripted(b"a" * LINE_BYTES + b"\n")).line()) != ""


@pytest.mark.parametrize("step", [lambda talk: talk.exactly(3), lambda talk: talk.peek(3)], ids=["exactly", "peek"])
def test_counted_octets_that_do_not_come(step: Step) -> None:
    assert "closed the connection" in fault_of(step(Conversation(Scripted(b"ab"))))


def test_nothing_may_follow_the_command_that_begins_tls() -> None:
    talk = Conversation(Scripted(b"STLS\r\n", b"USER joe\r\n"))
    run(talk.line())
    talk.nothing_follows()
    talk = Conversation(Scripted(b"STLS\r\nUSER joe\r\n"))
    run(talk.line())
    with pytest.raises(Refused, match="octets in clear follow"):
        talk.nothing_follows()


def test_what_is_said_goes_out_as_it_is() -> None:
    stream = Scripted()
    run(Conversation(stream).say(b"+OK\r\n"))
    assert stream.written == b"+OK\r\n"
