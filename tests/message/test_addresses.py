"""Address fields: the usual, the obsolete, the broken."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailaccess.message import addresses as module
from mailaccess.message.addresses import GROUP_END, Address, GroupStart, Item, addresses


def mailbox(local: bytes, host: bytes, name: bytes | None = None, route: bytes | None = None) -> Address:
    return Address(name, route, local, host)


@pytest.mark.parametrize(
    ("value", "items"),
    [
        (b"", []),
        (b" , ,", []),
        (b"(nobody)", []),
        (b"a@b", [mailbox(b"a", b"b")]),
        (b"Joe Q.  Public <joe@x.org>, a@b.c", [mailbox(b"joe", b"x.org", b"Joe Q. Public"), mailbox(b"a", b"b.c")]),
        (b'"Doe, J" <j@d>', [mailbox(b"j", b"d", b"Doe, J")]),
        (rb'"A \"B\" C" <j@d>', [mailbox(b"j", b"d", b'A "B" C')]),
        (b"=?utf-8?q?J=C3=BC?= <j@d>", [mailbox(b"j", b"d", b"=?utf-8?q?J=C3=BC?=")]),
        (b"J\xfc <j@d>", [mailbox(b"j", b"d", b"J\xfc")]),
        (b"a@b (Joe (really))", [mailbox(b"a", b"b", b"Joe (really)")]),
        (b"joe . smith @ x . y", [mailbox(b"joe.smith", b"x.y")]),
        (b'"a b"@[1.2.3.4]', [mailbox(b"a b", b"[1.2.3.4]")]),
        (b"<@a,@b:c@d>", [mailbox(b"c", b"d", route=b"@a,@b")]),
        (b"<@example.net:fran@e.c>", [mailbox(b"fran", b"e.c", route=b"@example.net")]),
        # groups
        (b"undisclosed-recipients:;", [GroupStart(b"undisclosed-recipients"), GROUP_END]),
        (
            b'"A Group": a@b, C <c@d>; e@f',
            [GroupStart(b"A Group"), mailbox(b"a", b"b"), mailbox(b"c", b"d", b"C"), GROUP_END, mailbox(b"e", b"f")],
        ),
        (b"open: a@b", [GroupStart(b"open"), mailbox(b"a", b"b"), GROUP_END]),
        (b"g: h: i@j;", [GroupStart(b"g"), mailbox(b"i", b"j", b"h:"), GROUP_END]),
        # RFC 7103 §7.1
        (b"<<<user2@example.org>>>", [mailbox(b"user2", b"example.org")]),
        (b"<another@example.net", [mailbox(b"another", b"example.net")]),
        (b"second@example.org>", [mailbox(b"second", b"example.org")]),
        (b"(Testing <fran@example.com>", [mailbox(b"fran", b"example.com", b"Testing")]),
        (b"Testing) <sam@example.com>", [mailbox(b"sam", b"example.com", b"Testing")]),
        (b"<third@e.n, fourth@e.n>", [mailbox(b"third", b"e.n"), mailbox(b"fourth", b"e.n")]),
        (b'"Joe <joe@example.com>', [mailbox(b"joe", b"example.com", b"Joe")]),
        (b"Joe", [mailbox(b"Joe", b"")]),
        (b"Joe Public", [mailbox(b"", b"", b"Joe Public")]),
        (b"Joe Public joe . p@x", [mailbox(b"joe.p", b"x", b"Joe Public")]),
        # others
        (b"a@b <a@b>", [mailbox(b"a", b"b", b"a@b")]),
        (b"a@b; c@d", [mailbox(b"a", b"b"), mailbox(b"c", b"d")]),
        (b"a@b@c", [mailbox(b"a@b", b"c")]),
        (b"@x", [mailbox(b"", b"x")]),
        (b"Nobody <>", [mailbox(b"", b"", b"Nobody")]),
        (b"A\r\n\tB\r\n <a@b>,\r\n c@d", [mailbox(b"a", b"b", b"A B"), mailbox(b"c", b"d")]),
    ],
)
def test_lists_are_read(value: bytes, items: list[Item]) -> None:
    assert addresses(value) == items


def test_a_field_is_read_so_far_and_no_further(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_FIELD_OCTETS", 7)
    assert addresses(b"a@b,c@d,e@f") == [mailbox(b"a", b"b"), mailbox(b"c", b"d")]


pieces = st.lists(
    st.sampled_from(
        [
            b"a",
            b"b.c",
            b"@",
            b"<",
            b">",
            b",",
            b";",
            b":",
            b'"',
            b"\\",
            b"(",
            b")",
            b"[",
            b"]",
            b" ",
            b"\xe9",
            b'"q"',
            b"(c)",
            b"\0",
        ]
    )
).map(b"".join)


@given(pieces)
def test_nothing_raises_and_groups_are_balanced(value: bytes) -> None:
    depth = 0
    for item in addresses(value):
        depth += isinstance(item, GroupStart) - (item == GROUP_END)
        assert depth in (0, 1)
    assert depth == 0


word = st.sampled_from([b"a", b"b.c", b"J.", b"x-y", b"\xc3\xa9", b"=?utf-8?q?x?="])
phrase = st.lists(word, max_size=3).map(b" ".join) | word.map(lambda text: b'"%b, %b"' % (text, text))
usual = st.tuples(phrase, word, word).map(lambda parts: b"%b <%b@%b>" % parts) | st.tuples(word, word).map(b"@".join)


@given(st.lists(usual, min_size=1).map(b", ".join))
def test_the_patient_reader_reads_the_usual_like_the_quick_one(value: bytes) -> None:
    with pytest.MonkeyPatch.context() as patch:
        quick = addresses(value)
        patch.setattr(module, "_plain", lambda *_: None)
        assert addresses(value) == quick
