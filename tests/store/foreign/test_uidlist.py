"""``dovecot-uidlist``: what is written is read again, and what cannot be true is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailaccess.store.foreign import uidlist
from mailaccess.store.foreign.uidlist import Damaged, UIDList
from mailaccess.values import MAX_UID, UID, UIDValidity

BASES = st.text(st.characters(codec="utf-8", exclude_characters="/:\n\x00"), min_size=1, max_size=30).map(
    lambda text: text.encode().decode("utf-8", "surrogateescape")
)
FIELD = st.builds(str.__add__, st.sampled_from("SWPOGX"), st.text("abcXYZ0189-_", min_size=1, max_size=12))


@st.composite
def lists(draw: st.DrawFn) -> UIDList:
    """Any list that can be written."""
    bases = draw(st.lists(BASES, unique=True, max_size=12))
    numbers = draw(st.lists(st.integers(1, MAX_UID - 1), unique=True, min_size=len(bases), max_size=len(bases)))
    uids = {base: UID(number) for base, number in zip(bases, sorted(numbers), strict=True)}
    fields = {
        uid: " ".join(draw(st.lists(FIELD, min_size=1, max_size=3))) for uid in uids.values() if draw(st.booleans())
    }
    following = UID(draw(st.integers(max([1, *(uid + 1 for uid in uids.values())]), MAX_UID)))
    guid = draw(st.text("0123456789abcdef", min_size=32, max_size=32))
    extra = tuple(draw(st.lists(st.sampled_from(["P%v.%u", "Xother"]), unique=True)))
    validity = UIDValidity(draw(st.integers(1, MAX_UID)))
    return UIDList(validity, following, guid, extra, uids, fields, lines=len(uids))


@given(lists())
def test_what_is_written_is_read_again(written: UIDList) -> None:
    assert uidlist.parse(written.serialise()) == written


@given(lists(), st.lists(BASES, unique=True, max_size=5))
def test_appended_lines_go_on_where_the_list_ended(written: UIDList, bases: list[str]) -> None:
    if written.next_uid + len(bases) > MAX_UID:
        return
    data = written.serialise() + written.allocate(bases)
    again = uidlist.parse(data)
    assert again.uids == written.uids
    assert again.next_uid == written.next_uid


@given(lists(), st.data())
def test_a_list_cut_short_anywhere_is_the_whole_lines_or_damaged(written: UIDList, data: st.DataObject) -> None:
    octets = written.serialise()
    cut = octets[: data.draw(st.integers(0, len(octets)))]
    try:
        found = uidlist.parse(cut)
    except Damaged:
        assert b"\n" not in cut
        return
    assert b"\n" in cut
    assert list(found.uids.items()) == list(written.uids.items())[: len(found.uids)]
    assert len(found.uids) == max(0, cut.count(b"\n") - 1)


@given(st.binary(max_size=200))
def test_any_octets_are_a_list_or_damaged(data: bytes) -> None:
    for head in (b"", b"3 V1 N1 G0\n", b"1 1 99\n"):
        try:
            uidlist.parse(head + data)
        except Damaged:
            continue


def test_dovecots_own() -> None:
    found = uidlist.parse(
        b"3 V1275660208 N25022 G3085f01b7f11094c501100008c4a11c1\n"
        b"25006 :1276528487.M364837P9451.kurkku,S=1355,W=1394\n"
        b"25017 W2481 S2432 P00006 :1276533073.M242911P3632.kurkku:2,F\n"
    )
    assert (found.validity, found.next_uid, found.guid) == (1275660208, 25022, "3085f01b7f11094c501100008c4a11c1")
    assert found.uids == {
        "1276528487.M364837P9451.kurkku,S=1355,W=1394": 25006,
        "1276533073.M242911P3632.kurkku": 25017,
    }
    assert found.pop3_uidl(UID(25017)) == "00006"
    assert found.pop3_uidl(UID(25006)) is None


def test_the_last_line_counts_where_it_says_more_than_the_header() -> None:
    assert uidlist.parse(b"3 V1 N2 G0\n7 :a\n").next_uid == 8


def test_a_base_that_stands_twice_has_the_later_uid() -> None:
    assert uidlist.parse(b"3 V1 N9 G0\n3 :a\n5 :b\n7 :a\n").uids == {"b": 5, "a": 7}


def test_version_1() -> None:
    found = uidlist.parse(b"1 5 9\n3 a:2,S\n7 b c\n")
    assert (found.version, found.validity, found.next_uid, found.uids) == (1, 5, 9, {"a": 3, "b c": 7})


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\n",
        b"2 V1 N1\n",
        b"3\n",
        b"3 N5\n",
        b"3 V5\n",
        b"3 V0 N5 G0\n",
        b"3 V5 N0 G0\n",
        b"3 V4294967296 N5 G0\n",
        b"3 V5 N4294967297 G0\n",
        b"3 V" + b"9" * 5000 + b" N5 G0\n",
        b"3 V1 N9 G0\n0 :a\n",
        b"3 V1 N9 G0\n4294967295 :a\n",
        b"3 V1 N9 G0\n" + b"9" * 5000 + b" :a\n",
        b"3 V1 N9 G0\n5 :a\n5 :b\n",
        b"3 V1 N9 G0\n5 :a\n4 :b\n",
        b"3 V1 N9 G0\n5 :../a\n",
        b"3 V1 N9 G0\n5 :\n",
        b"3 V1 N9 G0\n5\n",
        b"3 V1 N9 G0\n\n",
        b"3 V1 N9 G0\n-5 :a\n",
        b"1 1\n",
        b"1 0 5\n",
        b"1 1 x\n",
        b"1 1 5\n5 a\n",
    ],
)
def test_what_cannot_be_true_is_damage(data: bytes) -> None:
    with pytest.raises(Damaged):
        uidlist.parse(data)


def test_no_uid_is_given_beyond_the_last() -> None:
    full = UIDList(UIDValidity(1), UID(MAX_UID), "0")
    with pytest.raises(Damaged):
        full.allocate(["a", "b"])
