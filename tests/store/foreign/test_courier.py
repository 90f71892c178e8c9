"""What Courier left behind is read as Courier meant it."""

from pathlib import Path

import pytest

from mailaccess.store.foreign import courier, uidlist
from mailaccess.values import Flag, flags


def write(folder: Path, name: str, text: str) -> None:
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)


def test_uids_and_uidvalidity_are_carried_over(tmp_path: Path) -> None:
    write(tmp_path, "courierimapuiddb", "1 700000001 9\n3 1.a.h\n7 2.b.h,S=12\n")
    found = courier.read_uids(tmp_path)
    assert found is not None
    assert (found.validity, found.next_uid) == (700000001, 9)
    assert found.uids == {"1.a.h": 3, "2.b.h,S=12": 7}
    again = uidlist.parse(found.serialise())
    assert (again.version, again.validity, again.next_uid, again.uids) == (3, 700000001, 9, found.uids)
    assert again.guid == found.guid


def test_pop3_clients_keep_their_unique_ids(tmp_path: Path) -> None:
    write(tmp_path, "courierimapuiddb", "1 700000001 9\n3 1.a.h\n5 1.b h\n7 2.b.h\n8 3.c.h\n")
    write(
        tmp_path,
        "courierpop3dsizelist",
        "/3 44 1234\n1.a.h:2,S 100 40:1234:0\n1.b h:2, 7 41:0:1\n2.b.h 100 43\nnonsense\ngone 1 2:3:0\n",
    )
    found = courier.read_uids(tmp_path)
    assert found is not None
    again = uidlist.parse(found.serialise())
    assert [again.pop3_uidl(uid) for uid in again.uids.values()] == ["UID40-1234", "UID41", "UID43", None]


@pytest.mark.parametrize("text", ["", "nonsense\n", "1 0 3\n", "1 5 2\n2 a\n", "3 V1 N2 G0\n", "1 5 9\n3 a\n2 b\n"])
def test_what_cannot_be_believed_is_not_carried_over(tmp_path: Path, text: str) -> None:
    write(tmp_path, "courierimapuiddb", text)
    assert courier.read_uids(tmp_path) is None


def test_without_courier_there_is_nothing(tmp_path: Path) -> None:
    assert courier.read_uids(tmp_path) is None
    assert courier.read_keywords(tmp_path) == {}
    assert courier.read_subscriptions(tmp_path) == []


def test_keywords_newer_files_win(tmp_path: Path) -> None:
    write(tmp_path, "courierimapkeywords/:list", "$Label1\nWork\n\na:0 1\nb:1\nc:0\nd:0 7 x\n")
    write(tmp_path, "courierimapkeywords/.5.b", "Older\n")
    write(tmp_path, "courierimapkeywords/.12.b", "Newer\n")
    write(tmp_path, "courierimapkeywords/.9.c", "Aged\n")
    write(tmp_path, "courierimapkeywords/c", "")
    write(tmp_path, "courierimapkeywords/e", "Work\nPlay\n")
    assert courier.read_keywords(tmp_path) == {
        "a": flags([Flag("$Label1"), Flag("Work")]),
        "b": flags([Flag("Newer")]),
        "d": flags([Flag("$Label1")]),
        "e": flags([Flag("work"), Flag("play")]),
    }


def test_keywords_without_a_list(tmp_path: Path) -> None:
    write(tmp_path, "courierimapkeywords/a", "Work\n")
    assert courier.read_keywords(tmp_path) == {"a": flags([Flag("Work")])}


def test_subscriptions(tmp_path: Path) -> None:
    write(
        tmp_path, "courierimapsubscribed", "INBOX\nINBOX.Sent\ninbox.Entw&APw-rfe.2026\nshared.x\n#shared.y\nINBOX..x\n"
    )
    assert courier.read_subscriptions(tmp_path) == [(b"INBOX",), (b"Sent",), (b"Entw&APw-rfe", b"2026")]
