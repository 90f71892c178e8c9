r"""LIST and LSUB: the examples of RFC 5258 §5 (RFC 9051 §6.3.9.8), as tables.

An expectation is written ``name \Attribute… [CHILDINFO]``. ``\Noselect`` beside ``\NonExistent`` is left out, and so
are ``\HasChildren`` and ``\HasNoChildren`` where the example does not ask for them.
"""

import re

import pytest

from mailaccess.errors import ClientError, Code
from mailaccess.mailbox.listing import MAX_PATTERNS, Attribute, Listed, Return, Selection, listing, lsub
from mailaccess.mailbox.names import Pattern
from mailaccess.values import MailboxInfo, MailboxName, SpecialUse

FOOD = "INBOX Fruit Fruit/Apple Fruit/Banana Tofu Vegetable Vegetable/Broccoli Vegetable/Corn"
FOOD_SUBSCRIBED = "INBOX Fruit/Banana Fruit/Peach Vegetable Vegetable/Broccoli"
FOO = "INBOX Foo Foo/Bar Foo/Baz Moo"
NINTH = "INBOX foo2 foo2/bar1 foo2/bar2 baz2 baz2/bar2 baz2/bar22 baz2/bar222 eps2 eps2/mamba qux2/bar2"
NINTH_SUBSCRIBED = "foo2/bar1 foo2/bar2 baz2/bar2 baz2/bar22 baz2/bar222 eps2 eps2/mamba qux2/bar2"


def names_of(words: str) -> list[MailboxName]:
    return [MailboxName(tuple(word.split("/"))) for word in words.split()]


def written(listed: Listed, leave_out: tuple[str, ...]) -> str:
    attributes = [attribute for attribute in listed.attributes if attribute not in leave_out]
    info = [f"[{' '.join(listed.child_info)}]"] if listed.child_info else []
    return " ".join(["/".join(listed.name.parts), *attributes, *info])


def answer(boxes: str, subscribed: str, command: str) -> list[str]:
    """LIST's answer as in the tables; the command is written as on the wire, without reference and quotes."""
    read = re.fullmatch(r"(?:\((?P<selection>.*?)\) )?(?P<patterns>[^(]*?)(?: RETURN \((?P<returns>.*)\))?", command)
    assert read is not None
    returns = frozenset(Return(word) for word in (read["returns"] or "").split())
    rows = listing(
        [MailboxInfo(name) for name in names_of(boxes)],
        names_of(subscribed),
        [Pattern("", pattern, "/") for pattern in read["patterns"].split()],
        frozenset(Selection(word) for word in (read["selection"] or "").split()),
        returns,
    )
    unasked = () if Return.CHILDREN in returns else (Attribute.HAS_CHILDREN, Attribute.HAS_NO_CHILDREN)
    return [written(row, (Attribute.NOSELECT, *unasked)) for row in rows]


@pytest.mark.parametrize(
    ("boxes", "subscribed", "command", "expected"),
    [
        (FOOD, FOOD_SUBSCRIBED, "*", sorted(FOOD.split(), key=lambda name: (name != "INBOX", name))),
        (
            FOOD,
            FOOD_SUBSCRIBED,
            "(SUBSCRIBED) *",
            [
                r"INBOX \Subscribed",
                r"Fruit/Banana \Subscribed",
                r"Fruit/Peach \NonExistent \Subscribed",
                r"Vegetable \Subscribed",
                r"Vegetable/Broccoli \Subscribed",
            ],
        ),
        (
            FOOD,
            FOOD_SUBSCRIBED,
            "() % RETURN (CHILDREN)",
            [r"INBOX \HasNoChildren", r"Fruit \HasChildren", r"Tofu \HasNoChildren", r"Vegetable \HasChildren"],
        ),
        (
            FOOD,
            FOOD_SUBSCRIBED,
            "(REMOTE) * RETURN (SUBSCRIBED)",
            [
                r"INBOX \Subscribed",
                "Fruit",
                "Fruit/Apple",
                r"Fruit/Banana \Subscribed",
                "Tofu",
                r"Vegetable \Subscribed",
                r"Vegetable/Broccoli \Subscribed",
                "Vegetable/Corn",
            ],
        ),
        (
            "INBOX Drafts Sent Sent/March2004 Sent/December2003 Sent/August2004",
            "",
            "INBOX Drafts Sent/%",
            ["INBOX", "Drafts", "Sent/August2004", "Sent/December2003", "Sent/March2004"],
        ),
        (FOO, "Foo/Baz", "(SUBSCRIBED) *", [r"Foo/Baz \Subscribed"]),
        (FOO, "Foo/Baz", "(SUBSCRIBED) %", []),
        (FOO, "Foo/Baz", "(SUBSCRIBED RECURSIVEMATCH) %", ["Foo [SUBSCRIBED]"]),
        (FOO, "Foo Foo/Baz", "(SUBSCRIBED RECURSIVEMATCH) %", [r"Foo \Subscribed [SUBSCRIBED]"]),
        (
            "INBOX Foo/Bar Foo/Baz Moo",
            "Foo/Baz",
            "(SUBSCRIBED RECURSIVEMATCH) %",
            [r"Foo \NonExistent [SUBSCRIBED]"],
        ),
        (FOO, "", "(SUBSCRIBED RECURSIVEMATCH) %", []),
        (
            FOO,
            "Foo Moo",
            "(SUBSCRIBED RECURSIVEMATCH) % RETURN (CHILDREN)",
            [r"Foo \Subscribed \HasChildren", r"Moo \Subscribed \HasNoChildren"],
        ),
        (
            NINTH,
            NINTH_SUBSCRIBED,
            "(RECURSIVEMATCH SUBSCRIBED) *2",
            [
                r"baz2/bar2 \Subscribed",
                r"baz2/bar22 \Subscribed",
                r"baz2/bar222 \Subscribed",
                r"eps2 \Subscribed [SUBSCRIBED]",
                "foo2 [SUBSCRIBED]",
                r"foo2/bar2 \Subscribed",
                r"qux2/bar2 \Subscribed",
            ],
        ),
        ("foo", "foo/bar", "foo foo/*", ["foo"]),
        ("foo", "foo/bar", "(SUBSCRIBED) foo/*", [r"foo/bar \NonExistent \Subscribed"]),
        (
            "foo",
            "foo/bar",
            "(SUBSCRIBED RECURSIVEMATCH) foo RETURN (CHILDREN)",
            [r"foo \HasNoChildren [SUBSCRIBED]"],
        ),
        ("music/rock", "", "*", ["music/rock"]),
        ("music/rock", "", "() % RETURN (CHILDREN)", [r"music \NonExistent \HasChildren"]),
    ],
)
def test_examples_of_the_rfc(boxes: str, subscribed: str, command: str, expected: list[str]) -> None:
    assert answer(boxes, subscribed, command) == expected


