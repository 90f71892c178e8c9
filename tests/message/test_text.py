"""What SEARCH looks through."""

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailaccess.message import text as module
from mailaccess.message.text import fold, header_text, searchable


def test_text_is_decoded_part_by_part() -> None:
    message = (
        b"Subject: outer\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\npreamble\r\n--b\r\n"
        b"Content-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
        b"caf=E9=\r\n s\r\n"
        b"--b\r\nContent-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n"
        b"PGI+w6k8L2I+\r\n"
        b"--b\r\nContent-Type: image/png\r\n\r\nimage\r\n"
        b"--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: =?utf-8?q?in=C3=A9?=\r\n\r\nbody\r\n"
        b"--b\r\nContent-Type: message/delivery-status\r\n\r\nAction: failed\r\n--b--\r\n"
    )
    assert [piece.strip() for piece in searchable(message)] == [
        "café s",
        "<b>é</b>",
        "Subject: iné",
        "body",
        "Action: failed",
    ]


def test_a_plain_message_is_text_without_its_header() -> None:
    assert list(searchable(b"Subject: x\r\n\r\nbody")) == ["body"]


def test_what_is_searched_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_TEXT_OCTETS", 5)
    message = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"--b\r\n\r\nabcd\r\n" * 3
    assert list(searchable(message)) == ["abcd", "a"]


def test_a_header_is_text_field_by_field() -> None:
    header = b"Subject: =?utf-8?q?=C3=A9?=\r\n\tfolded\r\nX: raw \xc3\xa9\r\n\r\n"
    assert header_text(header).strip() == "Subject: é folded\nX: raw é"


@pytest.mark.parametrize(
    ("needle", "hay"),
    [
        ("ABC", "xabcx"),
        ("grüße", "GRÜSSE"),
        ("STRASSE", "Straße"),
        ("ÉTÉ", "e\u0301te\u0301"),
        ("ﬁn", "FIN"),
        ("ς", "Σ"),
    ],
)
def test_case_and_composition_do_not_count(needle: str, hay: str) -> None:
    assert fold(needle) in fold(hay)


def test_folding_twice_is_folding_once_for_every_character() -> None:
    wrong = [chr(code) for code in range(sys.maxunicode + 1) if fold(fold(chr(code))) != fold(chr(code))]
    assert wrong == []


@given(st.text(), st.text())
def test_folding_keeps_substrings_of_whole_characters(left: str, right: str) -> None:
    assert fold(fold(left + right)) == fold(left + right)


@given(st.binary())
def test_nothing_raises_and_all_text_can_be_stored(data: bytes) -> None:
    for piece in (*searchable(data), header_text(data)):
        piece.encode("utf-8")
