"""Keys that need a message's octets, and what remains of a program for them."""

import pytest

from mailaccess.mailbox import contents
from mailaccess.mailbox.contents import NONE, predicate, residual
from mailaccess.mailbox.criteria import All, And, Body, Criterion, FlagIs, Header, Larger, Not, Or, Text
from mailaccess.values import FLAGGED, SEEN
from tests.mailbox.doubles import Message

UNSEEN, IS_FLAGGED, BODY = FlagIs(SEEN, False), FlagIs(FLAGGED), Body("x")


class Counting(Message):
    """Counts how often the whole message is read."""

    def __init__(self, octets: bytes) -> None:
        super().__init__(octets)
        self.whole_read = 0

    def whole(self) -> bytes:
        self.whole_read += 1
        return super().whole()


def meets(key: Criterion, content: Message) -> bool:
    return predicate(key)(content)


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        (UNSEEN, All()),
        (IS_FLAGGED, NONE),
        (BODY, BODY),
        (Not(UNSEEN), NONE),
        (Not(IS_FLAGGED), All()),
        (Not(BODY), Not(BODY)),
        (And((UNSEEN, BODY)), BODY),
        (And((IS_FLAGGED, BODY)), NONE),
        (And((UNSEEN, Not(IS_FLAGGED))), All()),
        (And((BODY, Text("y"), UNSEEN)), And((BODY, Text("y")))),
        (And(()), All()),
        (Or(UNSEEN, BODY), All()),
        (Or(BODY, UNSEEN), All()),
        (Or(IS_FLAGGED, BODY), BODY),
        (Or(BODY, IS_FLAGGED), BODY),
        (Or(IS_FLAGGED, IS_FLAGGED), NONE),
        (Or(BODY, Text("y")), Or(BODY, Text("y"))),
        (All(), All()),
    ],
)
def test_what_remains(key: Criterion, expected: Criterion) -> None:
    assert residual(key, {UNSEEN: True, IS_FLAGGED: False}) == expected


@pytest.mark.parametrize(
    ("key", "times"),
    [
        (And((BODY, Header("Subject", "no"))), 0),
        (Or(BODY, Header("Subject", "yes")), 0),
        (And((BODY, Body("y"), Text("z"), Header("Subject", "yes"))), 1),
        (Text("yes"), 0),
    ],
)
def test_the_body_is_read_only_if_the_header_does_not_decide(key: Criterion, times: int) -> None:
    content = Counting(b"Subject: yes\r\n\r\nxyz\r\n")
    meets(key, content)
    assert content.whole_read == times


def test_huge_messages_are_searched_to_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contents, "MAX_SEARCHED_BYTES", 40)
    content = Counting(b"Subject: yes\r\n\r\n" + b"near" + b"." * 30 + b"far\r\n")
    assert meets(Body("near"), content)
    assert not meets(Body("far"), content)
    assert content.whole_read == 0


def test_a_key_of_columns_is_no_key_of_contents() -> None:
    with pytest.raises(TypeError, match="Larger"):
        predicate(Larger(1))