def test_a_parent_that_the_store_names_is_no_mailbox() -> None:
    rows = [MailboxInfo(MailboxName(("a",)), selectable=False), MailboxInfo(MailboxName(("a", "b")))]
    assert [row.name for row in listing(rows, (), [Pattern("", "*", "/")])] == [MailboxName(("a", "b"))]
    (parent,) = listing(rows, (), [Pattern("", "%", "/")])
    assert parent.attributes == ("\\NonExistent", "\\Noselect", "\\HasChildren")


def test_special_uses() -> None:
    sent = MailboxInfo(MailboxName(("Sent",)), special_use=SpecialUse.SENT)
    rows = [MailboxInfo(MailboxName(("INBOX",))), sent, MailboxInfo(MailboxName(("Junk",)))]
    everything = [Pattern("", "*", "/")]
    assert [row.attributes for row in listing(rows, (), everything)] == [
        ("\\HasNoChildren",),
        ("\\HasNoChildren",),
        ("\\HasNoChildren", "\\Sent"),
    ]
    (only,) = listing(rows, (), everything, frozenset({Selection.SPECIAL_USE}))
    assert only.name == sent.name
    both = frozenset({Selection.SPECIAL_USE, Selection.SUBSCRIBED})
    assert listing(rows, names_of("Junk"), everything, both) == []
    assert listing(rows, names_of("Sent"), everything, both)[0].attributes == (
        "\\Subscribed",
        "\\HasNoChildren",
        "\\Sent",
    )


def test_the_criteria_are_told_of_children() -> None:
    rows = [MailboxInfo(MailboxName(("a",))), MailboxInfo(MailboxName(("a", "b")), special_use=SpecialUse.JUNK)]
    selection = frozenset({Selection.SPECIAL_USE, Selection.RECURSIVEMATCH})
    assert [row.child_info for row in listing(rows, (), [Pattern("", "%", "/")], selection)] == [("SPECIAL-USE",)]


@pytest.mark.parametrize(
    ("subscribed", "pattern", "expected"),
    [
        ("foo/bar", "%", [r"foo \Noselect"]),
        ("foo/bar", "*", ["foo/bar"]),
        ("foo foo/bar", "%", ["foo"]),
        ("foo foo/bar", "*", ["foo", "foo/bar"]),
        ("a/b/c", "a/%", [r"a/b \Noselect"]),
        ("a/b/c", "%/%", [r"a/b \Noselect"]),
        ("a/b/c", "a", []),
        ("a/b/c INBOX b", "%", ["INBOX", r"a \Noselect", "b"]),
    ],
)
def test_lsub(subscribed: str, pattern: str, expected: list[str]) -> None:
    assert [written(row, ()) for row in lsub(names_of(subscribed), [Pattern("", pattern, "/")])] == expected


def test_patterns_are_bounded() -> None:
    patterns = [Pattern("", "a", "/")] * (MAX_PATTERNS + 1)
    with pytest.raises(ClientError) as caught:
        listing((), (), patterns)
    assert caught.value.code is Code.LIMIT
    with pytest.raises(ClientError) as caught:
        lsub((), patterns)
    assert caught.value.code is Code.LIMIT
